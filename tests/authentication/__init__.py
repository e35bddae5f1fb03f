"""Tests of the methods of client authentication."""
