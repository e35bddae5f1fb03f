"""What the OpenID Foundation's tests of a provider check, module by module, over HTTP in memory."""
