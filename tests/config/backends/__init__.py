"""Backends that consist of options only, to read settings against."""
