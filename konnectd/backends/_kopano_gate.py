"""What stands between people's passwords and a server that might not look at them.

A server lets in whoever is named, whatever the password, when something on the way to it proves to be an administrator:
a certificate, or the uid of a process. Our connections for people prove nothing, but something in between may, such as
a tunnel that adds a certificate. So before anybody signs in, a password that nobody has is tried on accounts that do
exist: the server's own, and that of the service. Whoever is let in by it has found a hole, and nobody signs in then.

The gate shuts again whenever the server may have become another one: after any trouble with it, after a session was
lost, and every few minutes. The next sign-in pays for one probe then.
"""

from collections.abc import Callable

from twisted.logger import Logger

from konnectd.backends._kopano_client import PeopleClient
from konnectd.backends._kopano_dial import Reactor
from konnectd.backends._kopano_flight import Flight
from konnectd.backends._kopano_logons import PasswordProbe, ServiceAccount
from konnectd.backends._kopano_soap import SYSTEM

#: How long the answer to a probe is relied on, in seconds.
GOOD_FOR = 300.0

log = Logger()


class BypassError(Exception):
    """The server lets people in without their password; the text is for the operator."""


class Gate:
    """Knows whether a server has been seen to look at passwords."""

    def __init__(
        self,
        reactor: Reactor,
        people: PeopleClient,
        server: str,
        account: ServiceAccount | None,
        chance: Callable[[], str],
    ) -> None:
        """Know nothing yet.

        Args:
            reactor: for time.
            people: the way that passwords go.
            server: its address, for the log.
            account: of the service, if there is one.
            chance: makes passwords that nobody has.
        """
        self._reactor = reactor
        self._people = people
        self._server = server
        # This one exists everywhere, and no password is ever right for it.
        accounts = [ServiceAccount(SYSTEM, "")]
        if account is not None and account.username.upper() != SYSTEM:
            accounts.append(account)
        self._accounts = accounts
        self._chance = chance
        self._good_until = 0.0
        self._doubts = 0
        self._flight: Flight[None] | None = None

    def doubt(self) -> None:
        """Shut: the server may be another one now."""
        self._doubts += 1
        self._good_until = 0.0

    async def open(self) -> None:
        """Return when passwords may go to the server.

        Raises:
            BypassError: they may not: it does not look at them.
            KopanoError: the server refuses to say.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer.
        """
        if self._reactor.seconds() < self._good_until:
            return
        if self._flight is None or self._flight.landed:
            self._flight = Flight(self._probe())
        await self._flight.wait()

    def close(self) -> None:
        """Stop what is under way."""
        if self._flight is not None:
            self._flight.cancel()

    async def _probe(self) -> None:
        """Try passwords that nobody has.

        Raises:
            BypassError: one was taken.
        """
        doubts = self._doubts
        for account in self._accounts:
            if not await self._people.looks_at_passwords(PasswordProbe(account, self._chance())):
                raise BypassError(
                    f"Kopano server {self._server} lets {account.username} in with a password that nobody has, so "
                    "anybody could sign in as anybody: something on the way to the server proves to be an "
                    "administrator, such as a tunnel with a client certificate"
                )
        log.debug("Kopano server {server} refuses a password that nobody has, as it must", server=self._server)
        # Trouble that came meanwhile may have been with another server than the one that was tried.
        if doubts == self._doubts:
            self._good_until = self._reactor.seconds() + GOOD_FOR
