"""What an answer came of, in values: who signed in, what was granted, what was refused, who has left.

A route makes one from the type of its flow's answer and lets it travel with the response; whoever counts or keeps a
record looks at it where answers leave. There is no field for a secret here, and none for what somebody typed.
"""

from typing import TypeAlias

from attrs import field, frozen


@frozen(kw_only=True)
class SignedIn:
    """Somebody proved who they are, or a trusted proxy or an external authority said it.

    Attributes:
        user: the name of the account that the backend has for signing in, not what was typed.
        sub: by which clients know them.
        session: the ``sid`` of the new session.
        client: that waits for them; empty for none.
        recognized: a proxy said who it is, and no password was asked for.
        authority: the id of the external authority that said it; empty for none.
    """

    user: str
    sub: str
    session: str = field(repr=False)
    client: str = ""
    recognized: bool = False
    authority: str = ""


@frozen(kw_only=True)
class SignInRefused:
    """Nobody was signed in.

    Attributes:
        reason: one of the words of `konnectd.interfaces.RefusalReason` or `konnectd.authority.Rebuff`,
            ``too_many_tries`` or ``unavailable``.
        account: the backend's own subject of the account that was tried; empty when there is none of that name.
        client: that waits; empty for none, and for one nobody knows.
        authority: the id of the external authority that somebody came from; empty for none.
    """

    reason: str
    account: str = ""
    client: str = ""
    authority: str = ""


@frozen(kw_only=True)
class Authorized:
    """A client gets an answer about a person: a code, or tokens.

    Attributes:
        scope: what it may do.
    """

    user: str
    sub: str
    session: str = field(repr=False)
    client: str
    scope: str = ""


@frozen(kw_only=True)
class ConsentAnswered:
    """Somebody answered what a client may do.

    Attributes:
        scope: what of it they allowed.
    """

    user: str
    sub: str
    client: str
    allowed: bool
    scope: str = ""


@frozen(kw_only=True)
class ConsentWithdrawn:
    """Somebody took back what a client may do."""

    user: str
    sub: str
    client: str


@frozen(kw_only=True)
class SignedOut:
    """A session has ended.

    Attributes:
        session: its ``sid``.
        remote: it was ended from another browser of the same person.
    """

    user: str
    sub: str
    session: str = field(repr=False)
    remote: bool = False


@frozen(kw_only=True)
class TokensIssued:
    """A client got tokens from the token endpoint.

    Attributes:
        grant_type: as it was asked for.
        client: its id.
        scope: what the tokens are good for.
    """

    grant_type: str
    client: str = ""
    scope: str = ""


@frozen(kw_only=True)
class Rejected:
    """A request was refused.

    Attributes:
        reason: the name of the rule, as `konnectd.protocol.reasons` has it.
        error: the code that was told; empty when it is none of OAuth's.
        reference: of the line in the log.
        client: the id of a registered client; empty when none is known.
        grant_type: that was asked for, if it is one there is.
        everyday: it happens all the time, and says nothing about anybody.
    """

    reason: str
    error: str = ""
    reference: str = ""
    client: str = ""
    grant_type: str = ""
    everyday: bool = False


@frozen(kw_only=True)
class ClientChanged:
    """A client registered itself, changed or removed its registration.

    Attributes:
        change: ``registered``, ``changed`` or ``removed``.
    """

    client: str
    change: str


@frozen(kw_only=True)
class TokenRevoked:
    """A client gave a token back."""

    client: str


Happening: TypeAlias = (
    SignedIn
    | SignInRefused
    | Authorized
    | ConsentAnswered
    | ConsentWithdrawn
    | SignedOut
    | TokensIssued
    | Rejected
    | ClientChanged
    | TokenRevoked
)
