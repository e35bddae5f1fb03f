"""Keeping our logon to what a backend says that knows by what a browser carries who is there.

That backend has the last word at every request: a logon of ours counts only while it says the same person, since the
same moment. Whoever has signed out there is nobody here, and whoever has signed in there is signed in.
"""

from attrs import field, frozen

from konnectd.flows.browser import Browser, CookieChange
from konnectd.flows.sessions import Sessions
from konnectd.flows.side_by_side import SideBySide
from konnectd.flows.sign_in import SignIn
from konnectd.flows.whereabouts import Whereabouts
from konnectd.sources import BrowserBackend


@frozen
class Now:
    """A browser as it is by what the backend says.

    Attributes:
        is_somebody: whether there is anybody.
        browser: with the logon of whoever is there, and with no other.
        cookies: what makes it so.
    """

    is_somebody: bool
    browser: Browser = field(repr=False)
    cookies: tuple[CookieChange, ...] = field(default=(), repr=False)


@frozen(kw_only=True)
class KnownLogon:
    """Asks the backend who is there, and signs them in or out."""

    backend: BrowserBackend
    sign_in: SignIn
    whereabouts: Whereabouts
    sessions: Sessions

    async def __call__(self, browser: Browser) -> Now:
        """Return a browser as it is by what the backend says.

        Raises:
            BackendUnavailableError: backend or store did not answer.

        Spec: OIDC Core 2 (``amr``); RFC 8176 2, which has no word for what we have not seen.
        """
        seen = await self.backend.look(browser.carried)
        held = self.sign_in.find(browser)
        browsers = SideBySide(sign_in=self.sign_in, sessions=self.sessions)
        if seen is None:
            gone = browsers.without(browser, held, *self.sign_in.beside(browser)) if browser.sealed else ()
            return Now(is_somebody=False, browser=browser.after(gone), cookies=gone)
        if held is not None and held.is_of(seen.user.subject, seen.proven_at) and not await self.sign_in.is_over(held):
            return Now(is_somebody=True, browser=browser)
        ticket = self.sign_in.prove(seen.user, amr=(), told=seen.proven_at)
        cookies, _ = browsers.add(browser, ticket, beside=False)
        await self.whereabouts.note(ticket.logon, *browser.program)
        # Whoever signs out leaves the session as well that was in the browser before.
        await self.sessions.begin(ticket.logon, held)
        return Now(is_somebody=True, browser=browser.after(cookies), cookies=cookies)
