"""Tests of backends and stores that are timed: they do what the real ones do, and tell how it ended."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import (
    BackendUnavailableError,
    NamingBackend,
    PasswordBackend,
    SessionBackend,
    SessionLostError,
    Store,
    Vouch,
)
from konnectd.protocol.end_user import EndUser
from konnectd.watching.measured import MeasuredStore, Stopwatch, bare, measured_backend
from tests.contracts.stores import StoreContract
from tests.support.fakes import FixedClock, People, memory_store, run
from tests.support.people import ALICE


class Plain:
    """A backend that can nothing but its duty."""

    name, scopes, claims = "plain", ("email",), ("name",)

    def __init__(self, outcome: EndUser | Exception | None = None) -> None:
        """Answer, or fail."""
        self.outcome = outcome
        self.closed = False

    async def check(self) -> None:
        """Be well."""

    async def find(self, user_id: str) -> EndUser | None:
        """Answer."""
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def logon(self, username: str, password: str) -> EndUser:
        """Answer."""
        return ALICE

    async def close(self) -> None:
        """Note it."""
        self.closed = True


class WithSessions(Plain):
    """A backend with sessions of its own."""

    longest_access_token = 300

    def __init__(self) -> None:
        """Know nobody."""
        super().__init__()
        self.left: list[str] = []

    def rely_on(self, vouch: Vouch) -> None:
        """Take it."""
        self.vouch = vouch

    async def leave(self, user_id: str) -> None:
        """Note it."""
        self.left.append(user_id)


class BackendTests(SynchronousTestCase):
    """Timed backends."""

    def setUp(self) -> None:
        """Keep what is told."""
        self.told: list[tuple[str, str, float]] = []
        self.clock = Clock()
        self.watch = Stopwatch(self.clock.seconds, lambda *words: self.told.append(words))

    def test_kinds_stay(self) -> None:
        """What a backend can, it can when it is timed; what it can not, nobody believes it can."""
        for backend in (Plain(), WithSessions(), People(ALICE)):
            timed = measured_backend(backend, self.watch)
            for kind in (PasswordBackend, NamingBackend, SessionBackend):
                self.assertEqual(isinstance(timed, kind), isinstance(backend, kind), (backend, kind))
            self.assertEqual((timed.name, timed.scopes, timed.claims), (backend.name, backend.scopes, backend.claims))
            self.assertIs(bare(timed), backend)

    def test_sessions(self) -> None:
        """A backend with sessions gets what it needs."""
        backend = WithSessions()
        timed = measured_backend(backend, self.watch)
        if not isinstance(timed, SessionBackend):
            raise TypeError
        timed.rely_on(lambda user_id: Deferred())
        run(timed.leave("alice"))

        self.assertEqual(
            (timed.longest_access_token, backend.left, self.told), (300, ["alice"], [("leave", "ok", 0.0)])
        )

    def test_outcomes(self) -> None:
        """Each way a call ends has a word, and what is raised goes through."""
        for outcome, word in (
            (SessionLostError("x"), "session_lost"),
            (BackendUnavailableError("x"), "unavailable"),
            (CancelledError(), "canceled"),
            (ValueError("x"), "failed"),
        ):
            timed = measured_backend(Plain(outcome), self.watch)

            self.assertRaises(type(outcome), run, timed.find("a"))
            self.assertEqual(self.told.pop(), ("find", word, 0.0))

    def test_refusals(self) -> None:
        """A wrong password is no success."""
        timed = measured_backend(People(ALICE, passwords={"alice": "right"}), self.watch)
        run(timed.logon("alice", "wrong"))
        run(timed.logon("alice", "right"))

        self.assertEqual([outcome for _, outcome, _ in self.told], ["refused", "ok"])

    def test_time(self) -> None:
        """It is told how long it took."""
        gate: Deferred[EndUser] = Deferred()

        class Slow(Plain):
            """Takes its time."""

            async def find(self, user_id: str) -> EndUser | None:
                """Wait."""
                return await gate

        answer = Deferred.fromCoroutine(measured_backend(Slow(), self.watch).find("a"))
        self.clock.advance(3)
        gate.callback(ALICE)

        self.assertEqual((self.successResultOf(answer), self.told), (ALICE, [("find", "ok", 3.0)]))

    def test_close(self) -> None:
        """It is closed with the one that times it."""
        backend = Plain()
        run(measured_backend(backend, self.watch).close())

        self.assertTrue(backend.closed)


class StoreTests(StoreContract, SynchronousTestCase):
    """A timed store is a store."""

    def make_store(self, clock: FixedClock) -> Store:
        """Time one in memory."""
        return MeasuredStore(memory_store(clock), Stopwatch(lambda: 0.0, lambda *_: None))
