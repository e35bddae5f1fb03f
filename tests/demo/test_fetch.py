"""The limits of the application's way to the provider, against a server in memory that does not keep to them."""

from typing import Any

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError as RefusedConnectionError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from konnectd.demo.errors import SignInError, Trouble
from konnectd.demo.fetch import LONGEST_REPLY, REPLY_SECONDS, HttpFetch
from konnectd.demo.messages import Call, Exchange

URI = "http://localhost/x"


class Server(Resource):
    """Answers what it is told, and keeps what it was asked.

    Attributes:
        body: the answer; None never answers.
        status: its status.
        asked: method, body and some headers of each request.
    """

    isLeaf = True

    def __init__(self) -> None:
        """Begin with a short answer."""
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted left it out
        self.body: bytes | None = b'{"a":1}'
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[bytes, bytes, str | None]] = []

    def render(self, request: Request) -> Any:  # noqa: ANN401 - Twisted's resources answer bytes or a number
        """Answer."""
        content = request.content.read() if request.content is not None else b""
        self.asked.append((request.method, content, request.getHeader("content-type")))
        request.setResponseCode(self.status)
        for name, value in self.headers.items():
            request.setHeader(name, value)
        return NOT_DONE_YET if self.body is None else self.body


class RefusingAgent:
    """Nobody is there."""

    async def request(self, *_words: object) -> None:
        """Refuse."""
        raise RefusedConnectionError


class FetchTests(SynchronousTestCase):
    """One request and its answer."""

    def setUp(self) -> None:
        """Start a server."""
        self.server = Server()
        self.clock = Clock()
        self.fetch = HttpFetch(RequestTraversalAgent(self.server), self.clock)

    def start(self, call: Call) -> Deferred[Exchange]:
        """Make a request."""
        return Deferred.fromCoroutine(self.fetch(call))

    def trouble(self, waiting: Deferred[Exchange]) -> Trouble:
        """Return why there was no answer."""
        error: SignInError = self.failureResultOf(waiting, SignInError).value
        return error.trouble

    def test_an_answer_is_kept_whatever_it_says(self) -> None:
        """Status, headers and body of a refusal are there to be shown."""
        self.server.status = 400
        reply = self.successResultOf(self.start(Call(uri=URI))).reply

        self.assertEqual((reply.status, reply.members), (400, {"a": 1}))

    def test_forms_are_posted(self) -> None:
        """A form goes over the wire as forms do."""
        self.successResultOf(self.start(Call(method="POST", uri=URI, form=(("a", "1 2"), ("b", "&")))))

        self.assertEqual(self.server.asked, [(b"POST", b"a=1+2&b=%26", "application/x-www-form-urlencoded")])

    def test_redirects_are_not_followed(self) -> None:
        """No token is carried to where an answer points."""
        self.server.status = 302
        self.server.headers = {"Location": "http://localhost/elsewhere"}
        exchange = self.successResultOf(self.start(Call(uri=URI)))

        self.assertEqual((exchange.reply.status, len(self.server.asked)), (302, 1))

    def test_endless_answers_are_cut(self) -> None:
        """No answer fills the memory."""
        self.server.body = b"x" * (LONGEST_REPLY + 1)

        self.assertEqual(self.trouble(self.start(Call(uri=URI))), Trouble.NONSENSE)

    def test_the_longest_answer_is_read(self) -> None:
        """The limit is what it says."""
        self.server.body = b"x" * LONGEST_REPLY

        self.assertEqual(len(self.successResultOf(self.start(Call(uri=URI))).reply.text), LONGEST_REPLY)

    def test_late_answers_are_not_waited_for(self) -> None:
        """A provider that is silent ends the sign-in after a while, not before."""
        self.server.body = None
        waiting = self.start(Call(uri=URI))
        self.clock.advance(REPLY_SECONDS - 1)
        self.assertNoResult(waiting)
        self.clock.advance(1)

        self.assertEqual(self.trouble(waiting), Trouble.UNREACHABLE)

    def test_nobody_there(self) -> None:
        """A closed port is told as what it is."""
        fetch = HttpFetch(RefusingAgent(), self.clock)

        self.assertEqual(self.trouble(Deferred.fromCoroutine(fetch(Call(uri=URI)))), Trouble.UNREACHABLE)

    def test_an_address_that_is_none(self) -> None:
        """What can not be asked is nobody's fault of ours."""
        self.assertEqual(self.trouble(self.start(Call(uri="http://localhost/\N{SNOWMAN}"))), Trouble.NONSENSE)
