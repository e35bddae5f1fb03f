"""Tests of the response modes."""
