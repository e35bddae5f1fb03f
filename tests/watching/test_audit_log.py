"""Tests of the audit log's writer: nothing waits for it, nothing is lost in silence, and files may be moved away."""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.option import ConfigErrors
from konnectd.watching.audit_log import AuditLog, open_target
from konnectd.watching.audit_target import FileTarget, Target
from tests.support.files import folder

#: How long a thread may take to do something, in seconds; much longer than it does.
PATIENCE = 10.0


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something is true.

    Raises:
        AssertionError: it never is.
    """
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise AssertionError("it did not happen")
        threading.Event().wait(0.005)


class Faulty:
    """A place that takes bytes as a test wants.

    Attributes:
        fault: raised instead of taking anything.
        most: bytes that are taken at once.
        taken: what was taken.
    """

    lasting = True

    def __init__(self) -> None:
        """Take everything."""
        self.fault: OSError | None = None
        self.most = 1 << 20
        self.taken = b""

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        if self.fault is not None:
            raise self.fault
        part = data[: self.most]
        self.taken += part
        return len(part)

    def renew(self, *, always: bool) -> bool:
        """There is nothing else."""
        return False

    def close(self) -> None:
        """Let go."""


class WriterCase(SynchronousTestCase):
    """A writer and what it says of itself."""

    def setUp(self) -> None:
        """Keep what is said."""
        self.told: list[tuple[str, str]] = []

    def begin(self, target: Target, **more: int) -> AuditLog:
        """Begin to write."""
        log = AuditLog(target, lambda what, words: self.told.append((what, words)), pause=0.01, **more)
        log.start()
        self.addCleanup(log.close, 1.0)
        return log


class FileTests(WriterCase):
    """A file."""

    def setUp(self) -> None:
        """Have a folder."""
        super().setUp()
        self.path = folder(self) / "audit.log"

    def lines(self, path: Path | None = None) -> list[str]:
        """Return what is in a file."""
        return (path or self.path).read_text().splitlines()

    def test_mode(self) -> None:
        """A new file can be read by its group and nobody else, whatever the mask of the process."""
        mask = os.umask(0o077)
        self.addCleanup(os.umask, mask)
        FileTarget(self.path).close()

        self.assertEqual(self.path.stat().st_mode & 0o777, 0o640)

    def test_old_file(self) -> None:
        """An old file is appended to, and keeps its mode."""
        self.path.write_text("before\n")
        self.path.chmod(0o600)
        log = self.begin(FileTarget(self.path))
        log.write("after")
        log.close()

        self.assertEqual((self.lines(), self.path.stat().st_mode & 0o777), (["before", "after"], 0o600))

    def test_nothing_else_is_written_to(self) -> None:
        """A link, a pipe or a folder in the place of the file stops the start, and so does a folder that is missing."""
        (self.path.parent / "other").write_text("")
        for make in (
            lambda: self.path.symlink_to(self.path.parent / "other"),
            lambda: os.mkfifo(self.path),
            self.path.mkdir,
        ):
            make()
            error = self.assertRaises(ConfigErrors, open_target, self.path)
            self.assertIn("audit_log: ", str(error))
            self.path.rmdir() if self.path.is_dir() else self.path.unlink()
        self.assertRaises(ConfigErrors, open_target, self.path / "x")

    def test_nothing_is_lost_at_the_end(self) -> None:
        """Whatever was taken is written when the daemon ends."""
        log = self.begin(FileTarget(self.path))
        for number in range(5000):
            log.write(f"line {number}")
        left = log.close()

        self.assertEqual((left, self.lines()), (0, [f"line {number}" for number in range(5000)]))

    def test_moved_away(self) -> None:
        """A file that was moved away is followed by a new one without a word to us, and no entry is missing."""
        log = self.begin(FileTarget(self.path))
        old = self.path.with_suffix(".1")
        log.write("one")
        wait_for(lambda: self.path.exists() and self.lines() == ["one"])
        self.path.rename(old)
        log.write("two")
        log.close()

        self.assertEqual((self.lines(old), self.lines()), (["one"], ["two"]))

    def test_reopened(self) -> None:
        """A signal makes the new file at once."""
        log = self.begin(FileTarget(self.path))
        self.path.rename(self.path.with_suffix(".1"))
        log.reopen()

        wait_for(self.path.exists)
        self.assertEqual(self.told, [])

    def test_no_new_file(self) -> None:
        """When no new file can be made, the moved one goes on, and the operator is told once."""
        deeper = folder(self) / "x"
        deeper.mkdir()
        path, old = deeper / "audit.log", self.path.with_suffix(".1")
        log = self.begin(FileTarget(path))
        path.rename(old)
        deeper.rmdir()
        log.write("one")
        wait_for(lambda: self.lines(old) == ["one"])
        log.write("two")
        log.close()

        self.assertEqual((self.lines(old), len(self.told)), (["one", "two"], 1))

    def test_removed(self) -> None:
        """Nothing is written to a file that nobody can find any more: entries wait until there is one."""
        deeper = folder(self) / "x"
        deeper.mkdir()
        path = deeper / "audit.log"
        log = self.begin(FileTarget(path))
        path.unlink()
        deeper.rmdir()
        log.write("one")
        wait_for(lambda: bool(self.told))
        deeper.mkdir()
        wait_for(lambda: path.exists() and self.lines(path) == ["one"])

        self.assertEqual([what for what, _ in self.told][:1], ["failed"])


class FaultTests(WriterCase):
    """A place that can not be reached."""

    def setUp(self) -> None:
        """Have such a place."""
        super().setUp()
        self.place = Faulty()

    def test_entries_wait(self) -> None:
        """Entries wait while the disk is full, in order, and the operator is told once of each."""
        self.place.fault = OSError(28, "No space left on device")
        log = self.begin(self.place)
        for number in range(10):
            log.write(str(number))
        wait_for(lambda: bool(self.told))
        self.place.fault = None
        wait_for(lambda: log.waiting == 0 and len(self.told) == 2)

        self.assertEqual(self.place.taken.decode().split(), [str(number) for number in range(10)])
        self.assertEqual([what for what, _ in self.told], ["failed", "recovered"])

    def test_half_a_line(self) -> None:
        """A place that takes bytes by threes gets whole lines in the end."""
        self.place.most = 3
        log = self.begin(self.place)
        for number in range(100):
            log.write(f"line {number}")
        log.close()

        self.assertEqual(self.place.taken.decode().splitlines(), [f"line {number}" for number in range(100)])

    def test_endless(self) -> None:
        """Memory is not filled; what is given up is counted, and said as soon as there is room."""
        self.place.fault = OSError(28, "No space left on device")
        log = self.begin(self.place, most=5)
        wait_for(lambda: not log.waiting)
        for number in range(500):
            log.write(str(number))
        lost = log.lost
        self.place.fault = None
        wait_for(lambda: log.waiting == 0)
        log.write("after")
        log.close()
        lines = self.place.taken.decode().splitlines()
        (said,) = (json.loads(line) for line in lines if line.startswith("{"))

        self.assertGreater(lost, 100)
        self.assertEqual((said["event"], said["count"], lines[-1]), ("lost", lost, "after"))

    def test_end_without_a_place(self) -> None:
        """The daemon ends all the same, and knows how much it leaves behind."""
        self.place.fault = OSError(28, "No space left on device")
        log = self.begin(self.place)
        for number in range(3):
            log.write(str(number))
        began = time.monotonic()
        left = log.close(0.2)

        self.assertEqual(left, 3)
        self.assertLess(time.monotonic() - began, 5)

    def test_nobody_waits(self) -> None:
        """A disk that hangs keeps only the thread that writes."""
        gate = threading.Event()
        self.addCleanup(gate.set)

        class Hanging(Faulty):
            """Takes for ever."""

            def write(self, data: bytes) -> int:
                """Wait."""
                gate.wait(PATIENCE)
                return len(data)

        log = self.begin(Hanging())
        began = time.monotonic()
        for number in range(1000):
            log.write(str(number))

        self.assertLess(time.monotonic() - began, 1)
