"""A site as a whole: its connections together, its end, what every answer carries, and whatever anybody sends."""

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest, HttpResponse
from tests.support.connection import SMALL, Bench, parse_answers, request, route
from tests.support.endpoints import Slow
from tests.support.fakes import run


class CrowdTests(SynchronousTestCase):
    """There are never more connections than there may be."""

    def test_too_many(self) -> None:
        """One more is turned away, until another leaves; that is told to the operator once."""
        events: list[dict[str, object]] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        bench = Bench.of(limits=SMALL)
        peers = [bench.connect() for _ in range(SMALL.connections)]
        with self.assertRaises(ConnectionRefusedError):
            bench.connect()
        with self.assertRaises(ConnectionRefusedError):
            bench.connect()
        bench.wait(3)
        peers[0].hang_up()
        bench.connect()

        self.assertEqual(sum("turned away" in str(event["log_format"]) for event in events), 1)

    def test_idle_ones_make_room(self) -> None:
        """Those that have been idle longest are let go when it gets tight; busy ones are not."""
        slow = Slow()
        bench = Bench.of(route("/slow", slow), limits=SMALL)
        busy = bench.connect()
        busy.send(request("GET", "/slow?a"))
        idle = []
        for _ in range(SMALL.connections - 1):
            bench.clock.advance(0.01)
            idle.append(bench.connect())
        bench.wait(1)

        self.assertEqual([peer.closed for peer in (busy, *idle)], [False, True] + [False] * 8)


class DrainTests(SynchronousTestCase):
    """When the daemon stops, nobody's request is cut who is being answered."""

    def setUp(self) -> None:
        """Make a site with a slow endpoint and one peer that waits for it."""
        self.slow = Slow()
        self.bench = Bench.of(route("/slow", self.slow), route("/echo"), limits=SMALL)
        self.busy = self.bench.connect()
        self.busy.send(request("GET", "/slow?a"))

    def test_drain(self) -> None:
        """Idle connections end at once, busy ones with their answer, which says so."""
        idle = self.bench.connect()
        idle.ask(request("GET", "/echo"))
        drained = Deferred.fromCoroutine(self.bench.site.drain(10))
        before = idle.closed, self.busy.closed, drained.called
        idle.hang_up()
        self.slow.waiting["a"].callback("answer")
        (answer,) = parse_answers(self.busy.hear())

        self.assertEqual(before, (True, False, False))
        self.assertEqual((answer.body, answer.header("Connection")), (b"answer", "close"))
        self.assertIsNone(self.successResultOf(drained))

    def test_request_that_is_still_coming(self) -> None:
        """Whoever has begun to ask may end, and gets an answer."""
        peer = self.bench.connect()
        raw = request("GET", "/echo")
        peer.send(raw[:10])
        Deferred.fromCoroutine(self.bench.site.drain(10))
        answer = peer.ask(raw[10:])

        self.assertEqual((answer.status, answer.header("Connection"), peer.closed), (200, "close", True))

    def test_request_that_is_about_to_come(self) -> None:
        """Whoever has just connected is not sent away while the request is on its way."""
        peer = self.bench.connect()
        Deferred.fromCoroutine(self.bench.site.drain(10))
        answer = peer.ask(request("GET", "/echo"))

        self.assertEqual((answer.status, answer.header("Connection"), peer.closed), (200, "close", True))

    def test_request_that_does_not_come(self) -> None:
        """Whoever has connected and asks nothing keeps the daemon for a moment only."""
        peer = self.bench.connect()
        Deferred.fromCoroutine(self.bench.site.drain(10))
        before = peer.closed
        self.bench.wait(3)

        self.assertEqual((before, peer.closed), (False, True))

    def test_no_new_connections(self) -> None:
        """Those the kernel still hands over are turned away."""
        Deferred.fromCoroutine(self.bench.site.drain(10))

        self.assertRaises(ConnectionRefusedError, self.bench.connect)

    def test_deadline(self) -> None:
        """An answer that takes too long does not keep the daemon."""
        drained = Deferred.fromCoroutine(self.bench.site.drain(3))
        self.bench.wait(4)
        cut = self.busy.cut
        self.busy.hear()

        self.assertTrue(cut)
        self.assertIsNone(self.successResultOf(drained))

    def test_nobody_there(self) -> None:
        """Without connections there is nothing to wait for."""
        run(Bench.of().site.drain(10))


class HeaderTests(SynchronousTestCase):
    """What every answer carries."""

    def test_safe_headers(self) -> None:
        """Whatever the answer is; who we are and in which version is nobody's business."""
        for raw in (request("GET", "/echo"), request("GET", "/nowhere"), request("PUT", "/echo"), b"nonsense\r\n\r\n"):
            answer = Bench.of().ask(raw)
            with self.subTest(raw=raw):
                self.assertEqual(answer.header("X-Content-Type-Options"), "nosniff")
                self.assertEqual(answer.header("Referrer-Policy"), "no-referrer")
                self.assertEqual(answer.header("Server"), "")
                self.assertRegex(answer.header("Date"), r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")

    def test_no_http2(self) -> None:
        """Over TLS nothing is offered that the limits here do not cover."""
        self.assertEqual(Bench.of().site.acceptableProtocols(), [b"http/1.1"])

    def test_own_referrer_policy(self) -> None:
        """An endpoint may know better, and values that look like one make no difference."""

        async def own(_request: HttpRequest) -> HttpResponse:
            return HttpResponse(headers=((b"referrer-policy", b"same-origin"),))

        async def other(_request: HttpRequest) -> HttpResponse:
            return HttpResponse(headers=((b"X-Text", b"referrer-policy: unsafe-url"),))

        bench = Bench.of(route("/own", own), route("/other", other))

        self.assertEqual(
            [bench.ask(request("GET", path)).header("Referrer-Policy") for path in ("/own", "/other")],
            ["same-origin", "no-referrer"],
        )


class AccessLogTests(SynchronousTestCase):
    """A line for each answer, for those who want it."""

    def lines(self, asked: bytes, *, access_log: bool) -> list[str]:
        """Ask, and return what is logged."""
        lines: list[str] = []

        def observe(event: dict[str, object]) -> None:
            if event.get("log_namespace") == "konnectd.web.site":
                lines.append(str(event["log_format"]).format_map(event) + repr(event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        Bench.of(access_log=access_log).ask(asked)
        return lines

    def test_line(self) -> None:
        """Method, path, status, time and peer; never the query, which may carry a code."""
        asked = request("GET", "/echo?code=secret", "Cookie: secret")
        (line,) = self.lines(asked, access_log=True)

        self.assertTrue(line.startswith("GET /echo 200 0.0 ms 192.0.2.7"), line)
        self.assertNotIn("secret", line)

    def test_default(self) -> None:
        """There is none unless somebody wants it."""
        self.assertEqual(self.lines(request("GET", "/echo"), access_log=False), [])

    def test_hostile_path(self) -> None:
        """What is asked for neither speaks to a terminal nor fills the disk."""
        (line,) = self.lines(request("GET", "/\x9b31m" + "a" * 500), access_log=True)

        self.assertTrue(line.startswith("GET /\\x9b31m" + "a" * 195 + " 400 "), line)


PIECES = st.sampled_from(
    (
        *(b"GET ", b"POST ", b"OPTIONS ", b"/", b"/echo", b"?a=b", b"%2f", b"%", b"*", b" HTTP/1.1", b" HTTP/1.0"),
        *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b": ", b"\x00", b"\xff", b"9" * 40, b" ", b"x" * 500),
        *(b"Host: a\r\n", b"Host: \x80\r\n", b"Content-Length: 3\r\n", b"Content-Length: ", b"Cookie: =;a\r\n"),
        *(b"Transfer-Encoding: chunked\r\n", b"3\r\na=b\r\n", b"0\r\n\r\n", b"Expect: 100-continue\r\n"),
        *(
            b"Connection: close\r\n",
            b"Upgrade: h2c\r\n",
            request("GET", "/echo"),
            request("POST", "/echo", body=b"a=b"),
        ),
    )
)
MESSAGES = st.lists(st.one_of(PIECES, PIECES, st.binary(max_size=20)), max_size=25)


class AnythingTests(SynchronousTestCase):
    """Whatever comes."""

    @settings(deadline=None, max_examples=400)
    @given(pieces=MESSAGES, fast=st.booleans())
    @example(pieces=[b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n"], fast=True)
    @example(pieces=[b"GET /echo HTTP/1.1\r\nHost: a..b\r\n\r\n"], fast=False)
    def test_any_bytes(self, pieces: list[bytes], *, fast: bool) -> None:
        """Any bytes get answers that are well formed and never our fault, and the connection ends or goes on."""
        bench = Bench.of(route("/echo", fast=fast), limits=SMALL)
        peer = bench.connect()
        heard = peer.send(*pieces)
        bench.wait(SMALL.idle_seconds + SMALL.read_seconds + 3)
        heard += peer.hear()

        statuses = [answer.status for answer in parse_answers(heard)]
        self.assertEqual([status for status in statuses if status >= 500], [])
        self.assertTrue(peer.closed)
        self.assertEqual(self.flushLoggedErrors(), [])
