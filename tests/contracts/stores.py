"""What every store must do."""

from typing import TYPE_CHECKING

from konnectd.interfaces import Store
from tests.support.fakes import FixedClock, run

if TYPE_CHECKING:
    from twisted.trial.unittest import SynchronousTestCase as Base
else:
    Base = object


class StoreContract(Base):
    """Mix into a test case; override `make_store`, and `pass_time` where the clock is not ours."""

    clock: FixedClock
    store: Store

    def setUp(self) -> None:
        """Begin with an empty store."""
        super().setUp()
        self.clock = FixedClock()
        self.store = self.make_store(self.clock)

    def make_store(self, clock: FixedClock) -> Store:
        """Return an empty store."""
        raise NotImplementedError

    def pass_time(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def test_what_was_put_is_there(self) -> None:
        """A value that was put comes back, as often as one asks."""
        run(self.store.put("code:1", "värde \x00\n", 60))

        self.assertEqual([run(self.store.get("code:1")) for _ in range(2)], ["värde \x00\n"] * 2)

    def test_unknown_key(self) -> None:
        """Nothing is known about a key nobody has written."""
        self.assertIsNone(run(self.store.get("code:1")))
        self.assertIsNone(run(self.store.take("code:1")))

    def test_keys_do_not_mix(self) -> None:
        """A value is under its own key only, and the empty value is a value."""
        run(self.store.put("a", "", 60))
        run(self.store.put("a ", "2", 60))

        self.assertEqual([run(self.store.get(key)) for key in ("a", "a ", "A", "")], ["", "2", None, None])

    def test_put_replaces(self) -> None:
        """A second value takes the place of the first, and its life counts."""
        run(self.store.put("a", "1", 10))
        run(self.store.put("a", "2", 100))
        self.pass_time(50)

        self.assertEqual(run(self.store.get("a")), "2")

    def test_life_ends(self) -> None:
        """A value is there until its life is over, for every method."""
        for key in ("get", "take", "add", "increment"):
            run(self.store.put(key, "7", 60))
        self.pass_time(59)
        self.assertEqual(run(self.store.get("get")), "7")
        self.pass_time(1)

        self.assertIsNone(run(self.store.get("get")))
        self.assertIsNone(run(self.store.take("take")))
        self.assertTrue(run(self.store.add("add", "8", 60)))
        self.assertEqual(run(self.store.increment("increment", 60)), 1)

    def test_no_life(self) -> None:
        """A value without any life left is not kept, and puts an end to what was there."""
        run(self.store.put("a", "1", 60))
        run(self.store.put("a", "2", 0))
        run(self.store.put("b", "2", -5))

        self.assertEqual([run(self.store.get("a")), run(self.store.get("b"))], [None, None])

    def test_add_keeps_the_first(self) -> None:
        """Of several who add under one key the first wins, and the life of its value is not prolonged."""
        answers = [run(self.store.add("a", value, 60)) for value in ("1", "2")]
        value = run(self.store.get("a"))
        self.pass_time(60)

        self.assertEqual((answers, value, run(self.store.get("a"))), ([True, False], "1", None))

    def test_take_gives_once(self) -> None:
        """Of several takers one gets the value."""
        run(self.store.put("a", "1", 60))

        self.assertEqual([run(self.store.take("a")) for _ in range(3)], ["1", None, None])

    def test_add_after_take(self) -> None:
        """What was taken may be added again."""
        run(self.store.add("a", "1", 60))
        run(self.store.take("a"))

        self.assertTrue(run(self.store.add("a", "2", 60)))

    def test_increment_counts(self) -> None:
        """A counter begins at one, and each key has its own."""
        counts = [run(self.store.increment(key, 60)) for key in ("a", "a", "b", "a")]

        self.assertEqual(counts, [1, 2, 1, 3])

    def test_increment_does_not_prolong(self) -> None:
        """The life of a counter begins with its first increment, whatever follows."""
        run(self.store.increment("a", 60))
        self.pass_time(59)
        run(self.store.increment("a", 60))
        self.pass_time(1)

        self.assertEqual(run(self.store.increment("a", 60)), 1)

    def test_counter_is_text(self) -> None:
        """A counter can be read and taken like any value."""
        run(self.store.increment("a", 60))
        run(self.store.increment("a", 60))

        self.assertEqual([run(self.store.get("a")), run(self.store.take("a"))], ["2", "2"])
        self.assertEqual(run(self.store.increment("a", 60)), 1)
