"""A pool of connections: taken for one piece of work, tended while idle, replaced when dead.

The backend has two. Connections bound as the service are shared by many searches at a time; connections for checking
passwords do one bind at a time, each of which replaces the identity the one before left behind.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeAlias, TypeVar

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from konnectd.backends import _ldap_faults as faults
from konnectd.backends._ldap_answers import SearchRequest, SearchScope
from konnectd.backends._ldap_connection import Connection, Reactor
from konnectd.backends._ldap_dial import Server, Servers
from konnectd.vitals import PoolUse

#: How often idle connections are tried, in seconds: often enough for firewalls that forget them.
TENDED_EVERY = 30.0

#: A connection that nobody used for so long is closed if there are others, in seconds.
SPARED_AFTER = 300.0

#: Every server answers this, whoever asks. Spec: RFC 4512 5.1.
ROOT = SearchRequest(base="", scope=SearchScope.BASE)

Outcome = TypeVar("Outcome")
Work: TypeAlias = Callable[[Connection], Awaitable[Outcome]]

log = Logger()


@define(eq=False)
class _Line:
    """A connection of the pool.

    Attributes:
        busy: how many pieces of work are on it.
        used: it has been of use before.
        used_at: when it was taken or given back last.
        retired: it takes no further work, because a connection to a better server has replaced it.
    """

    server: Server
    connection: Connection
    used_at: float
    busy: int = 0
    used: bool = False
    retired: bool = False

    @property
    def open(self) -> bool:
        """It may take work."""
        return self.connection.usable and not self.connection.spoiled and not self.retired


class Pool:
    """Connections of one kind."""

    def __init__(
        self,
        reactor: Reactor,
        servers: Servers,
        dial: Callable[[], Awaitable[tuple[Server, Connection]]],
        *,
        size: int,
        share: int,
        timeout: float,
    ) -> None:
        """Begin empty; connections are made when there is work for them.

        Args:
            reactor: for time.
            servers: how they are.
            dial: makes a connection.
            size: how many connections there may be.
            share: how many pieces of work each may have at a time.
            timeout: how long work waits for a connection, in seconds.
        """
        self._reactor = reactor
        self._servers = servers
        self._dial = dial
        self._size = size
        self._share = share
        self._timeout = timeout
        self._lines: list[_Line] = []
        self._waiting: deque[Deferred[_Line]] = deque()
        self._opening = 0
        self._background: set[Deferred[None]] = set()
        self._closed = False
        self._tending = LoopingCall(self._tend)
        self._tending.clock = reactor

    async def run(self, work: Work[Outcome]) -> Outcome:
        """Do a piece of work on a connection, and once more on another when the first turns out to be dead.

        Raises:
            LdapError: there was no connection, or no answer.
        """
        line = await self._take()
        try:
            return await self._work_on(line, work)
        except faults.LostError:
            # A connection that was never used before has just been tried by dialing; then the server is to blame.
            if not line.used:
                raise
        line = await self._take()
        return await self._work_on(line, work)

    def use(self, name: str) -> PoolUse:
        """Return how connections are used at this moment."""
        busy = sum(line.busy > 0 for line in self._lines)
        idle = len(self._lines) - busy
        return PoolUse(name=name, busy=busy, idle=idle, limit=self._size, waiting=len(self._waiting))

    async def close(self) -> None:
        """End all connections, and fail what waits."""
        self._closed = True
        if self._tending.running:
            self._tending.stop()
        self._fail_waiting(faults.LostError("the daemon is stopping"))
        for work in tuple(self._background):
            work.cancel()
        for line in tuple(self._lines):
            await line.connection.close()

    async def _work_on(self, line: _Line, work: Work[Outcome]) -> Outcome:
        """Do a piece of work on a connection that was taken."""
        try:
            outcome = await work(line.connection)
            line.used = True
            return outcome
        finally:
            self._give_back(line)

    async def _take(self) -> _Line:
        """Return a connection with room for work, when there is one.

        Raises:
            LdapError: there will be none.
        """
        if self._closed:
            raise faults.LostError("the daemon is stopping")
        line = self._find_room()
        if line is not None:
            return self._load(line)
        waiting: Deferred[_Line] = Deferred(self._leave)
        self._waiting.append(waiting)
        self._grow()
        timer = self._reactor.callLater(self._timeout, self._tire, waiting)
        try:
            return await waiting
        finally:
            if timer.active():
                timer.cancel()

    def _leave(self, waiting: Deferred[_Line]) -> None:
        """Stop waiting."""
        if waiting in self._waiting:
            self._waiting.remove(waiting)

    def _tire(self, waiting: Deferred[_Line]) -> None:
        """Fail what waited for too long."""
        if waiting in self._waiting:
            self._waiting.remove(waiting)
            waiting.errback(faults.SilentError(f"no connection to LDAP was free within {self._timeout:g} seconds"))

    def _find_room(self) -> _Line | None:
        """Return the open connection with the least to do, of several the one that was used last."""
        found = [line for line in self._lines if line.open and line.busy < self._share]
        return min(found, key=lambda line: (line.busy, -line.used_at), default=None)

    def _load(self, line: _Line) -> _Line:
        """Count a piece of work."""
        line.busy += 1
        line.used_at = self._reactor.seconds()
        return line

    def _give_back(self, line: _Line) -> None:
        """Uncount a piece of work, and let the next one have the room."""
        line.busy -= 1
        line.used_at = self._reactor.seconds()
        self._part_with(line)
        self._serve()

    def _part_with(self, line: _Line) -> None:
        """End a connection that takes no more work once it has none."""
        if line.busy == 0 and line.connection.usable and not line.open:
            self._spawn(line.connection.close())

    def _serve(self) -> None:
        """Give room to what waits, and see to more room."""
        while self._waiting and (line := self._find_room()) is not None:
            self._waiting.popleft().callback(self._load(line))
        self._grow()

    def _grow(self) -> None:
        """Make as many connections as what waits needs and the size allows."""
        while (
            not self._closed
            and len(self._waiting) > self._opening * self._share
            and len(self._lines) + self._opening < self._size
        ):
            known = len(self._lines)
            if self._spawn(self._open()).called and len(self._lines) == known:
                # Dialing failed at once, as it does while all servers rest; it would again.
                return

    async def _open(self) -> None:
        """Make a connection, or fail what waits when there is none at all."""
        self._opening += 1
        made: tuple[Server, Connection] | faults.LdapError
        try:
            made = await self._dial()
        except faults.LdapError as fault:
            made = fault
        finally:
            self._opening -= 1
        if not isinstance(made, faults.LdapError):
            await self._add(*made)
        elif not self._lines:
            self._fail_waiting(made)

    async def _add(self, server: Server, connection: Connection) -> None:
        """Take a new connection in."""
        if self._closed or not connection.usable:
            await connection.close()
            return
        line = _Line(server, connection, self._reactor.seconds())
        connection.lost = lambda _: self._lose(line)
        self._lines.append(line)
        if not self._tending.running:
            self._tending.start(TENDED_EVERY, now=False).addErrback(self._report)
        self._serve()

    def _lose(self, line: _Line) -> None:
        """Forget a connection that has ended."""
        self._lines.remove(line)
        if not self._closed:
            self._serve()

    def _fail_waiting(self, fault: faults.LdapError) -> None:
        """Fail everything that waits for a connection."""
        waiting, self._waiting = self._waiting, deque()
        for one in waiting:
            one.errback(fault)

    def _tend(self) -> None:
        """Look after connections that nobody uses, and after better servers."""
        now = self._reactor.seconds()
        if any(self._servers.better_than(line.server) for line in self._lines):
            self._spawn(self._move())
        for line in tuple(self._lines):
            if line.busy or not line.open:
                self._part_with(line)
            elif now - line.used_at >= SPARED_AFTER and len(self._lines) > 1:
                line.retired = True
                self._part_with(line)
            else:
                self._spawn(self._probe(line))

    async def _probe(self, line: _Line) -> None:
        """Ask something easy; a connection on which no answer comes ends by itself."""
        line.busy += 1
        used_at = line.used_at
        try:
            await line.connection.search(ROOT)
        except faults.LdapError as fault:
            log.warn(
                "A connection to LDAP server {server} was dead: {fault}", server=str(line.server), fault=str(fault)
            )
        finally:
            self._give_back(line)
            line.used_at = used_at

    async def _move(self) -> None:
        """Exchange connections for one to a better server, if that answers; the others follow when there is work."""
        try:
            server, connection = await self._dial()
        except faults.LdapError:
            return
        worse = [line for line in self._lines if self._servers.rank(line.server) > self._servers.rank(server)]
        if not worse:
            await connection.close()
            return
        await self._add(server, connection)
        for line in worse:
            line.retired = True
            self._part_with(line)

    def _spawn(self, work: Coroutine[Deferred[object], object, None]) -> Deferred[None]:
        """Do something that nobody waits for."""
        running = Deferred.fromCoroutine(work)
        if not running.called:
            self._background.add(running)
            running.addBoth(self._forget, running)
        return running.addErrback(self._report)

    def _forget(self, result: Failure | None, running: Deferred[None]) -> Failure | None:
        """Know that something has ended."""
        self._background.discard(running)
        return result

    def _report(self, failure: Failure) -> None:
        """Log what should not have happened."""
        if not self._closed:
            log.failure("A connection to LDAP could not be looked after", failure)
