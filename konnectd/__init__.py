"""konnectd, an OpenID Connect provider for people who run their own directory."""

__version__ = "0.1.0"
