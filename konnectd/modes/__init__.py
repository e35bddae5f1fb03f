"""One file per response mode, found by its file name."""
