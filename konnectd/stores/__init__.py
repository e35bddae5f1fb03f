"""One file per store, found by its file name."""
