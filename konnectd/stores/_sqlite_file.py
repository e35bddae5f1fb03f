"""The file of the SQLite store: its tables, its statements, and what becomes of it when something goes wrong.

Everything here is called in one thread and may wait for the disk or for another process. Keys and values are kept as
bytes, because SQLite's text ends where a strange character begins.

The file is written ahead (WAL), so that readers and a writer of several processes do not wait for each other, and
each transaction is on the disk before anybody learns that it happened (``synchronous=FULL``): what was used or revoked
stays so when the machine loses its power.
"""

import sqlite3
import stat
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final, TypeAlias

from attrs import frozen
from twisted.logger import Logger

from konnectd.interfaces import BackendUnavailableError

#: How long a transaction waits for those of other processes, in seconds.
BUSY_TIMEOUT: Final = 2.0
#: How long to wait before a lock is tried again for which SQLite does not wait itself, in seconds.
_PAUSE: Final = 0.005
#: The part of an error code that says what it is; the rest says where.
_PRIMARY_CODE: Final = 0xFF
#: How many dead entries go with each transaction that writes, and for each write in it.
SWEEP: Final = 16
#: "kncd", by which the file knows whose it is.
APPLICATION_ID: Final = 0x6B6E6364
VERSION: Final = 1

_SCHEMA: Final = (
    """
    CREATE TABLE entry (
        key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL, expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX entry_expires_at ON entry (expires_at)",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)
_SWEEP: Final = """
    DELETE FROM entry WHERE key IN (SELECT key FROM entry WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)
"""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO

Value: TypeAlias = bytes | int | None

log = Logger()


@frozen(kw_only=True)
class Step:
    """One statement that answers with at most one value.

    Attributes:
        parameters: what stands for its question marks.
        now: the moment from which dead entries are cleared away, when it writes; None when it only reads.
    """

    statement: str
    parameters: tuple[bytes | int, ...]
    now: int | None = None


class StoreFile:
    """A file that is opened when it is first needed, and anew after each fault."""

    def __init__(self, path: Path, connect: Callable[..., sqlite3.Connection] = sqlite3.connect) -> None:
        """Know where it is, and how SQLite is reached."""
        self.path = path
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        # Which file it was that was opened first.
        self._identity: tuple[int, int] | None = None

    def run(self, steps: Sequence[Step]) -> list[Value]:
        """Carry out all of some steps, in their order and on the disk, or none of them.

        Raises:
            BackendUnavailableError: it was none.
        """
        try:
            return self._run(self._open(), steps)
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise BackendUnavailableError(f"the store {self.path} can not be used: {error}") from error
        except BackendUnavailableError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # A file that is damaged may not let itself be closed in order; it is let go all the same.
            with suppress(sqlite3.Error):
                connection.close()

    def _run(self, connection: sqlite3.Connection, steps: Sequence[Step]) -> list[Value]:
        """Carry out steps in one transaction; those that only read need none."""
        moments = [step.now for step in steps if step.now is not None]
        if not moments:
            return [_answer(connection, step) for step in steps]
        # The lock is asked for first: a reader that becomes a writer on its way could not wait for others.
        connection.execute("BEGIN IMMEDIATE")
        try:
            answers = [_answer(connection, step) for step in steps]
            connection.execute(_SWEEP, (min(moments), SWEEP * (1 + len(moments))))
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            raise
        return answers

    def _open(self) -> sqlite3.Connection:
        """Return the connection to the file.

        Somebody who moves the file away must not leave this process with another one than its siblings have: from
        then on there is no answer until everything has been started anew.

        Raises:
            BackendUnavailableError: the file is another one than before, or not ours.
        """
        if self._identity is not None and self._identify() != self._identity:
            raise BackendUnavailableError(
                f"the store {self.path} was moved, removed or replaced while it was in use; start all daemons anew"
            )
        if self._connection is not None:
            return self._connection
        # Whatever SQLite puts beside the file has the permissions of the file.
        self.path.touch(mode=0o600)
        self._protect()
        self._connection = self._connect(self.path, timeout=BUSY_TIMEOUT, isolation_level=None)
        _prepare(self._connection)
        self._identity = self._identify()
        return self._connection

    def _identify(self) -> tuple[int, int] | None:
        """Return what tells the file from others of its name; None when there is none."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _protect(self) -> None:
        """Shut everybody else out of the file, which has all that is needed to be somebody."""
        mode = self.path.stat().st_mode
        if not mode & _OTHERS:
            return
        try:
            self.path.chmod(0o600)
        except PermissionError:
            log.warn("the store {path} can be read by others", path=str(self.path))


def _answer(connection: sqlite3.Connection, step: Step) -> Value:
    """Carry out one step."""
    with closing(connection.execute(step.statement, step.parameters)) as cursor:
        rows = cursor.fetchall()
    answer: Value = rows[0][0] if rows else None
    return answer


def _pragma(connection: sqlite3.Connection, statement: str) -> object:
    """Set or read a setting of the file, and return what it is then."""
    with closing(connection.execute(f"PRAGMA {statement}")) as cursor:
        rows = cursor.fetchall()
    return rows[0][0] if rows else None


def _prepare(connection: sqlite3.Connection) -> None:
    """Make sure that the file is ours, and make its tables if it is new.

    Raises:
        BackendUnavailableError: it belongs to somebody else, or to a later version.
    """
    if _write_ahead(connection) != "wal":
        raise BackendUnavailableError("the store's file system can not share memory between processes (WAL)")
    _pragma(connection, "synchronous = FULL")
    # A damaged or made-up file must not be able to run anything.
    _pragma(connection, "trusted_schema = OFF")
    _pragma(connection, "cell_size_check = ON")
    if (_pragma(connection, "application_id"), _pragma(connection, "user_version")) == (APPLICATION_ID, VERSION):
        return
    # What the file is can only be told while nobody else makes it something.
    connection.execute("BEGIN IMMEDIATE")
    if not _is_ours(connection):
        for statement in _SCHEMA:
            connection.execute(statement)
    connection.execute("COMMIT")


def _write_ahead(connection: sqlite3.Connection) -> object:
    """Let the file be written ahead, and return how it is written then.

    A new file changes its mode under a lock for which SQLite does not wait by itself, whatever its timeout; when
    several daemons start at the same moment, all but one have to try again.
    """
    give_up_at = monotonic() + BUSY_TIMEOUT
    while True:
        try:
            return _pragma(connection, "journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY or monotonic() >= give_up_at:
                raise
            sleep(_PAUSE)


def _is_ours(connection: sqlite3.Connection) -> bool:
    """Tell, inside a transaction, whether the tables are there; a new file has none.

    Raises:
        BackendUnavailableError: the file belongs to somebody else, or to a later version.
    """
    application, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    if (application, version) == (APPLICATION_ID, VERSION):
        return True
    if application == APPLICATION_ID:
        raise BackendUnavailableError(f"the store's file has version {version}, this konnectd knows {VERSION}")
    with closing(connection.execute("SELECT count(*) FROM sqlite_schema")) as cursor:
        tables = cursor.fetchone()[0]
    if application or version or tables:
        raise BackendUnavailableError("the store's file is a database of something else")
    return False
