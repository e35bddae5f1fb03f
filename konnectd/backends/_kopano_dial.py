"""Connections to a Kopano server: how each kind of address is reached, and how much may come over one at a time.

Twisted's agent keeps connections in a pool; `Lease` is one request's view of that pool. It knows which connection the
request is on, so that a request nobody waits for any more takes its connection with it: an answer that came late could
otherwise be taken for that of the next request.

What is received is counted where it arrives, heads and framing included, and a connection over which too much comes for
one request is cut off before anything is made of it.

The proxies that the environment may name (``HTTP_PROXY`` and others) are not asked. They are meant for the way out of a
network, and a groupware server with everybody's passwords is inside; one set by accident would read them.
"""

from typing import Any, TypeAlias

from OpenSSL import SSL
from twisted.internet import error as net
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.ssl import VerificationError
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.client import HTTPConnectionPool

from konnectd.backends._kopano_address import Address, Kind
from konnectd.backends._kopano_tls import TlsOptions
from konnectd.backends._kopano_xml import LONGEST_ANSWER

#: Most connections to one server.
MOST_CONNECTIONS = 50
#: How long a connection is kept that nobody uses, in seconds: over TCP, servers close it themselves after five. Over a
#: unix socket they never do.
KEPT_FOR = 3
KEPT_FOR_UNIX = 240
#: Most bytes for one request: an answer, its head, and what cuts it into chunks.
MOST_RECEIVED = LONGEST_ANSWER + 32 * 1024

#: What measures time and connects, what connects to one place, and connections: Twisted's have no types here.
Reactor: TypeAlias = Any
_Endpoint: TypeAlias = Any
_Factory: TypeAlias = Any
_Connection: TypeAlias = Any


class Meter(ProtocolWrapper):
    """Counts what comes over a connection since a request was sent last: its body is always written in one piece.

    Attributes:
        exceeded: too much has come.
    """

    exceeded = False
    _received = 0

    def write(self, content: bytes) -> None:
        """Send something, and begin to count anew."""
        self._received = 0
        super().write(content)  # type: ignore[no-untyped-call]

    def dataReceived(self, received: bytes) -> None:
        """Hand on what came, unless it is too much."""
        self._received += len(received)
        if self._received <= MOST_RECEIVED:
            super().dataReceived(received)  # type: ignore[no-untyped-call]
        elif not self.exceeded:
            self.exceeded = True
            self.abortConnection()


class _MeterFactory(WrappingFactory):
    """Puts a meter on each connection."""

    protocol = Meter
    noisy = False

    def __init__(self, factory: _Factory, connected: set[Meter]) -> None:
        """Keep what makes what is behind the meter, and where to note those that are connected."""
        super().__init__(factory)  # type: ignore[no-untyped-call]
        self._connected = connected

    def registerProtocol(self, meter: Meter) -> None:  # noqa: N802 - Twisted calls it
        """Note a connection."""
        self._connected.add(meter)

    def unregisterProtocol(self, meter: Meter) -> None:  # noqa: N802 - Twisted calls it
        """Forget one that has ended."""
        self._connected.discard(meter)


class _MeteredEndpoint:
    """Reaches one server, with a meter on the connection.

    Attributes:
        connected: all connections that have not ended.
    """

    def __init__(self, endpoint: _Endpoint) -> None:
        """Keep what really reaches it."""
        self.connected: set[Meter] = set()
        self._endpoint = endpoint

    def connect(self, factory: _Factory) -> "Deferred[_Connection]":
        """Connect, and return what was asked for instead of the meter."""
        connecting: Deferred[_Connection] = self._endpoint.connect(_MeterFactory(factory, self.connected))
        return connecting.addCallbacks(lambda meter: meter.wrappedProtocol, _unusable_name)


def _unusable_name(failure: Failure) -> Failure:
    """Take a name that no machine can have for a machine that is not there."""
    if isinstance(failure.value, ValueError):
        raise net.ConnectError(string="no name that a host can have") from failure.value  # type: ignore[no-untyped-call]
    return failure


class Endpoints:
    """Reaches one server, whatever address is asked for. It is what Twisted calls an `IAgentEndpointFactory`."""

    def __init__(self, reactor: Reactor, address: Address, tls: TlsOptions | None, timeout: float) -> None:
        """Know how.

        Args:
            reactor: Twisted's.
            address: where the server listens.
            tls: how TLS begins there; None where it does not.
            timeout: for connecting, in seconds.

        Raises:
            ValueError: TLS and the kind of the address do not fit.
        """
        if (tls is not None) != (address.kind is Kind.TLS):
            raise ValueError(f"{address}: TLS is for https and nothing else")
        endpoint: _Endpoint
        if address.kind is Kind.UNIX:
            endpoint = UNIXClientEndpoint(reactor, address.path, timeout)  # type: ignore[no-untyped-call]
        else:
            endpoint = HostnameEndpoint(reactor, address.host, address.port, timeout)
        self._endpoint = _MeteredEndpoint(endpoint if tls is None else wrapClientTLS(tls, endpoint))

    def endpointForURI(self, _: object) -> _MeteredEndpoint:  # noqa: N802 - Twisted calls it
        """Return what reaches the server."""
        return self._endpoint

    def abort_all(self) -> None:
        """End all connections at once."""
        for meter in tuple(self._endpoint.connected):
            meter.abortConnection()


def make_pool(reactor: Reactor, kind: Kind, *, persistent: bool) -> HTTPConnectionPool:
    """Return a pool that keeps connections for less time than servers do, or one that keeps none."""
    pool = HTTPConnectionPool(reactor, persistent)  # type: ignore[no-untyped-call]
    pool.maxPersistentPerHost = MOST_CONNECTIONS
    pool.cachedConnectionTimeout = KEPT_FOR_UNIX if kind is Kind.UNIX else KEPT_FOR
    pool.retryAutomatically = False
    return pool


class Lease:
    """One request's view of a pool.

    Attributes:
        persistent: the connection may be used again afterwards.
    """

    def __init__(self, pool: HTTPConnectionPool) -> None:
        """Have no connection yet."""
        self._pool = pool
        self._connection: _Connection = None
        self.persistent = pool.persistent

    def getConnection(self, key: object, endpoint: _Endpoint) -> "Deferred[_Connection]":  # noqa: N802 - the agent calls it
        """Take a connection from the pool, or make one."""
        untyped: Any = self._pool
        taking: Deferred[_Connection] = untyped.getConnection(key, endpoint)
        return taking.addCallback(self._keep)

    @property
    def exceeded(self) -> bool:
        """Whether too much has come."""
        return self._connection is not None and self._connection.transport.exceeded is True

    def abort(self) -> None:
        """End the connection at once, whatever is still to come."""
        if self._connection is not None:
            self._connection.transport.abortConnection()

    def _keep(self, connection: _Connection) -> _Connection:
        """Remember the connection."""
        self._connection = connection
        return connection


def describe(error: BaseException) -> str:
    """Say in few words why there is no answer; nothing that was sent is in them."""
    reasons = [reason.value for reason in getattr(error, "reasons", ())]
    if reasons:
        return describe(reasons[0])
    for kind, words in _WORDS.items():
        if isinstance(error, kind):
            return words
    if isinstance(error, SSL.Error):
        return f"TLS did not come about: {_tls_reason(error)}"
    return str(error) if isinstance(error, net.ConnectError | OSError) else type(error).__name__


def _tls_reason(error: SSL.Error) -> str:
    """Return what OpenSSL has to say."""
    details = error.args[0] if error.args and isinstance(error.args[0], (list, tuple)) else ()
    return ", ".join(str(detail[-1]) for detail in details if detail) or "no reason given"


_WORDS: dict[type[BaseException], str] = {
    VerificationError: "its certificate is for another name than the one in the address",
    net.DNSLookupError: "no such host",
    net.ConnectionRefusedError: "connection refused",
    net.TimeoutError: "it can not be reached in time",
    net.ConnectionDone: "it ended the connection",
    net.ConnectionLost: "the connection was lost",
}
