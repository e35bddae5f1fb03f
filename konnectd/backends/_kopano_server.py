"""What both ways to use a Kopano server have in common: how people get in, and what trouble with it means."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from secrets import token_urlsafe

from twisted.logger import Logger

from konnectd.backends._kopano_answers import LogonAnswer
from konnectd.backends._kopano_blame import blaming
from konnectd.backends._kopano_client import PeopleClient
from konnectd.backends._kopano_dial import Reactor
from konnectd.backends._kopano_errors import Code, KopanoError, KopanoFaultError
from konnectd.backends._kopano_gate import BypassError, Gate
from konnectd.backends._kopano_settings import Settings
from konnectd.interfaces import BackendUnavailableError, SessionLostError
from konnectd.option import ConfigError, ConfigErrors

#: What a question about somebody comes to who is not there. That whoever asks may not see them (KCERR_NO_ACCESS) is
#: something else: a service that has lost a right must not cost everybody their tokens.
NOBODY = frozenset(
    {
        Code.KCERR_NOT_FOUND,
        Code.KCERR_INVALID_ENTRYID,
        Code.KCERR_INVALID_PARAMETER,
        Code.KCERR_UNKNOWN_OBJECT,
        Code.KCERR_OBJECT_DELETED,
    }
)

#: How many servers and versions are known again behind one address.
_MOST_MET = 100

log = Logger()


def chance() -> str:
    """Return a password that nobody has."""
    return token_urlsafe(32)


class Server:
    """One server as this daemon sees it.

    Attributes:
        name: its address, for the log.
        people: the way that people's passwords and sessions go.
    """

    def __init__(self, settings: Settings, reactor: Reactor, make_chance: Callable[[], str] = chance) -> None:
        """Connect to nobody yet.

        Args:
            settings: where it is.
            reactor: for time and the network.
            make_chance: makes passwords that nobody has.
        """
        self.name = str(settings.address)
        self.people = PeopleClient(reactor, settings.address, trust=settings.trust, timeout=settings.timeout)
        self._settings = settings
        self._gate = Gate(reactor, self.people, self.name, settings.account, make_chance)
        self._met: set[tuple[str, bytes]] = set()

    async def check(self) -> None:
        """Try whether the server looks at passwords.

        Raises:
            ConfigErrors: it does not, or a setting keeps it from being asked.
            BackendUnavailableError: it did not answer.
        """
        if self._settings.in_the_clear:
            log.warn("Passwords travel to Kopano server {server} in the clear: use https://", server=self.name)
        if self._settings.trust.insecure:
            log.warn("Kopano server {server} is believed whatever its certificate: insecure is set", server=self.name)
        try:
            with blaming(), self.told_outside():
                await self._gate.open()
        except BypassError as error:
            raise ConfigErrors([ConfigError("kc_server_uri", str(error))]) from error

    async def let_in(self) -> None:
        """Return when passwords may go to the server.

        Raises:
            KopanoError: the server refuses to say.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: they may not, or there is no answer.
        """
        try:
            await self._gate.open()
        except BypassError as error:
            log.critical("{problem}", problem=str(error))
            raise BackendUnavailableError(str(error)) from error

    def meet(self, answer: LogonAnswer) -> None:
        """Say which server it is, once for each that is met."""
        met = (answer.server_version, answer.server_guid)
        if met in self._met:
            return
        if self._met:
            self._gate.doubt()
        if len(self._met) >= _MOST_MET:
            self._met.clear()
        self._met.add(met)
        log.info(
            "Kopano server {server} has version {version} and the id {guid}",
            server=self.name,
            version=answer.server_version or "unknown",
            guid=answer.server_guid.hex(),
        )

    def doubt(self) -> None:
        """Know that the server may have become another one."""
        self._gate.doubt()

    @contextmanager
    def told_outside(self) -> Iterator[None]:
        """Turn what the client raises into what a backend may raise.

        Raises:
            BackendUnavailableError: the server refused, did not make sense of a request, or did not answer.
        """
        try:
            yield
        except KopanoError as error:
            if error.code == Code.KCERR_END_OF_SESSION:
                self.doubt()
                reason = f"{error}: a session is refused that has just begun; from how many addresses do we come?"
                raise BackendUnavailableError(f"Kopano server {self.name}: {reason}") from error
            raise BackendUnavailableError(f"Kopano server {self.name}: {error}") from error
        except SessionLostError:
            # That is about a person, not about the server.
            raise
        except KopanoFaultError as error:
            raise BackendUnavailableError(f"Kopano server {self.name}: {error}") from error
        except BackendUnavailableError:
            self.doubt()
            raise

    async def close(self) -> None:
        """Let go of connections."""
        self._gate.close()
        await self.people.close()
