"""What the demo application remembers, and what it forgets."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.demo.shelf import Shelf
from tests.support.fakes import FixedClock


class ShelfTests(SynchronousTestCase):
    """Things by a name."""

    def setUp(self) -> None:
        """Make one with room for two things."""
        self.clock = FixedClock()
        self.shelf: Shelf[str] = Shelf(self.clock, most=2, ttl=10)

    def test_what_was_put_is_there(self) -> None:
        """A thing is found by its name and by no other."""
        self.shelf.put("a", "first")

        self.assertEqual((self.shelf.get("a"), self.shelf.get("b")), ("first", None))

    def test_things_are_taken_once(self) -> None:
        """The second taker gets nothing."""
        self.shelf.put("a", "first")

        self.assertEqual((self.shelf.take("a"), self.shelf.take("a")), ("first", None))

    def test_old_things_are_gone(self) -> None:
        """After its time a thing is not there, neither to look at nor to take."""
        self.shelf.put("a", "first")
        self.clock.advance(10)

        self.assertEqual((self.shelf.get("a"), self.shelf.take("a")), (None, None))

    def test_putting_again_begins_anew(self) -> None:
        """A thing that is used stays."""
        self.shelf.put("a", "first")
        self.clock.advance(9)
        self.shelf.put("a", "second")
        self.clock.advance(9)

        self.assertEqual(self.shelf.get("a"), "second")

    def test_the_oldest_makes_room(self) -> None:
        """There are never more than fit."""
        for name in ("a", "b", "a", "c"):
            self.shelf.put(name, name)

        self.assertEqual((len(self.shelf), self.shelf.get("b"), self.shelf.get("a")), (2, None, "a"))
