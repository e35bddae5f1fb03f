"""Asking external authorities: addresses that the operator chose, so in any network, and still with limits.

No redirect is followed: an authority that has moved is one for the operator to look at, and what is sent along is for
nobody else. Nothing encoded is asked for, so that little can not become much.

Spec: RFC 9111 4.2.1 (how long an answer is fresh).
"""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any, TypeAlias, cast
from urllib.parse import urlencode

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.web.client import Agent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from konnectd import __version__
from konnectd.authority import Heard, Question
from konnectd.authority_entry import address_problem
from konnectd.bodies import NO_ANSWER, WholeBody, discard_body, read_body
from konnectd.interfaces import FetchError
from konnectd.late_fetch import shown
from konnectd.outward import GuardedEndpoint, LimitedEndpoint, client_tls
from konnectd.reach import Reach

#: How long one question may take, from the look-up of the host name to the last byte of the answer.
SECONDS = 10
#: How many are asked at one time; further ones wait for their turn, and that counts as their time.
MOST_AT_ONCE = 32
#: What a connection may bring in besides the body of an answer, in bytes.
LONGEST_HEAD = 64 * 1024
_FORM_TYPE = b"application/x-www-form-urlencoded"
_EVERYWHERE = Reach((ip_network("0.0.0.0/0"), ip_network("::/0")))
_LONGEST_LIFE = 10**9

#: Twisted's have no types that can be named.
_Reactor: TypeAlias = Any
_Agent: TypeAlias = Any
_Response: TypeAlias = Any


class AskAuthorities:
    """Asks, with a connection for each question. It is a `konnectd.authority.Ask`."""

    def __init__(self, make_agent: Callable[[Question], _Agent], reactor: _Reactor) -> None:
        """Keep what makes one of Twisted's agents for a question, and what measures time."""
        self._make_agent = make_agent
        self._reactor = reactor
        self._turns = DeferredSemaphore(MOST_AT_ONCE)

    @classmethod
    def over_network(cls, reactor: _Reactor, *, insecure: bool = False) -> "AskAuthorities":
        """Make one that opens connections.

        Args:
            reactor: Twisted's.
            insecure: no certificate is checked, of whichever authority.
        """

        def make(question: Question) -> _Agent:
            untyped: Any = Agent
            endpoints = _Endpoints(reactor, question, insecure=insecure or question.insecure)
            return untyped.usingEndpointFactory(reactor, endpoints)

        return cls(make, reactor)

    async def __call__(self, question: Question) -> Heard:
        """Return what an authority answers.

        Raises:
            FetchError: it may not be asked, did not answer in time, or answers too much.
        """
        problem = address_problem(question.url)
        if problem:
            raise FetchError(f"{shown(question.url)} is not asked: it {problem}")
        asking = Deferred.fromCoroutine(self._in_turn(question))
        try:
            return await asking.addTimeout(SECONDS, self._reactor)
        except (*NO_ANSWER, ValueError) as error:
            raise FetchError(f"{shown(question.url)} did not answer ({_cause(error)})") from error

    async def _in_turn(self, question: Question) -> Heard:
        """Wait for a turn, send a question and read the answer."""
        await self._turns.acquire()
        try:
            agent = self._make_agent(question)
            body = None if question.form is None else WholeBody(urlencode(question.form).encode("ascii"))
            method = b"GET" if body is None else b"POST"
            response = await agent.request(method, question.url.encode("ascii"), _headers(question), body)
            return await _heard(response, question)
        finally:
            self._turns.release()


def _cause(error: BaseException) -> str:
    """Say what kind of fault it is, the certificate among them: that is what operators look for."""
    reasons = getattr(error, "reasons", None) or ()
    inner = [type(reason.value).__name__ for reason in reasons if hasattr(reason, "value")]
    return ": ".join((type(error).__name__, *inner))


def _headers(question: Question) -> Headers:
    """Return what is said with a question."""
    headers = Headers({"User-Agent": [f"konnectd/{__version__}"], "Accept": [question.accept]})
    if question.form is not None:
        headers.addRawHeader(b"Content-Type", _FORM_TYPE)
    if question.authorization:
        headers.addRawHeader(b"Authorization", question.authorization.encode("ascii"))
    return headers


async def _heard(response: _Response, question: Question) -> Heard:
    """Read an answer.

    Raises:
        FetchError: it is too long, or encoded in a way that was not asked for.
    """
    if response.headers.hasHeader(b"content-encoding"):
        discard_body(response)
        raise FetchError(f"{shown(question.url)} answers something that is encoded")
    content = await read_body(
        response,
        question.longest,
        lambda: FetchError(f"{shown(question.url)} answers more than {question.longest} bytes"),
    )
    return Heard(
        status=response.code,
        content=content,
        media_type=_header(response, "content-type").partition(";")[0].strip().lower(),
        fresh_for=_fresh_for(_header(response, "cache-control"), _header(response, "age")),
    )


def _header(response: _Response, name: str) -> str:
    """Return a header; empty for none."""
    return ", ".join(response.headers.getRawHeaders(name) or ())


def _fresh_for(control: str, age: str) -> int | None:
    """Return how long an answer may be used, in seconds; None when it does not say. Spec: RFC 9111 4.2.1 and 5.2.2."""
    words = {
        name.strip().lower(): value.strip('" ') for name, _, value in (w.partition("=") for w in control.split(","))
    }
    if "no-store" in words or "no-cache" in words:
        return 0
    life = words.get("max-age", "")
    if not (life.isascii() and life.isdecimal()) or len(life) > len(str(_LONGEST_LIFE)):
        return None
    spent = int(age) if age.isascii() and age.isdecimal() and len(age) < len(str(_LONGEST_LIFE)) else 0
    return max(int(life) - spent, 0)


@implementer(IAgentEndpointFactory)
class _Endpoints:
    """Makes the endpoint for one question."""

    def __init__(self, reactor: _Reactor, question: Question, *, insecure: bool) -> None:
        """Keep what connects, how much may come in, and whether certificates are checked."""
        self._reactor = reactor
        self._most = question.longest + LONGEST_HEAD
        self._insecure = insecure

    def endpointForURI(self, uri: Any) -> IStreamClientEndpoint:  # noqa: ANN401, N802 - Twisted calls it with its URI
        """Return what connects to the host of an address."""
        host = uri.host.decode("ascii")
        endpoint: Any = GuardedEndpoint(self._reactor, host, uri.port, _EVERYWHERE)
        if uri.scheme == b"https":
            endpoint = wrapClientTLS(client_tls(host, insecure=self._insecure), endpoint)
        limited: Any = LimitedEndpoint(endpoint, self._most)
        return cast("IStreamClientEndpoint", limited)
