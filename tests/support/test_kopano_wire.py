"""The stand-in for the groupware server speaks HTTP as the real one does, and fails when told to."""

import gzip
import zlib
from io import BytesIO

from twisted.internet.task import Clock, Cooperator
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import URI, Agent, FileBodyProducer, HTTPConnectionPool, readBody
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from tests.support.kopano import codes
from tests.support.kopano.asking import TCP, TLS, UNIX, Heard, ask, envelope, post, send, session_of, values
from tests.support.kopano.memory import Line, MemoryEndpoint
from tests.support.kopano.server import KopanoServer
from tests.support.kopano.troubles import CloseBefore, CloseInside, Hang, HangInside, Huge, Raw, Refuse, Trickle

DOCUMENT = envelope("logoff", values(ulSessionId=1))
DEAD = codes.END_OF_SESSION


@implementer(IAgentEndpointFactory)
class _Endpoints:
    """Leads everywhere to one place."""

    def __init__(self, endpoint: MemoryEndpoint) -> None:
        """Lead there."""
        self._endpoint = endpoint

    def endpointForURI(self, uri: URI) -> MemoryEndpoint:  # noqa: N802 - Twisted's
        """Return it."""
        return self._endpoint


def head(*headers: str, method: str = "POST", path: str = "/", version: str = "1.1") -> bytes:
    """Write the head of a request."""
    return "\r\n".join((f"{method} {path} HTTP/{version}", *headers, "", "")).encode()


def in_chunks(body: bytes, size: int = 10) -> bytes:
    """Write a body in chunks."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


class WireCase(SynchronousTestCase):
    """A server in memory, and time that moves when told to."""

    def setUp(self) -> None:
        """Start."""
        self.clock = Clock()
        self.server = KopanoServer(self.clock, seed=1)

    def line(self, peer: object = TCP) -> Line:
        """Connect, until the test ends."""
        line = Line(self.server, peer)  # type: ignore[arg-type] # a peer
        self.addCleanup(line.close)
        return line

    def code(self, request: bytes) -> int | None:
        """Return what a request came to."""
        return send(self.server, TCP, request).code


class RequestTests(WireCase):
    """Ways to send a document."""

    def test_little_is_needed(self) -> None:
        """A request without host, length and type will do."""
        self.assertEqual(self.code(head() + DOCUMENT), DEAD)

    def test_chunks(self) -> None:
        """A body in chunks is put together, and the next request is a new one."""
        line, request = self.line(), head("Transfer-Encoding: chunked") + in_chunks(DOCUMENT)
        heard = [Heard(line.say(request)).code for _ in range(2)]

        self.assertEqual(heard, [DEAD, DEAD])

    def test_packed(self) -> None:
        """Gzip and both kinds of deflate are unpacked."""
        raw = zlib.compressobj(wbits=-15)
        bodies = {
            "gzip": [gzip.compress(DOCUMENT)],
            "deflate": [zlib.compress(DOCUMENT), raw.compress(DOCUMENT) + raw.flush()],
        }
        heard = [
            self.code(post(body, f"Content-Encoding: {name}")) for name, packed in bodies.items() for body in packed
        ]

        self.assertEqual(heard, [DEAD] * 3)

    def test_packed_in_chunks(self) -> None:
        """Both together are taken apart in the right order."""
        request = head("Transfer-Encoding: chunked", "Content-Encoding: gzip") + in_chunks(gzip.compress(DOCUMENT))

        self.assertEqual(self.code(request), DEAD)

    def test_byte_by_byte(self) -> None:
        """It does not matter how bytes arrive."""
        line = self.line()
        request = head("Transfer-Encoding: chunked") + in_chunks(DOCUMENT)
        heard = [Heard(b"".join(line.say(bytes((each,))) for each in request)).code for _ in range(2)]

        self.assertEqual(heard, [DEAD, DEAD])

    def test_leave_to_go_on(self) -> None:
        """A client that waits for it gets leave to send the body."""
        line = self.line()
        first = line.say(head("Expect: 100-continue", f"Content-Length: {len(DOCUMENT)}"))

        self.assertEqual((first, Heard(line.say(DOCUMENT)).code), (b"HTTP/1.1 100 Continue\r\n\r\n", DEAD))

    def test_the_length_does_not_count(self) -> None:
        """A document that is longer than was said is read to its end, one that is shorter is complete."""
        heard = [self.code(head(f"Content-Length: {length}") + DOCUMENT) for length in (5, len(DOCUMENT) + 50)]

        self.assertEqual(heard, [DEAD, DEAD])

    def test_half_a_document(self) -> None:
        """The rest is waited for without a word, and in the end the connection is given up."""
        line = self.line()
        heard = line.say(post(DOCUMENT[:-5]))
        self.clock.advance(59)
        before = line.is_closed
        self.clock.advance(1)

        self.assertEqual((heard, before, line.is_closed), (b"", False, True))

    def test_no_pipelining(self) -> None:
        """Of two requests at once the second is lost."""
        heard = self.line().say(post(DOCUMENT) * 2)

        self.assertEqual(heard.count(b"HTTP/1.1 "), 1)

    def test_a_request_before_the_answer(self) -> None:
        """A request that comes before the answer to the one before is lost."""
        self.server.troubles.delay = 1.0
        line = self.line()
        line.say(post(DOCUMENT))
        line.say(post(DOCUMENT))
        self.clock.pump([1, 1, 1])

        self.assertEqual((line.hear().count(b"HTTP/1.1 "), len(self.server.asked)), (1, 1))

    def test_space_after_a_document(self) -> None:
        """It is no part of the next request."""
        line = self.line()
        line.say(post(DOCUMENT))
        line.say(b"\r\n")

        self.assertEqual(Heard(line.say(post(DOCUMENT))).code, DEAD)

    def test_bare_documents(self) -> None:
        """On a unix socket documents may come alone, one after the other, and HTTP after them."""
        line = self.line(UNIX)
        heard = [Heard(line.say(request)).code for request in (DOCUMENT, DOCUMENT, post(DOCUMENT), DOCUMENT)]

        self.assertEqual(heard, [DEAD] * 4)

    def test_bare_documents_on_the_network(self) -> None:
        """There HTTP is wanted, and a bare document is none."""
        self.assertEqual(send(self.server, TCP, DOCUMENT + b"\r\n\r\n").status, 500)

    def test_methods(self) -> None:
        """Reading and putting are refused with a fault; two others tell that the server is there, and nothing else."""
        heard = [send(self.server, TCP, head(method=name)) for name in ("GET", "PUT", "HEAD", "OPTIONS")]

        self.assertEqual(
            [(each.status, each.fault, each.content.endswith(b"\r\n\r\n")) for each in heard],
            [
                (405, "HTTP GET method not implemented", False),
                (405, "HTTP PUT method not implemented", False),
                (200, "", True),
                (200, "", True),
            ],
        )

    def test_what_is_no_request(self) -> None:
        """Whatever it is, it is a fault that ends the connection."""
        wrong = (
            b"hello\r\n\r\n",
            head() + b"hello",
            head() + b"<a></b>",
            head("Transfer-Encoding: chunked") + b"0\r\n\r\n",
            head("Transfer-Encoding: chunked") + in_chunks(DOCUMENT[:-5]),
            head("Transfer-Encoding: chunked") + b"x\r\n",
            post(DOCUMENT, "Content-Encoding: gzip"),
            head() + b"<a>" * 100,
            head() + b"<a>" + b"x" * 2_000_000,
        )
        heard = [send(self.server, TCP, each) for each in wrong]

        self.assertEqual(
            [(each.status, bool(each.fault), b"Connection: close" in each.content) for each in heard],
            [(500, True, True)] * len(wrong),
        )

    def test_faults_are_remembered(self) -> None:
        """A test can see that there was none."""
        self.code(post(DOCUMENT))
        self.code(post(envelope("noSuchCall", "")))

        self.assertEqual(
            self.server.faults, ["Method 'z:noSuchCall' not implemented: method name or namespace not recognized"]
        )


class ConnectionTests(WireCase):
    """How long connections stay."""

    def test_idle_connections(self) -> None:
        """Over the network they are closed after five seconds, on a unix socket never."""
        lines = [self.line(peer) for peer in (TCP, TLS, UNIX)]
        self.clock.advance(4.9)
        before = [line.is_closed for line in lines]
        self.clock.advance(0.2)

        self.assertEqual((before, [line.is_closed for line in lines]), ([False] * 3, [True, True, False]))

    def test_use_keeps_a_connection(self) -> None:
        """Each request starts the clock anew."""
        line = self.line()
        for _ in range(3):
            self.clock.advance(4)
            line.say(post(DOCUMENT))

        self.assertEqual(line.is_closed, False)

    def test_who_wants_to_close(self) -> None:
        """A client that says so, or speaks an old HTTP, has its connection closed after the answer."""
        requests = (post(DOCUMENT, "Connection: close"), head(version="1.0") + DOCUMENT, post(DOCUMENT))
        closed = []
        for request in requests:
            line = self.line()
            line.say(request)
            closed.append(line.is_closed)

        self.assertEqual(closed, [True, True, False])

    def test_nothing_is_left_to_happen(self) -> None:
        """When connections are gone no timer is left."""
        line = self.line()
        line.say(post(DOCUMENT))
        line.close()

        self.assertEqual(self.clock.getDelayedCalls(), [])


class TroubleTests(WireCase):
    """What goes wrong when it should."""

    def plain(self) -> bytes:
        """Return the answer without any trouble."""
        return send(self.server, TCP, post(DOCUMENT)).content

    def test_delay(self) -> None:
        """The answer comes later, and is the same."""
        expected = self.plain()
        self.server.troubles.delays["logoff"] = 2.0
        line = self.line()
        first = line.say(post(DOCUMENT))
        self.clock.advance(2.0)

        self.assertEqual((first, line.hear()), (b"", expected))

    def test_hanging(self) -> None:
        """Nothing comes, and the connection stays."""
        self.server.troubles.plan(Hang())
        line = self.line()
        heard = line.say(post(DOCUMENT))
        self.clock.advance(1000)

        self.assertEqual((heard, line.is_closed), (b"", False))

    def test_hanging_inside(self) -> None:
        """Some of the answer comes, and the connection stays."""
        expected = self.plain()
        self.server.troubles.plan(HangInside(250))
        line = self.line()
        heard = line.say(post(DOCUMENT))
        self.clock.advance(1000)

        self.assertEqual((heard, line.hear(), line.is_closed), (expected[:250], b"", False))

    def test_trickling(self) -> None:
        """The answer comes byte by byte, and the connection is good for another one."""
        expected = self.plain()
        self.server.troubles.plan(Trickle(1.0))
        line = self.line()
        first = line.say(post(DOCUMENT))
        self.clock.advance(1.0)
        first += line.hear()
        self.clock.pump([1.0] * len(expected))

        self.assertEqual((first, first + line.hear(), line.say(post(DOCUMENT))), (expected[:2], expected, expected))

    def test_closing(self) -> None:
        """The connection ends before the answer, or in the middle of it."""
        expected = self.plain()
        for trouble in (CloseBefore(), CloseInside(250)):
            self.server.troubles.plan(trouble)
        lines = [self.line() for _ in range(2)]
        heard = [(line.say(post(DOCUMENT)), line.is_closed) for line in lines]

        self.assertEqual(heard, [(b"", True), (expected[:250], True)])

    def test_garbage(self) -> None:
        """Any bytes can come, and the connection stays unless it should not."""
        for close in (False, True):
            self.server.troubles.plan(Raw(b"garbage", close))
        lines = [self.line() for _ in range(2)]

        self.assertEqual(
            [(line.say(post(DOCUMENT)), line.is_closed) for line in lines], [(b"garbage", False), (b"garbage", True)]
        )

    def test_too_much(self) -> None:
        """An answer can be as long as is wanted, with and without an announcement."""
        for chunked in (False, True):
            self.server.troubles.plan(Huge(100_000, chunked))
        heard = [send(self.server, TCP, post(DOCUMENT)) for _ in range(2)]

        self.assertEqual(
            [(len(each.content) > 100_000, each.is_chunked) for each in heard], [(True, False), (True, True)]
        )

    def test_codes(self) -> None:
        """Any code can come, as the answer of the call, and the call is not carried out."""
        session = session_of(self.server)
        self.server.troubles.plan(Refuse(0x80000005), call="logoff")
        heard = [ask(self.server, TCP, "logoff", ulSessionId=session) for _ in range(2)]

        self.assertEqual([each.value("result") for each in heard], [str(0x80000005), "0"])

    def test_codes_of_every_call(self) -> None:
        """Each call has an answer of its own that says the code."""
        names = ("logon", "ssoLogon", "logoff", "resolveUsername", "getUser", "getUserList", "abResolveNames")
        self.server.troubles.plan(Refuse(0x80000005), times=len(names))

        self.assertEqual([ask(self.server, TCP, name).code for name in names], [0x80000005] * len(names))

    def test_only_calls_of_a_name(self) -> None:
        """Trouble that is planned for one call leaves others alone."""
        self.server.troubles.plan(Hang(), call="getUser")

        self.assertEqual(self.code(post(DOCUMENT)), DEAD)

    def test_trouble_passes(self) -> None:
        """What was planned can be taken back."""
        self.server.troubles.plan(Hang(), times=3)
        self.server.troubles.delay = 1.0
        self.server.troubles.clear()

        self.assertEqual(self.code(post(DOCUMENT)), DEAD)


class AgentTests(WireCase):
    """Twisted's own client gets along with it, without a socket."""

    def ask(self, agent: Agent) -> bytes:
        """Ask for a session and return the body of the answer."""
        person = self.server.people.by_name("alice")
        if person is None:
            raise AssertionError("nobody of that name")
        content = values(szUsername="alice", szPassword=person.password, ulCapabilities=848, ulFlags=1)
        cooperator = Cooperator(scheduler=lambda step: self.clock.callLater(0, step))
        asked = agent.request(
            b"POST", b"http://localhost/", Headers(), FileBodyProducer(BytesIO(envelope("logon", content)), cooperator)
        )
        self.clock.pump([0] * 5)
        body = readBody(self.successResultOf(asked))
        self.clock.pump([0] * 5)
        heard: bytes = self.successResultOf(body)
        return heard

    def test_one_connection_for_several(self) -> None:
        """An answer in chunks leaves the connection good for the next request."""
        pool = HTTPConnectionPool(self.clock)
        agent = Agent.usingEndpointFactory(self.clock, _Endpoints(MemoryEndpoint(self.server, UNIX)), pool)
        heard = [b"<er>0</er>" in self.ask(agent) for _ in range(3)]

        self.assertEqual((heard, self.server.count), ([True] * 3, 1))

    def test_nobody_there(self) -> None:
        """A server that is down refuses connections."""
        endpoint = MemoryEndpoint(self.server, TCP)
        endpoint.is_down = True
        agent = Agent.usingEndpointFactory(self.clock, _Endpoints(endpoint))

        self.failureResultOf(agent.request(b"POST", b"http://localhost/"))
