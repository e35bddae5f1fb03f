"""One file per grant type, found by its file name."""
