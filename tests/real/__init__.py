"""Tests that open real sockets and start real programs on this machine."""
