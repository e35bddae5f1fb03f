"""What is read at start: options, files, keys."""
