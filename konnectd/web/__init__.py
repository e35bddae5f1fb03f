"""The HTTP surface: URLs, cookies, pages."""
