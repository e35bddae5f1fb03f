"""Single HTTP requests as a stranger would make them, with what can be seen of the connection.

No redirect is followed, and there are limits of size and time. Unlike `konnectd.fetch` it asks any machine, because the
addresses are the operator's own.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_network
from typing import Any, Protocol, TypeAlias, cast

from attrs import field, frozen
from cryptography import x509
from OpenSSL import SSL
from service_identity import CertificateError, VerificationError
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TooLateError
from twisted.internet.endpoints import UNIXClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectingCancelledError, ConnectionClosed, DNSLookupError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.web.client import (
    Agent,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
    ResponseNeverReceived,
)
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from konnectd.bodies import read_body
from konnectd.interfaces import FetchError
from konnectd.outward import GuardedEndpoint, LimitedEndpoint, client_tls
from konnectd.reach import Reach

#: No document of ours is longer, in bytes.
LONGEST_BODY = 96 * 1024
_EVERYWHERE = Reach((ip_network("0.0.0.0/0"), ip_network("::/0")))
_AGENT_NAME = b"konnectd-doctor"
_WRAPPING = (ResponseNeverReceived, ResponseFailed, RequestGenerationFailed, RequestTransmissionFailed)
#: All that a request ends with that gets no answer; whoever waits too long cancels it, and that comes out as several.
_NO_WAY = (
    *_WRAPPING,
    CancelledError,
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    FetchError,
    OSError,
    SSL.Error,
    ValueError,
)

#: Twisted's have no type that can be named.
_Reactor: TypeAlias = Any


class NoAnswerError(Exception):
    """A request got no answer; the text says what happened, as the rest of a sentence about the other side."""


class UntrustedError(NoAnswerError):
    """Whoever answered could not show that they are whom we asked."""


@frozen(kw_only=True)
class Tls:
    """What can be seen of an encrypted connection.

    Attributes:
        version: of the protocol, such as ``TLSv1.3``.
        chain: the certificates that were shown, that of the server first.
    """

    version: str
    chain: tuple[x509.Certificate, ...] = field(repr=False)


@frozen(kw_only=True)
class Answer:
    """What came back.

    Attributes:
        headers: their values by name in small letters.
        tls: None for a connection in the clear.
    """

    status: int
    headers: Mapping[str, tuple[str, ...]] = field(repr=False)
    body: bytes = field(repr=False)
    tls: Tls | None = None

    def header(self, name: str) -> str:
        """Return the first value of a header; empty for none."""
        return next(iter(self.headers.get(name.lower(), ())), "")


class Asks(Protocol):
    """What makes requests."""

    async def get(self, url: str, *, unix: str = "") -> Answer:
        """Ask for an address; see `Probe.get`.

        Raises:
            NoAnswerError: there was no answer in time.
        """
        ...

    async def look(self, url: str) -> Tls | None:
        """Return what whoever is there shows, trusted or not; None for nothing."""
        ...


@frozen(kw_only=True)
class Probe:
    """Makes requests over the network.

    Attributes:
        seconds: how long each may take.
    """

    reactor: _Reactor
    seconds: int

    async def get(self, url: str, *, unix: str = "") -> Answer:
        """Ask for an address.

        Args:
            url: http or https.
            unix: the socket in the file system to ask; empty for the host of the address.

        Raises:
            NoAnswerError: there was no answer in time.
        """
        return await self._ask(url, _Endpoints(self.reactor, unix, insecure=False))

    async def look(self, url: str) -> Tls | None:
        """Return what whoever is there shows, trusted or not; None for nothing."""
        endpoints = _Endpoints(self.reactor, "", insecure=True)
        with suppress(NoAnswerError):
            await self._ask(url, endpoints)
        return endpoints.tls()

    async def _ask(self, url: str, endpoints: "_Endpoints") -> Answer:
        """Make a request.

        Raises:
            NoAnswerError: there was no answer in time.
        """
        untyped: Any = Agent
        agent = untyped.usingEndpointFactory(self.reactor, endpoints)
        asking = Deferred.fromCoroutine(self._exchange(agent, url, endpoints))
        try:
            return await asking.addTimeout(self.seconds, self.reactor)
        except TooLateError as error:
            raise _too_late(self.seconds) from error
        except _NO_WAY as error:
            raise _no_answer(error, self.seconds) from error

    async def _exchange(self, agent: Any, url: str, endpoints: "_Endpoints") -> Answer:  # noqa: ANN401 - Twisted's
        """Send a request and read what comes back."""
        headers = Headers({b"User-Agent": [_AGENT_NAME], b"Accept": [b"*/*"]})
        response = await agent.request(b"GET", url.encode("ascii"), headers, None)
        tls = endpoints.tls()
        body = await read_body(response, LONGEST_BODY, lambda: FetchError(f"answers more than {LONGEST_BODY} bytes"))
        found: dict[str, tuple[str, ...]] = {}
        for name, values in response.headers.getAllRawHeaders():
            found[name.decode("latin-1").lower()] = tuple(value.decode("latin-1") for value in values)
        return Answer(status=response.code, headers=found, body=body, tls=tls)


@implementer(IAgentEndpointFactory)
class _Endpoints:
    """Makes the endpoint of one request, and remembers the connection."""

    def __init__(self, reactor: _Reactor, unix: str, *, insecure: bool) -> None:
        """Keep how to connect."""
        self._reactor = reactor
        self._unix = unix
        self._insecure = insecure
        self._transport: Any = None

    def endpointForURI(self, uri: Any) -> IStreamClientEndpoint:  # noqa: ANN401, N802 - Twisted calls it with its URI
        """Return what connects to an address."""
        host = uri.host.decode("ascii")
        endpoint: Any = GuardedEndpoint(self._reactor, host, uri.port, _EVERYWHERE)
        if self._unix:
            untyped: Any = UNIXClientEndpoint
            endpoint = untyped(self._reactor, self._unix)
        elif uri.scheme == b"https":
            endpoint = wrapClientTLS(client_tls(host, insecure=self._insecure), endpoint)
        noting: Any = _Noting(LimitedEndpoint(endpoint), self)
        return cast("IStreamClientEndpoint", noting)

    def note(self, transport: Any) -> None:  # noqa: ANN401 - a transport
        """Remember the connection."""
        self._transport = transport

    def tls(self) -> Tls | None:
        """Return what can be seen of the connection, once something came back over it."""
        handle = getattr(self._transport, "getHandle", lambda: None)()
        if not isinstance(handle, SSL.Connection):
            return None
        chain = handle.get_peer_cert_chain(as_cryptography=True) or []
        return Tls(version=handle.get_protocol_version_name(), chain=tuple(chain))


@implementer(IStreamClientEndpoint)
@frozen(eq=False)
class _Noting:
    """Tells of the connection it makes."""

    endpoint: Any
    owner: _Endpoints

    def connect(self, protocolFactory: Any) -> Deferred[Any]:  # noqa: ANN401, N803 - the interface's name
        """Connect."""
        connecting: Deferred[Any] = self.endpoint.connect(protocolFactory)

        def note(protocol: Any) -> Any:  # noqa: ANN401 - whatever the factory builds
            self.owner.note(protocol.transport)
            return protocol

        return connecting.addCallback(note)


def _too_late(seconds: int) -> NoAnswerError:
    """Say that the time was over."""
    return NoAnswerError(f"does not answer within {seconds} seconds")


def _no_answer(error: BaseException, seconds: int) -> NoAnswerError:
    """Say what happened."""
    for cause in reversed(_causes(error)):
        match cause:
            case CancelledError() | ConnectingCancelledError():
                # Whoever waited has given up.
                return _too_late(seconds)
            case VerificationError() | CertificateError():
                return UntrustedError("shows a certificate for another name")
            case SSL.Error():
                return _of_tls(cause)
            case DNSLookupError():
                return NoAnswerError("is not known by name here")
            case FetchError():
                return NoAnswerError(str(cause))
            case ConnectError():
                return NoAnswerError(f"does not accept connections ({_system_reason(cause)})")
    return NoAnswerError(f"closes the connection without an answer ({type(error).__name__})")


def _system_reason(error: ConnectError) -> str:
    """Return why a connection was not made, in the system's words where it has said something."""
    return os.strerror(error.osError) if isinstance(error.osError, int) else type(error).__name__


def _of_tls(error: SSL.Error) -> NoAnswerError:
    """Say what happened where OpenSSL has something to say."""
    if "certificate verify failed" in str(error):
        return UntrustedError("shows a certificate that nobody trusts here")
    return NoAnswerError(f"does not speak TLS as it should: {_reason(error)}")


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and all that are inside it, the innermost last."""
    found = [error]
    for reason in getattr(error, "reasons", ()):
        found += _causes(reason.value)
    if isinstance(error.__cause__, BaseException):
        found += _causes(error.__cause__)
    return found


def _reason(error: SSL.Error) -> str:
    """Return what OpenSSL says, without its numbers."""
    parts = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return ", ".join(str(part[-1]) for part in parts) or "the connection ended"
