"""Other routes while connections are open: who asks from now on gets them, who was asking keeps the old ones."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest, HttpResponse
from konnectd.web.edge import Replies
from konnectd.web.errors import failure, not_found
from konnectd.web.route import Route
from tests.support.connection import Bench, parse_answers, request, route
from tests.support.endpoints import Slow, raising


async def new(_request: HttpRequest) -> HttpResponse:
    """Answer as the new routes do."""
    return HttpResponse.text("new")


class ExchangeTests(SynchronousTestCase):
    """Routes that are exchanged."""

    def setUp(self) -> None:
        """Make a site with a slow endpoint, and connect."""
        self.slow = Slow()
        self.told: list[int] = []
        self.bench = Bench.of(
            route("/slow", self.slow), route("/gone"), observe=lambda *seen: self.told.append(seen[2].status)
        )
        self.peer = self.bench.connect()

    def exchange(self, *routes: Route) -> None:
        """Let other routes answer."""
        replies = Replies(not_found=not_found, failure=failure, reference=lambda: "ref-2")
        self.bench.site.exchange(self.bench.site.make_edge(routes, replies))

    def test_open_connection(self) -> None:
        """The next request on a connection that is open already is answered by the new ones."""
        self.peer.ask(request("GET", "/gone"))
        self.exchange(route("/slow", new))

        self.assertEqual(self.peer.ask(request("GET", "/slow")).body, b"new")

    def test_new_connection(self) -> None:
        """So is one on a new connection."""
        self.exchange(route("/slow", new))

        self.assertEqual(self.bench.ask(request("GET", "/slow")).body, b"new")

    def test_route_that_is_gone(self) -> None:
        """What is no route any more is not there."""
        self.exchange(route("/slow", new))

        self.assertEqual(self.peer.ask(request("GET", "/gone")).status, 404)

    def test_request_under_way(self) -> None:
        """Who was asking is answered by the old ones."""
        self.peer.send(request("GET", "/slow?a"))
        self.exchange(route("/slow", new))
        self.slow.waiting["a"].callback("old")
        (answer,) = parse_answers(self.peer.hear())

        self.assertEqual(answer.body, b"old")

    def test_behind_one_under_way(self) -> None:
        """A request that waits for its turn on the same connection has not begun: the new ones answer it."""
        self.peer.send(request("GET", "/slow?a") + request("GET", "/slow?b"))
        self.exchange(route("/slow", new))
        self.slow.waiting["a"].callback("old")

        self.assertEqual([answer.body for answer in parse_answers(self.peer.hear())], [b"old", b"new"])

    def test_failure_under_way(self) -> None:
        """Whose answer fails meanwhile gets the old words for it, so that they fit the page they were on."""
        self.peer.send(request("GET", "/slow?a"))
        self.exchange(route("/slow", raising(KeyError())))
        self.slow.waiting["a"].errback(ValueError())
        (answer,) = parse_answers(self.peer.hear())
        self.flushLoggedErrors(ValueError)

        self.assertIn(b"ref-1", answer.body)

    def test_counted(self) -> None:
        """Whoever counted answers counts those of the new ones."""
        self.exchange(route("/slow", new))
        self.peer.ask(request("GET", "/slow"))

        self.assertEqual(self.told, [200])
