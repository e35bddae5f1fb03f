"""Short lists in a store: nothing gets lost, whoever writes at the same time."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.ring import Place, Ring
from konnectd.interfaces import Store
from tests.support.fakes import FixedClock, memory_store, run
from tests.support.steps import Run, WaitingStore, in_turns

SIZE = 8


class PushedOut:
    """What had to leave a list."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.values: list[str] = []

    async def __call__(self, slot: int, text: str) -> None:
        """Note one."""
        self.values.append(text)


class RingTests(SynchronousTestCase):
    """One list."""

    def setUp(self) -> None:
        """Begin with an empty list."""
        self.clock = FixedClock()
        self.store: Store = memory_store(self.clock)
        self.ring = Ring(store=self.store, kind="test:1", size=SIZE, ttl=100)
        self.out = PushedOut()

    def keep(self, *values: str, owner: str = "alice") -> None:
        """Add entries."""
        for value in values:
            run(self.ring.keep(owner, value, self.out))

    def values(self, owner: str = "alice") -> list[str]:
        """Return a list in alphabetical order."""
        return sorted(place.value for place in run(self.ring.places(owner)))

    def test_each_owner_has_a_list(self) -> None:
        """What was added is there, for its owner alone."""
        self.keep("a", "b")
        self.keep("c", owner="bob")

        self.assertEqual((self.values(), self.values("bob"), self.values("eve")), (["a", "b"], ["c"], []))

    def test_the_oldest_leaves(self) -> None:
        """A full list loses what was there first, and says so."""
        self.keep(*(f"{number:02}" for number in range(SIZE + 3)))

        self.assertEqual(self.out.values, ["00", "01", "02"])
        self.assertEqual(self.values(), [f"{number:02}" for number in range(3, SIZE + 3)])

    def test_a_free_place_comes_first(self) -> None:
        """Nothing has to leave while there is a place, wherever that is."""
        self.keep(*(f"{number:02}" for number in range(SIZE + 3)))
        self.out.values.clear()
        place = next(place for place in run(self.ring.places("alice")) if place.value == "05")
        run(self.ring.remove("alice", place, self.out))
        self.keep("new")

        self.assertEqual(self.out.values, [])
        self.assertIn("new", self.values())

    def test_lives_end(self) -> None:
        """Entries are gone when their life is over, and a list that was full takes new ones."""
        self.keep(*(f"{number:02}" for number in range(SIZE)))
        self.clock.advance(100)
        self.keep("new")

        self.assertEqual((self.values(), self.out.values), (["new"], []))

    def test_a_full_list_costs_no_search(self) -> None:
        """Who adds to a list that was full just now does not ask for each of its places."""
        self.keep(*(f"{number:02}" for number in range(SIZE + 1)))
        slow = Ring(store=WaitingStore(self.store), kind="test:1", size=SIZE, ttl=100)
        writer, steps = Run(slow.keep("alice", "new", self.out)), 0
        while not writer.done:
            writer.step()
            steps += 1

        # Two for each question, and the end: counter, place, mark, place, what is there, its end, place.
        self.assertEqual(steps, 2 * 7 + 1)

    def test_removing_what_is_not_there_any_more(self) -> None:
        """Who removes an entry whose place somebody else has by now leaves that one in the list."""
        self.keep("a")
        (place,) = run(self.ring.places("alice"))
        run(self.ring.remove("alice", Place(place.slot, "before"), self.out))
        self.assertEqual(self.values(), ["a"])
        for place in run(self.ring.places("alice")) * 2:
            run(self.ring.remove("alice", place, self.out))

        self.assertEqual((self.values(), self.out.values), ([], []))

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.integers(0, 19), max_size=120), st.integers(1, 20))
    def test_many_writers(self, turns: list[int], writers: int) -> None:
        """However writers meet, each entry is in the list in the end or was seen leaving it, and never both."""
        self.setUp()
        slow = Ring(store=WaitingStore(self.store), kind="test:1", size=SIZE, ttl=100)
        runs = in_turns(turns, *(slow.keep("alice", f"{number:02}", self.out) for number in range(writers)))

        self.assertEqual([run.fault for run in runs if run.fault], [])
        # Two writers may tell about one entry that leaves; what follows from it can be done twice.
        gone = sorted(set(self.out.values))
        self.assertEqual(sorted([*self.values(), *gone]), [f"{number:02}" for number in range(writers)])

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.integers(0, 15), max_size=120))
    def test_writers_and_removers(self, turns: list[int]) -> None:
        """Who removes entries takes out those and no others, whatever is written meanwhile."""
        self.setUp()
        self.keep("a", "b", "c")
        slow = Ring(store=WaitingStore(self.store), kind="test:1", size=SIZE, ttl=100)
        removers = [slow.remove("alice", place, self.out) for place in run(self.ring.places("alice"))]
        in_turns(turns, *removers, *(slow.keep("alice", f"{number:02}", self.out) for number in range(4)))

        self.assertEqual((self.values(), self.out.values), (["00", "01", "02", "03"], []))

    def test_room_that_somebody_makes(self) -> None:
        """Who finds a full list, and room in it at the second look, takes that."""
        self.keep(*(f"{number:02}" for number in range(SIZE)))
        (oldest,) = [place for place in run(self.ring.places("alice")) if place.value == "00"]
        slow = Ring(store=WaitingStore(self.store), kind="test:1", size=SIZE, ttl=100)
        # Two turns for each question: the counter, all places, the mark twice, and the first place again.
        writer = [0] * (2 * (SIZE + 4))
        in_turns([*writer, 1, 1, 1], slow.keep("alice", "new", self.out), slow.remove("alice", oldest, self.out))

        self.assertEqual(self.out.values, [])
        self.assertIn("new", self.values())
