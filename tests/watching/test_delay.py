"""Tests of the reactor's delay."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.watching.delay import INTERVAL, ReactorDelay


class Late(Clock):
    """A reactor that comes late."""

    late = 0.0

    def callLater(self, when: float, what: object, *words: object, **more: object) -> object:
        """Plan something, and be late."""
        return super().callLater(when + self.late, what, *words, **more)  # type: ignore[arg-type]


class DelayTests(SynchronousTestCase):
    """What is told."""

    def setUp(self) -> None:
        """Begin to look."""
        self.told: list[float] = []
        self.reactor = Late()
        self.delay = ReactorDelay(self.reactor, self.told.append)

    def test_in_time(self) -> None:
        """A reactor that has time is not late."""
        self.delay.startService()
        self.reactor.pump([INTERVAL] * 3)

        self.assertEqual(self.told, [0.0] * 3)

    def test_late(self) -> None:
        """One that is kept by something is."""
        self.reactor.late = 0.5
        self.delay.startService()
        self.reactor.advance(INTERVAL + 0.5)

        self.assertEqual(self.told, [0.5])

    def test_stop(self) -> None:
        """It ends with the daemon, and leaves no timer."""
        self.delay.startService()
        self.delay.stopService()
        self.delay.stopService()

        self.assertEqual(self.reactor.getDelayedCalls(), [])
