"""How the daemon is put together: from settings to services, what stops the start, and how it starts and ends."""

from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.settings import Settings, load
from konnectd.interfaces import BackendUnavailableError
from konnectd.option import ConfigError, ConfigErrors
from konnectd.service import BackendWatch, build_backend, build_store, make_service, read_world, serve
from konnectd.stores.redis import RedisStore
from konnectd.web.route import Route
from tests.support.assembly import Daemon
from tests.support.connection import Connection, echo, request, route
from tests.support.endpoints import Waits
from tests.support.fakes import People, SilentStore
from tests.support.files import folder, write
from tests.support.keys import quick_hash
from tests.support.loglines import LogLines

ISS = "--iss=https://sso.example.com"
HASH = quick_hash("wonderland")
USERS = f"users:\n  - username: alice\n    password: '{HASH}'\n"
CLIENTS = "clients:\n  - id: notes\n    redirect_uris: [https://notes.example.org/cb]\n"


class Watched(People):
    """A backend whose check does what a test wants, and that tells when it was closed."""

    def __init__(self, outcome: Exception | None = None) -> None:
        """Check well, or fail."""
        super().__init__()
        self.outcome = outcome
        self.gate: Deferred[None] | None = None
        self.checks = 0
        self.closed = False

    async def check(self) -> None:
        """Fail if that is what is wanted, at once or when the gate opens."""
        self.checks += 1
        if self.gate is not None:
            await self.gate
        if self.outcome is not None:
            raise self.outcome

    async def close(self) -> None:
        """Note it; a check that is under way fails then."""
        self.closed = True
        if self.gate is not None and not self.gate.called:
            self.gate.errback(BackendUnavailableError("closed"))


class WatchedStore(SilentStore):
    """A store that is empty, or fails as a test wants, and tells when it was closed."""

    def __init__(self) -> None:
        """Be empty."""
        self.outcome: Exception | None = None
        self.closed = False

    async def get(self, key: str) -> str | None:
        """Fail if that is what is wanted."""
        if self.outcome is not None:
            raise self.outcome
        return None

    async def close(self) -> None:
        """Note it."""
        self.closed = True


class ReadTests(SynchronousTestCase):
    """From settings to what the daemon is built of."""

    def settings(self, *words: str) -> Settings:
        """Return settings with the files that are needed."""
        users, clients = write(self, "users.yaml", USERS), write(self, "clients.yaml", CLIENTS)
        return load((ISS, f"--identifier-registration-conf={clients}", f"--file-users={users}", *words, "file"), {})

    def test_whole_daemon(self) -> None:
        """Settings and files make a daemon that listens where it should."""
        reactor = MemoryReactorClock()
        service = make_service(self.settings("--listen=127.0.0.1:8777"), reactor)
        service.privilegedStartService()
        service.startService()
        ((port, site, _, interface),) = reactor.tcpServers
        peer = Connection(site)
        answer = peer.ask(request("GET", "/health-check"))
        peer.hang_up()
        self.successResultOf(service.stopService())

        self.assertEqual((port, interface, answer.status), (8777, "127.0.0.1", 200))

    def test_all_faults_at_once(self) -> None:
        """Files of every kind and the backend's settings are all read before anything is said, each with its place."""
        clients = write(self, "clients.yaml", "clients:\n  - id: a\n  - id: a\n    redirect_uris: [nowhere]\n")
        secret = write(self, "secret", b"short")
        nothing = folder(self) / "absent"
        words = (
            ISS,
            f"--identifier-registration-conf={clients}",
            f"--encryption-secret={secret}",
            f"--identifier-scopes-conf={nothing}",
            f"--signing-private-key={nothing}",
            f"--file-users={nothing}",
            "file",
        )
        error = self.assertRaises(ConfigErrors, read_world, load(words, {}), MemoryReactorClock())

        expected = {
            "client a",
            "encryption_secret",
            "identifier_scopes_conf",
            "signing_private_key",
            "file_users",
        }
        self.assertEqual({fault.option for fault in error.faults}, expected)
        self.assertEqual(sum(fault.option == "client a" for fault in error.faults), 3)
        self.assertEqual([str(fault) for fault in error.faults if not fault.source], [])

    def test_backend_without_its_settings(self) -> None:
        """What a backend misses is a fault like any other."""
        error = self.assertRaises(ConfigErrors, build_backend, load((ISS, "file"), {}), MemoryReactorClock())

        self.assertEqual([fault.option for fault in error.faults], ["file_users"])

    def test_store_without_its_settings(self) -> None:
        """What a store misses is told together with the rest."""
        settings = load((ISS, "--store=sqlite", "file"), {})
        error = self.assertRaises(ConfigErrors, read_world, settings, MemoryReactorClock())

        self.assertEqual([fault.option for fault in error.faults], ["file_users", "sqlite_path"])

    def test_store_by_its_name(self) -> None:
        """The store is the one that was chosen."""
        words = ("--store=redis", "--redis-url=unix:///run/redis.sock")

        store = build_store(self.settings(*words), MemoryReactorClock())
        self.assertIsInstance(store, RedisStore)

    def test_wrong_address(self) -> None:
        """So is an address that nobody can listen at."""
        settings = self.settings("--listen=systemd:index=x")
        error = self.assertRaises(ConfigErrors, make_service, settings, MemoryReactorClock())

        self.assertEqual([fault.option for fault in error.faults], ["listen"])

    def test_advice(self) -> None:
        """A daemon without keys and secret of its own says so, since nobody stays signed in over a restart."""
        log = LogLines(self)
        read_world(self.settings(), MemoryReactorClock())

        self.assertGreaterEqual(len(log.lines("warn")), 2)


class WatchTests(SynchronousTestCase):
    """The backend is tried at start, and let go at the end."""

    def setUp(self) -> None:
        """Keep the log, and note whether the process is ended."""
        self.log = LogLines(self)
        self.ended: list[int] = []
        self.store = WatchedStore()

    def watch(self, backend: Watched) -> BackendWatch:
        """Start to watch a backend."""
        watch = BackendWatch(
            Daemon().settings,
            backend,
            MemoryReactorClock(),
            end=lambda _reactor, status: self.ended.append(status),
            store=self.store,
        )
        watch.startService()
        return watch

    def test_good(self) -> None:
        """Nothing is said about a backend that works."""
        backend = Watched()
        watch = self.watch(backend)
        self.assertEqual((backend.checks, self.log.lines("warn"), self.ended), (1, [], []))
        self.successResultOf(watch.stopService())

        self.assertTrue(backend.closed)

    def test_wrong_settings(self) -> None:
        """Each fault is one line, and the process ends with status 1."""
        faults = [ConfigError("ldap-base", "there is no such entry"), ConfigError("ldap-filter", "is no filter")]
        self.watch(Watched(ConfigErrors(faults)))

        self.assertEqual((len(self.log.lines("fatal")), self.ended), (2, [1]))
        self.assertEqual(len(self.log.about("there is no such entry", "fatal")), 1)

    def test_silent(self) -> None:
        """The operator is told, and the process goes on: the backend may come up after us."""
        self.watch(Watched(BackendUnavailableError("ldap.example refused")))

        self.assertEqual((len(self.log.about("ldap.example refused", "error")), self.ended), (1, []))

    def test_silent_store(self) -> None:
        """The operator is told of a store that does not answer, and the process goes on."""
        self.store.outcome = BackendUnavailableError("redis.example refused")
        self.watch(Watched())

        self.assertEqual((len(self.log.about("redis.example refused", "error")), self.ended), (1, []))

    def test_our_fault_in_a_store(self) -> None:
        """A mistake in a store is logged with its traceback, and the process goes on."""
        self.store.outcome = ValueError("mistake")
        self.watch(Watched())

        self.assertEqual((len(self.flushLoggedErrors(ValueError)), self.ended), (1, []))

    def test_store_is_closed(self) -> None:
        """The store is let go at the end, when nobody needs it any more."""
        watch = self.watch(Watched())
        before = self.store.closed
        self.successResultOf(watch.stopService())

        self.assertEqual((before, self.store.closed), (False, True))

    def test_our_fault(self) -> None:
        """A mistake in a backend is logged with its traceback, and keys and metadata are served all the same."""
        self.watch(Watched(ValueError("mistake")))

        self.assertEqual((len(self.flushLoggedErrors(ValueError)), self.ended), (1, []))

    def test_stopped_while_it_is_tried(self) -> None:
        """That is no reason to tell the operator that nobody can sign in."""
        backend = Watched()
        backend.gate = Deferred()
        watch = self.watch(backend)
        self.successResultOf(watch.stopService())

        self.assertEqual((backend.closed, self.log.lines("warn")), (True, []))


class EndTests(SynchronousTestCase):
    """The daemon ends in order."""

    def serve(self, backend: Watched, *more: Route) -> tuple[MultiService, Any]:
        """Start a daemon and return it with what makes its connections."""
        daemon, reactor = Daemon(backend=backend), MemoryReactorClock()
        service = serve(daemon.settings, daemon.world, reactor, *more)
        service.privilegedStartService()
        service.startService()
        return service, reactor.tcpServers[0][1]

    def test_backend_stays_until_the_last_answer(self) -> None:
        """Whoever is being answered still gets an answer."""
        backend, waits = Watched(), Waits()
        service, site = self.serve(backend, route("/waits", waits))
        peer = Connection(site)
        peer.send(request("GET", "/waits"))
        ended: Deferred[None] = service.stopService()
        before = backend.closed
        waits.arrive("one ")
        waits.arrive("two")
        answered = peer.hear()

        self.assertFalse(before)
        self.assertTrue(answered.endswith(b"one two"))
        self.successResultOf(ended)
        self.assertTrue(backend.closed)

    def test_nothing_to_answer(self) -> None:
        """Without open requests it ends at once."""
        backend = Watched()
        service, _ = self.serve(backend)

        self.successResultOf(service.stopService())
        self.assertTrue(backend.closed)

    def test_further_routes(self) -> None:
        """Somebody may add routes, but not take one over."""
        _, site = self.serve(Watched(), route("/more", echo))

        self.assertEqual(Connection(site).ask(request("GET", "/more")).status, 200)
        with self.assertRaises(ValueError):
            self.serve(Watched(), route("/health-check", echo))
