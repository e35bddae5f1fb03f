"""The open connections of a site: their number, their deadlines, and the end of them all.

One timer looks at all of them once a second. Setting and resetting timers for each request would cost more than
answering it.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.http import datetimeToString

from konnectd.http import HttpResponse
from konnectd.web.limits import Limits

log = Logger()

#: From this share of the most connections on, idle ones are let go, the longest idle first.
_CROWDED = 0.9
#: How long somebody who has just connected has to begin asking, while the server stops.
_FIRST_SECONDS = 1.0


class Connection(Protocol):
    """What the roster knows of a connection."""

    deadline: float
    idle: bool
    fresh: bool
    serve: Callable[..., object]

    def expire(self) -> None:
        """End what has lasted too long."""
        ...

    def drain(self) -> None:
        """Let go of the connection now if nothing is going on, else after the answer that is under way."""
        ...

    def abort(self) -> None:
        """Cut the connection."""
        ...


class Roster:
    """All connections of a site.

    Attributes:
        draining: the server is about to stop; every answer is the last on its connection.
        date: the time of day for ``Date`` headers, never more than a sweep old while there are connections.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        limits: Limits,
        refused: Callable[[HttpResponse], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Begin without connections, and without a timer."""
        untyped: Any = reactor  # an interface's methods have no self, which mypy takes amiss
        self._reactor = untyped
        self.seconds: Callable[[], float] = untyped.seconds
        self.refused = refused
        self.draining = False
        self.date = b""
        self._limits = limits
        self._wall = wall
        self._open: set[Connection] = set()
        self._sweep: Any = None
        self._interval = min(1.0, limits.read_seconds / 4, limits.idle_seconds / 4, limits.handling_seconds / 4)
        self._turned_away = 0
        self._empty: list[Deferred[None]] = []

    def __len__(self) -> int:
        """Return how many connections are open."""
        return len(self._open)

    def __iter__(self) -> Iterator[Connection]:
        """Yield the connections that are open."""
        yield from self._open

    def admit(self) -> bool:
        """Tell whether there is room for one more connection."""
        if len(self._open) < self._limits.connections and not self.draining:
            return True
        self._turned_away += 1
        return False

    def add(self, connection: Connection) -> None:
        """Watch a connection."""
        self._open.add(connection)
        if self._sweep is None:
            self._turn()

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is gone; without any there is no timer either."""
        self._open.discard(connection)
        if self._open:
            return
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        waiting, self._empty = self._empty, []
        for deferred in waiting:
            deferred.callback(None)

    async def drain(self, seconds: float) -> None:
        """End all connections: idle ones now, busy ones with their answer, the rest by force when the time is over.

        Whoever has connected and not asked yet is about to: the request may have come already and not been read. Those
        people have a moment, and so nobody who was let in goes without an answer.
        """
        self.draining = True
        for connection in tuple(self._open):
            if connection.fresh and connection.idle:
                connection.deadline = self.seconds() + _FIRST_SECONDS
            else:
                connection.drain()
        if not self._open:
            return
        empty: Deferred[None] = Deferred()
        self._empty.append(empty)
        cut = self._reactor.callLater(seconds, self._cut)
        await empty
        if cut.active():
            cut.cancel()

    def _cut(self) -> None:
        """Cut what is left."""
        log.warn("{count} connections are cut: their answers took too long", count=len(self._open))
        for connection in tuple(self._open):
            connection.abort()

    def _turn(self) -> None:
        """Tell the time, and look at every connection a little later."""
        self.date = datetimeToString(self._wall())  # type: ignore[no-untyped-call]
        self._sweep = self._reactor.callLater(self._interval, self._look)

    def _look(self) -> None:
        """End what is overdue, and make room when it is tight."""
        self._turn()
        now = self.seconds()
        for connection in [c for c in self._open if c.deadline <= now]:
            connection.expire()
        self._make_room()
        if self._turned_away:
            log.warn("{count} connections were turned away: too many are open", count=self._turned_away)
            self._turned_away = 0

    def _make_room(self) -> None:
        """Let idle connections go when there are nearly too many, so that a crowd of them keeps nobody out."""
        surplus = len(self._open) - int(self._limits.connections * _CROWDED)
        if surplus > 0:
            idle = sorted((c for c in self._open if c.idle), key=lambda c: c.deadline)
            for connection in idle[:surplus]:
                connection.drain()
