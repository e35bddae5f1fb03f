"""Letting things happen a few at a time."""

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._kopano_pace import Pace


class Turns:
    """A reactor that does in one turn what was due before it, as the real one does; a clock does all that is due."""

    def __init__(self) -> None:
        """Have nothing to do."""
        self.due: list[Callable[[], None]] = []

    def callLater(self, seconds: float, work: Callable[[], None]) -> None:
        """Do something in the next turn."""
        self.due.append(work)

    def turn(self) -> None:
        """Do what is due."""
        due, self.due = self.due, []
        for work in due:
            work()


class PaceTests(SynchronousTestCase):
    """Ten things that want to happen at once, three at a time."""

    def setUp(self) -> None:
        """Let them come."""
        self.reactor = Turns()
        self.pace = Pace(self.reactor, 3)  # type: ignore[arg-type]  # all of it that is used
        self.done: list[int] = []
        self.coming = [Deferred.fromCoroutine(self.happen(number)) for number in range(10)]

    async def happen(self, number: int) -> None:
        """Happen, when it is time."""
        await self.pace.keep()
        self.done.append(number)

    def test_a_few(self) -> None:
        """In each turn of the reactor a few happen, in the order in which they came."""
        seen = [len(self.done)]
        while len(self.done) < len(self.coming):
            self.reactor.turn()
            seen.append(len(self.done))

        self.assertEqual((seen, self.done), ([3, 6, 9, 10], list(range(10))))

    def test_given_up(self) -> None:
        """Who gives up takes nobody's place."""
        for number in (3, 4, 5):
            self.coming[number].cancel()
            self.failureResultOf(self.coming[number], CancelledError)
        self.reactor.turn()

        self.assertEqual(self.done, [0, 1, 2, 6, 7, 8])

    def test_at_rest(self) -> None:
        """When nothing comes any more no timer is left, and the next one need not wait."""
        for _ in range(5):
            self.reactor.turn()
        left = tuple(self.reactor.due)
        later = Deferred.fromCoroutine(self.happen(10))

        self.assertEqual((left, later.called), ((), True))
