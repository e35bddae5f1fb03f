"""Asking external authorities: what is asked, for how long, how much is read; against a server in memory."""

from ipaddress import ip_address

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authority import Heard, Question
from konnectd.authority_fetch import LONGEST_HEAD, SECONDS, AskAuthorities
from konnectd.interfaces import FetchError
from tests.test_fetch import Server
from tests.test_outward import Net

URL = "https://sso.corp.example/token"


class AskCase(SynchronousTestCase):
    """Asks a server."""

    def setUp(self) -> None:
        """Start it."""
        self.server = Server()
        self.clock = Clock()
        self.ask = AskAuthorities(lambda _: RequestTraversalAgent(self.server), self.clock)

    def asking(self, url: str = URL, **more: object) -> Deferred[Heard]:
        """Ask for something."""
        return Deferred.fromCoroutine(self.ask(Question(url=url, **more)))  # type: ignore[arg-type] # as the test says

    def heard(self, url: str = URL, **more: object) -> Heard:
        """Return what is answered."""
        return self.successResultOf(self.asking(url, **more))

    def fault(self, url: str = URL, **more: object) -> str:
        """Return why nothing is."""
        return str(self.failureResultOf(self.asking(url, **more), FetchError).value)


class QuestionTests(AskCase):
    """What is asked."""

    def test_get(self) -> None:
        """A question without a form is a GET."""
        self.heard()

        self.assertEqual(self.server.asked, [(b"GET", b"/token", b"")])

    def test_form(self) -> None:
        """A form is posted."""
        self.heard(form=(("code", "a b&c"),))

        self.assertEqual(self.server.asked, [(b"POST", b"/token", b"code=a+b%26c")])

    def test_row_26_plain_http(self) -> None:
        """Nobody is asked without TLS."""
        self.assertIn("must begin with https://", self.fault("http://sso.corp.example/"))

    def test_nobody_is_asked_by_a_file(self) -> None:
        """Nor by any other scheme."""
        self.assertIn("must", self.fault("file:///etc/passwd"))

    def test_row_25_query_is_not_told(self) -> None:
        """What follows a question mark is nobody's business."""
        self.assertNotIn("s3cret", self.fault("http://sso.corp.example/?s3cret"))


class AnswerTests(AskCase):
    """What comes back."""

    def test_answer(self) -> None:
        """Status, kind and content are told, whatever the status."""
        self.server.status, self.server.body = 403, b"{}"
        self.server.headers = {"Content-Type": "Application/JSON; charset=utf-8"}

        self.assertEqual(self.heard(), Heard(status=403, content=b"{}", media_type="application/json"))

    def test_row_26_redirect(self) -> None:
        """A redirect is not followed."""
        self.server.status, self.server.headers = 302, {"Location": "https://elsewhere.example/"}

        self.assertEqual((self.heard().status, len(self.server.asked)), (302, 1))

    def test_row_26_huge(self) -> None:
        """What is longer than was asked for is not read to its end."""
        self.server.body = b"x" * 101

        self.assertIn("answers more than 100 bytes", self.fault(longest=100))

    def test_row_26_encoded(self) -> None:
        """What is compressed is not unpacked."""
        self.server.headers = {"Content-Encoding": "gzip"}

        self.assertIn("encoded", self.fault())

    def test_row_26_slow(self) -> None:
        """Somebody who does not answer is given up."""
        self.server.body = None
        asking = self.asking()
        self.clock.advance(SECONDS)

        self.assertIn("did not answer", str(self.failureResultOf(asking, FetchError).value))

    def test_not_given_up_too_early(self) -> None:
        """Until then there is hope."""
        self.server.body = None
        asking = self.asking()
        self.clock.advance(SECONDS - 1)

        self.assertNoResult(asking)


class FreshnessTests(AskCase):
    """How long an answer is fresh."""

    def fresh(self, **headers: str) -> int | None:
        """Return it for an answer with headers."""
        self.server.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.heard().fresh_for

    def test_table(self) -> None:
        """What the headers say, as far as they make sense."""
        table = {
            "max-age=60": 60,
            "public, MAX-AGE=60": 60,
            'max-age="60"': 60,
            "no-cache": 0,
            "max-age=60, no-store": 0,
            "max-age=-1": None,
            "max-age=abc": None,
            "max-age=99999999999999999999": None,
            "public": None,
        }

        self.assertEqual({value: self.fresh(Cache_Control=value) for value in table}, table)

    def test_nothing(self) -> None:
        """Nothing is said."""
        self.assertIsNone(self.fresh())

    def test_age(self) -> None:
        """What was spent on the way is gone."""
        self.assertEqual(self.fresh(Cache_Control="max-age=60", Age="50"), 10)

    def test_older_than_fresh(self) -> None:
        """There is nothing less than nothing."""
        self.assertEqual(self.fresh(Cache_Control="max-age=60", Age="70"), 0)


class NetworkTests(SynchronousTestCase):
    """Connections."""

    def test_private_network(self) -> None:
        """An authority may be inside, because the operator chose it."""
        net = Net(("10.0.0.7",))
        Deferred.fromCoroutine(AskAuthorities.over_network(net)(Question(url=URL)))

        self.assertTrue(ip_address(net.targets()[0][0]).is_private)

    def test_row_26_headers_without_end(self) -> None:
        """A server that sends headers for ever is cut off."""
        net = Net(("127.0.0.1",))
        Deferred.fromCoroutine(AskAuthorities.over_network(net)(Question(url="http://localhost/", longest=0)))
        protocol, wire = net.accept()
        protocol.dataReceived(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (LONGEST_HEAD // 6 + 1))

        self.assertTrue(wire.cut)
