"""Tests of what looks for faults of an installation."""
