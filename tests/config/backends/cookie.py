"""A backend that takes words and has no options."""

ARGUMENTS = "URL"
