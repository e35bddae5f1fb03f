"""Connections to machines that clients named, made to the addresses that were checked and to no others."""

from typing import Any, TypeAlias, cast

from OpenSSL import SSL
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from twisted.internet.ssl import CertificateOptions, TLSVersion, optionsForClientTLS
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.error import SchemeNotSupported
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from konnectd.interfaces import FetchError
from konnectd.reach import Reach

#: How long one address may take to accept a connection, in seconds.
CONNECT_SECONDS = 4
#: How many addresses of one name are tried.
MOST_ADDRESSES = 3
#: All that a connection may bring in, in bytes: headers and an answer. A server that sends headers without end would
#: otherwise fill the memory before its time is over.
MOST_RECEIVED = 128 * 1024

#: What Twisted has no types for that can be named.
_Reactor: TypeAlias = Any
_Factory: TypeAlias = Any
_TlsProtocol: TypeAlias = Any


@implementer(IAgentEndpointFactory)
class GuardedEndpoints:
    """Makes the endpoints of an agent."""

    def __init__(self, reactor: _Reactor, reach: Reach, *, insecure: bool) -> None:
        """Keep what connects, who may be connected to, and whether certificates are checked."""
        self._reactor = reactor
        self._reach = reach
        self._insecure = insecure

    def endpointForURI(self, uri: Any) -> IStreamClientEndpoint:  # noqa: ANN401, N802 - Twisted calls it with its URI
        """Return what connects to the host of an address.

        Raises:
            SchemeNotSupported: it is not https.
        """
        if uri.scheme != b"https":
            raise SchemeNotSupported("only https is spoken here")
        host = uri.host.decode("ascii")
        endpoint: Any = GuardedEndpoint(self._reactor, host, uri.port, self._reach)
        limited: Any = LimitedEndpoint(wrapClientTLS(client_tls(host, insecure=self._insecure), endpoint))
        return cast("IStreamClientEndpoint", limited)


@implementer(IStreamClientEndpoint)
class GuardedEndpoint:
    """Resolves a name, checks what comes out, and connects to that."""

    def __init__(self, reactor: _Reactor, host: str, port: int, reach: Reach) -> None:
        """Keep where to connect to."""
        self._reactor = reactor
        self._host = host
        self._port = port
        self._reach = reach

    def connect(self, protocolFactory: _Factory) -> Deferred[Any]:  # noqa: N803 - the interface's name
        """Connect.

        It fails with `FetchError` when none of the addresses may be connected to, else as connections do.
        """
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: _Factory) -> Any:  # noqa: ANN401 - whatever the factory builds
        """Connect to the first address that may be connected to and answers."""
        resolved = await _resolve(self._reactor, self._host, self._port)
        if not resolved:
            raise DNSLookupError(f"nothing is known by the name {self._host}")
        permitted = [address for address in resolved if self._reach.permits(address.host)]
        if not permitted:
            raise FetchError(
                f"{self._host!r} is not asked: its address is not public, and fetch_allow does not name it"
            )
        problem: ConnectError | None = None
        for address in permitted[:MOST_ADDRESSES]:
            try:
                return await self._to(address).connect(factory)
            except ConnectError as error:
                problem = error
        untyped: Any = ConnectError
        raise untyped(string="no address accepts connections") from problem

    def _to(self, address: IPv4Address | IPv6Address) -> Any:  # noqa: ANN401 - an endpoint
        """Return what connects to an address, which is no name and will not be resolved again."""
        kind: Any = TCP6ClientEndpoint if isinstance(address, IPv6Address) else TCP4ClientEndpoint
        return kind(self._reactor, address.host, self._port, timeout=CONNECT_SECONDS)


@implementer(IResolutionReceiver)
class _Resolution:
    """Collects the addresses of a name."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: list[IPv4Address | IPv6Address] = []
        self.done: Deferred[list[IPv4Address | IPv6Address]] = Deferred()

    def resolutionBegan(self, resolutionInProgress: object) -> None:  # noqa: N802, N803 - Twisted's names
        """Do nothing: there is nothing yet."""

    def addressResolved(self, address: IPv4Address | IPv6Address) -> None:  # noqa: N802 - Twisted calls it
        """Keep an address."""
        self._found.append(address)

    def resolutionComplete(self) -> None:  # noqa: N802 - Twisted calls it
        """Hand them over, unless nobody waits any more."""
        if not self.done.called:
            self.done.callback(self._found)


async def _resolve(reactor: _Reactor, host: str, port: int) -> list[IPv4Address | IPv6Address]:
    """Return the addresses of a name."""
    resolution = _Resolution()
    reactor.nameResolver.resolveHostName(resolution, host, portNumber=port)
    return await resolution.done


@implementer(IStreamClientEndpoint)
class LimitedEndpoint:
    """Limits what comes in, and ends connections at once."""

    def __init__(self, endpoint: Any, most: int = MOST_RECEIVED) -> None:  # noqa: ANN401 - another endpoint
        """Keep what connects, and how many bytes may come in."""
        self._endpoint = endpoint
        self._most = most

    def connect(self, protocolFactory: _Factory) -> Deferred[Any]:  # noqa: N803 - the interface's name
        """Connect, as the endpoint does."""
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: _Factory) -> Any:  # noqa: ANN401 - whatever the factory builds
        """Connect, and return what the factory built, without what stands in between."""
        untyped: Any = _LimitedFactory
        limited = await self._endpoint.connect(untyped(factory, self._most))
        return limited.wrappedProtocol


class _LimitedConnection(ProtocolWrapper):
    """Ends when too much comes in, and waits for nobody when it is to end.

    To close TLS in good order takes an answer of the other end. One that never gives it would keep the connection open
    for as long as it likes, and many of them all that we may have.
    """

    def __init__(self, factory: Any, wrapped: Any) -> None:  # noqa: ANN401 - Twisted's
        """Begin with nothing received."""
        super().__init__(factory, wrapped)
        self._most = factory.most
        self._received = 0

    def dataReceived(self, received: bytes) -> None:
        """Pass a piece on, or end."""
        self._received += len(received)
        if self._received > self._most:
            self.abortConnection()
        else:
            super().dataReceived(received)  # type: ignore[no-untyped-call] # Twisted left it out

    def loseConnection(self) -> None:
        """End at once."""
        self.abortConnection()

    def stopProducing(self) -> None:
        """End at once: nobody wants to hear more."""
        self.abortConnection()


class _LimitedFactory(WrappingFactory):
    """Limits what comes in on each connection."""

    protocol = _LimitedConnection
    noisy = False

    def __init__(self, factory: _Factory, most: int) -> None:
        """Keep how many bytes may come in."""
        super().__init__(factory)  # type: ignore[no-untyped-call] # Twisted left it out
        self.most = most


@implementer(IOpenSSLClientConnectionCreator)
class _AnyCertificate:
    """Begins TLS with whoever answers, for an operator who wants to try something out."""

    def __init__(self, host: str) -> None:
        """Keep whom to ask for."""
        self._host = host
        untyped: Any = CertificateOptions
        self._context = untyped(raiseMinimumTo=TLSVersion.TLSv1_2).getContext()

    def clientConnectionForTLS(self, _tls_protocol: _TlsProtocol) -> SSL.Connection:  # noqa: N802 - Twisted calls it
        """Return a connection that accepts any certificate."""
        connection = SSL.Connection(self._context, None)
        if not isIPAddress(self._host) and not isIPv6Address(self._host):
            connection.set_tlsext_host_name(self._host.encode("ascii"))
        return connection


def client_tls(host: str, *, insecure: bool) -> Any:  # noqa: ANN401 - what makes TLS connections
    """Return what begins TLS 1.2 or better with one host.

    Args:
        host: whose certificate it has to be.
        insecure: any certificate will do.
    """
    if insecure:
        return _AnyCertificate(host)
    untyped: Any = optionsForClientTLS
    return untyped(host, extraCertificateOptions={"raiseMinimumTo": TLSVersion.TLSv1_2})
