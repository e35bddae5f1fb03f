"""The store in memory: the contract, and that it neither grows without end nor forgets to make room."""

from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import BackendUnavailableError, Store
from konnectd.stores import memory
from konnectd.stores.memory import LASTING, MemoryStore
from tests.contracts.stores import StoreContract
from tests.stores.model import STEPS, Model, play
from tests.support.fakes import FixedClock, run


class MemoryStoreContractTests(StoreContract, SynchronousTestCase):
    """It does what every store does."""

    def make_store(self, clock: FixedClock) -> Store:
        """Return the store."""
        return MemoryStore(clock)


class GrowthTests(SynchronousTestCase):
    """How much it keeps."""

    def setUp(self) -> None:
        """Begin with an empty store."""
        self.clock = FixedClock()

    def test_dead_entries_are_freed_by_writes(self) -> None:
        """A hundred thousand forgotten entries are freed by a sixteenth as many writes, though nobody asks for them."""
        store = MemoryStore(self.clock)
        for number in range(100_000):
            run(store.put(f"old:{number}", "1", 60 + number % 600))
        self.clock.advance(1000)
        for number in range(100_000 // memory.SWEEP):
            run(store.put(f"new:{number}", "1", 60))

        self.assertEqual(len(store), 100_000 // memory.SWEEP)

    def test_one_write_frees_few(self) -> None:
        """No single write pays for all that died at once."""
        store = MemoryStore(self.clock)
        for number in range(1000):
            run(store.put(f"old:{number}", "1", 1))
        self.clock.advance(1000)
        run(store.put("new", "1", 60))

        self.assertEqual(len(store), 1000 - memory.SWEEP + 1)

    def test_steady_load_stays_small(self) -> None:
        """Under a steady load it keeps about as many entries as are alive, whether they are taken or left."""
        store = MemoryStore(self.clock)
        most = 0
        for number in range(20_000):
            run(store.put(f"code:{number}", "1", 60))
            if number % 2:
                run(store.take(f"code:{number}"))
            if number % 10 == 0:
                self.clock.advance(1)
            most = max(most, len(store))

        # 10 a second live 60 seconds, half are taken; they lie about for a span longer at most.
        self.assertLess(most, 10 * (60 + memory.SPAN) / 2 + 10)

    def test_full_store_refuses_and_keeps(self) -> None:
        """A full store refuses new facts and keeps the old ones, so that no used code becomes unused."""
        store = MemoryStore(self.clock, limit=3)
        for key in ("a", "b", "c"):
            run(store.add(key, key, 60))

        for write in (store.put("d", "1", 60), store.add("e", "1", 60), store.increment("f", 60)):
            with self.assertRaises(BackendUnavailableError):
                run(write)
        self.assertEqual([run(store.get(key)) for key in ("a", "b", "c", "d")], ["a", "b", "c", None])

    def test_full_store_still_changes_what_it_has(self) -> None:
        """A full store still counts, replaces and gives away what it has, and then has room."""
        store = MemoryStore(self.clock, limit=2)
        run(store.increment("a", 60))
        run(store.put("b", "1", 60))

        self.assertEqual(run(store.increment("a", 60)), 2)
        run(store.put("b", "2", 60))
        self.assertEqual(run(store.take("b")), "2")
        self.assertTrue(run(store.add("c", "1", 60)))

    def test_what_lasts_leaves_room(self) -> None:
        """However much is kept for long, there is room for what is needed to sign in, and what is kept can change."""
        store = MemoryStore(self.clock, limit=10)
        for number in range(8):
            run(store.put(f"long-{number}", "1", LASTING + 1))
        for refused in (store.put("more", "1", LASTING + 1), store.add("more", "1", LASTING + 1)):
            with self.assertRaises(BackendUnavailableError):
                run(refused)
        run(store.put("code", "1", LASTING))
        run(store.put("long-0", "2", LASTING + 1))
        run(store.take("long-1"))
        run(store.put("long-2", "short", 1))
        for number in range(2):
            run(store.increment(f"count-{number}", LASTING + 1))
            run(store.increment(f"count-{number}", LASTING + 1))

        with self.assertRaises(BackendUnavailableError):
            run(store.increment("count-2", LASTING + 1))
        self.assertEqual(run(store.get("long-0")), "2")
        self.clock.advance(LASTING + 64 * 2)
        for number in range(8):
            run(store.put(f"again-{number}", "1", LASTING + 1))

    def test_full_of_dead_is_not_full(self) -> None:
        """A store that is full of dead entries has room."""
        store = MemoryStore(self.clock, limit=100)
        for number in range(100):
            run(store.put(str(number), "1", 1))
        self.clock.advance(2 * memory.SPAN)
        run(store.put("new", "1", 60))

        self.assertEqual(run(store.get("new")), "1")

    def test_clock_set_back(self) -> None:
        """A clock that is set back revives nothing that was taken, and breaks nothing."""
        store = MemoryStore(self.clock)
        run(store.put("a", "1", 60))
        run(store.take("a"))
        self.clock.advance(-1_000_000)
        run(store.put("b", "1", 60))

        self.assertEqual([run(store.get("a")), run(store.get("b"))], [None, "1"])

    def test_closed_store_is_empty(self) -> None:
        """Nothing is left after closing."""
        store = MemoryStore(self.clock)
        run(store.put("a", "1", 60))
        run(store.close())

        self.assertEqual((len(store), run(store.get("a"))), (0, None))


class ModelTests(SynchronousTestCase):
    """Against a plain dictionary."""

    @settings(deadline=None, max_examples=200)
    @given(STEPS)
    def test_like_a_dictionary(self, steps: list[tuple[str, str, int]]) -> None:
        """Whatever is done in whatever order, it answers like a dictionary of values with ends."""
        clock = FixedClock()
        for found, expected in play(MemoryStore(clock), Model(), clock, steps):
            self.assertEqual(found, expected)


class BuildTests(SynchronousTestCase):
    """How it is made."""

    def test_build(self) -> None:
        """It is made without options and without a reactor."""
        store = memory.build({}, None, FixedClock())

        self.assertEqual((memory.OPTIONS, run(store.add("a", "1", 1))), ((), True))
