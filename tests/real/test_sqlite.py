"""The store in a file, with its thread: the contract, several processes, and a disk that hangs."""

import subprocess
import sys
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from threading import Barrier, Event, Thread
from threading import enumerate as all_threads
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import BackendUnavailableError, Store
from konnectd.stores import sqlite
from konnectd.stores._sqlite_file import Step, StoreFile, Value
from konnectd.stores._sqlite_lane import MOST_WAITING, Lane
from konnectd.stores.sqlite import SqliteStore
from tests.contracts.stores import Answer, StoreContract
from tests.real.daemon import ROOT
from tests.real.pump import Pump
from tests.support.fakes import FixedClock
from tests.support.files import folder
from tests.support.loglines import LogLines

#: Takes every code there is, and prints those it got.
TAKER = """
import sys
from pathlib import Path
from tests.real.pump import Pump
from konnectd.stores import sqlite
from konnectd.world import SystemClock

pump = Pump()
store = sqlite.build({"sqlite_path": Path(sys.argv[1])}, pump.reactor, SystemClock())
sys.stdin.readline()
codes = [f"code:{number}" for number in range(int(sys.argv[2]))]
taken = pump.together([store.take(code) for code in codes])
counts = pump.together([store.increment("count", 600) for _ in codes])
print(" ".join(code for code, value in zip(codes, taken) if value))
print(" ".join(map(str, counts)))
pump.answer(store.close())
"""


class SqliteCase(SynchronousTestCase):
    """A file and a reactor."""

    def setUp(self) -> None:
        """Make them."""
        self.path = folder(self) / "store.db"
        self.pump = Pump()
        self.addCleanup(self.pump.close)
        self.stores: list[SqliteStore] = []
        self.addCleanup(self.close_all)
        super().setUp()

    def close_all(self) -> None:
        """End all threads."""
        for store in self.stores:
            self.pump.answer(store.close())

    def open(self, clock: FixedClock | None = None) -> SqliteStore:
        """Return a store with a thread of its own."""
        store = sqlite.build({"sqlite_path": self.path}, self.pump.reactor, clock or FixedClock())
        self.stores.append(store)
        return store

    def begin(self, coroutine: Coroutine[Any, Any, Answer]) -> Deferred[Answer]:
        """Begin something that waits."""
        return Deferred.fromCoroutine(coroutine)


class ContractTests(StoreContract, SqliteCase):
    """It does what every store does, for several daemons at a time."""

    def make_store(self, clock: FixedClock) -> Store:
        """Return a store on a new file."""
        return self.open(clock)

    def sharers(self) -> Sequence[Store]:
        """Return several with threads and connections of their own."""
        while len(self.stores) < 4:
            self.open(self.clock)
        return self.stores

    def answer(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        """Wait for the thread."""
        return self.pump.answer(coroutine)

    def together(self, coroutines: Sequence[Coroutine[Any, Any, Answer]]) -> list[Answer]:
        """Wait for many answers at once."""
        return self.pump.together(coroutines)


class FirstTests(SqliteCase):
    """Several begin with a file that is not there yet."""

    def test_all_begin_together(self) -> None:
        """Whoever is first makes the tables, and nobody takes a file that is half made for somebody else's.

        Daemons that are started together meet in the first milliseconds, so it is tried often.
        """
        failed: list[Exception] = []

        def begin(path: Path, start: Barrier) -> None:
            start.wait()
            try:
                StoreFile(path).run([Step(statement="SELECT count(*) FROM entry", parameters=())])
            except BackendUnavailableError as error:
                failed.append(error)

        for number in range(60):
            start = Barrier(6)
            path = self.path.with_name(f"{number}.db")
            threads = [Thread(target=begin, args=(path, start)) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        self.assertEqual(failed, [])


class ProcessTests(SqliteCase):
    """Several processes share a file."""

    def test_each_code_once(self) -> None:
        """Of several processes that take the same codes at the same time, one gets each; all count together."""
        store, codes = self.open(), 100
        live = int(time.time()) - FixedClock().now() + 600
        for number in range(codes):
            self.pump.answer(store.put(f"code:{number}", "grant", live))
        command = [sys.executable, "-c", TAKER, str(self.path), str(codes)]
        takers = [
            subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        for taker in takers:
            if taker.stdin is not None:
                taker.stdin.write("go\n")
                taker.stdin.flush()
        outputs = [taker.communicate(timeout=30)[0].splitlines() for taker in takers]
        taken = [code for output in outputs for code in output[0].split()]
        counts = [int(count) for output in outputs for count in output[1].split()]

        self.assertEqual(sorted(taken), sorted(f"code:{number}" for number in range(codes)))
        self.assertEqual(sorted(counts), list(range(1, 3 * codes + 1)))

    def test_killed(self) -> None:
        """What a process had been told to be kept is there after it was killed."""
        program = (
            "import sys, os\nfrom pathlib import Path\nfrom tests.real.pump import Pump\n"
            "from konnectd.stores import sqlite\nfrom tests.support.fakes import FixedClock\n"
            "pump = Pump()\n"
            "store = sqlite.build({'sqlite_path': Path(sys.argv[1])}, pump.reactor, FixedClock())\n"
            "pump.together([store.add(f'revoked:{n}', '1', 60) for n in range(50)])\n"
            "os.kill(os.getpid(), 9)\n"
        )
        done = subprocess.run([sys.executable, "-c", program, str(self.path)], cwd=ROOT, check=False, timeout=30)
        store = self.open()
        found = self.pump.together([store.get(f"revoked:{number}") for number in range(50)])

        self.assertEqual((done.returncode, found), (-9, ["1"] * 50))


class Hanging(StoreFile):
    """A file on a disk that hangs until a test lets it go on.

    Attributes:
        batches: how many steps went together each time.
    """

    def __init__(self, path: Path) -> None:
        """Hang."""
        super().__init__(path)
        self.gate = Event()
        self.started = Event()
        self.batches: list[int] = []

    def run(self, steps: Sequence[Step]) -> list[Value]:
        """Wait, then do it."""
        self.started.set()
        self.gate.wait(30)
        self.batches.append(len(steps))
        return super().run(steps)


class Mistaken(StoreFile):
    """A file with a mistake in its code."""

    def run(self, steps: Sequence[Step]) -> list[Value]:
        """Fail as a mistake does."""
        raise KeyError("mistake")


class LaneTests(SqliteCase):
    """The thread."""

    def store_on(self, file: StoreFile, timeout: float = 20.0) -> SqliteStore:
        """Return a store on a file."""
        if isinstance(file, Hanging):
            self.addCleanup(file.gate.set)
        store = SqliteStore(Lane(self.pump.reactor, file.run, file.close, timeout), FixedClock())
        self.stores.append(store)
        return store

    def test_those_who_wait_go_together(self) -> None:
        """What is asked while the disk is busy shares one wait for it."""
        file = Hanging(self.path)
        store = self.store_on(file)
        first = self.begin(store.put("first", "1", 60))
        file.started.wait(10)
        others = [self.begin(store.put(str(number), "1", 60)) for number in range(100)]
        file.gate.set()
        for each in (first, *others):
            self.pump.wait_for(each)

        self.assertEqual(file.batches, [1, 100])

    def test_hangs(self) -> None:
        """Who asks a disk that hangs is told so after a while, and what came too late is not done."""
        file = Hanging(self.path)
        store = self.store_on(file, 0.1)
        first = self.begin(store.put("first", "1", 60))
        file.started.wait(10)
        second = self.begin(store.put("second", "1", 60))
        for each in (first, second):
            error = self.assertRaises(BackendUnavailableError, self.pump.wait_for, each)
            self.assertIn("did not answer", str(error))
        file.gate.set()
        later = self.store_on(StoreFile(self.path))
        self.pump.answer(store.close())

        self.assertEqual([self.pump.answer(later.get(key)) for key in ("first", "second")], ["1", None])

    def test_too_many(self) -> None:
        """Of those who come to a disk that hangs, only so many may wait."""
        file = Hanging(self.path)
        store = self.store_on(file)
        first = self.begin(store.get("a"))
        file.started.wait(10)
        waiting = [self.begin(store.get("a")) for _ in range(MOST_WAITING)]
        error = self.assertRaises(BackendUnavailableError, self.pump.answer, store.get("a"))
        file.gate.set()
        for each in (first, *waiting):
            self.pump.wait_for(each)

        self.assertIn("questions to answer already", str(error))

    def test_a_mistake(self) -> None:
        """A mistake is told to who asked, and the thread lives on."""
        store = self.store_on(Mistaken(self.path))

        for _ in range(2):
            self.assertRaises(KeyError, self.pump.answer, store.get("a"))

    def test_leaving(self) -> None:
        """Who does not wait any more disturbs nobody."""
        file = Hanging(self.path)
        store = self.store_on(file)
        first = self.begin(store.put("a", "1", 60))
        file.started.wait(10)
        second, third = self.begin(store.take("a")), self.begin(store.get("a"))
        second.addErrback(lambda _: None)
        second.cancel()
        file.gate.set()
        self.pump.wait_for(first)

        self.assertEqual(self.pump.wait_for(third), "1")

    def test_close(self) -> None:
        """At the end what was asked for is done, the thread ends, and nothing more is taken."""
        store = self.open()
        last = self.begin(store.put("a", "1", 60))
        self.pump.answer(store.close())
        self.pump.wait_for(last)
        error = self.assertRaises(BackendUnavailableError, self.pump.answer, store.get("a"))

        self.assertIn("closed", str(error))
        self.assertEqual(self.pump.answer(self.open().get("a")), "1")

    def test_close_unused(self) -> None:
        """A store nobody asked has no thread to end."""
        before = len(all_threads())
        self.pump.answer(self.open().close())

        self.assertEqual(len(all_threads()), before)

    def test_close_while_it_hangs(self) -> None:
        """A disk that hangs does not keep the daemon from ending."""
        log, file = LogLines(self), Hanging(self.path)
        store = self.store_on(file, 0.1)
        asked = self.begin(store.get("a"))
        asked.addErrback(lambda _: None)
        file.started.wait(10)
        self.pump.answer(store.close())

        self.assertEqual(len(log.about("did not close", "warn")), 1)
