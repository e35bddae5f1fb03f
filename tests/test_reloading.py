"""When the daemon reads its files anew: one reload at a time, and no wish is lost."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.option import ConfigError
from konnectd.reloading import NOT_DONE, Outcome, Reloads
from tests.support.loglines import LogLines

DONE = Outcome(done=True)
REFUSED = Outcome(done=False, faults=(ConfigError("clients", "is wrong", "x.yaml:1"),))


class ReloadsTests(SynchronousTestCase):
    """Who asks, and what comes of it."""

    def setUp(self) -> None:
        """Make one whose reloads end when a test lets them."""
        self.begun: list[tuple[str, Deferred[Outcome]]] = []
        self.reloads = Reloads(self.work)
        self.reloads.startService()

    async def work(self, reason: str) -> Outcome:
        """Wait for the test."""
        self.begun.append((reason, Deferred()))
        return await self.begun[-1][1]

    def ask(self, reason: str = "SIGHUP") -> "Deferred[Outcome]":
        """Ask for a reload."""
        return Deferred.fromCoroutine(self.reloads.reload(reason))

    def end(self, outcome: Any = DONE) -> None:  # noqa: ANN401 - an outcome or an exception
        """Let the last one end."""
        _, waiting = self.begun[-1]
        waiting.errback(outcome) if isinstance(outcome, Exception) else waiting.callback(outcome)

    def reasons(self) -> list[str]:
        """Return why each was begun."""
        return [reason for reason, _ in self.begun]

    def test_outcome(self) -> None:
        """Whoever asks is told what came of it."""
        asked = self.ask()
        self.end(REFUSED)

        self.assertEqual(self.successResultOf(asked), REFUSED)

    def test_row_29_one_at_a_time(self) -> None:
        """While one is under way, no other begins."""
        self.ask()
        self.ask()

        self.assertEqual(len(self.begun), 1)

    def test_wish_meanwhile_is_not_lost(self) -> None:
        """Who asks meanwhile gets one that begins after they asked."""
        self.ask()
        second = self.ask("rotation")
        self.end()

        self.assertNoResult(second)
        self.assertEqual(self.reasons(), ["SIGHUP", "rotation"])

    def test_many_wishes_are_one(self) -> None:
        """However many ask meanwhile, one more is enough for all of them."""
        self.ask()
        further = [self.ask(reason) for reason in ("SIGHUP", "rotation", "SIGHUP")]
        self.end()
        self.end(REFUSED)

        self.assertEqual(self.reasons(), ["SIGHUP", "SIGHUP, rotation"])
        self.assertEqual([self.successResultOf(asked) for asked in further], [REFUSED] * 3)

    def test_next_one(self) -> None:
        """After the last one has ended, another can begin."""
        self.ask()
        self.end()
        self.ask()

        self.assertEqual(len(self.begun), 2)

    def test_our_fault(self) -> None:
        """A fault of ours is logged, and what counted goes on to count."""
        lines = LogLines(self)
        asked = self.ask()
        self.end(KeyError("us"))

        self.assertEqual(self.successResultOf(asked), NOT_DONE)
        self.assertEqual(len(lines.about("event=reload-failed")), 1)
        self.flushLoggedErrors(KeyError)

    def test_after_our_fault(self) -> None:
        """The next one is tried all the same."""
        self.ask()
        second = self.ask()
        self.end(KeyError("us"))
        self.end()

        self.assertEqual(self.successResultOf(second), DONE)
        self.flushLoggedErrors(KeyError)

    def test_nobody_waits_any_more(self) -> None:
        """Who asked may leave; the others are told."""
        leaver, other = self.ask(), self.ask()
        self.end()
        leaver.cancel()
        third = self.ask()
        third.cancel()
        self.end()
        self.end()

        self.failureResultOf(third)
        self.assertEqual(self.successResultOf(other), DONE)

    def test_stopped(self) -> None:
        """A daemon that stops begins none."""
        self.ask()
        waiting = self.ask()
        self.reloads.stopService()
        self.end()

        self.assertEqual((self.successResultOf(waiting), len(self.begun)), (NOT_DONE, 1))

    def test_not_begun(self) -> None:
        """Nor does one that has not started."""
        reloads = Reloads(self.work)

        self.assertEqual(self.successResultOf(Deferred.fromCoroutine(reloads.reload("SIGHUP"))), NOT_DONE)
