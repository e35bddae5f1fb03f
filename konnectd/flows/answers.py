"""What the authorization endpoint answers: back to the client, or on to one of the pages."""

from typing import TypeAlias

from attrs import field, frozen

from konnectd.flows.browser import CookieChange
from konnectd.flows.pending import Arrival
from konnectd.protocol.delivery import Delivery
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import Scope

_NOTHING = Scope()


@frozen
class Refusal:
    """An error, and the request that it answers, for those who tell of it."""

    error: OAuthError
    arrival: Arrival = field(repr=False)


@frozen
class ToClient:
    """The browser goes back to the client, with an answer or an error.

    Attributes:
        refusal: what is wrong; None with an answer.
        granted: what the client gets; empty with an error.
        logon: whom the answer is about; None with an error.
        client_id: whose it is; empty with an error.
        entered: who was signed in on the way, by the word of a proxy; the other answers have this, too.
    """

    delivery: Delivery
    cookies: tuple[CookieChange, ...] = ()
    refusal: Refusal | None = None
    granted: Scope = _NOTHING
    logon: Logon | None = field(default=None, repr=False, eq=False)
    client_id: str = field(default="", eq=False)
    entered: Logon | None = field(default=None, repr=False, eq=False)


@frozen
class ToSignIn:
    """The browser goes to the sign-in page; `request` and `interaction` travel along."""

    request: Parameters = field(repr=False)
    interaction: str = field(repr=False)
    cookies: tuple[CookieChange, ...] = ()
    claims_scope: str = ""
    entered: Logon | None = field(default=None, repr=False, eq=False)


@frozen
class ToChooser:
    """The browser goes to the account chooser."""

    request: Parameters = field(repr=False)
    interaction: str = field(repr=False)
    cookies: tuple[CookieChange, ...] = ()
    claims_scope: str = ""
    entered: Logon | None = field(default=None, repr=False, eq=False)


@frozen
class ToConsent:
    """The browser goes to the consent page."""

    request: Parameters = field(repr=False)
    interaction: str = field(repr=False)
    cookies: tuple[CookieChange, ...] = ()
    claims_scope: str = ""
    entered: Logon | None = field(default=None, repr=False, eq=False)


Answer: TypeAlias = ToClient | ToSignIn | ToChooser | ToConsent
