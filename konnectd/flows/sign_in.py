"""Who is this browser's person? Reading, making and ending the sealed logon."""

from attrs import field, frozen

from konnectd.flows.browser import BROWSER_STATE, LOGON, Browser, Forget, Keep
from konnectd.interfaces import Backend, Clock, Entropy, Sealer, Store
from konnectd.protocol.end_user import EndUser, Logon
from konnectd.protocol.session import ended_session_key

#: How long a logon counts at most, in seconds, however long the browser keeps it.
LOGON_TTL = 24 * 3600
#: How many logons are remembered opened: a browser that comes again soon costs no cryptography.
MOST_OPENED = 2048


@frozen(kw_only=True)
class SignIn:
    """Keeps logons in browsers and finds them there again."""

    backend: Backend
    sealer: Sealer
    clock: Clock
    entropy: Entropy
    store: Store
    _opened: dict[str, Logon] = field(factory=dict, init=False, repr=False, eq=False)

    def find(self, browser: Browser) -> Logon | None:
        """Return the logon of a browser; None when there is none that counts here and now."""
        sealed = browser.sealed.get(LOGON)
        if sealed is None:
            return None
        now = self.clock.now()
        logon = self._opened.get(sealed) or self._open(sealed, now)
        # Another backend may know somebody else under the same subject.
        if logon is None or logon.provider != self.backend.name or now >= logon.auth_time + LOGON_TTL:
            return None
        return logon

    def _open(self, sealed: str, now: int) -> Logon | None:
        """Open a sealed logon and remember it; nothing that was not ours is remembered."""
        claims = self.sealer.open(LOGON, sealed, now)
        logon = Logon.from_json(claims) if claims is not None else None
        if logon is not None:
            if len(self._opened) >= MOST_OPENED:
                self._opened.clear()
            self._opened[sealed] = logon
        return logon

    async def current(self, browser: Browser) -> Logon | None:
        """Return the logon of a browser unless its session was ended elsewhere.

        Pages that lead back to the authorization endpoint do with `find`, because that is asked there again.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        logon = self.find(browser)
        return logon if logon is not None and not await self.is_over(logon) else None

    async def is_over(self, logon: Logon) -> bool:
        """Tell whether a session was ended, whatever a browser still holds.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        return await self.store.get(ended_session_key(logon.session_id)) is not None

    async def still_there(self, logon: Logon) -> bool:
        """Tell whether the backend still knows the person and lets them in.

        Raises:
            BackendUnavailableError: the backend did not answer.
        """
        user = await self.backend.find(logon.user_id)
        return user is not None and user.subject == logon.subject

    def begin(self, user: EndUser) -> tuple[Logon, Keep]:
        """Make a logon for somebody who just proved who they are; never with an old session's id."""
        logon = Logon(
            provider=self.backend.name,
            user_id=user.user_id,
            subject=user.subject,
            username=user.username,
            name=user.name,
            auth_time=self.clock.now(),
            session_id=self.entropy.token(),
        )
        expires_at = logon.auth_time + LOGON_TTL
        return logon, Keep(LOGON, self.sealer.seal(LOGON, logon.to_json(), expires_at))

    def end(self) -> tuple[Forget, ...]:
        """End the session in this browser, to be seen by the scripts that watch it."""
        return (Forget(LOGON), Forget(BROWSER_STATE))
