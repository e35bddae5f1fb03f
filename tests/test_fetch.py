"""Addresses of clients: what is asked, for how long, how much is read; against a server in memory."""

from ipaddress import ip_network
from typing import Any

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionRefusedError as NobodyThereError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from konnectd.fetch import LONGEST_ANSWER, MOST_AT_ONCE, MOST_OF_ONE, SECONDS, GuardedFetch
from konnectd.interfaces import FetchError
from konnectd.reach import Reach
from tests.test_outward import Net

URL = "https://client.example.org/keys"


class Server(Resource):
    """A client's server.

    Attributes:
        body: what it answers; None never answers.
        status: its status.
        headers: more of its answer.
        asked: method, path and body of each request.
    """

    isLeaf = True

    def __init__(self) -> None:
        """Begin with a short answer."""
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted left it out
        self.body: bytes | None = b"keys"
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[bytes, bytes, bytes]] = []

    def render(self, request: Request) -> Any:  # noqa: ANN401 - Twisted's resources answer bytes or a number
        """Answer."""
        content = request.content.read() if request.content is not None else b""
        self.asked.append((request.method, request.uri, content))
        request.setResponseCode(self.status)
        for name, value in self.headers.items():
            request.setHeader(name, value)
        return NOT_DONE_YET if self.body is None else self.body


class FailingAgent:
    """An agent that fails in one way."""

    def __init__(self, error: Exception) -> None:
        """Keep the error."""
        self.error = error

    async def request(self, *_words: object) -> None:
        """Fail."""
        raise self.error


class FetchCase(SynchronousTestCase):
    """Asks a server."""

    def setUp(self) -> None:
        """Start it."""
        self.server = Server()
        self.clock = Clock()
        self.fetch = GuardedFetch(RequestTraversalAgent(self.server), self.clock)

    def get(self, url: str = URL) -> Deferred[bytes]:
        """Ask for something."""
        return Deferred.fromCoroutine(self.fetch.get(url))

    def post(self, url: str = URL) -> Deferred[int]:
        """Post a form."""
        return Deferred.fromCoroutine(self.fetch.post(url, (("logout_token", "a b&c"),)))

    def problem(self, asking: Deferred[Any]) -> str:
        """Return why there was no answer."""
        return str(self.failureResultOf(asking, FetchError).value)


class GetTests(FetchCase):
    """What stands at an address."""

    def test_answer(self) -> None:
        """The body of an answer with status 200 is what stands there; a fragment is ours alone."""
        self.assertEqual(self.successResultOf(self.get(f"{URL}?a=b#digest")), b"keys")
        self.assertEqual(self.server.asked, [(b"GET", b"/keys?a=b", b"")])

    def test_other_status(self) -> None:
        """Any other status is no answer."""
        for status in (201, 204, 304, 400, 404, 500):
            self.server.status = status

            self.assertIn(str(status), self.problem(self.get()))

    def test_row_16_redirects(self) -> None:
        """No redirect is followed, wherever it leads. Security history, row 16."""
        self.server.headers = {"Location": "https://127.0.0.1/secrets"}
        for status in (301, 302, 303, 307, 308):
            self.server.status = status

            self.assertIn(str(status), self.problem(self.get()))
        self.assertEqual(len(self.server.asked), 5)

    def test_row_16_other_schemes(self) -> None:
        """Nothing but https is asked, and nothing that two readers could split differently."""
        for url in (
            "http://client.example.org/keys",
            "HTTP://client.example.org/keys",
            "file:///etc/passwd",
            "ftp://client.example.org/",
            "gopher://client.example.org/",
            "data:,x",
            "//client.example.org/keys",
            "https:///keys",
            "https://user@client.example.org/",
            "https://client.example.org\\@127.0.0.1/",
            "https://client.example.org /",
            "https://client.example.org/\r\nHost: x",
            "https://client.example.org:x/",
            "https://\N{SNOWMAN}.example/",
            " https://client.example.org/",
            "",
        ):
            self.assertIn("no https address", self.problem(self.get(url)), url)
            self.assertIn("no https address", self.problem(self.post(url)), url)
        self.assertEqual(self.server.asked, [])

    def test_size(self) -> None:
        """The longest answer is read, and no longer one."""
        self.server.body = b"x" * LONGEST_ANSWER
        self.assertEqual(len(self.successResultOf(self.get())), LONGEST_ANSWER)
        self.server.body = b"x" * (LONGEST_ANSWER + 1)

        self.assertIn("more than", self.problem(self.get()))

    def test_time(self) -> None:
        """A silent server is not waited for longer than it may take."""
        self.server.body = None
        asking = self.get()
        self.clock.advance(SECONDS - 1)
        self.assertNoResult(asking)
        self.clock.advance(1)

        self.assertIn("did not answer", self.problem(asking))

    def test_nobody_there(self) -> None:
        """What goes wrong on the way is one error, whose text names the address without its query."""
        for error in (NobodyThereError(), UnicodeError("idna"), FetchError("its address is not public")):
            fetch = GuardedFetch(FailingAgent(error), self.clock)
            problem = self.problem(Deferred.fromCoroutine(fetch.get(f"{URL}?secret=1")))

            self.assertNotIn("secret", problem)

    def test_faults_of_ours(self) -> None:
        """A fault of ours is not hidden behind one of the client's."""
        fetch = GuardedFetch(FailingAgent(KeyError("x")), self.clock)

        self.failureResultOf(Deferred.fromCoroutine(fetch.get(URL)), KeyError)


class TogetherTests(FetchCase):
    """Many at one time."""

    def test_same_address(self) -> None:
        """Who asks for what is being asked for already gets the same answer, good or bad."""
        self.server.body = None
        asking = [self.get() for _ in range(3)]
        self.clock.advance(SECONDS)

        for each in asking:
            self.failureResultOf(each, FetchError)
        self.assertEqual(len(self.server.asked), 1)
        self.server.body = b"new"
        self.assertEqual(self.successResultOf(self.get()), b"new")

    def test_giving_up(self) -> None:
        """Who gives up does not end it for others."""
        self.server.body = None
        first, second = self.get(), self.get()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertNoResult(second)
        self.clock.advance(SECONDS)

        self.failureResultOf(second, FetchError)

    def test_turns(self) -> None:
        """Not more than some are asked at a time; others wait, and not for ever."""
        self.server.body = None
        asking = [self.get(f"https://client-{number}.example/") for number in range(MOST_AT_ONCE + 2)]
        self.assertEqual(len(self.server.asked), MOST_AT_ONCE)
        self.clock.advance(SECONDS)
        for each in asking:
            self.failureResultOf(each, FetchError)
        self.server.body = b"free"

        self.assertEqual(self.successResultOf(self.get()), b"free")

    def test_turns_of_one(self) -> None:
        """Whose servers never answer keeps nobody else waiting, however many names they have below one domain."""
        for slow in ("https://{}.evil.example/", "https://evil.example/{}", "https://192.0.2.1/{}", "https://[::1]/{}"):
            self.server.body, before = None, len(self.server.asked)
            asking = [self.get(slow.format(number)) for number in range(2 * MOST_AT_ONCE)]
            self.assertEqual(len(self.server.asked) - before, MOST_OF_ONE)
            self.server.body = b"good"
            self.assertEqual(self.successResultOf(self.get()), b"good")
            self.server.body = None
            self.clock.advance(SECONDS)
            for each in asking:
                self.failureResultOf(each, FetchError)

            self.server.body = b"good"
            self.assertEqual(self.successResultOf(self.get(slow.format("x"))), b"good")


class PostTests(FetchCase):
    """Forms."""

    def test_status(self) -> None:
        """A form goes over the wire as forms do, and the status comes back, whatever it is."""
        for status in (200, 204, 400, 501):
            self.server.status = status

            self.assertEqual(self.successResultOf(self.post()), status)
        self.assertEqual(self.server.asked[0], (b"POST", b"/keys", b"logout_token=a+b%26c"))

    def test_body_is_not_read(self) -> None:
        """A long answer to a form is no fault, because it is not read."""
        self.server.body = b"x" * (2 * LONGEST_ANSWER)

        self.assertEqual(self.successResultOf(self.post()), 200)

    def test_redirect(self) -> None:
        """What we tell one address is told to no other."""
        self.server.status, self.server.headers = 307, {"Location": "https://evil.example/"}

        self.assertEqual((self.successResultOf(self.post()), len(self.server.asked)), (307, 1))

    def test_time(self) -> None:
        """A silent server is not waited for."""
        self.server.body = None
        asking = self.post()
        self.clock.advance(SECONDS)

        self.assertIn("did not answer", self.problem(asking))


class NetworkTests(SynchronousTestCase):
    """As the daemon makes it."""

    def test_row_16_guarded(self) -> None:
        """An address inside is not connected to, unless the operator names its network; for forms as for keys."""
        for reach, targets in ((Reach(), []), (Reach((ip_network("10.0.0.0/8"),)), [("10.0.0.1", 443)])):
            for insecure in (False, True):
                net = Net(("10.0.0.1",))
                fetch = GuardedFetch.over_network(net, reach, insecure=insecure)
                asking = [Deferred.fromCoroutine(fetch.get(URL)), Deferred.fromCoroutine(fetch.post(URL, ()))]

                self.assertEqual(net.targets(), targets * 2)
                if not targets:
                    for each in asking:
                        self.assertIn("not public", str(self.failureResultOf(each, FetchError).value))
