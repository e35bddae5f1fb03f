"""Families of refresh tokens: every refresh spends a token and gives the next generation of it.

A token and all that ever came from it are a family. A token that comes back after it was spent has been copied, by a
thief or from a backup, and nobody can tell which of the two copies is the person's: the whole family ends. A short
grace is the exception, for laptops that lose the answer or ask twice at once: within it a spent token gives the very
same successor again, so that there is exactly one whatever races happen.

What a store remembers of a family is one number, the first generation that is not spent, for as long as the family
lives, and for a day one entry for each token that was spent, which decides between those who show it at the same
time. So a laptop that refreshes every ten minutes for three years takes no more room than any other.

Spec: RFC 9700 4.14.2; RFC 6749 10.4.
"""

from collections.abc import Mapping

from konnectd.protocol.claims import Presented
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.vocabulary import ErrorCode

#: Purpose under which a successor is sealed.
SUCCESSOR = "refresh"
#: For how long each spent token is remembered by itself, in seconds; the number of its family lasts.
REMEMBERED = 86_400

_VERSION = 1


def family_key(family: str) -> str:
    """Name the entry that says which generation of a family is the first that is not spent."""
    return f"family:{family}"


def spent_key(presented: Presented) -> str:
    """Name the entry that says a token is spent, and what by."""
    return f"spent:{presented.generation}:{presented.family}"


def is_spent(presented: Presented, first_unspent: str | None) -> bool:
    """Tell whether a token is of a generation that is over.

    Args:
        first_unspent: what stands in the family's entry.
    """
    return first_unspent is not None and presented.generation < int(first_unspent)


def successor_claims(token: str) -> dict[str, object]:
    """Write a successor for sealing."""
    return {"v": _VERSION, "token": token}


def successor_of(claims: Mapping[str, object] | None) -> str:
    """Read what `successor_claims` wrote; empty when there is nothing, or the grace is over."""
    match claims:
        case {"v": 1, "token": str(token)}:
            return token
    return ""


def reused() -> OAuthError:
    """Return the refusal of a token that was spent before."""
    return OAuthError(ErrorCode.INVALID_GRANT, "the refresh token has been used; all that came from it is revoked")
