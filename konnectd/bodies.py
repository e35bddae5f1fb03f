"""Bodies of requests that are made and of answers that come back, each whole and within a limit; and no answer."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.defer import TimeoutError as TooLateError
from twisted.internet.error import ConnectError, ConnectionClosed, DNSLookupError
from twisted.internet.protocol import Protocol as Connection
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.client import (
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
    ResponseNeverReceived,
)
from twisted.web.error import SchemeNotSupported
from twisted.web.http import PotentialDataLoss

#: What a request ends with that gets no answer, or not in time.
NO_ANSWER = (
    ConnectError,
    ConnectionClosed,
    DNSLookupError,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
    ResponseNeverReceived,
    SchemeNotSupported,
    TooLateError,
)


class WholeBody:
    """A body that is sent in one go. It is what Twisted calls an `IBodyProducer`.

    Attributes:
        length: its length in bytes.
    """

    def __init__(self, content: bytes) -> None:
        """Keep the content."""
        self._content = content
        self.length = len(content)

    def startProducing(self, consumer: Any) -> Deferred[None]:  # noqa: ANN401, N802 - Twisted calls it
        """Write everything."""
        consumer.write(self._content)
        return succeed(None)

    def pauseProducing(self) -> None:
        """Do nothing: everything is written."""

    def resumeProducing(self) -> None:
        """Do nothing: everything is written."""

    def stopProducing(self) -> None:
        """Do nothing: everything is written."""


def read_body(response: Any, longest: int, too_long: Callable[[], Exception]) -> Deferred[bytes]:  # noqa: ANN401 - an IResponse
    """Return the body of an answer; whoever cancels the waiting ends the connection.

    It fails with what ``too_long`` makes when there is more than ``longest`` bytes, and as connections do. An answer
    that does not say how long it is ends with its connection, as many small servers do it; whoever reads it sees
    whether it is all there, because there is nothing whose half is as good as the whole.

    Spec: RFC 9112 6.3 (8) and 8.
    """
    collector = _Collector(longest, too_long)
    response.deliverBody(collector)
    return collector.content


def discard_body(response: Any) -> None:  # noqa: ANN401 - an IResponse
    """End the connection without reading the body of its answer."""
    response.deliverBody(_Discarder())


class _Discarder(Connection):
    """Reads nothing."""

    def connectionMade(self) -> None:
        """Close the connection."""
        _stop(self)


class _Collector(Connection):
    """Reads a body, up to a limit."""

    def __init__(self, longest: int, too_long: Callable[[], Exception]) -> None:
        """Begin with nothing."""
        self._longest = longest
        self._too_long = too_long
        self._received = bytearray()
        self.content: Deferred[bytes] = Deferred(lambda _: _stop(self))

    def dataReceived(self, received: bytes) -> None:
        """Keep a piece."""
        self._received += received
        if len(self._received) > self._longest:
            if not self.content.called:
                self.content.errback(self._too_long())
            _stop(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Hand over what was read when it is complete."""
        if self.content.called:
            return
        if isinstance(reason.value, ResponseDone | PotentialDataLoss):
            self.content.callback(bytes(self._received))
        else:
            self.content.errback(reason)


def _stop(reader: Connection) -> None:
    """Close the connection that somebody reads from."""
    transport: Any = reader.transport
    if transport is not None:
        transport.stopProducing()
