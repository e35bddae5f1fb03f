"""Coroutines that take one endpoint or page from start to end: order, not rules."""
