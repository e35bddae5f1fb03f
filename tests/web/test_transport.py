"""One connection: what a peer can send, how much, how slowly, and in which order it hears the answers."""

from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest, HttpResponse
from konnectd.web.limits import Limits
from tests.support.connection import SMALL, Bench, Connection, parse_answers, request, route
from tests.support.endpoints import Seen, Slow


class RefusalCase(SynchronousTestCase):
    """Sends what must be refused."""

    def assert_refused(self, status: int, *pieces: bytes, limits: Limits = SMALL) -> None:
        """Check that no endpoint hears of it, that the answer says so, and that nothing else is taken afterwards."""
        endpoint = Seen()
        peer = Bench.of(route("/echo", endpoint), limits=limits).connect()
        (answer,) = parse_answers(peer.send(*pieces))
        with self.subTest(pieces=pieces):
            self.assertEqual((answer.status, answer.header("Connection")), (status, "close"))
            self.assertEqual((peer.closed, endpoint.requests), (True, []))
            self.assertEqual(peer.send(request("GET", "/echo")), b"")


class FramingTests(RefusalCase):
    """Messages that two readers could split in different places are refused by this one."""

    def test_ambiguous_lengths(self) -> None:
        """Two lengths, both kinds of them, or a length that is not plain digits."""
        for lines in (
            ("Content-Length: 3", "Transfer-Encoding: chunked"),
            ("Transfer-Encoding: chunked", "Content-Length: 3"),
            ("Content-Length: 3", "Content-Length: 3"),
            ("Content-Length: 3", "Content-Length: 4"),
            ("Content-Length: 3, 3",),
            ("Content-Length: +3",),
            ("Content-Length: -3",),
            ("Content-Length: 0x3",),
            ("Content-Length: 3 3",),
            ("Content-Length: 3_0",),
            ("Content-Length:",),
            ("Content-Length: \xb3",),
            ("Content-Length: " + "9" * 900,),
            ("Content-Length: " + "0" * 5000 + "3",),
            ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
            ("Transfer-Encoding: identity",),
            ("Transfer-Encoding: identity", "Content-Length: 3"),
            ("Transfer-Encoding: gzip, chunked",),
            ("Transfer-Encoding: xchunked",),
            ("Transfer-Encoding: \x0bchunked",),
            ("Content-Length : 3",),
            (" Content-Length: 3",),
            ("Content\x00Length: 3",),
            ("X: a\rContent-Length: 3",),
            ("no colon",),
            (": no name",),
            ("Transfer-Encoding:", " chunked"),
            ("X: a", "\tb"),
        ):
            self.assert_refused(400, request("POST", "/echo", *lines) + b"a=b", limits=Limits())
            self.assert_refused(400, request("POST", "/echo", *lines, "X-Last: 1") + b"a=b", limits=Limits())

    def test_malformed_chunks(self) -> None:
        """A chunk that does not say its length in plain digits, or does not end where it said."""
        for chunks in (b"0x3\r\na=b\r\n0\r\n\r\n", b"+3\r\na=b\r\n", b"3\r\na=bc\r\n", b"g\r\n", b"\r\n", b"-1\r\n"):
            self.assert_refused(400, request("POST", "/echo", "Transfer-Encoding: chunked"), chunks)

    def test_no_content_where_none_belongs(self) -> None:
        """A GET with content is not for us."""
        for method in ("GET", "HEAD", "OPTIONS", "TRACE"):
            self.assert_refused(400, request(method, "/echo", body=b"a"))
            self.assert_refused(400, request(method, "/echo", "Transfer-Encoding: chunked") + b"0\r\n\r\n")

    def test_old_version_has_no_chunks(self) -> None:
        """Somebody on the way does not know what chunks are."""
        self.assert_refused(400, b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")

    def test_nonsense(self) -> None:
        """What is not HTTP/1 at all."""
        for line in (
            b"GET /echo",
            b"GET  /echo HTTP/1.1",
            b"GET /echo HTTP/2.0",
            b"G@T /echo HTTP/1.1",
            b"\x16\x03\x01",
        ):
            self.assert_refused(400, line + b"\r\nHost: a\r\n\r\n")

    def test_host(self) -> None:
        """Exactly one, and it looks like one."""
        for lines in ((), ("Host: a", "Host: a"), ("Host: a b",), ("Host: a/b",), ("Host: a@b",), ('Host: "',)):
            self.assert_refused(400, request("GET", "/echo", *lines, host=""))

    def test_length_zero_is_no_content(self) -> None:
        """Some clients say so even with GET."""
        self.assertEqual(Bench.of().ask(request("GET", "/echo", "Content-Length: 0")).status, 200)

    def test_chunks(self) -> None:
        """A body in chunks arrives whole, whatever pieces it comes in."""
        head = request("POST", "/echo", "Transfer-Encoding: chunked")
        raw = head + b"3;ext=1\r\na=b\r\n4\r\n&c=d\r\n0\r\nX-Trailer: 1\r\n\r\n"
        answer = Bench.of().ask(*(raw[i : i + 1] for i in range(len(raw))))

        self.assertEqual((answer.status, answer.body), (200, b"POST /echo  a=b&c=d"))


class LongLineTests(RefusalCase):
    """A long query makes no difference but for its length."""

    def test_long_query(self) -> None:
        """It arrives whole, on its own, after another request, and after an empty line."""
        query = "&".join(f"name{i}=value%20{i}" for i in range(100))
        peer = Bench.of().connect()
        asked = request("GET", f"/echo?{query}")
        answers = parse_answers(peer.send(asked + request("GET", "/echo?short") + b"\r\n" + asked))

        long, short = f"GET /echo {query} ".encode(), b"GET /echo short "
        self.assertEqual([answer.body for answer in answers], [long, short, long])

    def test_malformed(self) -> None:
        """It is refused for the same reasons as a short one."""
        padding = "a" * 200
        for line in (
            f"GET /echo?{padding} HTTP/2.0",
            f"GET /echo?{padding} x HTTP/1.1",
            f"G@T /echo?{padding} HTTP/1.1",
            f"GET  /echo?{padding} HTTP/1.1",
            f" GET /echo?{padding} HTTP/1.1",
        ):
            self.assert_refused(400, line.encode("latin-1") + b"\r\nHost: a\r\n\r\n")

    def test_it_counts_as_part_of_the_head(self) -> None:
        """Line and headers together stay within the limit."""
        target = "/echo?" + "a" * 600
        self.assert_refused(431, request("GET", target, "X: " + "a" * 400))

        self.assertEqual(Bench.of(limits=SMALL).ask(request("GET", target, "X: " + "a" * 200)).status, 200)

    def test_headers_that_look_like_one(self) -> None:
        """Only the first line is a request line."""
        self.assert_refused(400, request("GET", "/echo", "GET /other?" + "a" * 200 + " HTTP/1.1"))


class SizeTests(RefusalCase):
    """Nobody can send more than the limits say."""

    def test_body_at_the_limit(self) -> None:
        """The limit itself is allowed, by length and in chunks."""
        bench = Bench.of(limits=SMALL)
        chunked = request("POST", "/echo", "Transfer-Encoding: chunked") + b"64\r\n" + b"x" * 100 + b"\r\n0\r\n\r\n"

        self.assertEqual(
            [bench.ask(raw).status for raw in (request("POST", "/echo", body=b"x" * 100), chunked)], [200] * 2
        )

    def test_announced_body_over_the_limit(self) -> None:
        """It is refused before any of it is read."""
        self.assert_refused(413, request("POST", "/echo", "Content-Length: 101"))
        self.assert_refused(413, request("POST", "/echo", "Content-Length: 999999999999999999"))

    def test_chunked_body_over_the_limit(self) -> None:
        """It is refused as soon as it is too much, in one chunk or in many."""
        head = request("POST", "/echo", "Transfer-Encoding: chunked")
        self.assert_refused(413, head, b"65\r\n" + b"x" * 101)
        self.assert_refused(413, head, *[b"1\r\nx\r\n"] * 101)
        self.assert_refused(413, head + b"1\r\nx\r\n" * 101 + b"0\r\n\r\n")

    def test_traffic_without_content(self) -> None:
        """Chunks that are mostly extension do not go on for ever, though there is little in them."""
        chunk = b"1;" + b"e" * 900 + b"\r\nx\r\n"
        self.assert_refused(413, request("POST", "/echo", "Transfer-Encoding: chunked"), *[chunk] * 10)

    def test_head_over_the_limit(self) -> None:
        """One long line, many lines, a long target, or a line that does not end."""
        for pieces in (
            (request("GET", "/echo", "X: " + "a" * 990),),
            (request("GET", "/echo", *["X: " + "a" * 90] * 12),),
            (request("GET", "/echo?" + "a" * 1000),),
            (b"GET /echo HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 1100,),
            (b"a" * 1100,),
        ):
            self.assert_refused(431, *pieces)

    def test_many_headers(self) -> None:
        """Short ones are counted."""
        self.assert_refused(431, request("GET", "/echo", *["X: a"] * 101), limits=Limits())

    def test_nothing_is_kept_after_a_refusal(self) -> None:
        """The rest of a refused message is thrown away, not parsed as the next one."""
        endpoint = Seen()
        peer = Bench.of(route("/echo", endpoint), limits=SMALL).connect()
        heard = peer.send(request("POST", "/echo", "Content-Length: 500") + request("GET", "/echo") * 5)

        self.assertEqual((heard.count(b"HTTP/1.1 "), endpoint.requests), (1, []))

    def test_continue_only_when_the_body_is_wanted(self) -> None:
        """A client that asks first does not send in vain."""
        peer = Bench.of(limits=SMALL).connect()
        first = peer.send(request("POST", "/echo", "Expect: 100-continue", "Content-Length: 3"))
        (answer,) = parse_answers(peer.send(b"a=b"))

        self.assertEqual((first, answer.status), (b"HTTP/1.1 100 Continue\r\n\r\n", 200))
        self.assert_refused(413, request("POST", "/echo", "Expect: 100-continue", "Content-Length: 101"))


class TimeTests(SynchronousTestCase):
    """Nobody can take longer than the limits say, however busy they look."""

    def setUp(self) -> None:
        """Make a site with short limits."""
        self.bench = Bench.of(limits=SMALL)
        self.peer = self.bench.connect()

    def drip(self, raw: bytes, most: float) -> float:
        """Send a byte each half second until the connection is closed, and return when that was."""
        begun = self.bench.clock.seconds()
        for i in range(round(most * 2)):
            self.peer.send(raw[i % len(raw) :][:1])
            self.bench.wait(0.5)
            if self.peer.closed:
                break
        return self.bench.clock.seconds() - begun

    def test_dripping_head(self) -> None:
        """A byte now and then does not keep a connection."""
        taken = self.drip(b"GET /echo HTTP/1.1\r\nHost: sso.example\r\n" + b"X: a\r\n" * 100, 60)
        heard = self.peer.hear()

        self.assertTrue(SMALL.read_seconds <= taken <= SMALL.read_seconds + 2, taken)
        self.assertEqual(parse_answers(heard)[0].status, 408)

    def test_dripping_body(self) -> None:
        """The time does not begin anew with the body."""
        self.peer.send(request("POST", "/echo", "Content-Length: 90"))
        taken = self.drip(b"a" * 90, 60)

        self.assertTrue(SMALL.read_seconds <= taken <= SMALL.read_seconds + 2, taken)

    def test_dripping_empty_lines(self) -> None:
        """Neither does an empty line before a request."""
        self.assertLess(self.drip(b"\r\n", 60), SMALL.read_seconds + 2)

    def test_idle_connection(self) -> None:
        """One that never asks is closed without a word."""
        self.bench.wait(SMALL.idle_seconds - 1)
        before = self.peer.closed
        self.bench.wait(2)

        self.assertEqual((before, self.peer.closed, self.peer.hear()), (False, True, b""))

    def test_connection_that_is_used(self) -> None:
        """Each answer gives a connection its idle time again."""
        for _ in range(5):
            self.bench.wait(SMALL.idle_seconds - 1)
            self.assertEqual(self.peer.ask(request("GET", "/echo")).status, 200)

        self.assertFalse(self.peer.closed)

    def test_no_timer_without_connections(self) -> None:
        """A server nobody talks to sleeps."""
        self.peer.hang_up()

        self.assertEqual(self.bench.clock.getDelayedCalls(), [])

    def test_peer_that_does_not_read(self) -> None:
        """A connection that was closed in order is cut when that takes too long."""

        class Stuck(StringTransport):
            """A wire whose end never comes, as nobody reads."""

            closing = False

            def loseConnection(self) -> None:
                """Wait for the peer, in vain."""
                self.closing = True

            def abortConnection(self) -> None:
                """Do not wait."""
                super().loseConnection()
                self.disconnected = True

        wire = Stuck(lenient=True)
        peer = Connection(self.bench.site, wire)
        peer.send(request("GET", "/echo", "Connection: close"))
        before = wire.closing, peer.cut
        self.bench.wait(SMALL.idle_seconds + 2)

        self.assertEqual((before, peer.cut), ((True, False), True))


class OrderTests(SynchronousTestCase):
    """Requests on one connection are answered one after another."""

    def test_pipelined_requests(self) -> None:
        """The second is not even begun before the first is answered, however quickly it could be."""
        slow = Slow()
        peer = Bench.of(route("/slow", slow), route("/echo")).connect()
        heard = peer.send(request("GET", "/slow?a") + request("GET", "/echo?b") + request("GET", "/slow?c"))
        self.assertEqual((heard, slow.asked), (b"", ["a"]))
        slow.waiting["a"].callback("first")
        slow.waiting["c"].callback("third")

        self.assertEqual([a.body for a in parse_answers(peer.hear())], [b"first", b"GET /echo b ", b"third"])

    def test_pieces_do_not_matter(self) -> None:
        """Three requests byte by byte, or all at once, are three requests."""
        raw = request("GET", "/echo?1") + request("POST", "/echo", body=b"a=b") + request("GET", "/echo?3")
        whole, bytewise = Bench.of().connect(), Bench.of().connect()
        answers = [
            [a.body for a in parse_answers(heard)]
            for heard in (whole.send(raw), bytewise.send(*(raw[i : i + 1] for i in range(len(raw)))))
        ]

        self.assertEqual(answers, [[b"GET /echo 1 ", b"POST /echo  a=b", b"GET /echo 3 "]] * 2)

    def test_last_request(self) -> None:
        """After an answer that closes, nothing that was sent along is answered."""
        for last in (request("GET", "/echo", "Connection: close"), request("GET", "/echo", "Connection: x, Close")):
            peer = Bench.of().connect()
            answers = parse_answers(peer.send(last + request("GET", "/echo")))

            self.assertEqual([(a.status, a.header("Connection")) for a in answers], [(200, "close")])
            self.assertTrue(peer.closed)

    def test_old_version(self) -> None:
        """A peer that speaks HTTP/1.0 gets its answer and the end of the connection."""
        peer = Bench.of().connect()
        answer = peer.ask(b"GET /echo HTTP/1.0\r\n\r\n")

        self.assertEqual((answer.status, answer.header("Connection"), peer.closed), (200, "close", True))

    def test_flood_while_waiting(self) -> None:
        """What comes while an answer is waited for is not read without end."""
        slow = Slow()
        peer = Bench.of(route("/slow", slow), route("/echo")).connect()
        peer.send(request("GET", "/slow?a"), *[request("GET", "/echo")] * 1000)

        self.assertEqual(peer.transport.producerState, "paused")

    def test_peer_that_only_asks(self) -> None:
        """Whoever does not read the answers gets no more of them, until they do."""
        wire = StringTransport(lenient=True)
        asked = []

        async def full(seen: HttpRequest) -> HttpResponse:
            asked.append(seen.query)
            wire.producer.pauseProducing()  # what a transport does when more than it likes is waiting to be sent
            return HttpResponse.text("full")

        peer = Connection(Bench.of(route("/full", full)).site, wire)
        first = peer.send(request("GET", "/full?1") + request("GET", "/full?2"), request("GET", "/full?3"))
        before = first.count(b"HTTP/1.1 200"), list(asked), wire.producerState
        wire.producer.resumeProducing()
        wire.producer.resumeProducing()

        self.assertEqual(before, (1, ["1"], "paused"))
        self.assertEqual((peer.hear().count(b"HTTP/1.1 200"), asked), (2, ["1", "2", "3"]))
