"""Endpoints and pages from start to end, on fakes of the outside."""
