"""Tests of what an administrator types."""
