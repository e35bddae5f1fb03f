"""Tests of what watches the daemon."""
