"""Asking the application who somebody is: one request, with limits of time and size, that leads nowhere else.

Each request has a client of its own, because treq's clients remember the cookies of answers and would send what was
set for one person with the next one's question.
"""

from typing import Any, TypeAlias

from attrs import field, frozen
from treq.client import HTTPClient
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.ssl import CertificateOptions, TLSVersion, optionsForClientTLS
from twisted.web.client import (
    Agent,
    HTTPConnectionPool,
)
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IPolicyForHTTPS
from zope.interface import implementer

from konnectd import __version__
from konnectd.backends._cookie_settings import CookieSettings
from konnectd.backends._trust import Trust
from konnectd.bodies import NO_ANSWER, discard_body, read_body
from konnectd.interfaces import BackendUnavailableError
from konnectd.sources import Carried

#: No answer is longer, in bytes.
LONGEST_ANSWER = 64 * 1024
#: How many questions are asked at one time; further ones wait for their turn, and that counts as their time.
MOST_AT_ONCE = 50
#: Tells the application who asks; its first word is the version of what is asked.
WHO_ASKS = f"1/{__version__}"
_JSON = "application/json"

#: What makes requests, what measures time, and what comes back: Twisted's have no type that can be named.
_Agent: TypeAlias = Any
_Reactor: TypeAlias = Any
_Response: TypeAlias = Any


@frozen
class Heard:
    """What came back: a body only where there is something to read."""

    status: int
    content: bytes = field(default=b"", repr=False)


class Question:
    """Asks the application."""

    def __init__(self, settings: CookieSettings, agent: _Agent, reactor: _Reactor, pool: Any = None) -> None:  # noqa: ANN401 - Twisted's
        """Keep what makes connections, and what measures time.

        Args:
            settings: where to ask.
            agent: one of Twisted's.
            reactor: Twisted's.
            pool: of connections that are to be closed in the end; None for none.
        """
        self._settings = settings
        self._agent = _Unencoded(agent)
        self._reactor = reactor
        self._pool = pool
        self._turns = DeferredSemaphore(MOST_AT_ONCE)

    @classmethod
    def over_network(cls, settings: CookieSettings, reactor: _Reactor) -> "Question":
        """Make one that keeps some connections open."""
        untyped: Any = HTTPConnectionPool
        pool = untyped(reactor)
        pool.retryAutomatically = False
        agent: Any = Agent
        made = agent(reactor, _Policy(settings), connectTimeout=settings.timeout, pool=pool)
        return cls(settings, made, reactor, pool)

    async def __call__(self, carried: Carried) -> Heard:
        """Ask who carries some cookies.

        Raises:
            BackendUnavailableError: nobody answered in time, or what came back is not worth reading.
        """
        asking = Deferred.fromCoroutine(self._in_turn(carried))
        try:
            return await asking.addTimeout(self._settings.timeout, self._reactor)
        except NO_ANSWER as error:
            raise BackendUnavailableError(f"{self._settings.host} did not answer ({type(error).__name__})") from error

    async def close(self) -> None:
        """Close the connections that are kept open."""
        if self._pool is not None:
            await self._pool.closeCachedConnections()

    async def _in_turn(self, carried: Carried) -> Heard:
        """Wait for a turn, ask and read the answer."""
        await self._turns.acquire()
        try:
            make: Any = HTTPClient  # what it wants to be given has no types
            client = make(self._agent)
            response = await client.request(
                "POST",
                self._settings.url,
                headers=_headers(carried),
                allow_redirects=False,
                unbuffered=True,
                reactor=self._reactor,
            )
            return await self._heard(response)
        finally:
            self._turns.release()

    async def _heard(self, response: _Response) -> Heard:
        """Read an answer, as far as there is something to read."""
        if response.code not in {200, 202}:
            discard_body(response)
            return Heard(response.code)
        kind = (response.headers.getRawHeaders("content-type") or [""])[0].partition(";")[0].strip().lower()
        if kind != _JSON:
            discard_body(response)
            raise BackendUnavailableError(f"{self._settings.host} does not answer {_JSON}")
        return Heard(response.code, await read_body(response, LONGEST_ANSWER, self._too_long))

    def _too_long(self) -> BackendUnavailableError:
        """Return what is wrong with an answer that does not end."""
        return BackendUnavailableError(f"{self._settings.host} answers more than {LONGEST_ANSWER} bytes")


def _headers(carried: Carried) -> Headers:
    """Return what the application is told; nothing else goes there."""
    headers = Headers({"X-Konnect-Request": [WHO_ASKS], "Accept": [_JSON]})
    cookies = "; ".join(f"{name}={value}" for name, value in carried.cookies.items())
    told = (("Cookie", cookies), ("Accept-Language", carried.accept_language), ("User-Agent", carried.user_agent))
    for name, value in told:
        if value:
            headers.addRawHeader(name.encode("ascii"), value.encode("latin-1", "replace"))
    return headers


@implementer(IAgent)
class _Unencoded:
    """An agent that asks for nothing compressed and takes nothing compressed: a little of it could become very much."""

    def __init__(self, agent: _Agent) -> None:
        """Keep the real one."""
        self._agent = agent

    def request(self, method: bytes, uri: bytes, headers: Headers, bodyProducer: Any = None) -> Any:  # noqa: ANN401, N803 - Twisted calls it
        """Ask."""
        plain = headers.copy()
        plain.removeHeader(b"accept-encoding")
        return self._agent.request(method, uri, plain, bodyProducer).addCallback(_unencoded)


def _unencoded(response: _Response) -> _Response:
    """Return an answer that is not compressed.

    Raises:
        BackendUnavailableError: it is.
    """
    if response.headers.hasHeader(b"content-encoding"):
        discard_body(response)
        raise BackendUnavailableError("the application answers something that is encoded")
    return response


@implementer(IPolicyForHTTPS)
@frozen
class _Policy:
    """Makes our end of TLS 1.2 or better."""

    settings: CookieSettings

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:  # noqa: ANN401, ARG002, N802 - Twisted calls it
        """Return what makes a connection to a host that has to prove that it is that."""
        arguments: dict[str, Any] = {"raiseMinimumTo": TLSVersion.TLSv1_2}
        if self.settings.insecure:
            return CertificateOptions(**arguments)
        root: Any = Trust(self.settings.authorities)
        return optionsForClientTLS(hostname.decode("ascii"), trustRoot=root, extraCertificateOptions=arguments)
