"""The HTTP server of the daemon, put together: routes, edge, connections and their limits.

`make_site` makes a factory for any of Twisted's endpoints. What routes there are is decided elsewhere.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.logger import Logger
from twisted.web import server

from konnectd.http import HttpRequest, HttpResponse
from konnectd.web.edge import Edge, Hide, Observe, Replies
from konnectd.web.limits import Limits
from konnectd.web.proxied import Passage, ProxiedChannel
from konnectd.web.proxies import Proxies
from konnectd.web.roster import Roster
from konnectd.web.route import Route
from konnectd.web.transport import Channel, Request

log = Logger()

#: Makes an edge of routes, and of what answers where they do not.
MakeEdge: TypeAlias = Callable[[Sequence[Route], Replies], Edge]

#: Logs one line per answer without touching the configuration.
ACCESS_LOG_VARIABLE = "KOPANO_DEBUG_SERVER_REQUEST_LOG"
#: What a path may be longer than, but not a line of the log.
_LONGEST_PATH = 200


class Site(server.Site):
    """A factory of hardened connections.

    Attributes:
        make_edge: makes another edge, which counts answers and trusts proxies as the first one does.
    """

    noisy = False

    def __init__(
        self,
        make_edge: MakeEdge,
        edge: Edge,
        roster: Roster,
        limits: Limits,
        reactor: IReactorTime,
        passage: Passage | None = None,
    ) -> None:
        """Keep what connections need; a passage if trusted proxies say whose they are."""
        base: Any = super()
        base.__init__(edge, Request, reactor=reactor, timeout=None, parsePOSTFormSubmission=False)
        self.make_edge = make_edge
        self._edge = edge
        self._roster = roster
        self._limits = limits
        self._passage = passage

    def buildProtocol(self, _addr: IAddress | None) -> Channel | None:
        """Return a connection; None, which closes the socket, when there are too many."""
        if not self._roster.admit():
            return None
        channel = self._channel()
        channel.factory = channel.site = self
        channel.requestFactory = Request
        channel.callLater = self.reactor.callLater
        return channel

    def _channel(self) -> Channel:
        """Make a connection that nothing has come by yet."""
        if self._passage is None:
            return Channel(self._roster, self._limits, self._edge)
        return ProxiedChannel(self._roster, self._limits, self._edge, self._passage)

    def exchange(self, edge: Edge) -> None:
        """Let another edge answer from the next request on, on the connections there are as well.

        A request that is being answered keeps the edge it began with. Each connection has a reference of its own, so
        that no request pays for finding it; nothing happens between the first of them and the last.
        """
        self._edge = edge
        self.resource = edge
        for connection in self._roster:
            connection.serve = edge

    def startFactory(self) -> None:
        """Begin to listen; there is no log file and no timer for its dates."""

    def stopFactory(self) -> None:
        """Stop listening."""

    def log(self, request: object) -> None:
        """Write no access log: it would cost a third of a request, and its query strings carry codes."""

    def acceptableProtocols(self) -> list[bytes]:  # noqa: N802 - called by Twisted's TLS
        """Return what is spoken over TLS; the limits here are those of HTTP/1.1."""
        return [b"http/1.1"]

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._roster)

    async def drain(self, seconds: float) -> None:
        """Answer what is being answered, take nothing new, and end all connections.

        Args:
            seconds: after which the rest is cut.
        """
        await self._roster.drain(seconds)


def make_site(
    routes: Sequence[Route],
    *,
    reactor: IReactorTime,
    not_found: Hide,
    failure: Hide,
    reference: Callable[[], str],
    limits: Limits | None = None,
    observe: Observe | None = None,
    access_log: bool = False,
    proxies: Proxies | None = None,
) -> Site:
    """Make the HTTP server.

    Args:
        routes: each path once.
        reactor: its clock and timers.
        not_found: answers where there is no route.
        failure: answers what is our fault; gets the reference that is also in the log.
        reference: makes a name for one failure.
        limits: what one peer can take of the server.
        observe: told of every answer; without a route also of messages that were refused before they were requests.
        access_log: whether a line is logged for every answer.
        proxies: that are trusted; None for none.

    Raises:
        ValueError: two routes have one path, or a path is not a plain one.
    """
    limits = limits or Limits()
    told = _and_log(observe) if access_log else observe

    def refused(answer: HttpResponse) -> None:
        if told is not None:
            told(None, HttpRequest(method="-", path="-"), answer, 0.0)

    roster = Roster(reactor, limits, refused)
    replies = Replies(not_found=not_found, failure=failure, reference=reference)
    passage = Passage(proxies) if proxies is not None and proxies.proxy_protocol else None

    def make_edge(routes: Sequence[Route], replies: Replies) -> Edge:
        return Edge(routes, replies, roster.seconds, told, proxies)

    return Site(make_edge, make_edge(routes, replies), roster, limits, reactor, passage)


def klein_resource(
    routes: Sequence[Route],
    *,
    not_found: Hide,
    failure: Hide,
    reference: Callable[[], str],
    observe: Observe | None = None,
    proxies: Proxies | None = None,
) -> Edge:
    """Make the same routes as a resource, for tests without a socket."""
    replies = Replies(not_found=not_found, failure=failure, reference=reference)
    return Edge(routes, replies, lambda: 0.0, observe, proxies)


def _and_log(observe: Observe | None) -> Observe:
    """Log one short line for every answer; never the query string, which may carry codes and tokens."""

    def told(route: Route | None, request: HttpRequest, answer: HttpResponse, seconds: float) -> None:
        log.debug(
            "{method} {path} {status} {ms:.1f} ms {peer}",
            method=request.method,
            path=request.path[:_LONGEST_PATH].encode("ascii", "backslashreplace").decode("ascii"),
            status=answer.status,
            ms=seconds * 1000,
            peer=request.client or "-",
        )
        if observe is not None:
            observe(route, request, answer, seconds)

    return told
