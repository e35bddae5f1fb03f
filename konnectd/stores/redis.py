"""Short-lived facts in Redis, or what speaks like it: for daemons on several machines.

Every method is one command, which Redis carries out in one piece. The parts are private modules: ``_redis_server`` is
about where it is and who may talk to it, ``_redis_link`` about connections coming and going, ``_redis_connection``
about one of them, ``_redis_wire`` about bytes.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from twisted.logger import Logger

from konnectd.interfaces import BackendUnavailableError, Clock
from konnectd.option import ConfigError, ConfigErrors, Option, seconds
from konnectd.stores._redis_link import Link
from konnectd.stores._redis_server import Access, Server, endpoint_of, read_authorities, read_own
from konnectd.stores._redis_wire import Reply
from konnectd.vitals import PoolUse

Content = TypeVar("Content")

log = Logger()


def patience(text: str) -> int:
    """Read a span of at least one second.

    Raises:
        ValueError: it is none.
    """
    span = seconds(text)
    if not span:
        raise ValueError("must be at least one second")
    return span


def server_url(text: str) -> str:
    """Return the URL of a server, written out.

    Raises:
        ValueError: it is none.
    """
    return str(Server.parse(text))


OPTIONS: tuple[Option, ...] = (
    Option(
        name="redis-url",
        help=(
            "Where Redis is: redis://host:6379/0 with the number of a database, rediss:// for TLS, or "
            "unix:///run/redis/redis.sock?db=0. A user name may stand before the host, a password may not."
        ),
        parse=server_url,
        default="redis://127.0.0.1:6379/0",
        metavar="URL",
    ),
    Option(
        name="redis-password",
        help="The password for Redis.",
        metavar="PASSWORD",
        secret=True,
    ),
    Option(
        name="redis-prefix",
        help=(
            "What the names of all entries begin with, so that others can use the same database. Daemons that belong "
            "together have the same, those that do not have different ones."
        ),
        default="konnectd:",
        metavar="TEXT",
    ),
    Option(
        name="redis-timeout",
        help="How many seconds connecting and each answer may take.",
        parse=patience,
        default=2,
        metavar="SECONDS",
    ),
    Option(
        name="redis-tls-cacert",
        help="A PEM file of certificates that may have signed the server's, instead of those the system trusts.",
        parse=Path,
        metavar="FILE",
    ),
    Option(
        name="redis-tls-cert",
        help="A PEM file with a certificate and its private key, for servers that want one from their clients.",
        parse=Path,
        metavar="FILE",
    ),
)

#: Counts, and gives the counter its life when it has none.
_INCREMENT: Final = (
    b"local n = redis.call('INCR', KEYS[1]) "
    b"if redis.call('PTTL', KEYS[1]) == -1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end "
    b"return n"
)


#: Reads several: the length of each, or a dash for none, and after a colon all values. A list would be another kind of
#: reply, and ``MGET`` another command that the operator has to allow.
_GET_EACH: Final = (
    b"local lengths, values = {}, {} "
    b"for i, key in ipairs(KEYS) do "
    b"local value = redis.call('GET', key) "
    b"lengths[i] = value and #value or '-' "
    b"values[i] = value or '' "
    b"end "
    b"return table.concat(lengths, ',') .. ':' .. table.concat(values)"
)


class Asks(Protocol):
    """What carries a command to Redis."""

    async def ask(self, *words: bytes) -> Reply:
        """Send a command and return its reply, which is no error.

        Raises:
            BackendUnavailableError: there was none, or an error.
        """
        ...

    def use(self) -> PoolUse:
        """Return how the connection is used at this moment."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


class RedisStore:
    """A store in Redis. Its clock, not ours, says when a life is over."""

    def __init__(self, link: Asks, prefix: str) -> None:
        """Know the way, and what the names of entries begin with."""
        self._link = link
        self._prefix = prefix

    async def put(self, key: str, value: str, ttl: int) -> None:
        """Keep a value, replacing what was there; without any life left it is only forgotten.

        Raises:
            BackendUnavailableError: Redis did not do it, or did not say so.
        """
        if ttl <= 0:
            _check(await self._link.ask(b"DEL", self._key(key)), 0, 1)
        else:
            _check(await self._link.ask(b"SET", self._key(key), _bytes(value), b"EX", b"%d" % ttl), b"OK")

    async def add(self, key: str, value: str, ttl: int) -> bool:
        """Keep a value unless there is one already; return whether it was kept.

        Raises:
            BackendUnavailableError: Redis did not say.
        """
        if ttl <= 0:
            return _check(await self._link.ask(b"EXISTS", self._key(key)), 0, 1) == 0
        words = (b"SET", self._key(key), _bytes(value), b"EX", b"%d" % ttl, b"NX")
        return _check(await self._link.ask(*words), b"OK", None) == b"OK"

    async def get(self, key: str) -> str | None:
        """Return a value.

        Raises:
            BackendUnavailableError: Redis did not say.
        """
        return _text(await self._link.ask(b"GET", self._key(key)))

    async def get_each(self, *keys: str) -> tuple[str | None, ...]:
        """Return several values in the order of their keys, all as they are at one moment.

        Raises:
            BackendUnavailableError: Redis did not say.
        """
        names = [self._key(key) for key in keys]
        return _texts(await self._link.ask(b"EVAL", _GET_EACH, b"%d" % len(names), *names), len(names))

    async def take(self, key: str) -> str | None:
        """Return a value and forget it: of any number of takers one gets it.

        Raises:
            BackendUnavailableError: Redis did not say.
        """
        return _text(await self._link.ask(b"GETDEL", self._key(key)))

    async def increment(self, key: str, ttl: int) -> int:
        """Add one to a counter and return it; its life begins with the first increment and is not prolonged.

        Raises:
            BackendUnavailableError: Redis did not count, or did not say so.
        """
        reply = await self._link.ask(b"EVAL", _INCREMENT, b"1", self._key(key), b"%d" % ttl)
        if not isinstance(reply, int):
            raise _nonsense()
        return reply

    def pools(self) -> tuple[PoolUse, ...]:
        """Return how the connection is used at this moment."""
        return (self._link.use(),)

    async def close(self) -> None:
        """End the connection."""
        await self._link.close()

    def _key(self, key: str) -> bytes:
        """Return what an entry is called in Redis."""
        return _bytes(self._prefix + key)


def _check(reply: Reply, *expected: Reply) -> Reply:
    """Return a reply that is one of those there can be.

    Raises:
        BackendUnavailableError: it is another one.
    """
    if reply not in expected:
        raise _nonsense()
    return reply


def _text(reply: Reply) -> str | None:
    """Read a value.

    Raises:
        BackendUnavailableError: it is none.
    """
    if reply is None:
        return None
    if not isinstance(reply, bytes):
        raise _nonsense()
    return reply.decode("utf-8", "surrogatepass")


def _texts(reply: Reply, count: int) -> tuple[str | None, ...]:
    """Read several values as the script has written them.

    Raises:
        BackendUnavailableError: they are none, or not as many as were asked for.
    """
    if not isinstance(reply, bytes):
        raise _nonsense()
    header, _, values = reply.partition(b":")
    lengths = header.split(b",") if header else []
    if len(lengths) != count:
        raise _nonsense()
    found: list[str | None] = []
    position = 0
    for length in lengths:
        if length == b"-":
            found.append(None)
            continue
        # Longer than any value; `int` alone would take any number of digits.
        if not length.isdigit() or len(length) > 9:
            raise _nonsense()
        end = position + int(length)
        found.append(_text(values[position:end]))
        position = end
    if position != len(values):
        raise _nonsense()
    return tuple(found)


def _bytes(text: str) -> bytes:
    """Write text as bytes; what no encoding knows is kept all the same."""
    return text.encode("utf-8", "surrogatepass")


def _nonsense() -> BackendUnavailableError:
    """Make an error for a reply that a command can not have."""
    return BackendUnavailableError("the store answered something that is no answer to what was asked")


def build(
    options: Mapping[str, Any],
    reactor: Any,  # noqa: ANN401 - loader contract
    clock: Clock,  # noqa: ARG001 - loader contract
    *,
    insecure: bool = False,
) -> RedisStore:
    """Make a store; it connects with the first question.

    Raises:
        ConfigErrors: a file of certificates is wrong.
    """
    faults: list[ConfigError] = []
    server = Server.parse(options["redis_url"])
    access = Access(
        password=options["redis_password"] or "",
        authorities=_read(options, "redis_tls_cacert", read_authorities, faults) or (),
        own=_read(options, "redis_tls_cert", read_own, faults),
        insecure=insecure,
    )
    if server.username and not access.password:
        faults.append(ConfigError("redis_password", f"is needed with the user name {server.username} in redis_url"))
    if faults:
        raise ConfigErrors(faults)
    if not server.is_private:
        log.warn("{server}: everybody on the way can read what is in the store; use rediss://", server=str(server))
    timeout = options["redis_timeout"]
    link = Link(reactor, server, access, endpoint_of(server, access, reactor, timeout), timeout)
    return RedisStore(link, options["redis_prefix"])


def _read(
    options: Mapping[str, Any], name: str, read: Callable[[Path], Content], faults: list[ConfigError]
) -> Content | None:
    """Read the file an option names, if it does; what is wrong is kept."""
    path: Path | None = options[name]
    if path is None:
        return None
    try:
        return read(path)
    except ValueError as error:
        faults.append(ConfigError(name, str(error)))
        return None
