"""What a person took back: codes that nobody has redeemed yet, and refresh tokens.

A code is worth nothing any more when its grant was revoked, when its session was ended, or when the person has taken
back what its client may do. The first two have entries of their own, which are there to stay. The third must not stand
in the way of what the person allows the same client afterwards: each taking back leaves a mark in the store that has
never been there before, and a code remembers the mark it was made under. So what was allowed before is told from what
was allowed afterwards, be it in the same second and by machines whose clocks disagree.

The mark has to be read before what the person has allowed is; then whoever takes it back in between spoils the code.

Spec: RFC 6749 4.1.2 (a code stands for the permission of a person), 10.5; RFC 8628 3.5.
"""

from typing import Final

from konnectd.protocol.account import VERSION, pair_of
from konnectd.protocol.device import DEVICE_TTL
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import TOKENS_REVOKED, AuthorizationGrant, revoked_key
from konnectd.protocol.session import ended_session_key
from konnectd.protocol.vocabulary import ErrorCode

#: How long a mark is kept at least, in seconds: longer than any code lives that was made before it. Refresh tokens may
#: live longer, and then it is kept as long as they may.
WITHDRAWAL_TTL: Final = 2 * DEVICE_TTL
#: Random bytes of a mark.
WITHDRAWAL_BYTES: Final = 12


def withdrawal_key(sub: str, client_id: str) -> str:
    """Name the entry of the mark that a person has left who took back what a client may do."""
    return f"withdrawal:{VERSION}:{pair_of(sub, client_id)}"


def keys_before_redeeming(grant: AuthorizationGrant) -> tuple[str, str, str]:
    """Name the entries that `check_not_taken_back` wants to see, in its order."""
    logon = grant.logon
    return (
        revoked_key(grant.grant_id),
        ended_session_key(logon.session_id),
        withdrawal_key(logon.sub, grant.client_id),
    )


def is_taken_back(made_under: str, mark: str | None) -> bool:
    """Tell whether a person took back what was allowed under a mark.

    Args:
        made_under: the mark at that time; empty for none.
        mark: the one in the store now. None at all is none that came later: that would still be there.
    """
    return mark not in {None, made_under}


def check_not_taken_back(
    grant: AuthorizationGrant, revoked: str | None, ended: str | None, withdrawal: str | None
) -> None:
    """Check that what a code stands for still holds.

    Args:
        grant: what it stands for.
        revoked: what the store has of the grant.
        ended: what the store has of the end of its session.
        withdrawal: the mark that is in the store now.

    Raises:
        OAuthError: ``invalid_grant``: it was taken back.
    """
    if ended is not None:
        raise OAuthError(ErrorCode.INVALID_GRANT, "the person has signed out")
    if revoked not in {None, TOKENS_REVOKED} or is_taken_back(grant.withdrawal, withdrawal):
        raise OAuthError(ErrorCode.INVALID_GRANT, "the person has taken it back")
