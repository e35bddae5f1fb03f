"""Making connections: which of several servers is asked next, and what has to happen before one can be used.

A server that failed rests for a while that doubles with each failure; those after it in the list are asked meanwhile.
When all of them rest, asking fails at once instead of piling up attempts. The first of the list is always preferred
again once it answers.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeAlias
from urllib.parse import urlsplit

from attrs import define, field, frozen
from twisted.internet import error as net
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.logger import Logger

from konnectd.backends import _ldap_faults as faults
from konnectd.backends._ldap_connection import Connection, Reactor
from konnectd.backends._ldap_tls import TlsOptions

#: How long a server rests after its first failure, and at most, in seconds.
SHORTEST_REST = 0.25
LONGEST_REST = 5.0

#: A stream client endpoint of Twisted's, which is no type.
Endpoint: TypeAlias = Any

_PORTS = {"ldap": 389, "ldaps": 636}
_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|::1", re.IGNORECASE)

log = Logger()


@frozen
class Server:
    """Where a directory listens.

    Attributes:
        tls: TLS from the first byte on.
    """

    host: str
    port: int
    tls: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an LDAP URI; what follows host and port means nothing here.

        Raises:
            ValueError: it is none of the two kinds that are served.

        Spec: RFC 4516 2.
        """
        try:
            parts = urlsplit(text.strip())
            port = parts.port
        except ValueError as error:
            # A password may stand where a user name does, and the reason repeats what could not be read.
            problem = "is no URI" if "@" in text else f"{text!r} is no URI: {error}"
            raise ValueError(problem) from error
        if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
            shown = "without a user name, it" if "@" in text else repr(text)
            raise ValueError(f"{shown} must look like ldap://host:389 or ldaps://host:636")
        if port == 0:
            raise ValueError(f"{text!r} has no port that can be connected to")
        return cls(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "ldaps")

    def __str__(self) -> str:
        """Write it as a URI."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ldaps' if self.tls else 'ldap'}://{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Nobody can listen on the way."""
        return _LOOPBACK.fullmatch(self.host) is not None


@frozen(kw_only=True)
class Credentials:
    """What the service account signs in with."""

    dn: str
    password: str = field(repr=False)


@define
class _Health:
    """What is known about one server.

    Attributes:
        rests_until: when it may be asked again.
        rest: how long it rests after the next failure.
        fault: why it rests; None while it is thought to be well.
    """

    rests_until: float = 0.0
    rest: float = SHORTEST_REST
    fault: faults.LdapError | None = None


class Servers:
    """The servers in the order of the operator's liking, and how they are."""

    def __init__(self, servers: Iterable[Server], reactor: Reactor) -> None:
        """Think all of them well."""
        self._reactor = reactor
        self._health = {server: _Health() for server in servers}

    def __iter__(self) -> Iterator[Server]:
        """Iterate over all, the preferred one first."""
        return iter(tuple(self._health))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._health)

    def awake(self) -> tuple[Server, ...]:
        """Return those that may be asked now, the preferred one first."""
        now = self._reactor.seconds()
        return tuple(server for server, health in self._health.items() if health.rests_until <= now)

    def better_than(self, server: Server) -> bool:
        """Tell whether one that is preferred to another may be asked now."""
        return next(iter(self.awake()), server) in self._before(server)

    def rank(self, server: Server) -> int:
        """Return a server's place; 0 is the preferred one."""
        return len(self._before(server))

    def failed(self, server: Server, fault: faults.LdapError) -> None:
        """Let a server rest, and tell the operator when this is news."""
        health = self._health[server]
        if type(health.fault) is not type(fault):
            log.warn("LDAP server {server} can not be used: {fault}", server=str(server), fault=str(fault))
        health.fault = fault
        health.rests_until = self._reactor.seconds() + health.rest
        health.rest = min(health.rest * 2, LONGEST_REST)

    def answered(self, server: Server) -> None:
        """Think a server well, and tell the operator when this is news."""
        health = self._health[server]
        if health.fault is not None:
            log.warn("LDAP server {server} can be used again", server=str(server))
        self._health[server] = _Health()

    def fault(self) -> faults.LdapError:
        """Return why no server can be asked: the one reason if there is one server, else all of them in one."""
        known = [health.fault for health in self._health.values() if health.fault is not None]
        if len(known) == 1:
            return known[0]
        return faults.UnreachableError("no LDAP server can be used: " + "; ".join(str(fault) for fault in known))

    def _before(self, server: Server) -> tuple[Server, ...]:
        """Return those that are preferred to one."""
        servers = tuple(self._health)
        return servers[: servers.index(server)]


class Dialer:
    """Makes connections that are ready for use."""

    def __init__(
        self,
        reactor: Reactor,
        servers: Servers,
        tls: Callable[[Server], TlsOptions],
        *,
        starttls: bool,
        timeout: float,
        endpoint: Callable[[Server], Endpoint] | None = None,
    ) -> None:
        """Know how to reach servers.

        Args:
            reactor: for time, and for the network unless an endpoint is given.
            servers: which to ask.
            tls: makes options for TLS with a server.
            starttls: ask for it where TLS does not begin at once.
            timeout: for connecting, for the handshake and for each operation, in seconds.
            endpoint: how to reach a server, instead of by TCP.
        """
        self.servers = servers
        self._reactor = reactor
        self._tls = tls
        self._starttls = starttls
        self._timeout = timeout
        self._endpoint = endpoint or self._tcp
        # Whoever waits gives up after the whole time; by then the last server must have had its turn.
        self._patience = max(1.0, timeout / len(servers))

    async def dial(self, credentials: Credentials | None) -> tuple[Server, Connection]:
        """Connect to the best server that can be used.

        Args:
            credentials: bind with these first; None leaves the connection anonymous.

        Raises:
            LdapError: there is none.
        """
        for server in self.servers.awake():
            try:
                connection = await self.connect(server, credentials)
            except faults.LdapError as fault:
                self.servers.failed(server, fault)
            else:
                self.servers.answered(server)
                return server, connection
        raise self.servers.fault()

    async def connect(self, server: Server, credentials: Credentials | None) -> Connection:
        """Connect to one server, whatever is known about it.

        Raises:
            LdapError: it can not be used.
        """
        connection = Connection(self._reactor, str(server), self._timeout)
        # The endpoint limits the time for connecting but not the time for finding the address.
        connecting: Deferred[Connection] = connectProtocol(self._endpoint(server), connection)  # type: ignore[no-untyped-call]
        try:
            await connecting.addTimeout(self._patience, self._reactor)
        except (net.ConnectError, net.DNSLookupError, DeferredTimeoutError, OSError) as error:
            raise faults.UnreachableError(f"{server} can not be reached: {_reason(error)}") from error
        ready = False
        try:
            await self._prepare(connection, server, credentials)
            ready = True
        finally:
            if not ready:
                connection.abort()
        return connection

    async def _prepare(self, connection: Connection, server: Server, credentials: Credentials | None) -> None:
        """Set up TLS and bind.

        Raises:
            LdapError: the server proved not to be the one, or refused.
        """
        if not server.tls and self._starttls:
            await connection.agree_on_tls()
        if server.tls or self._starttls:
            await connection.secure(self._tls(server))
        if credentials is None:
            return
        answer = await connection.bind(credentials.dn, credentials.password)
        if answer.code != faults.SUCCESS:
            doing = f"{server} refused the service account {credentials.dn!r}"
            raise faults.ServiceRefusedError(doing, answer.code, answer.text)

    def _tcp(self, server: Server) -> Endpoint:
        """Return the way to a server over the network."""
        return HostnameEndpoint(self._reactor, server.host, server.port, self._patience)


def _reason(error: Exception) -> str:
    """Say in few words why a server can not be reached."""
    match error:
        case net.DNSLookupError():
            return "no such host"
        case net.ConnectionRefusedError():
            return "connection refused"
        case net.TimeoutError() | DeferredTimeoutError():
            return "no answer in time"
    return str(error)
