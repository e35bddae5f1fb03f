"""How something is encrypted for a client. Spec: RFC 7516; OIDC Core 10.2."""

from attrs import frozen


@frozen(kw_only=True)
class Wrapping:
    """How something is encrypted.

    Attributes:
        alg: how the key is wrapped.
        enc: how the content is encrypted.
        nested: the content is itself a token.
    """

    alg: str
    enc: str
    nested: bool
