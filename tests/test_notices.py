"""When which word is sent to the service manager."""

import errno
from collections.abc import Callable

from attrs import field, frozen
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.notices import Notices
from konnectd.supervisor import Supervisor
from tests.support.loglines import LogLines

READY = ("READY=1", "STATUS=Serving")
STOPPING = ("STOPPING=1", "STATUS=Answering what was asked")
ALIVE = ("WATCHDOG=1",)


@frozen(kw_only=True)
class Listening(Supervisor):
    """Keeps what it is told, unless it is deaf."""

    told: list[tuple[str, ...]] = field(factory=list)
    deaf: list[bool] = field(factory=lambda: [False])

    def tell(self, *lines: str) -> None:
        """Keep it, or fail."""
        if self.deaf[0]:
            raise OSError(errno.ECONNREFUSED, "Connection refused")
        self.told.append(lines)


class NoticeTests(SynchronousTestCase):
    """The service."""

    def begin(
        self, supervisor: Supervisor, *, open_at_once: bool = True, monotonic: Callable[[], float] = lambda: 0.0
    ) -> Notices:
        """Start it on a clock of our own."""
        self.reactor = MemoryReactorClock()
        notices = Notices(supervisor, self.reactor, "Serving", monotonic)
        if open_at_once:
            notices.ready()
        notices.startService()
        self.reactor.run()
        return notices

    def test_ready(self) -> None:
        """It is ready when addresses are open and the reactor runs, even though it was told before it was started."""
        supervisor = Listening(address="/n")
        self.begin(supervisor)

        self.assertEqual(supervisor.told, [READY])

    def test_not_ready(self) -> None:
        """While an address is not open it is not ready, and gives no sign of life."""
        supervisor = Listening(address="/n", patience=10)
        self.begin(supervisor, open_at_once=False)
        self.reactor.advance(60)

        self.assertEqual(supervisor.told, [])

    def test_reload(self) -> None:
        """A reload begins and ends, with the moment it began at by the clock of the whole machine."""
        supervisor = Listening(address="/n")
        notices = self.begin(supervisor, monotonic=lambda: 12.5)
        notices.reloading()
        notices.reloaded()

        self.assertEqual(supervisor.told[1:], [("RELOADING=1", "MONOTONIC_USEC=12500000"), READY])

    def test_reload_that_was_refused(self) -> None:
        """That it was refused is for people to read; serving goes on."""
        supervisor = Listening(address="/n")
        notices = self.begin(supervisor)
        notices.reloading()
        notices.reloaded(faults=2)

        text = "STATUS=Serving; the last reload was refused because of 2 faults, which the log names"
        self.assertEqual(supervisor.told[-1], ("READY=1", text))

    def test_reload_before_it_is_ready(self) -> None:
        """Who does not serve yet does not say that it does, because of a reload."""
        supervisor = Listening(address="/n")
        notices = self.begin(supervisor, open_at_once=False)
        notices.reloading()
        notices.reloaded()

        self.assertEqual(supervisor.told, [])

    def test_reload_that_ends_too_late(self) -> None:
        """Nor does who has begun to stop."""
        supervisor = Listening(address="/n")
        notices = self.begin(supervisor)
        notices.reloading()
        notices.stopService()
        notices.reloaded()

        self.assertEqual(supervisor.told[-1], STOPPING)

    def test_signs_of_life(self) -> None:
        """They come twice as often as they are asked for."""
        supervisor = Listening(address="/n", patience=10)
        self.begin(supervisor)
        self.reactor.pump([1] * 16)

        self.assertEqual(supervisor.told, [READY, *[ALIVE] * 4])

    def test_nobody_asks_for_signs(self) -> None:
        """Without a watchdog nothing ticks."""
        self.begin(Listening(address="/n"))

        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stopping(self) -> None:
        """It says so first, and then nothing any more."""
        supervisor = Listening(address="/n", patience=10)
        notices = self.begin(supervisor)
        notices.stopService()
        self.reactor.advance(60)

        self.assertEqual(supervisor.told, [READY, ALIVE, STOPPING])

    def test_stopped_before_it_ran(self) -> None:
        """What ends before it could serve was never ready."""
        supervisor = Listening(address="/n")
        self.reactor = MemoryReactorClock()
        notices = Notices(supervisor, self.reactor, "Serving")
        notices.startService()
        notices.stopService()
        notices.ready()
        self.reactor.run()

        self.assertEqual(supervisor.told, [STOPPING])

    def test_nobody_listens(self) -> None:
        """Without an address nothing is sent."""
        supervisor = Listening(patience=10)
        notices = self.begin(supervisor)
        self.reactor.advance(60)
        notices.stopService()

        self.assertEqual(supervisor.told, [])

    def test_deaf(self) -> None:
        """That nobody hears is told once, and again when somebody has heard meanwhile."""
        supervisor, log = Listening(address="/n", patience=10), LogLines(self)
        supervisor.deaf[0] = True
        self.begin(supervisor)
        self.reactor.pump([1] * 10)
        once = len(log.about("does not hear: Connection refused"))
        supervisor.deaf[0] = False
        self.reactor.pump([1] * 5)
        supervisor.deaf[0] = True
        self.reactor.pump([1] * 10)

        self.assertEqual((once, len(log.about("does not hear"))), (1, 2))
