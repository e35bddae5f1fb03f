"""The store, asked without changing anything."""

import os
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from konnectd.config.settings import load
from konnectd.doctor import storage
from konnectd.doctor.finding import Finding, Level
from konnectd.interfaces import Store
from tests.support.asked import told, worst
from tests.support.fakes import FixedClock, SilentStore, memory_store, run
from tests.support.files import folder


class StorageTests(SynchronousTestCase):
    """Stores of every kind."""

    def look(self, *words: str, store: Store | None = None) -> list[Finding]:
        """Look."""
        settings = load(("--iss=https://id.example.com", "--file-users=u", *words, "file"), {})
        return run(storage.look(settings, store or memory_store(FixedClock())))

    def sqlite(self, path: Path, store: Store | None = None) -> list[Finding]:
        """Look at a file of SQLite."""
        return self.look("--store=sqlite", f"--sqlite-path={path}", store=store)

    def test_memory(self) -> None:
        """Memory is worth a hint, and is not asked."""
        found = self.look(store=SilentStore())

        self.assertEqual([each.level for each in found], [Level.HINT])

    def test_redis(self) -> None:
        """Redis is asked."""
        self.assertEqual([each.level for each in self.look("--store=redis")], [Level.GOOD])

    def test_silent(self) -> None:
        """One that does not answer is a fault."""
        self.assertEqual(worst(self.look("--store=redis", store=SilentStore())), [("fault", "store")])

    def test_no_file_yet(self) -> None:
        """A file that is not there is not made."""
        place = folder(self)
        found = self.sqlite(place / "store.db", SilentStore())

        self.assertEqual((worst(found), list(place.iterdir())), ([], []))

    def test_own_file(self) -> None:
        """Whose file it is may ask more."""
        path = folder(self) / "store.db"
        path.write_bytes(b"SQLite format 3\0" + bytes(100))
        path.chmod(0o600)

        self.assertEqual(worst(self.sqlite(path)), [])
        self.assertEqual(worst(self.sqlite(path, SilentStore())), [("fault", "store")])

    def test_file_of_the_daemon(self) -> None:
        """Nobody else does, because files beside it would be theirs."""
        if os.geteuid() != 0:
            raise SkipTest("only root can give files away")
        path = folder(self) / "store.db"
        path.write_bytes(b"SQLite format 3\0" + bytes(100))
        path.chmod(0o600)
        os.chown(path, 65_533, 65_533)

        self.assertEqual([each.level for each in self.sqlite(path, SilentStore())], [Level.GOOD])

    def test_readable(self) -> None:
        """It is for the daemon alone."""
        path = folder(self) / "store.db"
        path.write_bytes(b"SQLite format 3\0")
        path.chmod(0o644)

        self.assertIn("others can read", told(self.sqlite(path)))

    def test_another_file(self) -> None:
        """A file of another kind is a fault, and a loop of links a warning."""
        place = folder(self)
        (place / "store.db").write_text("hello, this is no database")
        (place / "loop").symlink_to("loop")

        self.assertEqual(worst(self.sqlite(place / "store.db")), [("fault", "store")])
        self.assertEqual(worst(self.sqlite(place / "loop")), [("warning", "store")])
