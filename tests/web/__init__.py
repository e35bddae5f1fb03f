"""Tests of the HTTP surface, in memory."""
