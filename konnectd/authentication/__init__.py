"""One file per method of client authentication, found by its file name."""
