"""A name and a password, from the form to a session: with a limit to guessing."""

from typing import TypeAlias

from attrs import field, frozen

from konnectd.flows.browser import Browser, CookieChange
from konnectd.flows.sessions import Sessions
from konnectd.flows.side_by_side import SideBySide
from konnectd.flows.sign_in import SignIn
from konnectd.flows.whereabouts import Whereabouts
from konnectd.interfaces import PasswordBackend, RefusalReason, Refused, Store
from konnectd.protocol.end_user import EndUser, Logon

#: Wrong passwords for one account within `TRIES_TTL` seconds after which even the right one has to wait.
MOST_TRIES = 20
TRIES_TTL = 300
#: Longest name and password that reach a backend, in characters.
LONGEST_USERNAME = 256
LONGEST_PASSWORD = 1024
#: What counters are called, and the purpose of their digests.
_TRIES = "tries"


@frozen
class SignedIn:
    """Somebody proved who they are."""

    logon: Logon
    cookies: tuple[CookieChange, ...] = ()


@frozen
class TooManyTries:
    """Somebody guesses; nobody gets in under this name for some minutes."""


Outcome: TypeAlias = SignedIn | Refused | TooManyTries


@frozen(kw_only=True)
class LogonForm:
    """What a person typed, and what in: families of browsers and systems, empty when nobody can tell.

    Attributes:
        kept: what the browser keeps for us.
        beside: whether they sign in beside whoever is signed in there.
        stay: whether they ask to stay signed in.
    """

    username: str = field(repr=False)
    password: str = field(repr=False)
    browser: str = ""
    system: str = ""
    kept: Browser = field(factory=Browser)
    beside: bool = False
    stay: bool = False


@frozen(kw_only=True)
class PasswordLogon:
    """Signs people in by password."""

    backend: PasswordBackend
    sign_in: SignIn
    store: Store
    whereabouts: Whereabouts
    sessions: Sessions

    async def __call__(self, form: LogonForm) -> Outcome:
        """Check a name and a password.

        Attempts count on the account, whatever name it is tried under (user name, mail address, another case), as well
        as on the name, which may belong to nobody: an answer never tells which of the two it was.

        Raises:
            BackendUnavailableError: backend or store did not answer.
        """
        name = form.username.strip()
        if not name or len(name) > LONGEST_USERNAME or len(form.password) > LONGEST_PASSWORD:
            return Refused(RefusalReason.UNKNOWN_USER)
        if not form.password:
            return Refused(RefusalReason.EMPTY_PASSWORD)
        if await self._exhausted(self._key(name.casefold())):
            return TooManyTries()
        answer = await self.backend.logon(name, form.password)
        account = answer.subject if isinstance(answer, EndUser) else answer.principal
        keys = {self._key(text) for text in (name.casefold(), account) if text}
        # The name again: of many guesses at once, all of which passed above, no more may learn an answer.
        for key in keys:
            if await self._exhausted(key):
                return TooManyTries()
        if isinstance(answer, Refused):
            for key in keys:
                await self.store.increment(key, TRIES_TTL)
            return answer
        ticket = self.sign_in.prove(answer, kept=form.stay, recognized=form.kept.recognized_name)
        browsers = SideBySide(sign_in=self.sign_in, sessions=self.sessions)
        cookies, gone = browsers.add(form.kept, ticket, beside=form.beside)
        await self.whereabouts.note(ticket.logon, form.browser, form.system)
        await self.sessions.begin(ticket.logon, gone)
        return SignedIn(ticket.logon, cookies)

    async def _exhausted(self, key: str) -> bool:
        """Tell whether a name or an account has had its tries."""
        tries = await self.store.get(key)
        return tries is not None and int(tries) >= MOST_TRIES

    def _key(self, name: str) -> str:
        """Name a counter.

        Somebody may have typed a password into the name's field, so whoever reads the store must not be able to try out
        what it was.
        """
        return f"{_TRIES}:{self.sign_in.sealer.tag(_TRIES, name)}"
