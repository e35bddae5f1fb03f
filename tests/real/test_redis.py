"""The store in a real Redis: the contract, from several connections at a time; ways to it; and its coming and going."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.settings import load
from konnectd.interfaces import BackendUnavailableError, Store
from konnectd.stores import redis
from konnectd.stores._redis_link import SHORTEST_REST
from konnectd.stores.redis import RedisStore
from tests.contracts.stores import Answer, StoreContract
from tests.real import redis_server
from tests.real.pump import Pump
from tests.real.redis_server import PASSWORD, RedisServer
from tests.support.fakes import FixedClock
from tests.support.loglines import LogLines


class RedisCase(SynchronousTestCase):
    """A server, and stores in it."""

    skip = redis_server.SKIP
    #: Further words of the server's command line.
    settings: tuple[str, ...] = ()

    def setUp(self) -> None:
        """Start the server."""
        self.server = RedisServer(*self.settings)
        self.addCleanup(self.server.remove)
        self.pump = Pump()
        self.addCleanup(self.pump.close)
        self.stores: list[RedisStore] = []
        self.addCleanup(self.close_all)
        super().setUp()

    def close_all(self) -> None:
        """End all connections."""
        for store in self.stores:
            self.pump.answer(store.close())

    def open(self, url: str = "", *words: str) -> RedisStore:
        """Return a store as it is made of a command line."""
        argv = (
            "--iss=https://id.example.com",
            "--store=redis",
            f"--redis-url={url or self.server.url}",
            *words,
            "file",
        )
        settings = load(argv, {})
        store = redis.build(settings.store_options, self.pump.reactor, FixedClock(), insecure=settings.insecure)
        self.stores.append(store)
        return store

    def refused(self, store: RedisStore) -> str:
        """Return why nothing can be known."""
        error = self.assertRaises(BackendUnavailableError, self.pump.answer, store.get("a"))
        return str(error)


class ContractTests(StoreContract, RedisCase):
    """It does what every store does, for several daemons at a time."""

    def make_store(self, clock: FixedClock) -> Store:
        """Return a store in an empty server."""
        return self.open()

    def sharers(self) -> Sequence[Store]:
        """Return several with connections of their own."""
        while len(self.stores) < 4:
            self.open()
        return self.stores

    def answer(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        """Wait for the server."""
        return self.pump.answer(coroutine)

    def together(self, coroutines: Sequence[Coroutine[Any, Any, Answer]]) -> list[Answer]:
        """Wait for many answers at once."""
        return self.pump.together(coroutines)

    def pass_time(self, seconds: int) -> None:
        """Let time pass for the server."""
        self.server.pass_time(seconds)

    def test_time_goes_by(self) -> None:
        """Redis ends lives by itself."""
        self.answer(self.store.put("a", "1", 1))
        before = self.answer(self.store.get("a"))
        self.pump.spend(1.1)

        self.assertEqual((before, self.answer(self.store.get("a"))), ("1", None))


class WayTests(RedisCase):
    """Ways to it."""

    def tls(self, ca_file: Path | None, *words: str, host: str = "localhost") -> RedisStore:
        """Return a store that is reached by TLS."""
        trusted = (f"--redis-tls-cacert={ca_file}",) if ca_file else ()
        url = self.server.tls_url.replace("localhost", host)
        return self.open(url, f"--redis-tls-cert={self.server.own_file}", *trusted, *words)

    def test_unix(self) -> None:
        """A socket in the file system leads to the same server, and a number to another database of it."""
        by_file, by_network = self.open(self.server.unix_url), self.open()
        self.pump.answer(by_file.put("a", "1", 60))

        self.assertEqual([self.pump.answer(store.get("a")) for store in (by_file, by_network)], ["1", None])

    def test_tls(self) -> None:
        """With TLS both sides prove who they are, by name or by address."""
        for host in ("localhost", "127.0.0.1"):
            with self.subTest(host=host):
                self.assertIsNone(self.pump.answer(self.tls(self.server.ca_file, host=host).get("a")))

    def test_untrusted(self) -> None:
        """A server whose certificate nobody we trust has signed is not talked to, unless that is asked for."""
        for ca_file in (None, self.server.other_ca_file):
            with self.subTest(ca_file=ca_file):
                self.assertIn("its certificate is not trusted", self.refused(self.tls(ca_file)))

        self.assertIsNone(self.pump.answer(self.tls(None, "--insecure").get("a")))

    def test_another_name(self) -> None:
        """Nor is one whose certificate is for another name."""
        self.assertIn("for another name", self.refused(self.tls(self.server.ca_file, host="127.1")))

    def test_without_our_certificate(self) -> None:
        """A server that wants a certificate of ours lets nobody in without."""
        store = self.open(self.server.tls_url, f"--redis-tls-cacert={self.server.ca_file}")

        self.assertIn("it ended the connection", self.refused(store))

    def test_wrong_port(self) -> None:
        """TLS where there is none, and none where there is, are told in the end."""
        plain_with_tls = self.open(self.server.url.replace("redis:", "rediss:"), "--redis-timeout=1")
        tls_without = self.open(self.server.tls_url.replace("rediss:", "redis:"), "--redis-timeout=1")

        self.assertIn("can not be used", self.refused(plain_with_tls))
        self.assertIn("can not be used", self.refused(tls_without))


class PasswordTests(RedisCase):
    """A server that wants a password."""

    settings = ("--requirepass", PASSWORD, "--user", "konnectd", "on", ">secret", "~k:*", "+@all")

    def test_password(self) -> None:
        """It lets in who has it, as the default user or by name."""
        url = self.server.url.replace("://", "://konnectd@")
        default = self.open("", f"--redis-password={PASSWORD}")
        named = self.open(url, "--redis-password=secret", "--redis-prefix=k:")

        self.assertEqual([self.pump.answer(store.get("a")) for store in (default, named)], [None, None])

    def test_refused(self) -> None:
        """Others are told what is wrong, without the password."""
        wrong = self.refused(self.open("", "--redis-password=geheim"))

        self.assertIn("the password or the user name is wrong", wrong)
        self.assertNotIn("geheim", wrong)
        self.assertIn("it wants a password", self.refused(self.open()))

    def test_foreign_prefix(self) -> None:
        """Who may only have some keys is told that these are not among them."""
        url = self.server.url.replace("://", "://konnectd@")
        store = self.open(url, "--redis-password=secret", "--redis-prefix=other:")

        self.assertIn("its user may not", self.refused(store))


class MemoryTests(RedisCase):
    """A server that has little memory."""

    settings = ("--maxmemory", "3mb", "--maxmemory-policy", "noeviction")

    def test_full(self) -> None:
        """When it is full it says so, and what was accepted stays."""
        store, kept = self.open(), []
        for number in range(500):
            try:
                self.pump.answer(store.put(f"k{number}", "x" * 20_000, 60))
            except BackendUnavailableError as error:
                self.assertIn("no memory left", str(error))
                break
            kept.append(f"k{number}")

        self.assertLess(len(kept), 500)
        self.assertEqual({len(self.pump.answer(store.get(key)) or "") for key in kept}, {20_000})


class ComingAndGoingTests(RedisCase):
    """A server that stops and starts."""

    def test_down_and_up(self) -> None:
        """While it is down everybody is told so at once; when it is back what it knew is there."""
        log, store = LogLines(self), self.open()
        self.pump.answer(store.add("revoked", "1", 600))
        self.server.stop()
        down = [self.refused(store) for _ in range(3)]
        self.server.start()
        self.pump.spend(4 * SHORTEST_REST)

        self.assertEqual(["refused" in reason or "ended" in reason for reason in down], [True] * 3)
        self.assertFalse(self.pump.answer(store.add("revoked", "2", 600)))
        self.assertEqual(len(log.about("can be used again", "warn")), 1)

    def test_down_at_start(self) -> None:
        """A server that is not there yet is found when it is."""
        self.server.stop()
        store = self.open()
        self.refused(store)
        self.server.start()
        self.pump.spend(2 * SHORTEST_REST)

        self.assertIsNone(self.pump.answer(store.get("a")))

    def test_stands_still(self) -> None:
        """A server that accepts and is silent is given up after the time it has."""
        store = self.open("", "--redis-timeout=1")
        self.pump.answer(store.put("a", "1", 60))
        self.server.ask("CLIENT", "PAUSE", "3000", "ALL")

        self.assertIn("no answer in 1 s", self.refused(store))
