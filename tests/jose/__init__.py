"""Keys, signatures and sealed values."""
