"""One connection to Redis: questions go out as they come, answers come back in the same order.

Each question has a deadline. When one is missed the whole connection ends, because nothing tells any more which answer
belongs to which question.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.ssl import VerificationError
from twisted.python.failure import Failure

from konnectd.stores._redis_wire import Replies, Reply, WireError, command

#: How many questions may wait for their answers; more than that come to a server that is about to be given up.
MOST_WAITING: Final = 2000

#: Twisted's reactor or a clock that stands for it: `callLater` and `seconds`. Its interfaces have no types.
Reactor: TypeAlias = Any


class LostError(Exception):
    """The connection has ended, or will not answer; whether the question was obeyed is not known."""


@frozen(eq=False)
class _Question:
    """A question that was sent.

    Attributes:
        deadline: the call that gives the connection up.
    """

    answered: Deferred[Reply]
    deadline: Any


class Connection(Protocol):
    """A connection that is open until it says otherwise.

    Attributes:
        heard_at: when the server last said something, or the connection was made.
        ended: called once, with the reason, when it can not be used any more.
    """

    # Twisted's interfaces have no types.
    transport: Any

    def __init__(self, reactor: Reactor, timeout: float) -> None:
        """Prepare a connection whose questions are answered within some seconds."""
        self.heard_at = 0.0
        self.ended: Callable[[Connection, LostError], None] = lambda _connection, _reason: None
        self._reactor = reactor
        self._timeout = timeout
        self._replies = Replies()
        self._waiting: deque[_Question] = deque()
        self._lost: LostError | None = None
        self._closed: list[Deferred[None]] = []

    @property
    def usable(self) -> bool:
        """Something may be asked."""
        return bool(self.connected) and self._lost is None

    @property
    def busy(self) -> bool:
        """Questions wait for their answers."""
        return bool(self._waiting)

    async def ask(self, *words: bytes) -> Reply:
        """Send a command and return its reply.

        Raises:
            LostError: there was none.
        """
        if not self.connected or self._lost is not None:
            raise self._lost or LostError("not connected")
        if len(self._waiting) >= MOST_WAITING:
            raise LostError(f"{MOST_WAITING} questions wait for an answer already")
        # One who does not wait any more leaves the question in its place: its answer still has to come.
        answered: Deferred[Reply] = Deferred(lambda _: None)
        deadline = self._reactor.callLater(self._timeout, self.end, f"no answer in {self._timeout:g} s")
        self._waiting.append(_Question(answered, deadline))
        self.transport.write(command(*words))
        return await answered

    def end(self, reason: str) -> None:
        """Give the connection up, and tell all who wait."""
        if self._lost is None:
            self._fail(LostError(reason))
        self.transport.abortConnection()

    async def close(self) -> None:
        """End the connection and wait until it has ended."""
        if self._lost is None:
            self._fail(LostError("closed by us"))
        if self.connected:
            closed: Deferred[None] = Deferred()
            self._closed.append(closed)
            self.transport.abortConnection()
            await closed

    def connectionMade(self) -> None:
        """Begin. Called by Twisted."""
        self.heard_at = self._reactor.seconds()
        # A socket in the file system has neither.
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)

    def dataReceived(self, data: bytes) -> None:
        """Bring replies to those who wait. Called by Twisted."""
        if self._lost is not None:
            return
        self.heard_at = self._reactor.seconds()
        try:
            replies = self._replies.feed(data)
        except WireError as error:
            self.end(f"it does not speak as Redis does: {error}")
            return
        for reply in replies:
            if not self._waiting:
                # Kept for the next question, it would be the answer to a question nobody had asked.
                self.end("it answered what was not asked")
                return
            question = self._waiting.popleft()
            question.deadline.cancel()
            if not question.answered.called:
                question.answered.callback(reply)
            # Whoever was told may have ended the connection.
            if not self.usable:
                return

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell all who wait. Called by Twisted."""
        self.connected = 0
        if self._lost is None:
            self._fail(LostError(_describe(reason)))
        closed, self._closed = self._closed, []
        for waiting in closed:
            waiting.callback(None)

    def _fail(self, error: LostError) -> None:
        """Be of no use from now on. Whoever owns the connection learns it first."""
        self._lost = error
        self.ended(self, error)
        waiting, self._waiting = self._waiting, deque()
        for question in waiting:
            if question.deadline.active():
                question.deadline.cancel()
            if not question.answered.called:
                question.answered.errback(error)


def _describe(reason: Failure) -> str:
    """Tell why a connection has ended without our doing."""
    if isinstance(reason.value, VerificationError):
        return "its certificate is for another name"
    text = reason.getErrorMessage()
    if "certificate verify failed" in text:
        return "its certificate is not trusted: its authority is unknown, or it is expired"
    return f"it ended the connection: {text}"
