"""Tests of the log for systemd's journal."""

import os
import shutil
import socket
import struct
import tempfile
from io import StringIO
from typing import Any

from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from konnectd.explain import Line
from konnectd.journal import Journal, JournalObserver, leads_to_journal
from konnectd.protocol.trail import Trail
from tests.support.files import folder

TRAIL = Trail(at="token", reason="code-unknown").to_text()
REFUSED = "refused: {words} [{reference}] {trail}"


def fields_of(data: bytes) -> dict[str, str]:
    """Read an entry as the journal does."""
    found: dict[str, str] = {}
    while data:
        name, _, data = data.partition(b"\n")
        if b"=" in name:
            name, _, value = name.partition(b"=")
        else:
            (length,) = struct.unpack("<Q", data[:8])
            value, data = data[8 : 8 + length], data[9 + length :]
        found[name.decode()] = value.decode()
    return found


class JournalTests(SynchronousTestCase):
    """Events become entries."""

    def setUp(self) -> None:
        """Be the journal."""
        # The path of a socket has little room, and folders of tests may be deep.
        short = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, short)
        self.path = f"{short}/socket"
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.server.bind(self.path)
        self.server.settimeout(0)
        self.addCleanup(self.server.close)
        self.errors = StringIO()

    def logger(self, *, as_json: bool = False) -> Any:  # noqa: ANN401 - Logger carries no types
        """Return a logger that writes to the journal."""
        journal = Journal(self.path)
        self.addCleanup(journal.close)
        observer: Any = JournalObserver(journal, self.errors, "debug", as_json=as_json)
        return Logger(namespace="konnectd.web", observer=LogPublisher(observer))

    def entry(self) -> dict[str, str]:
        """Return the next entry."""
        return fields_of(self.server.recv(1 << 20))

    def test_fields(self) -> None:
        """The facts are fields, and the sentence is the line of the log."""
        self.logger().info(REFUSED, words="no", reference="E1234", trail=TRAIL)
        found = self.entry()

        self.assertEqual((found["KONNECTD_EVENT"], found["KONNECTD_REFERENCE"]), ("request-refused", "E1234"))
        self.assertEqual((found["KONNECTD_REASON"], found["PRIORITY"]), ("code-unknown", "6"))
        self.assertTrue(found["MESSAGE"].startswith('level=info msg="refused: no [E1234] at=token'))

    def test_explain_reads_it(self) -> None:
        """What journalctl shows can be explained, in both forms."""
        for as_json in (False, True):
            self.logger(as_json=as_json).info(REFUSED, words="no", reference="E1234", trail=TRAIL)
            line = Line.parse(f"Nov 26 10:00:00 host konnectd[7]: {self.entry()['MESSAGE']}")

            self.assertEqual(line and line.told.reference, "E1234")

    def test_no_text_makes_a_field(self) -> None:
        """What somebody typed can neither end a field nor begin another one."""
        text = "x\nPRIORITY=0\n_UID=0\nKONNECTD_EVENT=start"
        self.logger().warn("{advice}", advice=text)
        found = self.entry()

        self.assertEqual((found["PRIORITY"], found["KONNECTD_EVENT"]), ("4", "setting-doubtful"))
        self.assertEqual(found["KONNECTD_ADVICE"], text)
        self.assertNotIn("_UID", found)

    def test_traceback_is_one_entry(self) -> None:
        """All lines of a traceback are together."""
        failure: Any = Failure(ValueError("mistake"))  # type: ignore[no-untyped-call]
        self.logger().failure("checking the store failed", failure)

        self.assertIn("\n    Failure: builtins.ValueError: mistake", self.entry()["MESSAGE"])
        self.assertRaises(BlockingIOError, self.entry)

    def test_silent_journal(self) -> None:
        """What the journal does not take goes to standard error with its priority, each line of it."""
        self.server.close()
        os.unlink(self.path)  # noqa: PTH108 - a path in text
        self.logger().warn("{advice}", advice="x")

        self.assertTrue(self.errors.getvalue().startswith('<4>level=warn msg="x"'))

    def test_full_journal(self) -> None:
        """A journal that does not keep up keeps nobody waiting."""
        log = self.logger()
        for _ in range(2000):
            log.warn("{advice}", advice="x" * 500)

        self.assertIn("<4>level=warn", self.errors.getvalue())

    def test_stream(self) -> None:
        """Only the stream that the journal has given is its own."""
        with (folder(self) / "file").open("w") as stream:
            status = os.fstat(stream.fileno())
            ours = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}

            self.assertTrue(leads_to_journal(stream, ours))
            self.assertFalse(leads_to_journal(stream, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino + 1}"}))
            self.assertFalse(leads_to_journal(stream, {}))
            self.assertFalse(leads_to_journal(StringIO(), ours))
