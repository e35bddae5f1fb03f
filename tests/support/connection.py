"""A connection to a site in memory: what a peer sends and hears, byte for byte, without a socket or a wait."""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from attrs import field, frozen
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from konnectd.http import HttpRequest, HttpResponse
from konnectd.web.edge import Observe
from konnectd.web.errors import as_json, failure, not_found
from konnectd.web.limits import Limits
from konnectd.web.proxies import Proxies
from konnectd.web.route import Cors, Face, Route
from konnectd.web.site import Site, make_site

REFERENCE = "ref-1"
#: Limits that a test reaches quickly.
SMALL = Limits(body_bytes=100, header_bytes=1000, read_seconds=4, idle_seconds=10, handling_seconds=20, connections=10)


@frozen(kw_only=True)
class Heard:
    """One answer as the peer reads it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header that is there exactly once, or the empty string."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        if len(values) > 1:
            raise AssertionError(f"{name} is there {len(values)} times")
        return values[0] if values else ""


def parse_answers(raw: bytes, *, heads: bool = False) -> tuple[Heard, ...]:
    """Read answers one after another, strictly.

    Args:
        raw: all that was heard.
        heads: they belong to ``HEAD`` requests and have no body.
    """
    return tuple(_answers(raw, heads))


def _answers(raw: bytes, heads: bool) -> Iterator[Heard]:
    while raw:
        head, end, raw = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [ -~]*", first)
        if match is None or not end:
            raise AssertionError(f"no answer: {head!r}")
        status = int(match[1])
        pairs = tuple((line.partition(": ")[0], line.partition(": ")[2]) for line in lines)
        answer = Heard(status=status, headers=pairs, body=b"")
        length = 0 if heads or status in {100, 204, 304} else int(answer.header("Content-Length"))
        if len(raw) < length:
            raise AssertionError("the body is cut")
        yield Heard(status=status, headers=pairs, body=raw[:length])
        raw = raw[length:]


class Connection:
    """One peer.

    Attributes:
        transport: its end of the wire.
    """

    def __init__(self, site: Site, transport: StringTransport | None = None) -> None:
        """Connect.

        Raises:
            ConnectionRefusedError: the site takes no more connections.
        """
        peer = IPv4Address("TCP", "192.0.2.7", 40000)
        self.transport = transport or StringTransport(peerAddress=peer, lenient=True)
        protocol = site.buildProtocol(peer)
        if protocol is None:
            raise ConnectionRefusedError
        self._protocol: Any = protocol
        self._over = False
        self._protocol.makeConnection(self.transport)

    @property
    def closed(self) -> bool:
        """Whether the server has closed its end."""
        return bool(self.transport.disconnecting or self.transport.disconnected)

    @property
    def cut(self) -> bool:
        """Whether the server has cut the connection, whatever was still to be sent."""
        return bool(self.transport.disconnected)

    def send(self, *pieces: bytes) -> bytes:
        """Send pieces, each as if it came alone, and return what has been heard since the last time."""
        for piece in pieces:
            if not self.closed:
                self._protocol.dataReceived(piece)
        return self.hear()

    def hear(self) -> bytes:
        """Return what has been heard since the last time; a closed connection is gone then."""
        if self.closed:
            self.hang_up(ConnectionDone())
        heard: bytes = self.transport.value()
        self.transport.clear()
        return heard

    def ask(self, *pieces: bytes) -> Heard:
        """Send one request and return its one answer."""
        heads = pieces[0].startswith(b"HEAD ")
        (answer,) = parse_answers(self.send(*pieces), heads=heads)
        return answer

    def hang_up(self, reason: Exception | None = None) -> None:
        """Leave."""
        if not self._over:
            self._over = True
            self._protocol.connectionLost(Failure(reason or ConnectionLost()))


def request(method: str, target: str, *headers: str, body: bytes = b"", host: str = "Host: sso.example") -> bytes:
    """Write a request; a body brings its length."""
    lines = [f"{method} {target} HTTP/1.1", host, *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(line for line in lines if line).encode("latin-1") + b"\r\n\r\n" + body


async def echo(seen: HttpRequest) -> HttpResponse:
    """Answer with what was asked."""
    return HttpResponse.text(f"{seen.method} {seen.path} {seen.query} {seen.body.decode('latin-1')}")


def route(
    path: str = "/echo",
    respond: Callable[[HttpRequest], Awaitable[HttpResponse]] = echo,
    methods: tuple[str, ...] = ("GET", "POST"),
    *,
    fast: bool = True,
    cors: Cors = Cors.NONE,
    face: Face = as_json,
) -> Route:
    """Make a route."""
    return Route(path=path, methods=methods, respond=respond, face=face, name=path.strip("/"), cors=cors, fast=fast)


@frozen(kw_only=True)
class Bench:
    """A site under test with its clock."""

    site: Site
    clock: Clock = field(factory=Clock)

    @classmethod
    def of(
        cls,
        *routes: Route,
        limits: Limits | None = None,
        observe: Observe | None = None,
        access_log: bool = False,
        proxies: Proxies | None = None,
        not_found: Callable[[HttpRequest, str], HttpResponse] = not_found,
        failure: Callable[[HttpRequest, str], HttpResponse] = failure,
    ) -> "Bench":
        """Make a site of routes; with none, of one that echoes."""
        clock = Clock()
        site = make_site(
            routes or (route(),),
            reactor=clock,
            not_found=not_found,
            failure=failure,
            reference=lambda: REFERENCE,
            limits=limits,
            observe=observe,
            access_log=access_log,
            proxies=proxies,
        )
        return cls(site=site, clock=clock)

    def connect(self) -> Connection:
        """Connect a peer."""
        return Connection(self.site)

    def ask(self, *pieces: bytes) -> Heard:
        """Ask once on a connection of its own."""
        return self.connect().ask(*pieces)

    def wait(self, seconds: float) -> None:
        """Let time pass, a quarter of a second at a time."""
        self.clock.pump([0.25] * round(seconds * 4))
