"""One connection: requests come in one after the other, and what is said meanwhile is lost."""

import socket
import struct
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from tests.support.kopano import framing
from tests.support.kopano.framing import Incoming, Received
from tests.support.kopano.sessions import Peer, Transport
from tests.support.kopano.troubles import CloseBefore, CloseInside, Hang, HangInside, Huge, Raw, Trickle, Trouble
from tests.support.kopano.untyped import Untyped

if TYPE_CHECKING:
    from tests.support.kopano.server import KopanoServer

_CREDENTIALS = struct.Struct("3i")


class Connection(Protocol):
    """Reads requests and writes what the server answers."""

    transport: Untyped

    def __init__(self, server: "KopanoServer", kind: Transport, peer: Peer | None = None) -> None:
        """Belong to a server.

        Args:
            server: what answers.
            kind: how the connection was made.
            peer: who is at the other end; None to look.
        """
        self._server = server
        self._kind = kind
        self._given_peer = peer
        self._incoming = self._next()
        self._busy = False
        self._timer: Untyped = None

    def connectionMade(self) -> None:
        """Be known, and wait for the first request."""
        self._server.connected(self)
        self._wait()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Be known no more."""
        self._stop_timer()
        self._server.disconnected(self)

    def dataReceived(self, data: bytes) -> None:
        """Read on, unless an answer is still to be given: there is no pipelining."""
        if self._busy:
            return
        self._incoming.feed(data)
        if self._incoming.wants_continue:
            self._incoming.wants_continue = False
            self.transport.write(framing.CONTINUE)
        received = self._incoming.received
        if received is None:
            self._wait()
            return
        self._busy = True
        self._stop_timer()
        self._server.receive(received, self)

    def peer(self) -> Peer:
        """Return who is at the other end."""
        if self._given_peer is not None:
            return self._given_peer
        settings = self._server.settings
        if self._kind is Transport.UNIX:
            pid, uid = settings.unix_peer or self._peer_credentials()
            return Peer(transport=self._kind, pid=pid, uid=uid)
        address = settings.address or str(self.transport.getPeer().host)
        return Peer(transport=self._kind, address=address, public_key=self._peer_key())

    def say(self, content: bytes, received: Received, trouble: Trouble | None, delay: float) -> None:
        """Send a response, later or not as it should be."""
        if delay:
            # Only one at a time: nothing is read until it is sent.
            self._timer = self._server.reactor.callLater(delay, self._say, content, received, trouble)
        else:
            self._say(content, received, trouble)

    def crash(self) -> None:
        """End without a word."""
        self.transport.abortConnection()

    def _say(self, content: bytes, received: Received, trouble: Trouble | None) -> None:
        """Send a response, or what comes in its place."""
        self._timer = None
        keeps_alive = received.keeps_alive
        match trouble:
            case Hang():
                return
            case HangInside(after):
                self.transport.write(content[:after])
                return
            case Trickle(interval):
                self._trickle(content, interval, keeps_alive=keeps_alive)
                return
            case CloseBefore():
                content, keeps_alive = b"", False
            case CloseInside(after):
                content, keeps_alive = content[:after], False
            case Raw(written, close):
                content, keeps_alive = written, not close
            case Huge(size, chunked):
                content = huge_response(size, keeps_alive=keeps_alive, chunked=chunked)
            case _:
                pass
        self.transport.write(content)
        self._go_on(keeps_alive=keeps_alive)

    def _trickle(self, content: bytes, interval: float, *, keeps_alive: bool) -> None:
        """Send one byte, and the rest later."""
        self._timer = None
        self.transport.write(content[:1])
        if len(content) > 1:
            self._timer = self._server.reactor.callLater(
                interval, self._trickle, content[1:], interval, keeps_alive=keeps_alive
            )
        else:
            self._go_on(keeps_alive=keeps_alive)

    def _go_on(self, *, keeps_alive: bool) -> None:
        """Wait for the next request, if there may be one."""
        if not keeps_alive:
            self.transport.loseConnection()
            return
        self._busy = False
        self._incoming = self._next()
        self._wait()

    def _next(self) -> Incoming:
        """Return an empty request."""
        return Incoming(may_be_bare=self._kind is Transport.UNIX)

    def _wait(self) -> None:
        """Wait for a request, or for the rest of one, but not for ever."""
        self._stop_timer()
        settings = self._server.settings
        if self._incoming.has_begun:
            self._timer = self._server.reactor.callLater(settings.read_seconds, self.crash)
        elif self._kind is not Transport.UNIX:
            self._timer = self._server.reactor.callLater(settings.idle_seconds, self.transport.loseConnection)

    def _stop_timer(self) -> None:
        """Wait no more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _peer_credentials(self) -> tuple[int, int]:
        """Return the process at the other end of a unix socket, and its user."""
        handle: socket.socket = self.transport.getHandle()
        pid, uid, _ = _CREDENTIALS.unpack(handle.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        return pid, uid

    def _peer_key(self) -> bytes | None:
        """Return the public key of the certificate that was shown, if there was one."""
        shown = self.transport.getPeerCertificate() if self._kind is Transport.TLS else None
        if shown is None:
            return None
        key: bytes = shown.to_cryptography().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return key


def huge_response(size: int, *, keeps_alive: bool, chunked: bool) -> bytes:
    """Write a response with a well-formed body that is too long."""
    body = b'<?xml version="1.0"?>\n<huge>' + b"x" * size + b"</huge>\r\n"
    return framing.response(framing.OK, body, keeps_alive=keeps_alive, chunked=chunked)
