"""The store in a file, without its thread: the contract, what lasts, and what happens when the file can not be used."""

import sqlite3
import stat
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import BackendUnavailableError, Store
from konnectd.option import ConfigErrors
from konnectd.stores import sqlite
from konnectd.stores._sqlite_file import SWEEP, Step, StoreFile
from konnectd.stores.sqlite import SqliteStore
from tests.contracts.stores import StoreContract
from tests.stores.model import STEPS, Model, play
from tests.support.at_once import AtOnce
from tests.support.fakes import FixedClock, run
from tests.support.files import folder
from tests.support.loglines import LogLines

SECRET = "kc-secret-value"


class SqliteCase(SynchronousTestCase):
    """A folder for files."""

    def setUp(self) -> None:
        """Make the folder."""
        super().setUp()
        self.clock = FixedClock()
        self.path = folder(self) / "store.db"

    def open(self, path: Path | None = None, connect: Callable[..., Any] = sqlite3.connect) -> SqliteStore:
        """Return a store on a file; it is let go at the end."""
        file = StoreFile(path or self.path, connect)
        self.addCleanup(file.close)
        return SqliteStore(AtOnce(file), self.clock)

    def assert_unavailable(self, store: SqliteStore, *words: str) -> None:
        """Check that every method says that it can not tell, in words for the operator that tell no secret."""
        for question in (
            store.put("a", SECRET, 60),
            store.add("a", SECRET, 60),
            store.get("a"),
            store.get_each("a", "b"),
            store.take("a"),
            store.increment("a", 60),
        ):
            error = self.assertRaises(BackendUnavailableError, run, question)
            for word in words:
                self.assertIn(word, str(error))
            self.assertNotIn(SECRET, str(error))

    def rows(self) -> int:
        """Return how many entries take up room, dead ones included."""
        with closing(sqlite3.connect(self.path)) as connection:
            count: int = connection.execute("SELECT count(*) FROM entry").fetchone()[0]
            return count


class ContractTests(StoreContract, SynchronousTestCase):
    """It does what every store does; three have the same file, as three processes would."""

    def make_store(self, clock: FixedClock) -> Store:
        """Return a store on a new file."""
        path = folder(self) / "store.db"
        self.stores = []
        for _ in range(3):
            file = StoreFile(path)
            self.addCleanup(file.close)
            self.stores.append(SqliteStore(AtOnce(file), clock))
        return self.stores[0]

    def sharers(self) -> Sequence[Store]:
        """Return all three."""
        return self.stores


class LastingTests(SqliteCase):
    """What was accepted lasts."""

    def test_restart(self) -> None:
        """What was kept, taken, counted and revoked is so after a restart."""
        store = self.open()
        run(store.put("code:1", "grant", 60))
        run(store.put("code:2", "grant", 60))
        run(store.take("code:2"))
        run(store.add("revoked:1", "1", 60))
        run(store.increment("tries", 60))
        run(store.close())
        store = self.open()

        self.assertEqual([run(store.get(key)) for key in ("code:1", "code:2", "revoked:1")], ["grant", None, "1"])
        self.assertEqual((run(store.add("revoked:1", "2", 60)), run(store.increment("tries", 60))), (False, 2))

    def test_restart_without_goodbye(self) -> None:
        """It is so even when the one before did not end in order."""
        run(self.open().put("code:1", "grant", 60))

        self.assertEqual(run(self.open().take("code:1")), "grant")

    def test_on_the_disk_before_the_answer(self) -> None:
        """Each transaction is written through, so that what was revoked stays revoked when the power fails."""
        seen: list[tuple[str, int]] = []

        def connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            connection = sqlite3.connect(*args, **kwargs)
            connections.append(connection)
            return connection

        connections: list[sqlite3.Connection] = []
        run(self.open(connect=connect).put("a", "1", 60))
        for name in ("journal_mode", "synchronous"):
            seen.append((name, connections[0].execute(f"PRAGMA {name}").fetchone()[0]))

        self.assertEqual(seen, [("journal_mode", "wal"), ("synchronous", 2)])

    def test_closing_twice(self) -> None:
        """Closing what is closed does nothing."""
        store = self.open()
        run(store.put("a", "1", 60))
        run(store.close())

        self.assertIsNone(run(store.close()))


class PermissionTests(SqliteCase):
    """Nobody else can read it."""

    def test_new_file(self) -> None:
        """The file and what SQLite puts beside it are the daemon's alone."""
        run(self.open().put("a", "1", 60))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in self.path.parent.iterdir()}

        self.assertEqual(modes, {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600})

    def test_open_file(self) -> None:
        """A file that others could read is shut."""
        self.path.touch()
        self.path.chmod(0o644)
        run(self.open().put("a", "1", 60))

        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)


class SweepTests(SqliteCase):
    """It does not grow without end."""

    def test_dead_entries_go_with_writes(self) -> None:
        """Entries nobody asks for again are cleared away in small steps by those who write."""
        store = self.open()
        for number in range(10 * SWEEP):
            run(store.put(f"old:{number}", "1", 60))
        self.clock.advance(60)
        run(store.put("new:0", "1", 60))
        first = self.rows()
        for number in range(1, 10):
            run(store.put(f"new:{number}", "1", 60))

        self.assertEqual((first, self.rows()), (8 * SWEEP + 1, 10))

    def test_the_living_stay(self) -> None:
        """Those that are alive are not."""
        store = self.open()
        run(store.put("short", "1", 60))
        run(store.put("long", "1", 61))
        self.clock.advance(60)
        run(store.put("new", "1", 60))

        self.assertEqual((self.rows(), run(store.get("long"))), (2, "1"))

    def test_reading_writes_nothing(self) -> None:
        """Whoever only asks, as strangers do, changes nothing."""
        store = self.open()
        run(store.put("a", "1", 60))
        self.clock.advance(60)
        before = self.rows()
        run(store.get("a"))

        self.assertEqual((before, self.rows()), (1, 1))


class TogetherTests(SqliteCase):
    """Steps that share a transaction."""

    def test_all_or_none(self) -> None:
        """When one fails, none has happened, so that nobody was promised what is not there."""
        file = StoreFile(self.path)
        self.addCleanup(file.close)
        good = Step(statement="INSERT INTO entry VALUES (x'61', x'31', 9999999999)", parameters=(), now=0)
        bad = Step(statement="INSERT INTO nothing VALUES (1)", parameters=(), now=0)
        self.assertRaises(BackendUnavailableError, file.run, [good, bad])

        self.assertEqual(self.rows(), 0)

    def test_in_their_order(self) -> None:
        """Each sees what those before it did."""
        file = StoreFile(self.path)
        self.addCleanup(file.close)
        put = Step(statement="INSERT INTO entry VALUES (x'61', x'31', 9999999999)", parameters=(), now=0)
        get = Step(statement="SELECT value FROM entry WHERE key = x'61'", parameters=())

        self.assertEqual(file.run([get, put, get]), [None, None, b"1"])


class FaultTests(SqliteCase):
    """A file that can not be used is a fault that is told, never a yes and never a loss."""

    def test_locked(self) -> None:
        """Somebody else keeps the file to himself; afterwards everything goes on."""
        run(self.open().put("a", "1", 60))
        store = self.open(connect=impatient)
        with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            for question in (
                store.put("b", "1", 60),
                store.add("b", "1", 60),
                store.take("a"),
                store.increment("c", 1),
            ):
                error = self.assertRaises(BackendUnavailableError, run, question)
                self.assertIn("locked", str(error))

        self.assertEqual((run(store.get("b")), run(store.take("a"))), (None, "1"))

    def test_full(self) -> None:
        """On a full disk nothing is accepted that is not kept, what is there stays, and can still be taken."""
        run(self.open().put("a", "1", 60))
        store = self.open(connect=small)
        accepted = []
        for number in range(200):
            try:
                run(store.put(f"k{number}", "x" * 2000, 60))
            except BackendUnavailableError as error:
                self.assertIn("full", str(error))
                break
            accepted.append(f"k{number}")
        found = [run(store.get(key)) for key in accepted]

        self.assertLess(len(accepted), 200)
        self.assertEqual(found, ["x" * 2000] * len(accepted))
        self.assertEqual((run(store.get("a")), run(store.get(f"k{len(accepted)}"))), ("1", None))

    def test_corrupt(self) -> None:
        """A file that is no database is left as it is, for somebody to look at."""
        self.path.write_bytes(b"not a database " * 1000)
        self.assert_unavailable(self.open(), str(self.path), "not a database")

        self.assertEqual(self.path.read_bytes(), b"not a database " * 1000)

    def test_damaged_later(self) -> None:
        """So is one that is damaged somewhere inside."""
        store = self.open()
        for number in range(200):
            run(store.put(f"k{number}", "x" * 500, 60))
        run(store.close())
        content = bytearray(self.path.read_bytes())
        content[4096:] = b"\xff" * (len(content) - 4096)
        self.path.write_bytes(content)

        self.assert_unavailable(self.open(), "malformed")

    def test_of_something_else(self) -> None:
        """A database that is not ours is not touched."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("CREATE TABLE other (x)")
        self.assert_unavailable(self.open(), "something else")

        with closing(sqlite3.connect(self.path)) as connection:
            names = connection.execute("SELECT name FROM sqlite_schema").fetchall()
        self.assertEqual(names, [("other",)])

    def test_of_a_later_version(self) -> None:
        """Nor is one that a later version has made."""
        run(self.open().put("a", "1", 60))
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA user_version = 2")

        self.assert_unavailable(self.open(), "version 2")

    def test_folder_is_gone(self) -> None:
        """Without its folder there is no store; when it is back there is one."""
        path = self.path.parent / "sub" / "store.db"
        store = self.open(path)
        self.assert_unavailable(store, str(path))
        path.parent.mkdir()

        self.assertTrue(run(store.add("a", "1", 60)))

    def test_removed(self) -> None:
        """A file that was removed under the daemon is not made anew: who was revoked must not come back."""
        store = self.open()
        run(store.add("revoked", "1", 60))
        for path in self.path.parent.iterdir():
            path.unlink()
        self.assert_unavailable(store, "removed")

        self.assertFalse(self.path.exists())

    def test_replaced(self) -> None:
        """Nor is another file used that stands in its place."""
        store = self.open()
        run(store.add("revoked", "1", 60))
        self.path.rename(self.path.with_name("old.db"))
        run(self.open().put("a", "1", 60))

        self.assert_unavailable(store, "replaced")

    def test_foreign_owner(self) -> None:
        """The operator is told of a file that is open to others and can not be shut."""
        log = LogLines(self)
        file = Unchangeable(self.path)
        self.path.touch()
        self.path.chmod(0o644)
        run(self.open(file).put("a", "1", 60))

        self.assertEqual(len(log.about("can be read by others", "warn")), 1)

    def test_no_shared_memory(self) -> None:
        """A file system on which processes can not share the file is refused."""
        self.assert_unavailable(self.open(Path(":memory:"), connect=in_memory), "WAL")


def impatient(path: Path, **kwargs: Any) -> sqlite3.Connection:
    """Connect, and wait for nobody."""
    return sqlite3.connect(path, **{**kwargs, "timeout": 0.01})


def small(path: Path, **kwargs: Any) -> sqlite3.Connection:
    """Connect to a file that can not grow, as on a disk that is full."""
    connection = sqlite3.connect(path, **kwargs)
    connection.execute("PRAGMA max_page_count = 20")
    return connection


def in_memory(_path: Path, **kwargs: Any) -> sqlite3.Connection:
    """Connect to no file."""
    return sqlite3.connect(":memory:", **kwargs)


class Unchangeable(type(Path())):  # type: ignore[misc] # which class it is depends on the system
    """The path of a file that belongs to somebody else."""

    def chmod(self, mode: int, *, follow_symlinks: bool = True) -> None:
        """Refuse."""
        raise PermissionError(1, "Operation not permitted")


class ModelTests(SynchronousTestCase):
    """Against a plain dictionary."""

    @settings(deadline=None, max_examples=40)
    @given(STEPS)
    def test_like_a_dictionary(self, steps: list[tuple[str, str, int]]) -> None:
        """Whatever is done in whatever order, it answers like a dictionary of values with ends."""
        clock = FixedClock()
        file = StoreFile(folder(self) / "store.db")
        try:
            for found, expected in play(SqliteStore(AtOnce(file), clock), Model(), clock, steps):
                self.assertEqual(found, expected)
        finally:
            file.close()


class BuildTests(SqliteCase):
    """How it is made of options."""

    def fault(self, path: Path | None) -> str:
        """Return why there is no store at a path."""
        return str(self.assertRaises(ConfigErrors, sqlite.build, {"sqlite_path": path}, None, self.clock))

    def test_nothing_is_opened(self) -> None:
        """The file is made by the first question, when the daemon is who it will be."""
        sqlite.build({"sqlite_path": self.path}, None, self.clock)

        self.assertFalse(self.path.exists())

    def test_no_path(self) -> None:
        """A file has to be named."""
        self.assertIn("sqlite_path: is required", self.fault(None))

    def test_no_folder(self) -> None:
        """Its folder has to be there."""
        self.assertIn("is no folder", self.fault(self.path / "deeper" / "store.db"))

    def test_a_folder(self) -> None:
        """It must not be one itself."""
        self.assertIn("is a folder; name a file", self.fault(self.path.parent))
