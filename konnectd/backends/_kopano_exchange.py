"""One call after the other, or fifty at a time: requests go out, answers come back, and nothing takes for ever.

A call has one deadline for everything: waiting for its turn, connecting, TLS, sending, and the last byte of the answer.
When it passes, or when whoever waits gives up, the connection ends too.

A call whose connection was closed before a byte of its answer came is made once more, on a new connection, if making it
twice does no harm: servers close connections that nobody used for a while, and one may do so just when a call sets out.

What is logged names calls and says what went wrong. Requests and answers are never logged, nor any text that came back
with a secret of the request in it.
"""

from typing import Any, TypeAlias, TypeVar

from attrs import field, frozen
from treq.client import HTTPClient
from twisted.internet import error as net
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web._newclient import RequestNotSent
from twisted.web.client import (
    Agent,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
    ResponseNeverReceived,
)
from twisted.web.http_headers import Headers

from konnectd.backends._kopano_address import Address
from konnectd.backends._kopano_dial import MOST_CONNECTIONS, Endpoints, Lease, Reactor, describe, make_pool
from konnectd.backends._kopano_errors import KopanoFaultError, MalformedAnswerError
from konnectd.backends._kopano_pace import Pace
from konnectd.backends._kopano_soap import Call
from konnectd.backends._kopano_tls import TlsOptions
from konnectd.backends._kopano_xml import LONGEST_ANSWER, find_fault
from konnectd.bodies import WholeBody
from konnectd.interfaces import BackendUnavailableError
from konnectd.vitals import PoolUse

_OK = 200
_HEADERS = {b"User-Agent": [b"konnectd"], b"Content-Type": [b"text/xml; charset=utf-8"]}
_WITHHELD = "it repeats what was sent"
#: How much of a secret is enough to know it again, in characters.
_TELLING = 8

#: All that can come of a request instead of an answer.
_NO_ANSWER = (
    CancelledError,
    net.ConnectingCancelledError,
    net.ConnectError,
    net.ConnectionClosed,
    net.DNSLookupError,
    OSError,
    RequestGenerationFailed,
    RequestNotSent,
    RequestTransmissionFailed,
    ResponseFailed,
)

Answer = TypeVar("Answer")
_Agent: TypeAlias = Any
_Response: TypeAlias = Any

log = Logger()


class _TooLateError(Exception):
    """The deadline of a call has passed."""


@frozen
class _Reply:
    """What came back."""

    status: int
    content: bytes = field(repr=False)


class _Attempt:
    """Something that somebody waits for, and that knows when they do not any more.

    What a cancelled request ends with does not tell: it may look as if there were no such host.

    Attributes:
        outcome: what is waited for.
        given_up: it was cancelled.
    """

    def __init__(self, running: "Deferred[_Reply]") -> None:
        """Wait for something."""
        self.given_up = False
        self.outcome: Deferred[_Reply] = Deferred(self._cancel)
        self._running = running
        running.addBoth(self._end)

    def _cancel(self, _: object) -> None:
        """End it early."""
        self.given_up = True
        self._running.cancel()

    def _end(self, outcome: "_Reply | Failure") -> None:
        """Hand over what came of it, if anybody still waits."""
        if not self.outcome.called:
            self.outcome.callback(outcome)


class Line:
    """The way to one server, for calls of some kinds."""

    def __init__(
        self, reactor: Reactor, address: Address, tls: TlsOptions | None, *, timeout: float, kinds: tuple[type, ...]
    ) -> None:
        """Connect to nobody yet.

        Args:
            reactor: Twisted's.
            address: where the server listens.
            tls: how TLS begins there; None where it does not.
            timeout: the deadline of each call, in seconds.
            kinds: which calls may go this way.

        Raises:
            ValueError: TLS and the kind of the address do not fit.
        """
        self._address = address
        self._reactor = reactor
        self._timeout = timeout
        self._kinds = kinds
        self._endpoints = Endpoints(reactor, address, tls, timeout)
        self._pool = make_pool(reactor, address.kind, persistent=True)
        self._single = make_pool(reactor, address.kind, persistent=False)
        self._turns = DeferredSemaphore(MOST_CONNECTIONS)
        self._pace = Pace(reactor)
        self._waiting: set[Deferred[_Reply]] = set()
        self._closed = False

    async def ask(self, call: Call[Answer]) -> Answer:
        """Make a call and return its answer.

        Raises:
            TypeError: calls of this kind may not go this way.
            KopanoError: the server refuses.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer in time, or none that can be read.
        """
        # What keeps a person's password from a connection that does not look at it; see `_kopano_client`.
        # A class made from one of the kinds is not one of them: it could say anything.
        if type(call) not in self._kinds:
            raise TypeError(f"{type(call).__name__} may not go over this connection")
        if self._closed:
            raise BackendUnavailableError(self._say(call, "the daemon is stopping"))
        try:
            reply = await self._fetch(call)
            # Before anything else is made of the answer, so that no error has words in it that nobody has looked at.
            fault = find_fault(reply.content)
            if fault is not None:
                raise KopanoFaultError(call.method, _WITHHELD if _repeats(call, fault) else fault)
            if reply.status != _OK:
                raise BackendUnavailableError(self._say(call, f"status {reply.status} and no Fault"))
            return call.read(reply.content)
        except MalformedAnswerError as error:
            raise BackendUnavailableError(self._say(call, f"the answer can not be read: {error}")) from error

    def use(self, name: str) -> PoolUse:
        """Return how many calls are under way at this moment, and how many wait for their turn."""
        turns = self._turns
        busy, idle = turns.limit - turns.tokens, turns.tokens
        return PoolUse(name=name, busy=busy, idle=idle, limit=turns.limit, waiting=len(turns.waiting))

    async def close(self) -> None:
        """End all connections, and fail what still waits."""
        self._closed = True
        for waiting in tuple(self._waiting):
            waiting.cancel()
        untyped: Any = self._pool
        closing = untyped.closeCachedConnections()
        # A server that does not listen any more would not say good-bye either.
        self._endpoints.abort_all()
        await closing

    async def _fetch(self, call: Call[Any]) -> _Reply:
        """Send a request and return what comes back before the deadline.

        Raises:
            CancelledError: whoever waited has given up.
            BackendUnavailableError: nothing came.
        """
        attempt = _Attempt(Deferred.fromCoroutine(self._in_turn(call)))
        waiting = attempt.outcome
        self._waiting.add(waiting)
        try:
            return await waiting.addTimeout(self._timeout, self._reactor, _too_late)
        except _TooLateError as error:
            reason = f"no answer within {self._timeout:g} seconds"
            raise BackendUnavailableError(self._say(call, reason)) from error
        except _NO_ANSWER as error:
            if attempt.given_up and not self._closed:
                raise CancelledError from error
            reason = "the daemon is stopping" if self._closed else describe(error)
            raise BackendUnavailableError(self._say(call, reason)) from error
        finally:
            self._waiting.discard(waiting)

    async def _in_turn(self, call: Call[Any]) -> _Reply:
        """Wait for a turn, and make the call; once more if its connection turns out to have been closed."""
        await self._turns.acquire()
        try:
            await self._pace.keep()
            content = call.encode()
            try:
                return await self._exchange(Lease(self._pool), content)
            except (ResponseNeverReceived, RequestTransmissionFailed) as error:
                if not call.repeatable or self._closed or not _is_silent_end(error):
                    raise
            log.debug("Kopano server {server}: {method} is sent again", server=str(self._address), method=call.method)
            return await self._exchange(Lease(self._single), content)
        finally:
            self._turns.release()

    async def _exchange(self, lease: Lease, content: bytes) -> _Reply:
        """Send a request over one connection, which ends with the attempt unless the whole answer came.

        Raises:
            MalformedAnswerError: the answer is too long.
        """
        untyped: Any = Agent
        agent = untyped.usingEndpointFactory(self._reactor, self._endpoints, pool=lease)
        # Cookies are none of the protocol, so each request has a client, and with it a jar, of its own.
        plain: Any = _PlainAgent(agent)
        client = HTTPClient(plain, data_to_body_producer=_body)
        whole = False
        try:
            response = await client.post(
                self._address.url,
                headers=Headers({**_HEADERS, b"Host": [self._address.authority.encode("ascii")]}),
                data=content,
                allow_redirects=False,
                unbuffered=True,
                reactor=self._reactor,
            )
            reply = _Reply(response.code, await response.content())
            await self._pace.keep()
        except _NO_ANSWER as error:
            if lease.exceeded:
                raise MalformedAnswerError(f"it is longer than {LONGEST_ANSWER} bytes") from error
            raise
        else:
            whole = True
            return reply
        finally:
            if not whole:
                lease.abort()

    def _say(self, call: Call[Any], reason: str) -> str:
        """Say what went wrong, and where."""
        return f"Kopano server {self._address}: {call.method}: {reason}"


class _PlainAgent:
    """Asks for answers as they are, and takes them so. It is what Twisted calls an `IAgent`.

    Otherwise a short answer could unpack itself into a long one, past every limit.
    """

    def __init__(self, agent: _Agent) -> None:
        """Keep what really asks."""
        self._agent = agent

    def request(self, method: bytes, uri: bytes, headers: Headers, producer: object) -> "Deferred[_Response]":
        """Make a request."""
        plain = headers.copy()
        plain.removeHeader(b"Accept-Encoding")
        asking: Deferred[_Response] = self._agent.request(method, uri, plain, producer)
        return asking.addCallback(_undecorated)


def _undecorated(response: _Response) -> _Response:
    """Leave out what would have an answer unpacked."""
    response.headers.removeHeader(b"Content-Encoding")
    return response


def _body(content: bytes) -> Any:  # noqa: ANN401 - what Twisted calls an IBodyProducer
    """Return what sends a request."""
    return WholeBody(content)


def _too_late(_: "_Reply | Failure", seconds: float) -> "_Reply | Failure":
    """Tell a call that its deadline ended from one that somebody gave up."""
    raise _TooLateError(f"{seconds:g} seconds are over")


def _repeats(call: Call[Any], text: str) -> bool:
    """Tell whether a text has a secret of a call in it, or the beginning of one that was cut."""
    return any(secret[:_TELLING] in text for secret in call.secrets if secret)


def _reasons(error: BaseException) -> tuple[BaseException, ...]:
    """Return an error and what it was caused by, as Twisted's client tells it."""
    return (error, *(cause for reason in getattr(error, "reasons", ()) for cause in _reasons(reason.value)))


def _is_silent_end(error: BaseException) -> bool:
    """Tell whether the server, or something on the way, closed a connection without a word."""
    causes = _reasons(error)[1:]
    return bool(causes) and all(isinstance(cause, net.ConnectionDone | net.ConnectionLost) for cause in causes)
