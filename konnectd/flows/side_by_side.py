"""The logons of one browser, side by side: adding one, choosing one, taking one out, and noting that one is used.

One of them is the current one, which counts where nobody is named; it changes when a person signs in, chooses or signs
out, and never by what an application does without them. Everything here only says what the browser shall keep: choosing
moves sealed values from one cookie to another, so nothing in them changes, least of all when somebody proved who they
are.
"""

from collections.abc import Iterable, Sequence

from attrs import frozen

from konnectd.flows.browser import (
    BESIDE,
    BETWEEN,
    BROWSER_STATE,
    KEPT_BROWSER_STATE,
    LOGON,
    Browser,
    CookieChange,
    Forget,
    Keep,
)
from konnectd.flows.sessions import Sessions
from konnectd.flows.sign_in import SignIn, Ticket
from konnectd.protocol.end_user import Logon
from konnectd.protocol.logons import MOST_BESIDE


@frozen(kw_only=True)
class SideBySide:
    """Arranges the logons of browsers."""

    sign_in: SignIn
    sessions: Sessions

    async def everyone(self, browser: Browser) -> tuple[Logon, ...]:
        """Return all who are signed in in a browser, the current one first, without those who were ended elsewhere.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        found = (self.sign_in.find(browser), *self.sign_in.beside(browser))
        there = [logon for logon in found if logon is not None and not await self.sign_in.is_over(logon)]
        return tuple([logon for logon in there if await self.sign_in.is_still(logon, browser)])

    def add(self, browser: Browser, ticket: Ticket, *, beside: bool) -> tuple[tuple[CookieChange, ...], Logon | None]:
        """Make a new logon the current one.

        The one that was current goes beside it when the person asked for that, or was signed in beside it before;
        otherwise the new one takes its place. An older logon of the same person always gives way.

        Returns:
            what the browser shall keep, and the logon that is not in it any more.
        """
        before = self._tickets(browser)
        rest = [other for other in before if other.logon.sub != ticket.logon.sub]
        gone = [other for other in before if other.logon.sub == ticket.logon.sub]
        if not gone and not beside and self.sign_in.ticket(browser) is not None:
            gone, rest = rest[:1], rest[1:]
        elif len(rest) > MOST_BESIDE:
            gone, rest = rest[MOST_BESIDE:], rest[:MOST_BESIDE]
        changes = self._arrange(browser, ticket, rest)
        return (*changes, *self._marks((ticket, *rest))), gone[0].logon if gone else None

    def choose(self, browser: Browser, logon: Logon) -> tuple[CookieChange, ...]:
        """Make one of the logons the current one; nothing when it is that already, or is not there.

        Spec: OIDC Core 2 (``auth_time`` is when the authentication occurred, and choosing is none).
        """
        everyone = self._tickets(browser)
        chosen = [ticket for ticket in everyone if ticket.logon.session_id == logon.session_id]
        if not chosen:
            return ()
        return self._arrange(browser, chosen[0], [ticket for ticket in everyone if ticket is not chosen[0]])

    def without(self, browser: Browser, *gone: Logon | None) -> tuple[CookieChange, ...]:
        """Take logons out, and all that do not count any more; nobody takes the place of the current one."""
        ended = {logon.session_id for logon in gone if logon is not None}
        current = self.sign_in.ticket(browser)
        rest = [ticket for ticket in self._tickets(browser) if ticket.logon.session_id not in ended]
        stays = current if current in rest else None
        changes = self._arrange(browser, stays, [ticket for ticket in rest if ticket != stays])
        return (*changes, *self._marks(rest))

    def used(self, browser: Browser, logon: Logon) -> tuple[CookieChange, ...]:
        """Note that a logon is used, where and when that has to be noted."""
        if not self.sign_in.stay.keeps(logon):
            return ()
        for name in (LOGON, *BESIDE):
            ticket = self.sign_in.ticket(browser, name)
            if ticket is not None and ticket.logon == logon and self.sign_in.is_due(ticket):
                fresh = self.sign_in.use(logon)
                others = [other for other in self._tickets(browser) if other.logon != logon]
                return (self.sign_in.keep(fresh, name), *self._marks((fresh, *others)))
        return ()

    def _tickets(self, browser: Browser) -> list[Ticket]:
        """Return all that a browser holds, the current one first."""
        current = self.sign_in.ticket(browser)
        return [*([current] if current is not None else []), *self.sign_in.tickets_beside(browser)]

    def _arrange(self, browser: Browser, current: Ticket | None, beside: Sequence[Ticket]) -> tuple[CookieChange, ...]:
        """Say what changes when a browser is to hold these logons and no others."""
        places = {LOGON: current, **dict(zip(BESIDE, beside, strict=False))}
        changes: list[CookieChange] = []
        for name in (LOGON, *BESIDE):
            ticket = places.get(name)
            if ticket is None and name in browser.sealed:
                changes.append(Forget(name))
            elif ticket is not None and ticket.sealed != browser.sealed.get(name):
                changes.append(self.sign_in.keep(ticket, name))
        return tuple(changes)

    def _marks(self, tickets: Sequence[Ticket]) -> tuple[CookieChange, ...]:
        """Let the browser keep the words of its sessions, which scripts of clients have looked at.

        They are a set: which of the sessions is the current one is nothing that a client with another one has to know.
        """
        kept = [ticket for ticket in tickets if self.sign_in.stay.keeps(ticket.logon)]
        brief = self._words(ticket for ticket in tickets if ticket not in kept)
        changes: list[CookieChange] = [Keep(BROWSER_STATE, brief) if brief else Forget(BROWSER_STATE)]
        if self.sign_in.stay.offered:
            life = max((self.sign_in.life(ticket) or 0 for ticket in kept), default=0)
            changes.append(Keep(KEPT_BROWSER_STATE, self._words(kept), life) if kept else Forget(KEPT_BROWSER_STATE))
        return tuple(changes)

    def _words(self, tickets: Iterable[Ticket]) -> str:
        """Return the words of sessions as they stand in a cookie."""
        return BETWEEN.join(self.sessions.browser_state(ticket.logon) for ticket in tickets)
