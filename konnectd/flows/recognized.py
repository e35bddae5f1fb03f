"""Signing in whom somebody in front of us vouches for: no page, no password, and otherwise like any other way in.

Who that somebody is, how they say it and whether they may is decided where requests come in, not here.
"""

from enum import StrEnum
from typing import Protocol

from attrs import field, frozen

from konnectd.flows.browser import Browser, CookieChange
from konnectd.flows.sessions import Sessions
from konnectd.flows.side_by_side import SideBySide
from konnectd.flows.sign_in import SignIn
from konnectd.flows.whereabouts import Whereabouts
from konnectd.interfaces import NamingBackend
from konnectd.protocol.end_user import Logon


class Doubt(StrEnum):
    """Why somebody was not signed in although they are recognized."""

    STRANGER = "stranger"
    NO_NAMES = "no_names"


class Tell(Protocol):
    """Tells the operator why nobody was signed in."""

    def __call__(self, doubt: Doubt, username: str) -> None:
        """Tell it; whether again and again is not the flow's to say."""


@frozen
class Entered:
    """Somebody is signed in now who was not before.

    Attributes:
        browser: as it will be from now on.
        cookies: what makes it so.
    """

    logon: Logon
    browser: Browser = field(repr=False)
    cookies: tuple[CookieChange, ...] = field(repr=False)


@frozen(kw_only=True)
class RecognizedLogon:
    """Signs people in by somebody else's word.

    Attributes:
        tell: told why somebody was not signed in.
    """

    sign_in: SignIn
    whereabouts: Whereabouts
    sessions: Sessions
    tell: Tell

    async def __call__(self, browser: Browser) -> Entered | None:
        """Sign somebody in, where it is known that nobody is who counts; None when nobody can be.

        Raises:
            BackendUnavailableError: backend or store did not answer.

        Spec: OIDC Core 2 (``amr``); RFC 8176 2, which has no word for what we have not seen.
        """
        recognized = browser.recognized
        if recognized is None:
            return None
        backend = self.sign_in.backend
        if not isinstance(backend, NamingBackend):
            self.tell(Doubt.NO_NAMES, recognized.username)
            return None
        user = await backend.find_by_username(recognized.username)
        if user is None:
            self.tell(Doubt.STRANGER, recognized.username)
            return None
        ticket = self.sign_in.prove(user, recognized=recognized.username, amr=())
        browsers = SideBySide(sign_in=self.sign_in, sessions=self.sessions)
        cookies, _ = browsers.add(browser, ticket, beside=False)
        # Whoever sat there before does not count any more, but whoever signs out leaves that session, too.
        earlier = self.sign_in.find(Browser(browser.sealed))
        await self.whereabouts.note(ticket.logon, recognized.browser, recognized.system)
        await self.sessions.begin(ticket.logon, earlier)
        return Entered(ticket.logon, browser.after(cookies), cookies)
