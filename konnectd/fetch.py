"""Addresses that clients chose, asked so that no client can make us ask what it could not ask itself.

What is checked is the address of the machine, after its name was resolved; and the connection goes to the very address
that was checked, so a name that means something else a moment later gains nothing. Which machines may be asked is
`konnectd.reach`. Only https is spoken, no redirect is followed, and time, size and number of requests are limited.

Spec: RFC 9700 4.11 (no redirects to just anywhere); RFC 7591 5; OIDC Core 6.2 and 10.1.1.
"""

from typing import Any, TypeAlias
from urllib.parse import urlencode, urlsplit

from attrs import field, frozen
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.python.failure import Failure
from twisted.web.client import Agent
from twisted.web.http_headers import Headers

from konnectd.bodies import NO_ANSWER, WholeBody, discard_body, read_body
from konnectd.interfaces import FetchError
from konnectd.late_fetch import shown
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
#: How many of them may be of one domain, so that somebody whose server never answers keeps only their own waiting.
MOST_OF_ONE = 8

_AGENT_NAME = b"konnectd"
_FORM_TYPE = b"application/x-www-form-urlencoded"
_OK = 200

#: What makes requests, and what measures time: Twisted's have no type that can be named.
_Agent: TypeAlias = Any
_Reactor: TypeAlias = Any


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
        self._lanes: dict[str, DeferredSemaphore] = {}
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
            raise FetchError(f"{shown(url)} answers with status {answer.status}")
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
            raise FetchError(f"{shown(url)} is not asked: it is no https address")
        asking = Deferred.fromCoroutine(self._exchange(method, address, form))
        try:
            return await asking.addTimeout(SECONDS, self._reactor)
        except (*NO_ANSWER, ValueError) as error:
            raise FetchError(f"{shown(url)} did not answer ({type(error).__name__})") from error

    async def _exchange(self, method: str, address: str, form: bytes | None) -> _Answer:
        """Wait for a turn among those of one domain, then among all, and ask."""
        domain = _domain(address)
        lane = self._lanes.setdefault(domain, DeferredSemaphore(MOST_OF_ONE))
        await lane.acquire()
        try:
            return await self._in_turn(method, address, form)
        finally:
            lane.release()
            if lane.tokens == MOST_OF_ONE:
                self._lanes.pop(domain, None)

    async def _in_turn(self, method: str, address: str, form: bytes | None) -> _Answer:
        """Wait for a turn, send a request and read the answer."""
        await self._turns.acquire()
        try:
            headers = Headers({b"User-Agent": [_AGENT_NAME], b"Accept": [b"*/*"]})
            if form is not None:
                headers.addRawHeader(b"Content-Type", _FORM_TYPE)
            producer = None if form is None else WholeBody(form)
            response = await self._agent.request(method.encode("ascii"), address.encode("ascii"), headers, producer)
            return _Answer(response.code, await _content(response, address, wanted=form is None))
        finally:
            self._turns.release()


def _domain(address: str) -> str:
    """Return what the hosts of one owner have in common: the last two labels, or an address as it is."""
    host = urlsplit(address).hostname or ""
    return host if ":" in host or host.replace(".", "").isdigit() else ".".join(host.rstrip(".").split(".")[-2:])


async def _content(response: Any, address: str, *, wanted: bool) -> bytes:  # noqa: ANN401 - an IResponse
    """Return the body of an answer; nothing, without reading it, when only the status counts.

    Raises:
        FetchError: it is too long.
    """
    if not wanted or response.code != _OK:
        discard_body(response)
        return b""
    return await read_body(response, LONGEST_ANSWER, lambda: _too_long(address))


def _too_long(address: str) -> FetchError:
    """Return what is wrong with an answer that does not end."""
    return FetchError(f"{shown(address)} answers more than {LONGEST_ANSWER} bytes")
