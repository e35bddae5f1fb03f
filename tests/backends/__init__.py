"""The sources of users."""
