"""Keys, signatures and sealed values: the only importer of jwcrypto."""
