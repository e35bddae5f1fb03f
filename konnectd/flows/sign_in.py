"""Who is this browser's person? Reading, making and ending the sealed logon."""

from attrs import field, frozen

from konnectd.flows.browser import BESIDE, LOGON, Browser, Keep
from konnectd.interfaces import Backend, Clock, Entropy, Sealer, SessionLostError, Store
from konnectd.protocol.end_user import EndUser, ExternalSession, Logon
from konnectd.protocol.logons import HeldLogon, Stay
from konnectd.protocol.session import ended_session_key
from konnectd.sources import BrowserBackend

#: How many logons are remembered opened: a browser that comes again soon costs no cryptography.
MOST_OPENED = 2048


@frozen
class Ticket:
    """A logon that counts, and the value of the cookie that holds it."""

    held: HeldLogon
    sealed: str = field(repr=False)

    @property
    def logon(self) -> Logon:
        """Whose it is, and since when."""
        return self.held.logon


@frozen(kw_only=True)
class SignIn:
    """Keeps logons in browsers and finds them there again.

    Attributes:
        authorities: ids of the external authorities there are.
    """

    backend: Backend
    sealer: Sealer
    clock: Clock
    entropy: Entropy
    store: Store
    stay: Stay = field(factory=Stay)
    authorities: frozenset[str] = frozenset()
    _opened: dict[str, HeldLogon] = field(factory=dict, init=False, repr=False, eq=False)

    def find(self, browser: Browser) -> Logon | None:
        """Return the current logon of a browser; None when there is none that counts here and now."""
        sealed = browser.sealed.get(LOGON)
        held = self._held(sealed, browser) if sealed is not None else None
        return held.logon if held is not None else None

    def beside(self, browser: Browser) -> tuple[Logon, ...]:
        """Return the logons of others who are signed in beside the current one, as far as they count."""
        return tuple(ticket.logon for ticket in self.tickets_beside(browser))

    def ticket(self, browser: Browser, name: str = LOGON) -> Ticket | None:
        """Return what a browser holds in one place; None when it is nothing that counts here and now."""
        sealed = browser.sealed.get(name)
        held = self._held(sealed, browser) if sealed is not None else None
        return Ticket(held, sealed) if sealed is not None and held is not None else None

    def tickets_beside(self, browser: Browser) -> tuple[Ticket, ...]:
        """Return what a browser holds beside the current logon, each person once."""
        places = [name for name in BESIDE if name in browser.sealed]
        if not places:
            return ()
        current = self.ticket(browser)
        known = {current.logon.sub} if current is not None else set()
        found: list[Ticket] = []
        for ticket in (self.ticket(browser, name) for name in places):
            if ticket is not None and ticket.logon.sub not in known:
                known.add(ticket.logon.sub)
                found.append(ticket)
        return tuple(found)

    def _held(self, sealed: str, browser: Browser) -> HeldLogon | None:
        """Return the logon in a sealed value; None when it does not count here and now.

        Here it is seen to, for all pages and endpoints, that nobody meets what is left of whoever sat there before.
        """
        now = self.clock.now()
        held = self._opened.get(sealed) or self._open(sealed, now)
        # Another backend may know somebody else under the same subject.
        if held is None or held.logon.provider != self.backend.name or not self.stay.counts(held, now):
            return None
        if held.logon.external is not None and held.logon.external.authority_id not in self.authorities:
            return None
        if browser.recognized is not None and not held.logon.counts_beside(browser.recognized.username):
            return None
        return held

    def _open(self, sealed: str, now: int) -> HeldLogon | None:
        """Open a sealed logon and remember it; nothing that was not ours is remembered."""
        claims = self.sealer.open(LOGON, sealed, now)
        held = HeldLogon.from_json(claims) if claims is not None else None
        if held is not None:
            if len(self._opened) >= MOST_OPENED:
                self._opened.clear()
            self._opened[sealed] = held
        return held

    async def current(self, browser: Browser) -> Logon | None:
        """Return the logon of a browser unless its session was ended elsewhere.

        What leads back to the authorization endpoint and shows nobody's name does with `find`: it is asked there again.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        logon = self.find(browser)
        if logon is None or await self.is_over(logon):
            return None
        return logon if await self.is_still(logon, browser) else None

    async def is_still(self, logon: Logon, browser: Browser) -> bool:
        """Tell whether a backend that sees who is there still sees the person of a logon; others say nothing of that.

        Raises:
            BackendUnavailableError: the backend did not answer.
        """
        if not isinstance(self.backend, BrowserBackend):
            return True
        seen = await self.backend.look(browser.carried)
        return seen is not None and logon.is_of(seen.user.subject, seen.proven_at)

    async def present(self, browser: Browser) -> Logon | None:
        """Return the logon of a browser if its session goes on and the backend still lets the person in.

        That is what the authorization endpoint asks. A page that sends somebody to sign in must ask the same as the
        sign-in page does: if the two differed, a browser would go to and fro for ever.

        Raises:
            BackendUnavailableError: store or backend did not answer.
        """
        logon = await self.current(browser)
        return logon if logon is not None and await self.still_there(logon) else None

    async def is_over(self, logon: Logon) -> bool:
        """Tell whether a session was ended, whatever a browser still holds.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        return await self.store.get(ended_session_key(logon.session_id)) is not None

    async def still_there(self, logon: Logon) -> bool:
        """Tell whether the backend still knows the person and lets them in, without asking them anything.

        Raises:
            BackendUnavailableError: the backend did not answer.
        """
        try:
            return await self.person(logon) is not None
        except SessionLostError:
            return False

    async def person(self, logon: Logon) -> EndUser | None:
        """Return the person of a logon as they are now; None when they are gone.

        Raises:
            SessionLostError: they have to sign in again before the backend says anything about them.
            BackendUnavailableError: the backend did not answer.
        """
        if logon.guest is not None:
            return EndUser.of_guest(logon.guest)
        user = await self.backend.find(logon.user_id)
        return user if user is not None and user.subject == logon.subject else None

    def begin(self, user: EndUser, *, kept: bool = False) -> tuple[Logon, Keep]:
        """Make a logon for somebody who just proved who they are, and let their browser keep it; see `prove`."""
        ticket = self.prove(user, kept=kept)
        return ticket.logon, self.keep(ticket)

    def prove(
        self,
        user: EndUser,
        *,
        kept: bool = False,
        recognized: str = "",
        amr: tuple[str, ...] = ("pwd",),
        told: int | None = None,
        external: ExternalSession | None = None,
    ) -> Ticket:
        """Make a logon for somebody who just proved who they are; never with an old session's id.

        Args:
            user: who they are.
            kept: whether they ask to stay signed in; nothing comes of it unless that is offered.
            recognized: the name that somebody in front of us says meanwhile; empty for none.
            amr: how they proved it.
            told: when they proved it to a backend that sees it; 0 when it does not say, None for any other backend.
                Or when they did so to an external authority, if that was before they were sent there.
            external: where an external authority says who they are.
        """
        logon = Logon(
            provider=self.backend.name,
            user_id=user.user_id,
            subject=user.subject,
            username=user.username,
            name=user.name,
            auth_time=self.clock.now(),
            session_id=self.entropy.token(),
            amr=amr,
            recognized=recognized,
            told=told,
            kept=kept and self.stay.offered,
            external=external,
        )
        return self.use(logon)

    def use(self, logon: Logon) -> Ticket:
        """Return a logon as it is to be kept from now on, with the same moment of its proof."""
        held = self.stay.use(logon, self.clock.now())
        return Ticket(held, self.sealer.seal(LOGON, held.to_json(), held.until))

    def keep(self, ticket: Ticket, name: str = LOGON) -> Keep:
        """Let a browser keep a logon in one place, for as long as it counts or as the browser runs."""
        return Keep(name, ticket.sealed, self.life(ticket))

    def life(self, ticket: Ticket) -> int | None:
        """Return for how many seconds a browser keeps a logon; None for as long as it runs."""
        return ticket.held.until - self.clock.now() if self.stay.keeps(ticket.logon) else None

    def is_due(self, ticket: Ticket) -> bool:
        """Tell whether it has to be noted that a logon is used."""
        return self.stay.is_due(ticket.held, self.clock.now())
