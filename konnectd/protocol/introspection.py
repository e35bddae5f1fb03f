"""What is told about a token to servers that were shown it, and who may ask.

Spec: RFC 7662 2 and 4.
"""

from collections.abc import Mapping
from enum import StrEnum

from attrs import field, frozen

from konnectd.protocol.claims import Presented, find_access_token, find_refresh_token
from konnectd.protocol.client import Client
from konnectd.protocol.client_grant import find_client_token

#: The whole answer about a token that is dead, unknown, or none of the asker's business: one can not be told from the
#: other. Spec: RFC 7662 2.2.
INACTIVE: Mapping[str, object] = {"active": False}
#: Claims that are told as they stand in the token.
_TOLD = ("iss", "sub", "aud", "exp", "iat", "jti")


class TokenKind(StrEnum):
    """The kinds of tokens of ours that somebody may ask about or revoke."""

    ACCESS = "access_token"
    CLIENT = "client_access_token"
    REFRESH = "refresh_token"


@frozen(kw_only=True)
class Shown:
    """A token of ours that is not over yet, whoever it was given to."""

    kind: TokenKind
    presented: Presented
    claims: Mapping[str, object] = field(repr=False)


def find_shown(claims: Mapping[str, object] | None, issuer: str, now: int) -> Shown | None:
    """Return what a token is that was sent to the revocation or introspection endpoint; None when it is nothing.

    Nobody has to say what kind it is: our tokens say so themselves.

    Args:
        claims: None when the signature was not ours.

    Spec: RFC 7009 2.1 and RFC 7662 2.1 (``token_type_hint`` is no more than a hint).
    """
    for kind, find in (
        (TokenKind.ACCESS, find_access_token),
        (TokenKind.REFRESH, find_refresh_token),
        (TokenKind.CLIENT, find_client_token),
    ):
        presented = find(claims, issuer, now)
        if presented is not None and claims is not None:
            return Shown(kind=kind, presented=presented, claims=claims)
    return None


def may_look(client: Client, shown: Shown) -> bool:
    """Tell whether a client may know about a token: its own, one that is meant for it, or any if it is registered so.

    A refresh token is nobody's business but that of the client it was given to: whoever checks tokens for a server
    could else let one in that was never meant to be shown there.

    Spec: RFC 7662 2.1 and 4.
    """
    presented = shown.presented
    if presented.client_id == client.client_id:
        return True
    if shown.kind is TokenKind.REFRESH:
        return False
    return client.introspection or client.client_id in presented.audience


def active(shown: Shown, username: str) -> dict[str, object]:
    """Return what is told about a token that is alive.

    Args:
        username: of the person behind it; empty for none.

    Spec: RFC 7662 2.2.
    """
    presented = shown.presented
    members: dict[str, object] = {"active": True, "client_id": presented.client_id}
    members.update((name, shown.claims[name]) for name in _TOLD if name in shown.claims)
    if presented.scope.tokens:
        members["scope"] = str(presented.scope)
    if username:
        members["username"] = username
    if shown.kind is not TokenKind.REFRESH:
        members["token_type"] = "Bearer"  # noqa: S105 - the word on the wire
    return members
