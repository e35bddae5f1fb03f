"""Short-lived facts in a file: for one machine, where they last over a restart and several daemons share them.

The statements are here; ``_sqlite_file`` is about the file, ``_sqlite_lane`` about the thread that waits for the disk.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

from konnectd.interfaces import BackendUnavailableError, Clock
from konnectd.option import ConfigError, ConfigErrors, Option
from konnectd.stores._sqlite_file import Step, StoreFile, Value
from konnectd.stores._sqlite_lane import Lane

_PATH: Final = Option(
    name="sqlite-path",
    help=(
        "The file of the store, made if it is not there, in a folder that the daemon may write to and on a disk of "
        "this machine. Required with this store. Others must not be able to read it."
    ),
    parse=Path,
    metavar="FILE",
)
OPTIONS: tuple[Option, ...] = (_PATH,)

_PUT: Final = """
    INSERT INTO entry (key, value, expires_at) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
"""
_DELETE: Final = "DELETE FROM entry WHERE key = ?"
# Without a row to return there was one that is alive.
_ADD: Final = """
    INSERT INTO entry (key, value, expires_at) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
    WHERE entry.expires_at <= ?
    RETURNING 1
"""
_GET: Final = "SELECT value FROM entry WHERE key = ? AND expires_at > ?"
# One of several; together they are one answer, with a comma between any two.
_ONE_OF_EACH: Final = "ifnull((SELECT hex(value) FROM entry WHERE key = ? AND expires_at > ?), '-')"
_TAKE: Final = "DELETE FROM entry WHERE key = ? RETURNING iif(expires_at > ?, value, NULL)"
_INCREMENT: Final = """
    INSERT INTO entry (key, value, expires_at) VALUES (?1, CAST('1' AS BLOB), ?2)
    ON CONFLICT (key) DO UPDATE SET
        value = iif(
            entry.expires_at > ?3,
            CAST(CAST(CAST(CAST(entry.value AS TEXT) AS INTEGER) + 1 AS TEXT) AS BLOB),
            excluded.value
        ),
        expires_at = iif(entry.expires_at > ?3, entry.expires_at, excluded.expires_at)
    RETURNING value
"""


class Carrier(Protocol):
    """What brings steps to the file."""

    async def do(self, step: Step) -> Value:
        """Carry out a step and return its answer.

        Raises:
            BackendUnavailableError: it is not known to have been carried out.
        """
        ...

    async def close(self) -> None:
        """Let go of the file."""
        ...


class SqliteStore:
    """A store in a file."""

    def __init__(self, carrier: Carrier, clock: Clock) -> None:
        """Know the way to the file, and the time, which is the same for all who share it."""
        self._carrier = carrier
        self._clock = clock

    async def put(self, key: str, value: str, ttl: int) -> None:
        """Keep a value, replacing what was there; without any life left it is only forgotten.

        Raises:
            BackendUnavailableError: the file can not be used.
        """
        now = self._clock.now()
        if ttl <= 0:
            await self._carrier.do(Step(statement=_DELETE, parameters=(_bytes(key),), now=now))
            return
        await self._carrier.do(Step(statement=_PUT, parameters=(_bytes(key), _bytes(value), now + ttl), now=now))

    async def add(self, key: str, value: str, ttl: int) -> bool:
        """Keep a value unless there is one already; return whether it was kept.

        Raises:
            BackendUnavailableError: the file can not be used.
        """
        now = self._clock.now()
        parameters = (_bytes(key), _bytes(value), now + ttl, now)
        return await self._carrier.do(Step(statement=_ADD, parameters=parameters, now=now)) is not None

    async def get(self, key: str) -> str | None:
        """Return a value.

        Raises:
            BackendUnavailableError: the file can not be used.
        """
        return _text(await self._carrier.do(Step(statement=_GET, parameters=(_bytes(key), self._clock.now()))))

    async def get_each(self, *keys: str) -> tuple[str | None, ...]:
        """Return several values in the order of their keys, all as they are at one moment.

        Raises:
            BackendUnavailableError: the file can not be used.
        """
        if not keys:
            return ()
        now = self._clock.now()
        parameters = tuple(parameter for key in keys for parameter in (_bytes(key), now))
        answer = await self._carrier.do(Step(statement=_get_each(len(keys)), parameters=parameters))
        if not isinstance(answer, bytes):
            raise BackendUnavailableError("the store did not say what it has")
        found = answer.decode("ascii").split(",")
        return tuple([None if value == "-" else _text(bytes.fromhex(value)) for value in found])

    async def take(self, key: str) -> str | None:
        """Return a value and forget it: of any number of takers one gets it.

        Raises:
            BackendUnavailableError: the file can not be used.
        """
        now = self._clock.now()
        return _text(await self._carrier.do(Step(statement=_TAKE, parameters=(_bytes(key), now), now=now)))

    async def increment(self, key: str, ttl: int) -> int:
        """Add one to a counter and return it; its life begins with the first increment and is not prolonged.

        Raises:
            BackendUnavailableError: the file can not be used.
        """
        now = self._clock.now()
        count = await self._carrier.do(Step(statement=_INCREMENT, parameters=(_bytes(key), now + ttl, now), now=now))
        if not isinstance(count, bytes):
            raise BackendUnavailableError("the store did not count")
        return int(count)

    async def close(self) -> None:
        """Let go of the file; what was asked for before is carried out."""
        await self._carrier.close()


@cache
def _get_each(count: int) -> str:
    """Return the statement that reads some number of values."""
    return "SELECT CAST(" + " || ',' || ".join([_ONE_OF_EACH] * count) + " AS BLOB)"


def _bytes(text: str) -> bytes:
    """Write text as bytes; what no encoding knows is kept all the same."""
    return text.encode("utf-8", "surrogatepass")


def _text(value: Value) -> str | None:
    """Read what `_bytes` wrote."""
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else None


def build(
    options: Mapping[str, Any],
    reactor: Any,  # noqa: ANN401 - loader contract
    clock: Clock,
    *,
    insecure: bool = False,  # noqa: ARG001 - loader contract
) -> SqliteStore:
    """Make a store; the file is opened by the first question, when privileges have been dropped.

    Raises:
        ConfigErrors: there is no path, or no such folder.
    """
    path: Path | None = options[_PATH.dest]
    if path is None:
        raise ConfigErrors([ConfigError(_PATH.dest, "is required with the sqlite store: the path of its file")])
    if not path.parent.is_dir():
        raise ConfigErrors([ConfigError(_PATH.dest, f"{path.parent} is no folder")])
    if path.is_dir():
        raise ConfigErrors([ConfigError(_PATH.dest, f"{path} is a folder; name a file in it")])
    file = StoreFile(path.absolute())
    return SqliteStore(Lane(reactor, file.run, file.close), clock)
