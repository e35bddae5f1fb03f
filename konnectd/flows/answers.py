"""What the authorization endpoint answers: back to the client, or on to one of the pages."""

from typing import TypeAlias

from attrs import field, frozen

from konnectd.flows.browser import CookieChange
from konnectd.flows.pending import Arrival
from konnectd.protocol.delivery import Delivery
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
    """

    delivery: Delivery
    cookies: tuple[CookieChange, ...] = ()
    refusal: Refusal | None = None
    granted: Scope = _NOTHING


@frozen
class ToSignIn:
    """The browser goes to the sign-in page; `request` and `interaction` travel along."""

    request: Parameters = field(repr=False)
    interaction: str = field(repr=False)
    cookies: tuple[CookieChange, ...] = ()
    claims_scope: str = ""


@frozen
class ToChooser:
    """The browser goes to the account chooser."""

    request: Parameters = field(repr=False)
    interaction: str = field(repr=False)
    cookies: tuple[CookieChange, ...] = ()
    claims_scope: str = ""


@frozen
class ToConsent:
    """The browser goes to the consent page."""

    request: Parameters = field(repr=False)
    interaction: str = field(repr=False)
    cookies: tuple[CookieChange, ...] = ()
    claims_scope: str = ""


Answer: TypeAlias = ToClient | ToSignIn | ToChooser | ToConsent
