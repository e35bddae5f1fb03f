"""What every store must do."""

from collections.abc import Coroutine, Sequence
from itertools import cycle, islice
from typing import Any, TypeVar

from konnectd.interfaces import Store
from tests.contracts.withdrawal import WithdrawalContract
from tests.support.fakes import FixedClock, run

Answer = TypeVar("Answer")

#: How many ask at the same time.
MANY = 50


class StoreContract(WithdrawalContract):
    """Mix into a test case; override `make_store`, and what is different where a store waits or has its own clock."""

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

    def together(self, coroutines: Sequence[Coroutine[Any, Any, Answer]]) -> list[Answer]:
        """Drive coroutines that all begin before anything is waited for, and return their answers."""
        return [self.answer(coroutine) for coroutine in coroutines]

    def answer(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        """Drive a coroutine and return its answer."""
        return run(coroutine)

    def sharers(self) -> Sequence[Store]:
        """Return several stores that share what they know, as those of several processes do."""
        return (self.store,)

    def crowd(self) -> Sequence[Store]:
        """Return a store for each of many who ask at the same time."""
        return tuple(islice(cycle(self.sharers()), MANY))

    def pass_time(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def test_what_was_put_is_there(self) -> None:
        """A value that was put comes back, as often as one asks."""
        self.answer(self.store.put("code:1", "värde \x00\n", 60))

        self.assertEqual([self.answer(self.store.get("code:1")) for _ in range(2)], ["värde \x00\n"] * 2)

    def test_unknown_key(self) -> None:
        """Nothing is known about a key nobody has written."""
        self.assertIsNone(self.answer(self.store.get("code:1")))
        self.assertIsNone(self.answer(self.store.take("code:1")))

    def test_several_values(self) -> None:
        """Several values come in the order of their keys, those that are not there or whose life is over as nothing."""
        for key, value, ttl in (("a", "1", 60), ("b", "", 60), ("c", "vär,-:\x00\ud800", 60), ("dead", "1", 10)):
            self.answer(self.store.put(key, value, ttl))
        self.pass_time(10)

        for keys in (("c", "a", "b", "x", "dead", "a"), ("x",), ("x", "dead"), ("b",), ()):
            expected = tuple([self.answer(self.store.get(key)) for key in keys])
            self.assertEqual(self.answer(self.store.get_each(*keys)), expected, keys)
        self.assertEqual(self.answer(self.store.get_each("a", "x", "b")), ("1", None, ""))

    def test_several_values_of_one_moment(self) -> None:
        """Who reads two entries while others write them in turn never sees the second one written and the first not."""
        stores = self.crowd()

        async def write(store: Store, number: int) -> tuple[str | None, ...]:
            await store.put(f"first:{number}", "1", 60)
            await store.put(f"second:{number}", "1", 60)
            return ()

        writes = [write(store, number) for number, store in enumerate(stores)]
        reads = [store.get_each(f"second:{number}", f"first:{number}") for number, store in enumerate(stores)]
        seen = self.together([each for pair in zip(writes, reads, strict=True) for each in pair])[1::2]

        self.assertNotIn(("1", None), seen)

    def test_keys_do_not_mix(self) -> None:
        """A value is under its own key only, and the empty value is a value."""
        self.answer(self.store.put("a", "", 60))
        self.answer(self.store.put("a ", "2", 60))

        self.assertEqual([self.answer(self.store.get(key)) for key in ("a", "a ", "A", "")], ["", "2", None, None])

    def test_put_replaces(self) -> None:
        """A second value takes the place of the first, and its life counts."""
        self.answer(self.store.put("a", "1", 10))
        self.answer(self.store.put("a", "2", 100))
        self.pass_time(50)

        self.assertEqual(self.answer(self.store.get("a")), "2")

    def test_life_ends(self) -> None:
        """A value is there until its life is over, for every method."""
        for key in ("get", "take", "add", "increment"):
            self.answer(self.store.put(key, "7", 60))
        self.pass_time(59)
        self.assertEqual(self.answer(self.store.get("get")), "7")
        self.pass_time(1)

        self.assertIsNone(self.answer(self.store.get("get")))
        self.assertIsNone(self.answer(self.store.take("take")))
        self.assertTrue(self.answer(self.store.add("add", "8", 60)))
        self.assertEqual(self.answer(self.store.increment("increment", 60)), 1)

    def test_no_life(self) -> None:
        """A value without any life left is not kept, and puts an end to what was there."""
        self.answer(self.store.put("a", "1", 60))
        self.answer(self.store.put("a", "2", 0))
        self.answer(self.store.put("b", "2", -5))

        self.assertEqual([self.answer(self.store.get("a")), self.answer(self.store.get("b"))], [None, None])

    def test_add_keeps_the_first(self) -> None:
        """Of several who add under one key the first wins, and the life of its value is not prolonged."""
        answers = [self.answer(self.store.add("a", value, 60)) for value in ("1", "2")]
        value = self.answer(self.store.get("a"))
        self.pass_time(60)

        self.assertEqual((answers, value, self.answer(self.store.get("a"))), ([True, False], "1", None))

    def test_take_gives_once(self) -> None:
        """Of several takers one gets the value."""
        self.answer(self.store.put("a", "1", 60))

        self.assertEqual([self.answer(self.store.take("a")) for _ in range(3)], ["1", None, None])

    def test_add_after_take(self) -> None:
        """What was taken may be added again."""
        self.answer(self.store.add("a", "1", 60))
        self.answer(self.store.take("a"))

        self.assertTrue(self.answer(self.store.add("a", "2", 60)))

    def test_increment_counts(self) -> None:
        """A counter begins at one, and each key has its own."""
        counts = [self.answer(self.store.increment(key, 60)) for key in ("a", "a", "b", "a")]

        self.assertEqual(counts, [1, 2, 1, 3])

    def test_increment_does_not_prolong(self) -> None:
        """The life of a counter begins with its first increment, whatever follows."""
        self.answer(self.store.increment("a", 60))
        self.pass_time(59)
        self.answer(self.store.increment("a", 60))
        self.pass_time(1)

        self.assertEqual(self.answer(self.store.increment("a", 60)), 1)

    def test_counter_is_text(self) -> None:
        """A counter can be read and taken like any value."""
        self.answer(self.store.increment("a", 60))
        self.answer(self.store.increment("a", 60))

        self.assertEqual([self.answer(self.store.get("a")), self.answer(self.store.take("a"))], ["2", "2"])
        self.assertEqual(self.answer(self.store.increment("a", 60)), 1)

    def test_any_text(self) -> None:
        """Whatever text there is can be a key and a value: long, empty, strange, or half of a character."""
        texts = ("", " ", "\r\n$-1\r\n", "\x00", "%s '; --", "\ud800", "\U0001f511" * 5000, "123", "1.50", "OK")
        for text in texts:
            self.answer(self.store.put(f"k{text}", text, 60))

        self.assertEqual([self.answer(self.store.get(f"k{text}")) for text in texts], list(texts))
        self.assertEqual([self.answer(self.store.take(f"k{text}")) for text in texts], list(texts))

    def test_add_without_life(self) -> None:
        """What has no life is not kept by adding it, and tells all the same whether there was something."""
        answers = [self.answer(self.store.add("a", "1", 0)) for _ in range(2)]
        self.answer(self.store.put("a", "2", 60))

        self.assertEqual((answers, self.answer(self.store.add("a", "3", -1))), ([True, True], False))
        self.assertEqual(self.answer(self.store.get("a")), "2")

    def test_increment_without_life(self) -> None:
        """A counter without any life begins anew each time."""
        self.assertEqual([self.answer(self.store.increment("a", ttl)) for ttl in (0, -1, 0)], [1, 1, 1])

    def test_long_life(self) -> None:
        """A life of many years is one."""
        self.answer(self.store.put("a", "1", 3_000_000_000))
        self.pass_time(100_000_000)

        self.assertEqual(self.answer(self.store.get("a")), "1")

    def test_all_see_the_same(self) -> None:
        """What one keeps another finds."""
        stores = self.sharers()
        self.answer(stores[0].put("a", "1", 60))

        self.assertEqual([self.answer(store.get("a")) for store in stores], ["1"] * len(stores))

    def test_many_takers(self) -> None:
        """Of many who take at the same time, from several processes, exactly one gets it."""
        for number in range(5):
            self.answer(self.store.put(f"code:{number}", "grant", 60))
            taken = self.together([store.take(f"code:{number}") for store in self.crowd()])

            self.assertEqual(sorted(taken, key=str), [None] * (MANY - 1) + ["grant"])

    def test_many_adders(self) -> None:
        """Of many who add at the same time, from several processes, exactly one is told that it was first."""
        for number in range(5):
            stores = self.crowd()
            kept = self.together([store.add(f"a:{number}", str(place), 60) for place, store in enumerate(stores)])

            self.assertEqual(kept.count(True), 1)
            self.assertEqual(self.answer(self.store.get(f"a:{number}")), str(kept.index(True)))

    def test_many_adders_where_one_was(self) -> None:
        """The same is true where a life has just ended."""
        self.answer(self.store.put("a", "1", 60))
        self.pass_time(60)

        self.assertEqual(self.together([store.add("a", "2", 60) for store in self.crowd()]).count(True), 1)

    def test_many_counters(self) -> None:
        """Many who count at the same time, from several processes, each get a number of their own."""
        counts = self.together([store.increment("a", 60) for store in self.crowd()])

        self.assertEqual(sorted(counts), list(range(1, MANY + 1)))
