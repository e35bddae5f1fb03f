"""The way to Redis as it is at the moment: a connection that is made when it is needed, and made anew when it is lost.

All questions share one connection, on which any number may be under way. After a failure the server rests for a while
that doubles with each further one; whoever asks meanwhile is told so at once, and so is everybody but the first while
it is tried again. So a server that is down costs no time, and is not run over when it comes back.

A question whose connection is lost is never repeated: the server may have obeyed, and who takes twice gets nothing.
"""

import re
from typing import Final

from twisted.internet import error as net
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.endpoints import connectProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from konnectd.interfaces import BackendUnavailableError
from konnectd.stores._redis_connection import Connection, LostError
from konnectd.stores._redis_server import Access, Endpoint, Reactor, Server
from konnectd.stores._redis_wire import ErrorReply, Reply
from konnectd.vitals import PoolUse

#: How long the server rests after its first failure, and at most, in seconds.
SHORTEST_REST: Final = 0.25
LONGEST_REST: Final = 5.0
#: A connection on which nothing was heard for so long is not trusted any more, in seconds: firewalls forget.
IDLE: Final = 60.0

#: What an operator may do about an error, by its code.
_REMEDIES: Final = {
    "NOAUTH": "it wants a password",
    "WRONGPASS": "the password or the user name is wrong",
    "NOPERM": "its user may not do all of AUTH, SELECT, PING, INFO, SET, GET, GETDEL, DEL, EXISTS, EVAL and INCR",
    "OOM": "it has no memory left",
    "MISCONF": "it can not write to its disk, and takes nothing until it can",
    "READONLY": "it is a replica",
    "LOADING": "it is still reading its file",
    "MASTERDOWN": "it is a replica that has lost its primary",
    "BUSY": "a script of somebody keeps it busy",
    "ERR": "it must be Redis 6.2 or later, or equal to it, with a database of that number",
}
#: After these a new connection may lead to a better server.
_FLEETING: Final = frozenset({"READONLY", "LOADING", "MASTERDOWN", "NOAUTH"})
_POLICY: Final = re.compile(rb"^maxmemory_policy:(\S+)", re.MULTILINE)
_LIMIT: Final = re.compile(rb"^maxmemory:([0-9]+)", re.MULTILINE)

log = Logger()


class Link:
    """The way to one server."""

    def __init__(self, reactor: Reactor, server: Server, access: Access, endpoint: Endpoint, timeout: float) -> None:
        """Prepare; no connection is made before there is something to ask.

        Args:
            reactor: for time.
            server: what it is called, and which database is wanted.
            access: what is needed to be let in.
            endpoint: how it is reached.
            timeout: for connecting and for each answer, in seconds.
        """
        self._reactor = reactor
        self._server = server
        self._access = access
        self._endpoint = endpoint
        self._timeout = timeout
        self._connection: Connection | None = None
        self._opening: Deferred[None] | None = None
        self._waiting: list[Deferred[Connection]] = []
        self._fault = ""
        self._rest = SHORTEST_REST
        self._rests_until = 0.0
        self._warned = False
        self._closed = False

    async def ask(self, *words: bytes) -> Reply:
        """Send a command and return its reply, which is no error.

        Raises:
            BackendUnavailableError: there was none, or an error.
        """
        connection = await self._find()
        try:
            reply = await connection.ask(*words)
        except LostError as error:
            raise self._unavailable(str(error)) from error
        if isinstance(reply, ErrorReply):
            fault = _explain(reply)
            if reply.kind in _FLEETING:
                self._failed(fault)
                connection.end(fault)
            raise self._unavailable(fault)
        return reply

    def use(self) -> PoolUse:
        """Return how the one connection is used at this moment."""
        there = self._connection is not None and self._connection.usable
        busy = int(there and self._connection is not None and self._connection.busy)
        return PoolUse(name="redis", busy=busy, idle=int(there) - busy, limit=1, waiting=len(self._waiting))

    async def close(self) -> None:
        """End the connection, and fail what waits."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
        self._tell_waiting(self._unavailable("the daemon is stopping"))
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _find(self) -> Connection:
        """Return a connection that can be used.

        Raises:
            BackendUnavailableError: there is none.
        """
        if self._closed:
            raise self._unavailable("the daemon is stopping")
        connection = self._connection
        if connection is not None and connection.usable and not self._is_stale(connection):
            return connection
        if self._fault and (self._opening is not None or self._reactor.seconds() < self._rests_until):
            raise self._unavailable(self._fault)
        waiting: Deferred[Connection] = Deferred()
        self._waiting.append(waiting)
        if self._opening is None:
            if connection is not None:
                connection.end("it was idle")
            # Nobody's own: the browser of whoever was first may leave, and the others still wait.
            opening = Deferred.fromCoroutine(self._open())
            self._opening = None if opening.called else opening
            opening.addErrback(self._broke)
        return await waiting

    def _is_stale(self, connection: Connection) -> bool:
        """Tell whether nothing was heard on a connection for too long."""
        return not connection.busy and self._reactor.seconds() - connection.heard_at > IDLE

    async def _open(self) -> None:
        """Make a connection, and tell those who wait."""
        try:
            connection = await self._dial()
        except LostError as error:
            self._opening = None
            self._failed(str(error))
            self._tell_waiting(self._unavailable(str(error)))
            return
        self._opening = None
        self._connection = connection
        if self._fault:
            log.warn("the store {server} can be used again", server=str(self._server))
        self._fault, self._rest = "", SHORTEST_REST
        self._tell_waiting(connection)

    def _broke(self, failure: Failure) -> None:
        """Tell those who wait when making a connection was given up, or met a mistake of ours."""
        self._opening = None
        if not isinstance(failure.value, CancelledError):
            log.failure("connecting to the store {server} failed", failure, server=str(self._server))
            self._failed("a connection could not be made")
        self._tell_waiting(self._unavailable("a connection could not be made"))

    async def _dial(self) -> Connection:
        """Make a connection that is ready for use.

        Raises:
            LostError: the server can not be reached, does not let us in, or is not able to work.
        """
        connection = Connection(self._reactor, self._timeout)
        connection.ended = self._ended
        connecting: Deferred[Connection] = connectProtocol(self._endpoint, connection)  # type: ignore[no-untyped-call]
        try:
            # The endpoint limits the time for connecting but not the time for finding the address.
            await connecting.addTimeout(self._timeout, self._reactor)
        except (net.ConnectError, net.DNSLookupError, DeferredTimeoutError, OSError) as error:
            raise LostError(_reason(error)) from error
        ready = False
        try:
            await self._greet(connection)
            ready = True
        finally:
            if not ready:
                connection.end("it was given up")
        return connection

    async def _greet(self, connection: Connection) -> None:
        """Be let in, choose the database, and see whether the server is able to work.

        Raises:
            LostError: it is not, or did not let us in.
        """
        user, password = self._server.username, self._access.password
        if password:
            names = (user.encode(), password.encode()) if user else (password.encode(),)
            reply = await connection.ask(b"AUTH", *names)
            if isinstance(reply, ErrorReply):
                wrong = "the password or the user name is wrong, or it has none" if reply.kind == "ERR" else ""
                raise LostError(wrong or _explain(reply))
        for words in ((b"PING",), (b"SELECT", b"%d" % self._server.db)):
            reply = await connection.ask(*words)
            if isinstance(reply, ErrorReply):
                raise LostError(_explain(reply))
        self._check_memory(await connection.ask(b"INFO", b"memory"))

    def _check_memory(self, report: Reply) -> None:
        """Warn once of a server that forgets what is alive when its memory is full; one may not be told, then not."""
        if self._warned or not isinstance(report, bytes):
            return
        policy, limit = _POLICY.search(report), _LIMIT.search(report)
        if policy is None or policy[1] == b"noeviction" or limit is None or not int(limit[1]):
            return
        self._warned = True
        log.warn(
            "the store {server} forgets used codes and revoked tokens when its memory is full; it should refuse "
            "instead: set maxmemory-policy to noeviction, it is {policy}",
            server=str(self._server),
            policy=policy[1].decode("ascii", "replace"),
        )

    def _ended(self, connection: Connection, error: LostError) -> None:
        """Forget a connection. One that was lost while it was asked something speaks against the server."""
        if connection is self._connection:
            self._connection = None
            if connection.busy and not self._closed:
                self._failed(str(error))

    def _failed(self, fault: str) -> None:
        """Let the server rest, and tell the operator when this is news."""
        if fault != self._fault:
            log.warn("the store {server} can not be used: {fault}", server=str(self._server), fault=fault)
        self._fault = fault
        self._rests_until = self._reactor.seconds() + self._rest
        self._rest = min(self._rest * 2, LONGEST_REST)

    def _tell_waiting(self, outcome: Connection | BackendUnavailableError) -> None:
        """Tell those who wait for a connection, if they still do."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if each.called:
                continue
            if isinstance(outcome, BackendUnavailableError):
                each.errback(outcome)
            else:
                each.callback(outcome)

    def _unavailable(self, fault: str) -> BackendUnavailableError:
        """Make an error that names the server."""
        return BackendUnavailableError(f"the store {self._server} can not be used: {fault}")


def _explain(reply: ErrorReply) -> str:
    """Say what an error means."""
    remedy = _REMEDIES.get(reply.kind, "")
    return f"it said {reply.kind}: {remedy}" if remedy else f"it said {reply.kind}"


def _reason(error: Exception) -> str:
    """Say in few words why a server can not be reached."""
    match error:
        case net.DNSLookupError():
            return "no such host"
        case net.ConnectionRefusedError():
            return "connection refused"
        case net.TimeoutError() | DeferredTimeoutError():
            return "no answer in time"
    return str(error)
