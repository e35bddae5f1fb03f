"""Where the daemon listens, and what happens when it can not."""

import os
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactor, MemoryReactorClock, RaisingMemoryReactor
from twisted.logger import LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from konnectd.listener import Listener, ListenError
from konnectd.option import ConfigErrors


class Site(Factory):
    """A factory whose connections end when the test says so."""

    def __init__(self) -> None:
        """Begin with a connection that takes its time."""
        self.ended: Deferred[None] = Deferred()
        self.seconds = 0.0

    async def drain(self, seconds: float) -> None:
        """Wait for the test."""
        self.seconds = seconds
        await self.ended


def mask() -> int:
    """Return what new files are not allowed."""
    found = os.umask(0o022)
    os.umask(found)
    return found


class FaultTests(SynchronousTestCase):
    """Addresses that can not be opened."""

    def test_all_faults_at_once(self) -> None:
        """An operator does not start ten times to find ten faults."""
        texts = ["nowhere", "127.0.0.1:8777", "a:-1", "bogus:1:2", "unix:relative", "tcp:port=x:y=1"]
        error = self.assertRaises(ConfigErrors, Listener, texts, Site(), MemoryReactor())

        faulty = [str(fault).split(": ")[1] for fault in error.faults]
        self.assertEqual(faulty, ["nowhere", "a:-1", "bogus:1:2", "unix:relative", "tcp:port=x:y=1"])
        self.assertEqual({fault.option for fault in error.faults}, {"listen"})

    def test_no_socket_of_systemd(self) -> None:
        """A unit that was started without its socket says so, not what a list of Python's lacks."""
        texts = ["systemd:domain=INET:index=7", "systemd:domain=INET:name=web"]
        error = self.assertRaises(ConfigErrors, Listener, texts, Site(), MemoryReactor())

        self.assertEqual([fault.problem.partition(": ")[2][:7] for fault in error.faults], ["systemd", "systemd"])

    def test_endpoints_that_can_not_be(self) -> None:
        """What Twisted finds out only by trying is a fault like any other."""
        texts = ["ssl:8443:privateKey=/nowhere/key.pem"]
        error = self.assertRaises(ConfigErrors, Listener, texts, Site(), MemoryReactor())

        self.assertEqual([fault.option for fault in error.faults], ["listen"])

    def test_none(self) -> None:
        """A daemon that listens nowhere is a mistake."""
        self.assertRaises(ConfigErrors, Listener, [], Site(), MemoryReactor())


class ListenTests(SynchronousTestCase):
    """Opening addresses."""

    def setUp(self) -> None:
        """Keep what is logged, and note whether the process is ended."""
        self.lines: list[tuple[object, str]] = []
        self.ended: list[int] = []

        def observe(event: dict[str, Any]) -> None:
            if event.get("log_namespace") == "konnectd.listener":
                self.lines.append((event["log_level"], event["log_format"].format_map(event)))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)

    def listener(self, reactor: object, *addresses: str) -> Listener:
        """Make a listener that does not end the test's own process."""
        return Listener(addresses, Site(), reactor, end=lambda _reactor, status: self.ended.append(status))

    def test_all_are_opened_while_privileged(self) -> None:
        """Low ports and folders of root are not open to us later; starting does not open them twice."""
        reactor = MemoryReactorClock()
        listener = self.listener(reactor, "127.0.0.1:80", "[::1]:81", "tcp:82")
        listener.privilegedStartService()
        listener.startService()

        self.assertEqual(
            [(port, at) for port, _, _, at in reactor.tcpServers], [(80, "127.0.0.1"), (81, "::1"), (82, "")]
        )
        self.assertEqual([host.port for host in listener.hosts], [80, 81, 82])
        self.assertEqual(self.lines[0][1], "listening at 127.0.0.1:80")

    def test_nobody_slips_in(self) -> None:
        """A unix socket is never open to more people than its mode says, and our files are as before afterwards."""
        masks: list[int] = []

        class Reactor(MemoryReactorClock):
            """A reactor that notes what a new file would be allowed."""

            def listenUNIX(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - the real one's
                """Note it, and listen."""
                masks.append(mask())
                return super().listenUNIX(*args, **named)

        before = mask()
        self.listener(Reactor(), "unix:/nowhere/konnectd.sock").startService()

        self.assertEqual((masks, mask()), ([0o177], before))

    def test_unprivileged_start(self) -> None:
        """Whoever knows no privileges opens them when starting."""
        reactor = MemoryReactorClock()
        self.listener(reactor, "127.0.0.1:80").startService()

        self.assertEqual(len(reactor.tcpServers), 1)

    def refusing(self, error: OSError) -> RaisingMemoryReactor:
        """Make a reactor that can not listen."""
        return RaisingMemoryReactor(listenException=CannotListenError("127.0.0.1", 80, error))

    def test_taken_port(self) -> None:
        """One line says so, and the exception ends a process with status 1 and no word more."""
        listener = self.listener(self.refusing(OSError(98, "Address already in use")), "127.0.0.1:80")
        error = self.assertRaises(ListenError, listener.privilegedStartService)

        self.assertEqual(self.lines, [(LogLevel.critical, "can not listen at 127.0.0.1:80: Address already in use")])
        self.assertEqual((error.code, listener.failed, self.ended), (1, True, []))
        self.assertIsInstance(error, SystemExit)
        self.assertIsInstance(error, Exception)

    def test_every_address_is_told(self) -> None:
        """Two that are taken are two lines, not two starts."""
        listener = self.listener(self.refusing(PermissionError(13, "Permission denied")), "a:80", "b:81")
        self.assertRaises(ListenError, listener.startService)

        self.assertEqual(
            [line for _, line in self.lines], [f"can not listen at {a}: Permission denied" for a in ("a:80", "b:81")]
        )

    def test_running_reactor(self) -> None:
        """A process that runs already is ended in order: nobody would see an exception."""
        reactor = self.refusing(OSError(98, "Address already in use"))
        reactor.running = True
        listener = self.listener(reactor, "127.0.0.1:80")
        listener.startService()

        self.assertEqual((self.ended, listener.failed), ([1], True))

    def test_stop_waits_for_the_connections(self) -> None:
        """Addresses are closed first, then requests may end."""
        reactor = MemoryReactorClock()
        site = Site()
        listener = Listener(["127.0.0.1:80"], site, reactor, drain_seconds=7)
        listener.startService()
        stopped = listener.stopService()
        before = listener.hosts, stopped.called, site.seconds
        site.ended.callback(None)

        self.assertEqual(before, ((), False, 7))
        self.assertIsNone(self.successResultOf(stopped))

    def test_stop_before_start(self) -> None:
        """There is nothing to close."""
        site = Site()
        site.ended.callback(None)

        self.assertIsNone(self.successResultOf(Listener(["127.0.0.1:80"], site, MemoryReactor()).stopService()))
