"""Addresses that clients chose, asked so that no client can make us ask what it could not ask itself.

What is checked is the address of the machine, after its name was resolved; and the connection goes to the very address
that was checked, so a name that means something else a moment later gains nothing. Which machines may be asked is
`konnectd.reach`. Only https is spoken, no redirect is followed, and time, size and number of requests are limited.

Spec: RFC 9700 4.11 (no redirects to just anywhere); RFC 7591 5; OIDC Core 6.2 and 10.1.1.
"""

from collections.abc import Awaitable
from typing import Any, TypeAlias
from urllib.parse import urlencode, urlsplit

from attrs import field, frozen
from twisted.internet.defer import Deferred, DeferredSemaphore, succeed
from twisted.internet.defer import TimeoutError as TooLateError
from twisted.internet.error import ConnectError, ConnectionClosed, DNSLookupError
from twisted.internet.protocol import Protocol as Connection
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseDone,
    ResponseFailed,
    ResponseNeverReceived,
)
from twisted.web.error import SchemeNotSupported
from twisted.web.http_headers import Headers

from konnectd.interfaces import FetchError
from konnectd.outward import GuardedEndpoints
from konnectd.protocol.authorize import Pairs
from konnectd.protocol.client import is_plain_uri
from konnectd.reach import Reach

#: No key set, request object or list of addresses is longer, in bytes.
LONGEST_ANSWER = 64 * 1024
#: How long one request may take, from the look-up of the host name to the last byte of the answer.
SECONDS = 10
#: How many are asked at one time; further ones wait for their turn, and that counts as their time.
MOST_AT_ONCE = 32

_AGENT_NAME = b"konnectd"
_FORM_TYPE = b"application/x-www-form-urlencoded"
_OK = 200
_NO_WAY = (
    ConnectError,
    ConnectionClosed,
    DNSLookupError,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
    ResponseNeverReceived,
    SchemeNotSupported,
    TooLateError,
    ValueError,
)

#: What makes requests, and what measures time: Twisted's have no type that can be named.
_Agent: TypeAlias = Any
_Reactor: TypeAlias = Any


@frozen
class NoFetch:
    """Asks nobody, for who has no network. It is a `konnectd.interfaces.Fetch`."""

    async def get(self, url: str) -> bytes:
        """Refuse.

        Raises:
            FetchError: always.
        """
        raise FetchError(f"{_shown(url)} is not asked: there is no network here")

    async def post(self, url: str, fields: Pairs) -> int:  # noqa: ARG002 - as the interface has it
        """Refuse.

        Raises:
            FetchError: always.
        """
        raise FetchError(f"{_shown(url)} is not asked: there is no network here")


@frozen
class _Answer:
    """What came back."""

    status: int
    content: bytes = field(repr=False)


class GuardedFetch:
    """Asks through one of Twisted's agents. It is a `konnectd.interfaces.Fetch`.

    Who asks for what is being asked for already gets the same answer.
    """

    def __init__(self, agent: _Agent, reactor: _Reactor) -> None:
        """Keep what makes connections, which has to be guarded, and what measures time."""
        self._agent = agent
        self._reactor = reactor
        self._turns = DeferredSemaphore(MOST_AT_ONCE)
        self._waiting: dict[str, list[Deferred[bytes]]] = {}

    @classmethod
    def over_network(cls, reactor: _Reactor, reach: Reach, *, insecure: bool) -> "GuardedFetch":
        """Make one that opens a connection for each request.

        Args:
            reactor: Twisted's.
            reach: who may be asked.
            insecure: certificates are not checked.
        """
        untyped: Any = Agent
        endpoints = GuardedEndpoints(reactor, reach, insecure=insecure)
        return cls(untyped.usingEndpointFactory(reactor, endpoints), reactor)

    async def get(self, url: str) -> bytes:
        """Return the body of an answer with status 200.

        Raises:
            FetchError: it may not be asked, did not answer, or answered something else.
        """
        mine: Deferred[bytes] = Deferred()
        waiting = self._waiting.setdefault(url, [])
        waiting.append(mine)
        if len(waiting) == 1:
            # Not awaited here: when this caller gives up, others may still wait for the answer.
            Deferred.fromCoroutine(self._read(url)).addBoth(self._tell, url)
        return await mine

    async def post(self, url: str, fields: Pairs) -> int:
        """Post a form and return the status of the answer.

        Raises:
            FetchError: it may not be asked or did not answer.
        """
        answer = await self._ask("POST", url, urlencode(fields).encode("ascii"))
        return answer.status

    async def _read(self, url: str) -> bytes:
        """Return the body of an answer with status 200.

        Raises:
            FetchError: there is none.
        """
        answer = await self._ask("GET", url)
        if answer.status != _OK:
            raise FetchError(f"{_shown(url)} answers with status {answer.status}")
        return answer.content

    def _tell(self, outcome: bytes | Failure, url: str) -> None:
        """Tell everybody who has waited."""
        for waiting in self._waiting.pop(url):
            if waiting.called:
                continue
            if isinstance(outcome, Failure):
                waiting.errback(outcome)
            else:
                waiting.callback(outcome)

    async def _ask(self, method: str, url: str, form: bytes | None = None) -> _Answer:
        """Make one request.

        Raises:
            FetchError: it may not be asked or did not answer in time.
        """
        address = url.partition("#")[0]
        if not is_plain_uri(address) or urlsplit(address).scheme != "https":
            raise FetchError(f"{_shown(url)} is not asked: it is no https address")
        asking = Deferred.fromCoroutine(self._exchange(method, address, form))
        try:
            return await asking.addTimeout(SECONDS, self._reactor)
        except _NO_WAY as error:
            raise FetchError(f"{_shown(url)} did not answer ({type(error).__name__})") from error

    async def _exchange(self, method: str, address: str, form: bytes | None) -> _Answer:
        """Wait for a turn, send a request and read the answer."""
        await self._turns.acquire()
        try:
            headers = Headers({b"User-Agent": [_AGENT_NAME], b"Accept": [b"*/*"]})
            if form is not None:
                headers.addRawHeader(b"Content-Type", _FORM_TYPE)
            producer = None if form is None else _Body(form)
            response = await self._agent.request(method.encode("ascii"), address.encode("ascii"), headers, producer)
            return _Answer(response.code, await _content(response, address, wanted=form is None))
        finally:
            self._turns.release()


async def _content(response: Any, address: str, *, wanted: bool) -> bytes:  # noqa: ANN401 - an IResponse
    """Return the body of an answer; nothing, without reading it, when only the status counts.

    Raises:
        FetchError: it is too long.
    """
    if not wanted or response.code != _OK:
        response.deliverBody(_Discarder())
        return b""
    collector = _Collector(address)
    response.deliverBody(collector)
    return await collector.content


class _Body:
    """A body that is sent in one go. It is what Twisted calls an `IBodyProducer`."""

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


class _Discarder(Connection):
    """Reads nothing."""

    def connectionMade(self) -> None:
        """Close the connection."""
        _stop(self)


class _Collector(Connection):
    """Reads a body, up to a limit."""

    def __init__(self, address: str) -> None:
        """Begin with nothing."""
        self._address = address
        self._received = bytearray()
        self._ended: Deferred[bytes] = Deferred(lambda _: _stop(self))

    @property
    def content(self) -> Awaitable[bytes]:
        """The whole body, once it has been read."""
        return self._ended

    def dataReceived(self, received: bytes) -> None:
        """Keep a piece."""
        self._received += received
        if len(self._received) > LONGEST_ANSWER:
            if not self._ended.called:
                self._ended.errback(FetchError(f"{_shown(self._address)} answers more than {LONGEST_ANSWER} bytes"))
            _stop(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Hand over what was read when it is complete."""
        if self._ended.called:
            return
        if isinstance(reason.value, ResponseDone):
            self._ended.callback(bytes(self._received))
        else:
            self._ended.errback(reason)


def _stop(reader: Connection) -> None:
    """Close the connection that somebody reads from."""
    transport: Any = reader.transport
    if transport is not None:
        transport.stopProducing()


def _shown(url: str) -> str:
    """Return an address as it is logged: without what follows a question mark, which may be nobody's business."""
    return repr(url.partition("#")[0].partition("?")[0][:200])
