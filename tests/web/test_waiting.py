"""Answers that have to be waited for."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.web.limits import Limits
from tests.support.connection import Bench, Connection, request, route
from tests.support.endpoints import Waits, raising


class WaitingTests(SynchronousTestCase):
    """Answers that have to be waited for end in one way, once."""

    def setUp(self) -> None:
        """Make a site with one endpoint that waits."""
        self.waits = Waits()
        self.bench = Bench.of(route("/waits", self.waits), limits=Limits(handling_seconds=5, read_seconds=2))

    def ask(self) -> Connection:
        """Ask, and begin to wait."""
        peer = self.bench.connect()
        self.assertEqual(peer.send(request("GET", "/waits")), b"")
        return peer

    def test_takes_too_long(self) -> None:
        """The browser is told to try again, the wait is canceled, and the connection goes on."""
        peer = self.ask()
        self.bench.wait(4.5)
        early = peer.hear()
        self.bench.wait(1)
        late = peer.hear()

        self.assertEqual((early, late.split(b" ")[1], self.waits.canceled, peer.closed), (b"", b"503", 1, False))

    def test_arrives_after_it_took_too_long(self) -> None:
        """An endpoint that does not listen to being canceled does not answer twice."""
        stubborn: Deferred[str] = Deferred(lambda _: None)

        async def respond(_request: HttpRequest) -> HttpResponse:
            try:
                await stubborn
            except CancelledError:
                return HttpResponse.text("anyway")
            return HttpResponse.text("late")

        bench = Bench.of(route("/stubborn", respond), limits=Limits(handling_seconds=5))
        peer = bench.connect()
        peer.send(request("GET", "/stubborn"))
        bench.wait(6)

        self.assertEqual(peer.hear().count(b"HTTP/1.1 "), 1)

    def test_failure_after_waiting(self) -> None:
        """It makes no difference when a failure happens."""
        peer = self.ask()
        self.waits.fail(BackendUnavailableError("gone"))

        self.assertTrue(peer.hear().startswith(b"HTTP/1.1 503 "))

    def test_canceled_by_somebody_else(self) -> None:
        """A cancellation that nobody here asked for leaves no browser without an answer."""
        peer = self.ask()
        self.waits.fail(CancelledError())

        self.assertTrue(peer.hear().startswith(b"HTTP/1.1 500 "))
        self.assertEqual(len(self.flushLoggedErrors(CancelledError)), 1)

    def test_canceled_before_waiting(self) -> None:
        """The same when it happens at once."""
        answer = Bench.of(route("/x", raising(CancelledError()))).ask(request("GET", "/x"))

        self.assertEqual(answer.status, 500)
        self.assertEqual(len(self.flushLoggedErrors(CancelledError)), 1)

    def test_browser_leaves_and_endpoint_fails(self) -> None:
        """What an endpoint does on being canceled is of no interest to anybody."""

        async def respond(_request: HttpRequest) -> HttpResponse:
            try:
                await Deferred()
            finally:
                raise BackendUnavailableError("closing")

        peer = Bench.of(route("/x", respond)).connect()
        peer.send(request("GET", "/x"))
        peer.hang_up()

        self.assertEqual((self.flushLoggedErrors(), peer.hear()), ([], b""))
