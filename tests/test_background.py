"""Work that nobody waits for: when it begins, and that it ends with the daemon."""

from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.background import MOST_PLANNED, Background
from tests.support.loglines import LogLines


class BackgroundTests(SynchronousTestCase):
    """The service."""

    def setUp(self) -> None:
        """Run one on a clock of our own."""
        self.clock = Clock()
        self.background = Background(self.clock)
        self.background.startService()
        self.done: list[str] = []

    def work(self, name: str = "work") -> Callable[[], Awaitable[None]]:
        """Return something to do."""

        async def work() -> None:
            self.done.append(name)

        return work

    def test_after(self) -> None:
        """It begins when its time has come, and not before."""
        self.background.after(5, self.work())
        self.clock.advance(4)
        early = list(self.done)
        self.clock.advance(1)

        self.assertEqual((early, self.done), ([], ["work"]))

    def test_not_at_once(self) -> None:
        """Even without any pause, whoever plans something goes on first."""
        self.background.after(0, self.work())

        self.assertEqual(self.done, [])

    def test_stop(self) -> None:
        """What is planned is dropped, and nothing more is taken."""
        self.background.after(5, self.work())
        self.background.stopService()
        self.background.after(1, self.work())
        self.clock.advance(10)

        self.assertEqual((self.done, self.clock.getDelayedCalls()), ([], []))

    def test_under_way(self) -> None:
        """What is under way is broken off when the daemon stops."""
        broken: list[bool] = []
        waiting: Deferred[None] = Deferred(lambda _: broken.append(True))

        async def work() -> None:
            await waiting

        self.background.after(0, work)
        self.clock.advance(0)
        self.background.stopService()

        self.assertEqual(broken, [True])

    def test_failure(self) -> None:
        """What goes wrong is logged, and the next one is done."""

        async def work() -> None:
            raise ValueError("broken")

        self.background.after(0, work)
        self.background.after(0, self.work())
        self.clock.advance(0)

        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(self.done, ["work"])

    def test_too_much(self) -> None:
        """Whoever plans without end is told so in the log, and fills no memory."""
        lines = LogLines(self)
        for _ in range(MOST_PLANNED + 1):
            self.background.after(5, self.work())
        self.clock.advance(5)

        self.assertEqual((len(self.done), len(lines.about("too much to do", "error"))), (MOST_PLANNED, 1))

    def test_complain(self) -> None:
        """The operator reads which client could not be told, and why."""
        lines = LogLines(self)
        self.background.complain("mail", "it answered 500")

        self.assertEqual(len(lines.about("client mail was not told of a sign-out: it answered 500", "warn")), 1)
