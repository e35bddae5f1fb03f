"""A Redis in memory, reached without a network: the few commands the store uses, and every way to misbehave.

It speaks the wire format and delivers bytes at once, so that nothing has to wait for it. What Redis really does is
tested in ``tests/real``.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet import error as net
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock

from tests.support.ldap_memory import MemoryTransport, Untyped

_ADDRESS = IPv4Address("TCP", "127.0.0.1", 6379)
OK = b"+OK\r\n"
NOTHING = b"$-1\r\n"


@define(eq=False)
class Redis:
    """What a server has and does; tests change it as they go.

    Attributes:
        clock: its own.
        password: what it wants to hear; empty for none.
        username: who has to say it.
        down: connections are refused.
        unreachable: connections come to nothing.
        mistake: raised instead of connecting.
        silent: commands of these names get no answer; ``*`` stands for all.
        errors: an error instead of the answer to commands of a name.
        memory: what it tells about its memory.
        holding: answers are held back until `release`.
        commands: the names of all there have been, and their arguments.
        connections: how many there have been.
    """

    clock: Clock
    password: str = ""
    username: str = "default"
    down: bool = False
    unreachable: bool = False
    mistake: Exception | None = None
    silent: set[str] = field(factory=set)
    errors: dict[str, str] = field(factory=dict)
    memory: str = "# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"
    holding: bool = False
    commands: list[tuple[str, tuple[bytes, ...]]] = field(factory=list)
    connections: int = 0
    entries: dict[bytes, tuple[bytes, float]] = field(factory=dict)
    servers: "list[_MemoryServer]" = field(factory=list)
    _held: "deque[tuple[_MemoryServer, bytes]]" = field(factory=deque)

    def connect(self, factory: Untyped) -> Deferred[Any]:
        """Connect, as an endpoint does."""
        if self.down:
            return fail(net.ConnectionRefusedError())
        if self.unreachable:
            return Deferred()
        if self.mistake is not None:
            raise self.mistake
        self.connections += 1
        client, server = factory.buildProtocol(_ADDRESS), _MemoryServer(self)
        ours, theirs = MemoryTransport(client, self), MemoryTransport(server, self)  # type: ignore[arg-type] # no TLS
        ours.peer, theirs.peer = theirs, ours
        server.makeConnection(theirs)  # type: ignore[arg-type] # without interfaces
        client.makeConnection(ours)
        return succeed(client)

    def names(self) -> list[str]:
        """Return the names of all commands so far."""
        return [name for name, _ in self.commands]

    def say(self, server: "_MemoryServer", content: bytes) -> None:
        """Send something, or keep it for later."""
        if self.holding:
            self._held.append((server, content))
        else:
            server.send(content)

    def release(self, count: int | None = None) -> None:
        """Send what was held back, or the first of it."""
        for _ in range(len(self._held) if count is None else count):
            server, content = self._held.popleft()
            server.send(content)

    def drop_all(self) -> None:
        """End all connections."""
        for server in tuple(self.servers):
            server.end()

    def send_all(self, content: bytes) -> None:
        """Send something on all connections that nobody asked for."""
        for server in tuple(self.servers):
            server.send(content)

    def find(self, key: bytes) -> bytes | None:
        """Return a value that is alive."""
        value, end = self.entries.get(key, (b"", 0.0))
        if self.clock.seconds() < end:
            return value
        self.entries.pop(key, None)
        return None


class _MemoryServer(Protocol):
    """One connection, seen from the server."""

    transport: Any

    def __init__(self, redis: Redis) -> None:
        """Serve what a server has."""
        self._redis = redis
        self._received = b""
        self._let_in = not redis.password

    def connectionMade(self) -> None:
        """Be known."""
        self._redis.servers.append(self)

    def connectionLost(self, reason: Untyped = None) -> None:
        """Be known no more."""
        self._redis.servers.remove(self)

    def send(self, content: bytes) -> None:
        """Send bytes."""
        self.transport.write(content)

    def end(self) -> None:
        """End the connection."""
        self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        """Answer commands, one after the other."""
        self._received += data
        while self._received.startswith(b"*"):
            count, _, rest = self._received[1:].partition(b"\r\n")
            words = []
            for _ in range(int(count)):
                length, _, rest = rest[1:].partition(b"\r\n")
                words.append(rest[: int(length)])
                rest = rest[int(length) + 2 :]
            self._received = rest
            self._obey(words[0].decode(), tuple(words[1:]))

    def _obey(self, name: str, arguments: tuple[bytes, ...]) -> None:
        """Answer one command."""
        redis = self._redis
        redis.commands.append((name, arguments))
        if redis.silent & {name, "*"}:
            return
        if name in redis.errors:
            redis.say(self, b"-%b\r\n" % redis.errors[name].encode())
        elif name == "AUTH":
            redis.say(self, self._auth(*[argument.decode() for argument in arguments]))
        elif not self._let_in:
            redis.say(self, b"-NOAUTH Authentication required.\r\n")
        else:
            redis.say(self, self._answers()[name](*arguments))

    def _auth(self, *words: str) -> bytes:
        """Let somebody in or not."""
        user, password = words if len(words) > 1 else ("default", words[0])
        if not self._redis.password:
            return b"-ERR AUTH <password> called without any password configured for the default user.\r\n"
        self._let_in = (user, password) == (self._redis.username, self._redis.password)
        return OK if self._let_in else b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"

    def _answers(self) -> dict[str, Callable[..., bytes]]:
        """Return what answers each command."""
        redis = self._redis
        return {
            "PING": lambda: b"+PONG\r\n",
            "SELECT": lambda number: OK if int(number) < 16 else b"-ERR DB index is out of range\r\n",
            "INFO": lambda _section: _bulk(redis.memory.encode()),
            "SET": self._set,
            "GET": lambda key: _bulk(redis.find(key)),
            "GETDEL": lambda key: _bulk(self._take(key)),
            "DEL": lambda key: b":%d\r\n" % (self._take(key) is not None),
            "EXISTS": lambda key: b":%d\r\n" % (redis.find(key) is not None),
            "EVAL": self._eval,
        }

    def _set(self, key: bytes, value: bytes, _ex: bytes, ttl: bytes, *unless: bytes) -> bytes:
        """Keep a value."""
        if unless and self._redis.find(key) is not None:
            return NOTHING
        self._redis.entries[key] = (value, self._redis.clock.seconds() + int(ttl))
        return OK

    def _take(self, key: bytes) -> bytes | None:
        """Return a value and forget it."""
        value = self._redis.find(key)
        self._redis.entries.pop(key, None)
        return value

    def _eval(self, script: bytes, count: bytes, *arguments: bytes) -> bytes:
        """Do what one of the scripts does that there are."""
        if b"'INCR'" in script:
            return self._increment(*arguments)
        values = [self._redis.find(key) for key in arguments[: int(count)]]
        lengths = b",".join(b"-" if value is None else b"%d" % len(value) for value in values)
        return _bulk(lengths + b":" + b"".join(value or b"" for value in values))

    def _increment(self, key: bytes, ttl: bytes) -> bytes:
        """Count."""
        value = self._redis.find(key)
        end = self._redis.entries[key][1] if value is not None else self._redis.clock.seconds() + int(ttl)
        count = int(value or b"0") + 1
        self._redis.entries[key] = (b"%d" % count, end)
        return b":%d\r\n" % count


def _bulk(value: bytes | None) -> bytes:
    """Write a value."""
    return NOTHING if value is None else b"$%d\r\n%b\r\n" % (len(value), value)
