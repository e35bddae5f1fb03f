"""Tests of what runs the daemon; with a real reactor it is tested in `tests.real.test_start`."""

import gc
import signal
from collections.abc import Callable
from io import StringIO
from typing import Any

from twisted.application.service import MultiService, Service
from twisted.logger import Logger, LogPublisher, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from konnectd import runner
from konnectd.config.settings import Settings, load
from konnectd.option import ConfigError, ConfigErrors
from konnectd.reloading import Outcome, Reloads
from tests.support.loglines import LogLines


class FakeReactor:
    """A reactor that says what it was asked for."""

    def __init__(self) -> None:
        """Nothing has been asked for."""
        self.asked: list[str] = []
        self.triggers: dict[tuple[str, str], Callable[[], object]] = {}

    def addSystemEventTrigger(self, phase: str, event: str, call: Callable[[], object]) -> None:
        """Remember what is to be called."""
        self.triggers[phase, event] = call

    def callFromThread(self, call: Callable[..., object], *words: object) -> None:
        """Call at once."""
        call(*words)

    def run(self) -> None:
        """Run until the next line."""
        self.asked.append("run")

    def stop(self) -> None:
        """Stop in order."""
        self.asked.append("stop")

    def crash(self) -> None:
        """Stop at once."""
        self.asked.append("crash")


class Recorder(Service):  # type: ignore[misc] # without types
    """A service that says when it was started."""

    def __init__(self, asked: list[str]) -> None:
        """Keep where to say it."""
        self._asked = asked

    def privilegedStartService(self) -> None:
        """Say so."""
        self._asked.append("privileged")

    def startService(self) -> None:
        """Say so."""
        self._asked.append("start")


def settings_of(*argv: str) -> Settings:
    """Read settings."""
    return load(["--iss=https://id.example.com", "ldap", *argv], {}, "tests.config.backends")


def begin_nothing(observers: list[Any], *, redirectStandardIO: bool) -> None:  # noqa: N803 - Twisted's name
    """Leave trial's log alone."""


class RunTests(SynchronousTestCase):
    """The order of things."""

    def setUp(self) -> None:
        """Make a reactor."""
        self.reactor = FakeReactor()

    def test_order(self) -> None:
        """Sockets are opened before anything else starts, and the reactor comes last."""

        def make(settings: Settings, reactor: object) -> MultiService:
            service: Any = MultiService()
            service.addService(Recorder(self.reactor.asked))
            return service  # type: ignore[no-any-return] # without types

        status = runner.run(settings_of(), self.reactor, make, begin_nothing)

        self.assertEqual((status, self.reactor.asked), (0, ["privileged", "start", "run"]))
        self.assertEqual(set(self.reactor.triggers), {("before", "shutdown"), ("after", "startup")})

    def test_faults(self) -> None:
        """With a fault in the files nothing runs, and the status is 1."""

        def make(settings: Settings, reactor: object) -> MultiService:
            raise ConfigErrors([])

        self.assertEqual(runner.run(settings_of(), self.reactor, make, begin_nothing), 1)
        self.assertEqual(self.reactor.asked, [])

    def test_warnings(self) -> None:
        """What is doubtful in the settings is logged."""
        with capturedLogs() as events:
            runner.advise(settings_of("--insecure"))

        self.assertIn("not checked", events[0]["advice"])

    def test_observer(self) -> None:
        """The log is written as the settings want it."""
        stream = StringIO()
        log: Any = Logger(
            namespace="konnectd",
            observer=LogPublisher(runner.observer(settings_of("--log-timestamp=no", "--log-level=warn"), stream)),  # type: ignore[arg-type]
        )
        log.info("no")
        log.warn("yes")

        self.assertEqual(stream.getvalue(), 'level=warn msg="yes"\n')

    def test_report(self) -> None:
        """Every fault is one line, whatever stands in it."""
        stream = StringIO()
        runner.report(ConfigErrors([ConfigError("a", "b\nc", "x.yaml:1"), ConfigError("d", "e")]), stream)

        self.assertEqual(stream.getvalue(), "konnectd: x.yaml:1: a: b\\nc\nkonnectd: d: e\n")


class CollectionTests(SynchronousTestCase):
    """Garbage at start."""

    def test_as_before(self) -> None:
        """Whatever happens while starting, it is looked for as often as before afterwards."""
        before = gc.get_threshold()
        with self.assertRaises(KeyError), runner.collected_rarely():
            meanwhile = gc.get_threshold()
            raise KeyError

        self.assertGreater(meanwhile[0], before[0])
        self.assertEqual(gc.get_threshold(), before)

    def test_settled(self) -> None:
        """What is there when a daemon begins to serve is not looked through while it does."""
        self.addCleanup(gc.unfreeze)
        self.addCleanup(gc.set_threshold, *gc.get_threshold())
        runner.settle()

        self.assertGreater(gc.get_freeze_count(), 0)

    def test_garbage_of_requests(self) -> None:
        """What requests leave behind is still looked for."""
        self.addCleanup(gc.unfreeze)
        self.addCleanup(gc.set_threshold, *gc.get_threshold())
        runner.settle()

        self.assertTrue(all(0 < count <= 10_000 for count in gc.get_threshold()))


class SignalTests(SynchronousTestCase):
    """The first signal ends in order, the second at once."""

    def test_stop(self) -> None:
        """Each is told."""
        reactor = FakeReactor()
        signals = runner.Signals(reactor)
        with capturedLogs() as events:
            signals.stop(signal.SIGTERM)
            signals.stop(signal.SIGINT)

        self.assertEqual(reactor.asked, ["stop", "crash"])
        self.assertEqual([event["signal"] for event in events], ["SIGTERM", "SIGINT"])


class HangupTests(SynchronousTestCase):
    """What SIGHUP does."""

    def hang_up(self, service: object) -> None:
        """Send the signal to this very process."""
        before = signal.getsignal(signal.SIGHUP)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        runner.reload_on_hangup(FakeReactor(), service)
        signal.raise_signal(signal.SIGHUP)

    def test_reload(self) -> None:
        """It lets files be read anew."""
        asked: list[str] = []

        async def work(reason: str) -> Outcome:
            asked.append(reason)
            return Outcome(done=True)

        service: Any = MultiService()
        service.reloads = Reloads(work)
        service.reloads.startService()
        self.hang_up(service)

        self.assertEqual(asked, ["SIGHUP"])

    def test_nothing_to_read(self) -> None:
        """A daemon that is made of no files survives it."""
        lines = LogLines(self)
        self.hang_up(MultiService())

        self.assertEqual(len(lines.about("event=signal-hangup")), 1)
