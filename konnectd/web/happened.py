"""What the routes tell of people, made from what their flows answer."""

from konnectd.happenings import Authorized, ConsentAnswered, ConsentWithdrawn, SignedIn, SignedOut, SignInRefused
from konnectd.interfaces import Refused
from konnectd.protocol.end_user import Logon
from konnectd.protocol.scope import Scope

#: Why nobody was signed in, where no backend said it.
TOO_MANY_TRIES = "too_many_tries"
UNAVAILABLE = "unavailable"


def signed_in(logon: Logon, client: str = "") -> SignedIn:
    """Tell that somebody is signed in who was not before."""
    return SignedIn(
        user=logon.username,
        sub=logon.sub,
        session=logon.session_id,
        client=client,
        recognized=logon.is_hearsay,
        authority=logon.external.authority_id if logon.external is not None else "",
    )


def entered(logon: Logon | None, client: str = "") -> tuple[SignedIn, ...]:
    """Tell the same of somebody who may have been there before (None), of which there is nothing to tell."""
    return () if logon is None else (signed_in(logon, client),)


def sign_in_refused(refused: Refused | None, client: str = "") -> SignInRefused:
    """Tell that nobody was signed in; None when there were too many tries."""
    if refused is None:
        return SignInRefused(reason=TOO_MANY_TRIES, client=client)
    return SignInRefused(reason=str(refused.reason), account=refused.principal, client=client)


def signed_out(*logons: Logon, remote: bool = False) -> tuple[SignedOut, ...]:
    """Tell of each session that has ended."""
    return tuple(
        SignedOut(user=logon.username, sub=logon.sub, session=logon.session_id, remote=remote) for logon in logons
    )


def authorized(logon: Logon, client: str, scope: Scope) -> Authorized:
    """Tell that a client gets an answer about somebody."""
    return Authorized(user=logon.username, sub=logon.sub, session=logon.session_id, client=client, scope=str(scope))


def consent(logon: Logon, client: str, scope: str, *, allowed: bool) -> ConsentAnswered:
    """Tell what somebody answered."""
    return ConsentAnswered(user=logon.username, sub=logon.sub, client=client, allowed=allowed, scope=scope)


def withdrawn(logon: Logon, client: str) -> ConsentWithdrawn:
    """Tell that somebody took back what a client may do."""
    return ConsentWithdrawn(user=logon.username, sub=logon.sub, client=client)
