"""Connections to the server without a socket, for tests that must not open one."""

from collections import deque
from collections.abc import Callable

from twisted.internet import error as net
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IStreamClientEndpoint, ITransport
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.support.kopano.connection import Connection
from tests.support.kopano.server import KopanoServer
from tests.support.kopano.sessions import Peer
from tests.support.kopano.untyped import Untyped

_ADDRESS = IPv4Address("TCP", "127.0.0.1", 236)


@implementer(ITransport)
class MemoryTransport:
    """One end of a connection: what is written to it is delivered at once, or in the next turn of a reactor."""

    def __init__(self, protocol: Untyped, reactor: Untyped = None) -> None:
        """Belong to a protocol.

        Args:
            protocol: whose end it is.
            reactor: in whose next turn it hears of what happens; None for at once.
        """
        self.other: MemoryTransport | None = None
        self.is_open = True
        self.disconnecting = False
        self._protocol = protocol
        self._reactor = reactor
        self._events: deque[Callable[[Untyped], None]] = deque()
        self._delivering = False
        self._paused = False

    def write(self, content: bytes) -> None:
        """Deliver bytes to the other end."""
        if self.is_open and self.other is not None and content:
            self.other.deliver(lambda protocol: protocol.dataReceived(content))

    def writeSequence(self, contents: Untyped) -> None:
        """Deliver bytes to the other end."""
        self.write(b"".join(contents))

    def loseConnection(self) -> None:
        """End it for both."""
        self._lose(net.ConnectionDone(), net.ConnectionDone())

    def abortConnection(self) -> None:
        """End it for both, rudely."""
        self._lose(net.ConnectionAborted(), net.ConnectionLost())

    def getPeer(self) -> IPv4Address:
        """Return some address."""
        return _ADDRESS

    def getHost(self) -> IPv4Address:
        """Return some address."""
        return _ADDRESS

    def pauseProducing(self) -> None:
        """Deliver nothing for a while."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Deliver what has waited."""
        self._paused = False
        self._deliver_all()

    def stopProducing(self) -> None:
        """End."""
        self.loseConnection()

    def registerProducer(self, producer: Untyped, streaming: bool) -> None:  # noqa: N802 - Twisted's
        """Let a body be written."""
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:  # noqa: N802 - Twisted's
        """Know that the body is written."""

    def deliver(self, event: Callable[[Untyped], None]) -> None:
        """Let something happen to the protocol, after what is happening to it now."""
        self._events.append(event)
        if self._reactor is None:
            self._deliver_all()
        else:
            self._reactor.callLater(0, self._deliver_all)

    def _deliver_all(self) -> None:
        """Let happen what waits, but never inside another delivery."""
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._events and not self._paused:
                self._events.popleft()(self._protocol)
        finally:
            self._delivering = False

    def _lose(self, ours: Exception, theirs: Exception) -> None:
        """Tell both ends, once each."""
        for end, reason in ((self, ours), (self.other, theirs)):
            if end is not None and end.is_open:
                end.is_open = False
                end.deliver(_loss(reason))


def _loss(reason: Exception) -> Callable[[Untyped], None]:
    """Return what tells a protocol that its connection is lost."""
    return lambda protocol: protocol.connectionLost(Failure(reason))


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """Connects to a server as somebody; answers come when the server's reactor, mostly a `Clock`, is turned.

    Attributes:
        is_down: connections are refused.
    """

    def __init__(self, server: KopanoServer, peer: Peer) -> None:
        """Lead to a server."""
        self.is_down = False
        self._server = server
        self._peer = peer

    def connect(self, protocolFactory: Untyped) -> Deferred[Untyped]:  # noqa: N803 - Twisted's
        """Connect."""
        if self.is_down:
            return fail(net.ConnectionRefusedError())
        client = protocolFactory.buildProtocol(_ADDRESS)
        if client is None:
            return fail(net.ConnectionAborted())
        server = Connection(self._server, self._peer.transport, self._peer)
        # An answer never comes while the request is still being written.
        ours, theirs = MemoryTransport(client, self._server.reactor), MemoryTransport(server)
        ours.other, theirs.other = theirs, ours
        server.makeConnection(theirs)
        client.makeConnection(ours)
        return succeed(client)


class Line:
    """A connection on which a test writes bytes itself, and looks at those that come back."""

    def __init__(self, server: KopanoServer, peer: Peer) -> None:
        """Connect."""
        self._transport = StringTransport()
        self._connection = Connection(server, peer.transport, peer)
        self._connection.makeConnection(self._transport)
        self._connected = True

    @property
    def is_closed(self) -> bool:
        """Say whether the server has ended the connection."""
        return bool(self._transport.disconnecting or self._transport.disconnected)

    def say(self, content: bytes) -> bytes:
        """Write bytes, and return what has come back by then."""
        self._connection.dataReceived(content)
        return self.hear()

    def hear(self) -> bytes:
        """Return what has come back since it was last looked."""
        heard: bytes = self._transport.value()
        self._transport.clear()
        return heard

    def close(self) -> None:
        """End the connection."""
        if self._connected:
            self._connected = False
            self._connection.connectionLost()
