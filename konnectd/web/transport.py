"""One HTTP/1.1 connection, hardened: what twisted.web lets through or lets last too long ends here.

`Channel` refuses messages whose framing two readers could take differently, counts what it reads, has one absolute
deadline at a time instead of an idle timer, and sends an answer at once rather than in the next turn of the reactor.
`Request` is one message on it. Which answer a request gets is not decided here.

The parsing of heads and of chunks is twisted.web's own.
"""

import socket
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias

from twisted.internet import tcp, unix
from twisted.internet.interfaces import IAddress
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web import http, server
from twisted.web.http_headers import Headers

from konnectd.http import HttpResponse
from konnectd.web import wire
from konnectd.web.errors import plain
from konnectd.web.head import FRAMING, LONG_LINE, find_fault, is_plain_framing, shorten
from konnectd.web.limits import Limits

if TYPE_CHECKING:
    from konnectd.web.roster import Roster

# They carry types for less than half of what is used here; half-typed they would only be in the way.
_TwistedChannel: Any = http.HTTPChannel
_TwistedRequest: Any = server.Request

#: How long and how much is still read and thrown away after a refusal. Closing at once would reset the connection,
#: and the peer would lose the answer that tells it why.
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 1 << 20


#: Answers a request, now or later, through `Request.send`.
Serve: TypeAlias = Callable[["Request"], object]


class Channel(_TwistedChannel):  # type: ignore[misc] # without types
    """One connection of a browser, a client or a reverse proxy.

    Attributes:
        idle: whether it waits for a request of which nothing has come yet.
        fresh: whether no request was answered yet.
    """

    # Past the channel's own method, which resets two timers for every piece.
    _parse: Any = LineReceiver.dataReceived

    #: No timers per connection: the roster sweeps by deadline.
    timeOut = None
    maxHeaders = 100

    def __init__(self, roster: "Roster", limits: Limits, serve: Serve) -> None:
        """Keep whom to tell; nothing is connected yet."""
        super().__init__()
        self._dataBuffer: list[bytes] = []
        self._receivedHeaderSize = 0
        self.totalHeadersSize = limits.header_bytes
        self.MAX_LENGTH = limits.header_bytes
        self.limits = limits
        self.serve = serve
        self.idle = True
        self.fresh = True
        self.deadline = 0.0
        self._roster = roster
        self._socket: socket.socket | None = None
        self._closing = False
        self._refused = False
        self._raw_bytes = 0
        self._peer: IAddress | None = None
        self._host: IAddress | None = None

    # What the reactor calls.

    def connectionMade(self) -> None:
        """Begin to wait for the first request."""
        super().connectionMade()
        # Only a bare socket may be written to directly; anything in between, such as TLS, has to see the bytes.
        if type(self.transport) in (tcp.Server, unix.Server):
            self._socket = self.transport.getHandle()
        self.deadline = self._roster.seconds() + self.limits.idle_seconds
        self._roster.add(self)

    def dataReceived(self, data: bytes) -> None:
        """Take what came; a request's time runs from its first byte to its last, however slowly they drip."""
        if self.idle:
            self.idle = False
            self.deadline = self._roster.seconds() + self.limits.read_seconds
        elif self._refused:
            self._drop(data)
            return
        self._parse(data)

    def connectionLost(self, reason: Failure) -> None:
        """Tell waiting requests that nobody waits for them any more."""
        self._roster.remove(self)
        self._socket = None
        super().connectionLost(reason)

    # What twisted.web's parser calls.

    def lineReceived(self, line: bytes) -> None:
        """Take a line of a head; of a long request line, twisted.web gets to see a short one.

        A header that is folded over lines is refused: not every reader in between unfolds it.

        Spec: RFC 9112 5.2 (obsolete line folding).
        """
        if line.startswith((b" ", b"\t")):
            self.refuse(400)
            return
        if len(line) > LONG_LINE and self._receivedHeaderSize == 0 and len(line) <= self.totalHeadersSize:
            short = shorten(line)
            if short is not None:
                super().lineReceived(short.line)
                self._path = short.target
                self._receivedHeaderSize = len(line)
                return
        super().lineReceived(line)

    def lineLengthExceeded(self, _line: bytes) -> None:
        """Refuse a head with an endless line."""
        self.refuse(431)

    def rawDataReceived(self, data: bytes) -> None:
        """Take a piece of a body, or keep what comes while a request is being answered."""
        if self._handlingRequest:
            super().rawDataReceived(data)
            if len(self._dataBuffer) > 64:  # twisted.web adds up all pieces for each new one
                self._dataBuffer = [b"".join(self._dataBuffer)]
            return
        # Chunks of one byte with long extensions: little body, endless traffic.
        self._raw_bytes += len(data)
        if self._transferDecoder is not None and self.length is None and self._raw_bytes > self._most_raw():
            self.refuse(413)
            return
        super().rawDataReceived(data)

    def allHeadersReceived(self) -> None:
        """Look at a complete head before anything is read or answered on its behalf."""
        self._raw_bytes = 0
        hosts = self.requests[-1].requestHeaders.getRawHeaders(b"Host") or ()
        status = find_fault(self._command, self._version, hosts, self.length, self.limits.body_bytes)
        if status:
            self.refuse(status)
        else:
            super().allHeadersReceived()

    def allContentReceived(self) -> None:
        """Hand a complete request on, unless it was refused while it came in."""
        if not self._refused:
            super().allContentReceived()

    def checkPersistence(self, request: http.Request, version: bytes) -> bool:
        """Tell whether another request may follow.

        Spec: RFC 9112 9.3 and 9.6.
        """
        if version != b"HTTP/1.1":
            return False
        values = request.requestHeaders.getRawHeaders(b"Connection")
        return not values or b"close" not in b",".join(values).lower()

    def requestDone(self, request: http.Request) -> None:
        """Wait for the next request, for as long as an idle connection may live."""
        self.idle = True
        self.fresh = False
        self.deadline = self._roster.seconds() + self.limits.idle_seconds
        # A peer that asks and asks but does not read must not fill the memory with answers: nothing more is looked at,
        # not even of what has come already, until it has read. twisted.web would go on.
        self.paused = self._waitingForTransport
        super().requestDone(request)
        if self.paused and not self._closing:
            self._networkProducer.pauseProducing()

    def resumeProducing(self) -> None:
        """Go on: the peer has read."""
        super().resumeProducing()
        if self.paused and not self._refused:
            self.paused = False
            self._parse(b"")

    def loseConnection(self) -> None:
        """Close in order, and by force when the peer does not take what is left to send."""
        if self._closing:
            return
        self.idle = False
        self._closing = True
        self.deadline = self._roster.seconds() + self.limits.idle_seconds
        super().loseConnection()

    def getPeer(self) -> IAddress:
        """Return who is at the other end."""
        if self._peer is None:
            self._peer = self.transport.getPeer()
        return self._peer

    def getHost(self) -> IAddress:
        """Return where we are; asked once per connection, as it is a system call."""
        if self._host is None:
            self._host = self.transport.getHost()
        return self._host

    def write(self, data: bytes) -> None:
        """Send by way of the transport; from now on everything goes there, so that nothing overtakes."""
        self._socket = None
        super().write(data)

    def writeSequence(self, iovec: list[bytes]) -> None:
        """Send by way of the transport."""
        self._socket = None
        super().writeSequence(iovec)

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """Send by way of the transport."""
        self._socket = None
        super().writeHeaders(version, code, reason, headers)

    def _send100Continue(self) -> None:
        """Tell a client that waits for it to send the body; not before it is known that the body is wanted."""
        self.put(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Refuse a message that twisted.web's parser does not understand, or has had enough of."""
        too_much = self._receivedHeaderSize > self.totalHeadersSize or self._receivedHeaderCount > self.maxHeaders
        self.refuse(431 if too_much else 400)

    def _maybeChooseTransferDecoder(self, header: bytes, data: bytes) -> bool:
        """Choose how a body is framed; anything but one plain length or chunks is refused.

        Spec: RFC 9112 6.1 and 6.3.
        """
        if header not in FRAMING:
            return True
        if is_plain_framing(header, data):
            return bool(super()._maybeChooseTransferDecoder(header, data))
        return bool(self._failChooseTransferDecoder())

    # What the rest of the shell calls.

    def put(self, raw: bytes) -> None:
        """Send bytes at once, and by way of the transport what the kernel does not take.

        The reactor would send them one turn and two system calls later.
        """
        if self._socket is not None:
            try:
                sent = self._socket.send(raw)
            except OSError:  # full, or broken: the transport finds out which, and tells
                sent = 0
            if sent == len(raw):
                return
            self._socket = None
            raw = raw[sent:]
        self.transport.write(raw)

    def refuse(self, status: int) -> None:
        """Answer a message that can not be a request of ours, and end the connection; no more of it is looked at."""
        if self._refused or self._closing:
            return
        self._refused = True
        self.clearLineBuffer()  # the rest of the message must not be parsed
        self._dataBuffer = []
        answer = plain(status)
        self.put(wire.serialize(answer, date=self._roster.date, close=True))
        self._roster.refused(answer)
        self._linger()

    def expire(self) -> None:
        """End what has lasted too long."""
        if self._closing or self._refused:
            self.transport.abortConnection()
        elif self.idle:
            self.loseConnection()
        elif self._handlingRequest:
            self.deadline += self.limits.read_seconds
            overdue = self.requests[0].overdue
            if overdue is not None:
                overdue()
        else:
            self.refuse(408)

    def drain(self) -> None:
        """Let go of the connection now if nothing is going on; else it ends with the answer that is under way."""
        if self.idle:
            self.loseConnection()

    def abort(self) -> None:
        """Cut the connection."""
        self.transport.abortConnection()

    def wait(self) -> None:
        """Give an answer that has to be waited for its own time."""
        self.deadline = self._roster.seconds() + self.limits.handling_seconds

    @property
    def date(self) -> bytes:
        """The time of day for the ``Date`` header."""
        return self._roster.date

    @property
    def last(self) -> bool:
        """Whether the request being answered is the last one."""
        return self._roster.draining or not self.persistent

    def _most_raw(self) -> int:
        """Return how many bytes a chunked body within the limit may reasonably take on the wire."""
        return 8 * self.limits.body_bytes + self.limits.header_bytes

    def _linger(self) -> None:
        """Close our half and drop what still comes, for a moment."""
        if type(self.transport) in (tcp.Server, unix.Server):
            self._networkProducer.unregisterProducer()
            self.idle = False
            self.deadline = self._roster.seconds() + _LINGER_SECONDS
            self._raw_bytes = 0
            self.transport.loseWriteConnection()
        else:
            self.loseConnection()

    def _drop(self, raw: bytes) -> None:
        """Throw away what comes after a refusal, up to a limit."""
        self._raw_bytes += len(raw)
        if self._raw_bytes > _LINGER_BYTES:
            self.transport.abortConnection()


class Request(_TwistedRequest):  # type: ignore[misc] # without types
    """One message on a channel."""

    channel: Channel
    #: What to do when the answer takes too long; whoever makes an answer that has to be waited for sets it.
    overdue: Callable[[], None] | None = None

    def __init__(self, channel: Channel, queued: object = 0) -> None:
        """Begin with nothing read."""
        super().__init__(channel, queued, parsePOSTFormSubmission=False)

    def gotLength(self, length: int | None) -> None:
        """Make room for the body; it is small, so never in a file."""
        self.content = None if length == 0 else BytesIO()

    def parseCookies(self) -> None:
        """Leave cookies alone: they are read from the header where they are needed."""

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a piece of the body within the limit; beyond it, keep nothing."""
        content = self.content
        if content is None or not data:
            return
        if content.tell() + len(data) > self.channel.limits.body_bytes:
            self.content = None
            self.channel.refuse(413)
        else:
            content.write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Hand the complete message on, with nothing of it decoded."""
        self.method, self.uri, self.clientproto = command, path, version
        self.path = path.partition(b"?")[0]
        if self.content is not None:
            self.content.seek(0)
        self.channel.serve(self)

    def getRequestHostname(self) -> bytes:
        """Return a constant: no route depends on what a client calls us, and werkzeug trips over odd names."""
        return b"localhost"

    def wait(self, overdue: Callable[[], None]) -> None:
        """Be told when the answer takes too long."""
        self.overdue = overdue
        self.channel.wait()

    def send(self, answer: HttpResponse, fixed: bytes = b"") -> None:
        """Send the complete answer and let the channel go on.

        Args:
            answer: what to say.
            fixed: further header lines, complete and known to be safe.

        Raises:
            UnsafeHeaderError: a header could not be sent as it is; nothing was sent.
        """
        channel = self.channel
        last = channel.last
        data = wire.serialize(answer, date=channel.date, close=last, head_only=self.method == b"HEAD", fixed=fixed)
        if last:
            channel.persistent = False
        channel.put(data)
        self.startedWriting = 1
        self.code = answer.status
        self.finished = 1
        self._cleanup()
