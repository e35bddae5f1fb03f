"""The assembled daemon when its store does not answer: nobody is let in, nothing is given out, and it is told so."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import Store
from konnectd.stores._redis_link import Link
from konnectd.stores._redis_server import Access, Server
from konnectd.stores._sqlite_file import StoreFile
from konnectd.stores.redis import RedisStore
from konnectd.stores.sqlite import SqliteStore
from konnectd.web.texts import EXPLANATIONS, SIGN_IN_FAULTS
from konnectd.web.views import ErrorKind, SignInFault
from tests.support.application import Application, error_of
from tests.support.assembly import Daemon
from tests.support.at_once import AtOnce
from tests.support.fakes import FixedClock, SilentStore, memory_store
from tests.support.files import write
from tests.support.loglines import LogLines
from tests.support.redis_memory import Redis
from tests.support.visitor import Visitor


class Switch:
    """A store that can be made silent.

    Attributes:
        silent: whether it is.
    """

    def __init__(self) -> None:
        """Begin empty, and answer."""
        self.silent = False
        self.clock = FixedClock()
        self._memory = memory_store(self.clock)

    @property
    def _now(self) -> Store:
        """Return what answers."""
        return SilentStore() if self.silent else self._memory

    async def put(self, key: str, value: str, ttl: int) -> None:
        """Keep a value."""
        await self._now.put(key, value, ttl)

    async def add(self, key: str, value: str, ttl: int) -> bool:
        """Keep a value unless there is one."""
        return await self._now.add(key, value, ttl)

    async def get(self, key: str) -> str | None:
        """Return a value."""
        return await self._now.get(key)

    async def get_each(self, *keys: str) -> tuple[str | None, ...]:
        """Return several values."""
        return await self._now.get_each(*keys)

    async def take(self, key: str) -> str | None:
        """Return a value and forget it."""
        return await self._now.take(key)

    async def increment(self, key: str, ttl: int) -> int:
        """Count."""
        return await self._now.increment(key, ttl)

    async def close(self) -> None:
        """Do nothing."""


class SilentStoreTests(SynchronousTestCase):
    """A store that falls silent while the daemon runs."""

    def setUp(self) -> None:
        """Assemble, with a store that answers."""
        self.store = Switch()
        self.daemon = Daemon(store=self.store)
        self.app = Application(self.daemon)
        self.visitor = Visitor(self.daemon)
        self.log = LogLines(self)

    def test_signing_in(self) -> None:
        """A person gets the form back with plain words, and is not signed in, be the password right or wrong."""
        page = self.app.arrive(self.visitor)
        self.store.silent = True
        for password in (self.daemon.people.passwords["alice"], "wrong"):
            visit = self.visitor.submit(page, username="alice", password=password)
            self.assertIn(SIGN_IN_FAULTS[SignInFault.UNAVAILABLE], visit.text)
            self.assertFalse(self.visitor.holds("__Secure-KKT"))

        self.assertEqual(len(self.log.about("the store is silent", "warn")), 2)

    def test_authorizing(self) -> None:
        """Who is signed in already gets no code that nobody could redeem."""
        self.app.sign_in(self.visitor)
        self.store.silent = True
        visit = self.app.arrive(self.visitor)

        self.assertEqual((visit.answer.status, visit.left), (503, False))
        self.assertEqual(visit.title, EXPLANATIONS[ErrorKind.UNAVAILABLE].title)

    def test_redeeming(self) -> None:
        """A code gives no token, and is still good when the store answers again."""
        code = self.app.code(self.visitor)
        self.store.silent = True
        answer = self.app.redeem(code)
        self.store.silent = False

        self.assertEqual(error_of(answer), (503, "temporarily_unavailable"))
        self.assertEqual(answer.header("Retry-After"), "5")
        self.assertEqual(self.app.redeem(code).status, 200)

    def test_refreshing(self) -> None:
        """A refresh token, which may have been revoked, gives nothing."""
        tokens = self.app.tokens(self.visitor, scope="openid offline_access")
        self.store.silent = True

        self.assertEqual(error_of(self.app.refresh(tokens["refresh_token"])), (503, "temporarily_unavailable"))

    def test_userinfo(self) -> None:
        """An access token, which may have been revoked, tells nothing about anybody."""
        tokens = self.app.tokens(self.visitor)
        self.store.silent = True
        answer = self.app.userinfo(tokens["access_token"])

        self.assertEqual((answer.status, b"alice" in answer.body.lower()), (503, False))

    def test_what_needs_no_store(self) -> None:
        """Keys, metadata and the sign-in form are served all the same."""
        self.store.silent = True

        self.assertEqual(self.daemon.get("/konnect/v1/jwks.json").status, 200)
        self.assertEqual(self.daemon.get("/.well-known/openid-configuration").status, 200)
        self.assertEqual(self.app.arrive(self.visitor).title, "Sign in")


class RealStoreTests(SynchronousTestCase):
    """Each kind of store says so in the way that the daemon understands."""

    def assert_told(self, store: Store) -> None:
        """Check that nobody can sign in, and that page and log say so, the page without the reason."""
        log, daemon = LogLines(self), Daemon(store=store)
        app, visitor = Application(daemon), Visitor(daemon)
        visit = app.sign_in(visitor)

        self.assertIn(SIGN_IN_FAULTS[SignInFault.UNAVAILABLE], visit.text)
        self.assertFalse(visitor.holds("__Secure-KKT"))
        self.assertNotIn("store", visit.text)
        self.assertNotEqual(log.about("can not be used", "warn"), [])

    def test_redis(self) -> None:
        """A Redis where nothing listens."""
        reactor = Clock()
        link = Link(reactor, Server.parse("redis://redis.example"), Access(), Redis(reactor, down=True), 2)
        self.assert_told(RedisStore(link, "k:"))

    def test_sqlite(self) -> None:
        """A file that is no database."""
        path = write(self, "store.db", "not a database " * 100)
        self.assert_told(SqliteStore(AtOnce(StoreFile(path)), FixedClock()))
