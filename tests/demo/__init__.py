"""Tests of the demo: its application alone, and together with the provider, in memory."""
