"""Tests of kinds of external authorities."""
