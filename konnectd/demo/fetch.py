"""The demo application's way to the provider: real HTTP, with limits to time and size, and no redirects followed."""

from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.web.client import Agent
from twisted.web.http_headers import Headers

from konnectd.bodies import NO_ANSWER, WholeBody, read_body
from konnectd.demo.errors import SignInError, Trouble
from konnectd.demo.messages import Call, Exchange, Reply
from konnectd.http import FORM_TYPE

#: No answer of a provider is longer, in bytes.
LONGEST_REPLY = 256 * 1024
CONNECT_SECONDS = 5
#: How long one answer may take, from the look-up of the host name to its last byte.
REPLY_SECONDS = 10
_AGENT_NAME = "konnectd-demo"


class Fetch(Protocol):
    """Makes one request to the provider."""

    async def __call__(self, call: Call) -> Exchange:
        """Return the request with its answer, whatever the answer says.

        Raises:
            SignInError: there was no answer, or one that nobody should read.
        """
        ...


class HttpFetch:
    """Makes requests through one of Twisted's agents."""

    def __init__(self, agent: Any, reactor: Any) -> None:  # noqa: ANN401 - an IAgent and a reactor, which carry no types
        """Keep what makes connections and what measures time."""
        self._agent = agent
        self._reactor = reactor

    @classmethod
    def over_network(cls, reactor: Any) -> "HttpFetch":  # noqa: ANN401 - Twisted's reactor has no one type
        """Make one that opens a connection for each request and trusts the certificates this machine trusts."""
        untyped: Any = Agent
        return cls(untyped(reactor, connectTimeout=CONNECT_SECONDS), reactor)

    async def __call__(self, call: Call) -> Exchange:
        """Return the request with its answer.

        Raises:
            SignInError: there was no answer in time, or it is too long.
        """
        waiting = Deferred.fromCoroutine(self._fetch(call))
        try:
            reply = await waiting.addTimeout(REPLY_SECONDS, self._reactor)
        except NO_ANSWER as error:
            raise SignInError(Trouble.UNREACHABLE, f"{call.uri} did not answer ({type(error).__name__})") from error
        except ValueError as error:
            raise SignInError(Trouble.NONSENSE, f"{call.uri} is not an address") from error
        return Exchange(call=call, reply=reply)

    async def _fetch(self, call: Call) -> Reply:
        """Make the request and read the answer."""
        headers = Headers()
        for name, value in (("User-Agent", _AGENT_NAME), ("Accept", "application/json"), *call.headers):
            headers.addRawHeader(name, value)
        producer = None
        if call.form:
            headers.addRawHeader("Content-Type", FORM_TYPE)
            producer = WholeBody(call.body)
        response = await self._agent.request(call.method.encode("ascii"), call.uri.encode("ascii"), headers, producer)
        content = await read_body(response, LONGEST_REPLY, lambda: _too_long(call.uri))
        return Reply(status=response.code, headers=_pairs(response.headers), text=content.decode("utf-8", "replace"))


def _too_long(uri: str) -> SignInError:
    """Return what is wrong with an answer that does not end."""
    return SignInError(Trouble.NONSENSE, f"{uri} answers more than {LONGEST_REPLY} bytes")


def _pairs(headers: Headers) -> tuple[tuple[str, str], ...]:
    """Return headers as text."""
    return tuple(
        (name.decode("latin-1").lower(), b", ".join(values).decode("latin-1"))
        for name, values in headers.getAllRawHeaders()
    )
