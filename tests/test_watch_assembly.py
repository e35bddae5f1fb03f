"""How what watches the daemon is put together: what is wanted is there, and nothing else costs anything."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.settings import Settings, load
from konnectd.listener import ListenError
from konnectd.option import ConfigErrors
from konnectd.service import build_watch, make_service, probes, read_world
from konnectd.watch_assembly import WatchedDaemon
from konnectd.watching.measured import MeasuredBackend, MeasuredStore, bare
from tests.support.assembly import Daemon
from tests.support.connection import Connection, request
from tests.support.fakes import SilentStore
from tests.support.files import folder, write
from tests.support.keys import quick_hash
from tests.support.loglines import LogLines
from tests.watching.test_audit_events import faults

USERS = f"users:\n  - username: alice\n    password: '{quick_hash('wonderland')}'\n"
SECRET = bytes(range(32))


class Busy(MemoryReactorClock):
    """A reactor on which one address is taken, and whose threads are done at once."""

    taken = 0

    def listenTCP(self, port: int, *words: Any, **more: Any) -> Any:  # noqa: ANN401 - carries no types
        """Listen, or fail."""
        if port == self.taken:
            raise OSError(98, "Address already in use")
        return super().listenTCP(port, *words, **more)

    def callFromThread(self, call: Callable[..., object], *words: object) -> None:
        """Call at once."""
        call(*words)

    def getThreadPool(self) -> "Busy":  # noqa: N802 - Twisted calls it
        """Be one."""
        return self

    def callInThreadWithCallback(self, told: Callable[..., object], work: Callable[[], object]) -> None:  # noqa: N802 - the same
        """Do something now."""
        told(True, work())


class WatchCase(SynchronousTestCase):
    """A daemon with files of its own."""

    def setUp(self) -> None:
        """Write the files."""
        self.folder = folder(self)
        self.users, self.secret = write(self, "users.yaml", USERS), write(self, "secret", SECRET)
        self.reactor = Busy()

    def settings(self, *words: str) -> Settings:
        """Return settings."""
        more = (f"--file-users={self.users}", f"--encryption-secret={self.secret}", *words, "file")
        return load(("--iss=https://sso.example.com", *more), {})

    def start(self, *words: str) -> Any:  # noqa: ANN401 - carries no types
        """Start a daemon."""
        service = make_service(self.settings(*words), self.reactor)
        service.privilegedStartService()
        service.startService()
        return service

    def ask(self, port: int, path: str, host: str = "Host: localhost") -> Any:  # noqa: ANN401 - carries no types
        """Ask the one who listens at a port."""
        (site,) = (site for listening, site, _, _ in self.reactor.tcpServers if listening == port)
        return Connection(site).ask(request("GET", path, host=host))


class WatchTests(WatchCase):
    """What is there."""

    def test_nothing(self) -> None:
        """Who wants nothing gets a daemon with the addresses of health, and nothing around it."""
        settings = self.settings()
        service = self.start()

        self.assertNotIsInstance(service, WatchedDaemon)
        self.assertIsNone(build_watch(settings, read_world(settings, self.reactor)[0], self.reactor))
        self.assertEqual([port for port, *_ in self.reactor.tcpServers], [8777])
        self.assertEqual(self.ask(8777, "/healthz/ready").body, b'{"status":"ready"}\n')

    def test_metrics(self) -> None:
        """Metrics and health are served at an address of their own; the daemon's own has no metrics."""
        self.start("--with-metrics")
        self.ask(8777, "/health-check")
        page = self.ask(6777, "/metrics").body.decode()

        self.assertIn('konnectd_http_requests_total{route="health-check",status="2xx"} 1.0', page)
        self.assertIn(
            'konnectd_backend_call_duration_seconds_count{backend="file",call="check",outcome="ok"} 1.0', page
        )
        self.assertEqual((self.ask(6777, "/healthz/ready").status, self.ask(8777, "/metrics").status), (200, 404))

    def test_metrics_cost_nobody_else(self) -> None:
        """Backend and store are timed where metrics are wanted, and the store in memory never."""
        settings = self.settings("--with-metrics")
        contents, backend, store = read_world(settings, self.reactor)
        watch = build_watch(settings, contents, self.reactor)
        timed, kept = watch.measured(backend, store) if watch else (backend, store)
        words = f"--audit-log={self.folder / 'a'}", "--store=sqlite", f"--sqlite-path={self.folder / 'b'}"
        plain = self.settings(*words)
        watch = build_watch(plain, contents, self.reactor)

        self.assertIsInstance(timed, MeasuredBackend)
        self.assertIs(bare(timed), backend)
        self.assertIs(kept, store)
        self.assertEqual(watch and watch.measured(backend, store), (backend, store))

    def test_other_stores_are_timed(self) -> None:
        """A store that has to be asked is timed."""
        words = "--with-metrics", "--store=redis", "--redis-url=unix:///run/redis.sock"
        settings = self.settings(*words)
        contents, backend, store = read_world(settings, self.reactor)
        watch = build_watch(settings, contents, self.reactor)

        self.assertIsInstance(watch and watch.measured(backend, store)[1], MeasuredStore)

    def test_profiles(self) -> None:
        """Profiles are served at an address of their own."""
        self.start("--with-pprof")

        self.assertEqual(self.ask(6060, "/debug/pprof/").status, 200)
        self.assertEqual(self.ask(6060, "/debug/pprof/", "Host: evil.example").status, 403)

    def test_taken_address(self) -> None:
        """Metrics that can not be served stop the start, and the log says why."""
        for words, port in ((("--with-metrics",), 6777), (("--with-pprof",), 6060)):
            log, self.reactor = LogLines(self), Busy()
            self.reactor.taken = port
            self.assertRaises(ListenError, self.start, *words)

            self.assertEqual(len(log.about(f"can not listen at 127.0.0.1:{port}: Address already in use", "fatal")), 1)

    def test_wrong_address(self) -> None:
        """An address that is none is told with the option that it stands in."""
        error = self.assertRaises(ConfigErrors, self.start, "--with-metrics", "--metrics-listen=systemd:index=x")

        self.assertEqual([fault.option for fault in error.faults], ["metrics_listen"])

    def test_end(self) -> None:
        """Whoever looks can do so until the daemon has ended, and hears that it ends."""
        service = self.start("--with-metrics", "--with-pprof")
        (site,) = (site for port, site, _, _ in self.reactor.tcpServers if port == 6777)
        peer = Connection(site)
        before = len(self.reactor.tcpServers)
        ended = service.stopService()
        # What was accepted and has not said anything yet is waited for, but not for long.
        self.reactor.pump((1, 1))
        peer.hear()
        self.successResultOf(ended)

        self.assertEqual((before, peer.closed), (3, True))
        self.assertEqual([call.func for call in self.reactor.getDelayedCalls()], [])

    def test_probes(self) -> None:
        """A backend that asks nobody always answers; a store is asked for something that is not there."""
        daemon = Daemon(store=SilentStore())

        self.assertEqual(set(probes(daemon.world)), {"store"})


class AuditTests(WatchCase):
    """The audit log of a daemon's life."""

    def setUp(self) -> None:
        """Name the file."""
        super().setUp()
        self.path = self.folder / "audit.log"

    def live(self, *words: str) -> list[dict[str, Any]]:
        """Start and stop a daemon, and return the entries."""
        service = self.start(f"--audit-log={self.path}", *words)
        self.successResultOf(service.stopService())
        return entries_in(self.path)

    def test_life(self) -> None:
        """It begins with what counts, and ends with the end."""
        found = self.live()

        self.assertEqual([entry["event"] for entry in found], ["start", "keys", "configuration", "stop"])
        self.assertEqual((found[0]["backend"], found[0]["store"], found[2]["clients"]), ("file", "memory", 0))
        self.assertEqual(set(found[2]["files"]), {"file_users", "encryption_secret"})

    def test_same_configuration(self) -> None:
        """The same configuration has the same digests, another one has others, and neither shows anything."""
        one, same, other = (self.live(*words)[-2] for words in ((), (), ("--access-token-expiration=60",)))

        self.assertEqual((one["files"], one["options"]), (same["files"], same["options"]))
        self.assertNotEqual(one["options"], other["options"])
        self.assertNotIn(SECRET.hex(), json.dumps([one, same, other]))

    def test_place_that_can_not_be_opened(self) -> None:
        """That stops the start."""
        error = self.assertRaises(ConfigErrors, self.start, f"--audit-log={self.folder / 'no' / 'audit.log'}")

        self.assertEqual([(fault.option, fault.source) for fault in error.faults], [("audit_log", "command line")])

    def test_reopening(self) -> None:
        """A signal lets it be opened anew, which is logged."""
        log = LogLines(self)
        service = self.start(f"--audit-log={self.path}")
        service.reopen_logs("SIGUSR1")
        self.successResultOf(service.stopService())

        self.assertEqual(len(log.about("opened again, because of SIGUSR1")), 1)

    def test_last_words(self) -> None:
        """What is closed twice, because the reactor was stopped by force, is written once."""
        service = self.start(f"--audit-log={self.path}")
        self.successResultOf(service.stopService())
        service.close_logs()

        self.assertEqual([entry["event"] for entry in entries_in(self.path)].count("stop"), 1)


def entries_in(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a file, all of which have to be as the schema has them.

    Raises:
        AssertionError: one is not.
    """
    lines = path.read_text().splitlines()
    wrong = [(line, fault) for line in lines for fault in faults(line)]
    if wrong:
        raise AssertionError(wrong)
    return [json.loads(line) for line in lines]
