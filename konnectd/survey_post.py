"""How the usage survey gets out: one request, with limits, whose answer nobody reads.

No proxy is used, no connection is kept, no redirect is followed.
"""

from typing import Any, TypeAlias

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TooLateError
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.web.client import Agent
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from konnectd import __version__
from konnectd.bodies import WholeBody, discard_body
from konnectd.outward import LimitedEndpoint, client_tls
from konnectd.survey import NotSentError

#: How long one request may take, from the look-up of the host name to the first line of the answer.
SECONDS = 60
_CONNECT_SECONDS = 30
_HEADERS = {
    b"X-Kopano-Stats-Request": [b"1"],
    b"Content-Type": [b"application/json"],
    b"User-Agent": [f"konnectd/{__version__}".encode("ascii")],
}
_WELL = range(200, 300)

# Twisted's have no type that can be named.
_Reactor: TypeAlias = Any


@implementer(IAgentEndpointFactory)
class SurveyEndpoints:
    """Makes the endpoints of the agent, which take no more than a short answer."""

    def __init__(self, reactor: _Reactor, *, insecure: bool) -> None:
        """Keep what connects, and whether certificates are checked."""
        self._reactor = reactor
        self._insecure = insecure

    def endpointForURI(self, uri: Any) -> IStreamClientEndpoint:  # noqa: ANN401, N802 - Twisted calls it with its URI
        """Return what connects to the host of an address."""
        host = uri.host.decode("ascii")
        untyped: Any = HostnameEndpoint
        endpoint = untyped(self._reactor, host, uri.port, timeout=_CONNECT_SECONDS)
        if uri.scheme == b"https":
            endpoint = wrapClientTLS(client_tls(host, insecure=self._insecure), endpoint)
        limited: IStreamClientEndpoint = _limited(endpoint)
        return limited


_limited: Any = LimitedEndpoint
_body: Any = WholeBody


class SurveyPost:
    """Sends reports to one address."""

    def __init__(self, reactor: _Reactor, url: str, *, insecure: bool) -> None:
        """Keep where to; nothing is connected yet."""
        untyped: Any = Agent
        self._reactor = reactor
        self._url = url
        self._client: Any = HTTPClient(
            untyped.usingEndpointFactory(reactor, SurveyEndpoints(reactor, insecure=insecure)),
            data_to_body_producer=_body,
        )

    async def __call__(self, body: bytes) -> None:
        """Send a report.

        Raises:
            NotSentError: nobody took it in time.
            CancelledError: we are to stop.
        """
        asking: Deferred[int] = Deferred.fromCoroutine(self._ask(body))
        try:
            status = await asking.addTimeout(SECONDS, self._reactor)
        except CancelledError:
            raise
        except TooLateError:
            raise NotSentError(f"no answer in {SECONDS} seconds") from None
        except Exception as error:
            # Whatever can go wrong on the way to somebody else is all the same here.
            raise NotSentError(type(error).__name__) from error
        if status not in _WELL:
            raise NotSentError(f"it was answered with status {status}")

    async def _ask(self, body: bytes) -> int:
        """Ask, and return the status of the answer, whose body is not waited for."""
        response = await self._client.post(
            self._url, data=body, headers=_HEADERS, allow_redirects=False, unbuffered=True
        )
        discard_body(response)
        status: int = response.code
        return status
