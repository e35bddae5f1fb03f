"""A relying party to look at, served beside the provider by `konnectd demo`."""
