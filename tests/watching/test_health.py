"""Tests of health: who is told what, and that nobody can load what is behind us by asking."""

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.watching.health import KEPT, LIVE, PATIENCE, READY, Health
from tests.support.assembly import Daemon
from tests.support.connection import Connection, request

GET = HttpRequest(method="GET", path=READY)


class Behind:
    """Something behind us.

    Attributes:
        asked: how often it was asked.
        outcome: what it does when it is asked; None answers.
    """

    def __init__(self) -> None:
        """Answer."""
        self.asked = 0
        self.outcome: Exception | Deferred[None] | None = None

    async def probe(self) -> None:
        """Do what a test wants."""
        self.asked += 1
        if isinstance(self.outcome, Exception):
            raise self.outcome
        if self.outcome is not None:
            await self.outcome


class HealthTests(SynchronousTestCase):
    """What is answered."""

    def setUp(self) -> None:
        """Have a backend and a store."""
        self.clock = Clock()
        self.backend, self.store = Behind(), Behind()
        self.health = Health(self.clock, {"backend": self.backend.probe, "store": self.store.probe})

    def ask(self) -> Deferred[HttpResponse]:
        """Ask whether we are ready."""
        return Deferred.fromCoroutine(self.health.on_ready(GET))

    def told(self) -> tuple[int, dict[str, Any]]:
        """Ask whether we are ready, and return what is answered at once."""
        answer = self.successResultOf(self.ask())
        return answer.status, json.loads(answer.body)

    def test_ready(self) -> None:
        """All is well."""
        self.assertEqual(self.told(), (200, {"status": "ready"}))

    def test_backend_away(self) -> None:
        """Without the backend keys and metadata are still served, so requests go on coming; what is missing is said."""
        self.backend.outcome = BackendUnavailableError("ldap.example refused secret")

        self.assertEqual(self.told(), (200, {"status": "degraded", "degraded": ["backend"]}))

    def test_store_away(self) -> None:
        """The same without the store."""
        self.store.outcome = BackendUnavailableError("x")

        self.assertEqual(self.told(), (200, {"status": "degraded", "degraded": ["store"]}))

    def test_alone(self) -> None:
        """Who sees neither is better left alone."""
        self.backend.outcome = self.store.outcome = BackendUnavailableError("x")

        self.assertEqual(self.told(), (503, {"status": "unavailable", "degraded": ["backend", "store"]}))

    def test_only_a_store(self) -> None:
        """With a backend that asks nobody, a store that is away is no reason to go."""
        self.store.outcome = BackendUnavailableError("x")
        self.health = Health(self.clock, {"store": self.store.probe})

        self.assertEqual(self.told()[0], 200)

    def test_draining(self) -> None:
        """Who is about to end is sent nothing more, and asks nobody."""
        self.health.startService()
        self.health.stopService()

        self.assertEqual(self.told(), (503, {"status": "draining"}))
        self.assertEqual(self.backend.asked, 0)

    def test_started_again(self) -> None:
        """A service that is started again is there again."""
        self.health.stopService()
        self.health.startService()

        self.assertEqual(self.told()[0], 200)

    def test_a_crowd_asks_once(self) -> None:
        """Whoever asks, and how often: what is behind us is asked once a second at most."""
        for _ in range(500):
            self.told()
        self.clock.advance(KEPT)
        for _ in range(500):
            self.told()

        self.assertEqual((self.backend.asked, self.store.asked), (2, 2))

    def test_a_crowd_waits_for_one_answer(self) -> None:
        """While an answer is under way nobody asks again, and all get it."""
        self.backend.outcome = gate = Deferred[None]()
        answers = [self.ask() for _ in range(100)]
        gate.callback(None)

        self.assertEqual([self.successResultOf(answer).status for answer in answers], [200] * 100)
        self.assertEqual(self.backend.asked, 1)

    def test_one_who_leaves(self) -> None:
        """Somebody who does not wait keeps the others from nothing."""
        self.backend.outcome = gate = Deferred[None]()
        first, second = self.ask(), self.ask()
        first.addErrback(lambda _: None)
        first.cancel()
        gate.callback(None)

        self.assertEqual(self.successResultOf(second).status, 200)

    def test_no_answer_in_time(self) -> None:
        """What does not answer in time counts as away, before a load balancer loses patience."""
        self.backend.outcome = Deferred()
        answer = self.ask()
        self.clock.advance(PATIENCE)

        self.assertEqual(json.loads(self.successResultOf(answer).body)["degraded"], ["backend"])

    def test_our_fault(self) -> None:
        """A mistake in a probe is logged, and counts as away."""
        self.backend.outcome = ValueError("mistake")

        self.assertEqual(self.told()[1]["degraded"], ["backend"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_back_again(self) -> None:
        """What comes back is seen a second later."""
        self.backend.outcome = BackendUnavailableError("x")
        self.told()
        self.backend.outcome = None
        self.clock.advance(KEPT)

        self.assertEqual(self.told(), (200, {"status": "ready"}))

    def test_live(self) -> None:
        """Whether we live has nothing to do with what is behind us."""
        self.backend.outcome = self.store.outcome = BackendUnavailableError("x")
        self.health.stopService()
        answer = self.successResultOf(Deferred.fromCoroutine(self.health.on_live(GET)))

        self.assertEqual((answer.status, json.loads(answer.body), self.backend.asked), (200, {"status": "live"}, 0))

    def test_addresses(self) -> None:
        """Both are at the root, for GET, HEAD and POST like the health check, whatever the base path."""
        daemon = Daemon("--uri-base-path=/sub", issuer="https://sso.example/sub")
        site = daemon.assembly.site(daemon.reactor, *self.health.routes())

        for path in (LIVE, READY):
            for method in ("GET", "HEAD", "POST"):
                self.assertEqual(Connection(site).ask(request(method, path)).status, 200)
