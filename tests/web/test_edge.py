"""What reaches an endpoint, and what its answers become, on either lane."""

import re
from itertools import product

from treq.testing import StubTreq
from twisted.internet.address import IPv6Address, UNIXAddress
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.web.errors import failure, not_found
from konnectd.web.route import Cors, Route
from konnectd.web.site import klein_resource
from tests.support.connection import REFERENCE, Bench, Connection, echo, request, route
from tests.support.endpoints import Respond, Seen, Waits, raising


class ReadTests(SynchronousTestCase):
    """What an endpoint sees of a request."""

    def seen(self, raw: bytes) -> HttpRequest:
        """Send a request and return what reached the endpoint."""
        seen = Seen()
        Bench.of(route("/a/b", seen)).ask(raw)
        (only,) = seen.requests
        return only

    def test_query_is_not_decoded(self) -> None:
        """Nobody before the parser of parameters touches the query."""
        seen = self.seen(request("GET", "/a/b?x=%2F+%zz&&y=?/"))

        self.assertEqual((seen.path, seen.query), ("/a/b", "x=%2F+%zz&&y=?/"))

    def test_headers_have_lower_case_names(self) -> None:
        """Names are compared without regard to case by writing them in one."""
        seen = self.seen(request("GET", "/a/b", "X-OnE: Two", "ETAG: t"))

        self.assertEqual((seen.header("x-one"), seen.header("etag")), ("Two", "t"))

    def test_repeated_headers_are_joined(self) -> None:
        """A list may come in pieces; cookies are no list and have their own separator."""
        seen = self.seen(request("GET", "/a/b", "Accept: a", "Accept: b", "Cookie: c=1", "Cookie: d=2"))

        self.assertEqual((seen.header("accept"), seen.cookies), ("a, b", {"c": "1", "d": "2"}))

    def test_first_of_two_cookies_counts(self) -> None:
        """Browsers send the one with the longer path first. Spec: RFC 6265 5.4."""
        seen = self.seen(request("GET", "/a/b", "Cookie: c=inner; c=outer"))

        self.assertEqual(seen.cookies, {"c": "inner"})

    def test_body_and_peer(self) -> None:
        """The body comes complete, and the peer is who is at the other end of the connection."""
        seen = self.seen(
            request("POST", "/a/b", "Content-Type: text/x", "X-Forwarded-For: 198.51.100.9", body=b"\x00a")
        )

        self.assertEqual((seen.body, seen.peer, seen.media_type), (b"\x00a", "192.0.2.7", "text/x"))

    def test_peer_of_either_family(self) -> None:
        """A peer has one address, whichever kind of socket it came by; at a unix socket it has none."""
        for address, host in (
            (IPv6Address("TCP", "::ffff:192.0.2.9", 1), "192.0.2.9"),
            (IPv6Address("TCP", "2001:db8::1", 1), "2001:db8::1"),
            (UNIXAddress(b"/run/x"), ""),
        ):
            seen = Seen()
            bench = Bench.of(route("/a", seen))
            Connection(bench.site, StringTransport(peerAddress=address, lenient=True)).ask(request("GET", "/a"))
            with self.subTest(address=address):
                self.assertEqual([one.peer for one in seen.requests], [host])

    def test_bytes_of_headers_survive(self) -> None:
        """Whatever a header's value consists of, no byte of it is lost or refused."""
        seen = self.seen(request("GET", "/a/b", "X-Odd: \x80\xff"))

        self.assertEqual(seen.header("x-odd"), "\x80\xff")

    def test_head_reaches_an_endpoint_as_get(self) -> None:
        """An endpoint never has to know of HEAD."""
        self.assertEqual(self.seen(request("HEAD", "/a/b")).method, "GET")


class LaneTests(SynchronousTestCase):
    """One declaration, two lanes, the same bytes."""

    ASKED = (
        request("GET", "/fine"),
        request("GET", "/fine?a=%2F&a"),
        request("HEAD", "/fine"),
        request("POST", "/fine", body=b"a=b"),
        request("PUT", "/fine", body=b"a=b"),
        request("OPTIONS", "/fine"),
        request("OPTIONS", "/fine", "Origin: https://rp.example", "Access-Control-Request-Method: POST"),
        request("BREW", "/fine"),
        request("GET", "/fine", "Connection: close"),
        request("GET", "/fine", "Host: b"),
        request("GET", "/fine?a#b"),
        request("GET", "/fine/"),
        request("GET", "/fine%2f"),
        request("GET", "//fine"),
        request("GET", "/./fine"),
        request("GET", "/fine", host="Host: ..."),
        request("GET", "/fine", host="Host: " + "a" * 70 + ".example"),
        request("GET", "/broken"),
        request("GET", "/refused"),
        request("GET", "/away"),
        request("GET", "/injected"),
        request("POST", "/nothing"),
        request("GET", "/cookies"),
    )

    def bench(self, cors: Cors, *, fast: bool) -> Bench:
        """Make a site that has everything an endpoint can do, on one lane."""

        async def nothing(_request: HttpRequest) -> HttpResponse:
            return HttpResponse(status=204, body=b"not to be sent")

        async def cookies(_request: HttpRequest) -> HttpResponse:
            return HttpResponse.redirect("/x", headers=((b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2")))

        async def injected(_request: HttpRequest) -> HttpResponse:
            return HttpResponse(headers=((b"X-A", b"b\r\nX-C: d"),), body=b"body")

        responds: tuple[tuple[str, Respond], ...] = (
            ("/fine", echo),
            ("/broken", raising(ValueError("our fault"))),
            ("/refused", raising(OAuthError(ErrorCode.INVALID_GRANT, "spent"))),
            ("/away", raising(BackendUnavailableError("no route to host"))),
            ("/injected", injected),
            ("/nothing", nothing),
            ("/cookies", cookies),
        )
        return Bench.of(*(route(path, respond, fast=fast, cors=cors) for path, respond in responds))

    def test_same_bytes(self) -> None:
        """The fast lane answers every kind of request as Klein's does, to the byte."""
        for cors, asked in product(Cors, self.ASKED):
            heard = []
            for fast in (True, False):
                peer = self.bench(cors, fast=fast).connect()
                raw = re.sub(rb"Date: [^\r]+", b"Date: now", peer.send(asked))
                heard.append((raw, peer.closed))
            with self.subTest(asked=asked, cors=cors):
                self.assertNotEqual(heard[0][0], b"")
                self.assertEqual(heard[0], heard[1])
        self.flushLoggedErrors()

    def test_same_bytes_after_waiting(self) -> None:
        """It makes no difference either when an answer has to be waited for."""
        heard = []
        for fast in (True, False):
            waits = Waits()
            peer = Bench.of(route("/waits", waits, fast=fast)).connect()
            self.assertEqual(peer.send(request("GET", "/waits")), b"")
            waits.arrive("one ")
            waits.arrive("two")
            heard.append(re.sub(rb"Date: [^\r]+", b"Date: now", peer.hear()))

        self.assertEqual(heard[0], heard[1])
        self.assertTrue(heard[0].endswith(b"\r\n\r\none two"))

    def test_same_end_when_the_browser_leaves(self) -> None:
        """What an answer waits for is canceled on both lanes, and nothing is logged."""
        for fast in (True, False):
            waits = Waits()
            peer = Bench.of(route("/waits", waits, fast=fast)).connect()
            peer.send(request("GET", "/waits"))
            peer.hang_up()
            with self.subTest(fast=fast):
                self.assertEqual((waits.started, waits.canceled), (1, 1))
                self.assertEqual(self.flushLoggedErrors(), [])


class MethodTests(SynchronousTestCase):
    """Methods that every endpoint understands, and those it does not."""

    def test_head_is_get_without_body(self) -> None:
        """All headers are the same, the length too."""
        bench = Bench.of()
        head, got = (bench.ask(request(method, "/echo")) for method in ("HEAD", "GET"))

        self.assertEqual(head.headers, got.headers)
        self.assertEqual(head.body, b"")

    def test_wrong_method(self) -> None:
        """It is told which ones there are instead, and the endpoint does not hear of it."""
        seen = Seen()
        answer = Bench.of(route("/post", seen, ("POST",))).ask(request("GET", "/post"))

        self.assertEqual((answer.status, answer.header("Allow"), seen.requests), (405, "POST, OPTIONS", []))

    def test_head_without_get(self) -> None:
        """There is no HEAD where there is no GET."""
        answer = Bench.of(route("/post", echo, ("POST",))).ask(request("HEAD", "/post"))

        self.assertEqual(answer.status, 405)

    def test_options(self) -> None:
        """An endpoint tells its methods."""
        answer = Bench.of().ask(request("OPTIONS", "/echo"))

        self.assertEqual((answer.status, answer.header("Allow")), (204, "GET, HEAD, POST, OPTIONS"))

    def test_options_of_the_server(self) -> None:
        """The server as a whole may be asked as well."""
        self.assertEqual(Bench.of().ask(request("OPTIONS", "*")).status, 204)


class PathTests(SynchronousTestCase):
    """Only a path written as declared reaches an endpoint."""

    def test_ambiguous_paths_reach_nobody(self) -> None:
        """Neither is cleaned up, decoded, nor redirected: two readers would not agree about what was meant."""
        targets = (
            "//echo /echo/ /./echo /x/../echo /echo/. /%65cho /echo%00 /echo%2f /%2e/echo /echo%2F.. "
            "/..%2fecho /%2e%2e/echo /echo; /ECHO /echo/%2e%2e/echo /echo%5c /x%5C..%5Cecho ///"
        )
        for target, fast in product(targets.split(), (True, False)):
            seen = Seen()
            answer = Bench.of(route("/echo", seen, fast=fast), route("/", seen, fast=fast)).ask(request("GET", target))
            with self.subTest(target=target):
                self.assertEqual((answer.status, seen.requests, answer.header("Location")), (404, [], ""))

    def test_malformed_targets_are_refused(self) -> None:
        """What is no path is not even looked up."""
        targets = (
            "http://sso.example/echo echo ?a * sso.example:443 /% /%g0 /a%1 /a\\b /a|b /<b> /a#b "
            "/{a} /\x80 /a?b\x80 /a?b#c"
        )
        for target, fast in product(targets.split(" "), (True, False)):
            seen = Seen()
            answer = Bench.of(route("/echo", seen, fast=fast)).ask(request("GET", target))
            with self.subTest(target=target):
                self.assertEqual((answer.status, seen.requests), (400, []))

    def test_unknown_path(self) -> None:
        """The page for it is somebody else's, and gets a reference."""

        def page(seen: HttpRequest, reference: str) -> HttpResponse:
            return HttpResponse.text(f"{seen.path} {reference}", status=404)

        answer = Bench.of(not_found=page).ask(request("GET", "/other?x"))

        self.assertEqual((answer.status, answer.body), (404, f"/other {REFERENCE}".encode()))

    def test_routes_must_have_plain_paths(self) -> None:
        """A path that is a pattern for Klein, or could be read in two ways, can not be declared."""
        for path in ("echo", "/<id>", "/a//b", "/../a", "/a%2fb", "/a b", ""):
            with self.subTest(path=path), self.assertRaises(ValueError):
                Bench.of(route(path))

    def test_routes_must_differ(self) -> None:
        """The second of two routes with one path would never be reached."""
        with self.assertRaises(ValueError):
            Bench.of(route("/a"), route("/a", methods=("POST",)))


class ObserveTests(SynchronousTestCase):
    """Whoever counts is told of every answer."""

    def test_every_answer_is_told(self) -> None:
        """With its route, or without one when there is none."""
        told: list[tuple[str, int, float]] = []

        def observe(where: Route | None, _seen: HttpRequest, answer: HttpResponse, seconds: float) -> None:
            told.append((where.name if where else "-", answer.status, seconds))

        waits = Waits()
        bench = Bench.of(route("/echo"), route("/waits", waits), observe=observe)
        bench.ask(request("GET", "/echo"))
        bench.ask(request("GET", "/nowhere"))
        bench.ask(request("GET", "/x?#"))
        bench.ask(b"nonsense\r\n\r\n")
        bench.connect().send(request("GET", "/waits"))
        bench.wait(2)
        waits.arrive("a")
        waits.arrive("b")

        self.assertEqual(told, [("echo", 200, 0), ("-", 404, 0), ("-", 400, 0), ("-", 400, 0), ("waits", 200, 2.0)])

    def test_whoever_counts_may_fail(self) -> None:
        """It is logged, and nobody waits for an answer because of it."""

        def observe(*_told: object) -> None:
            raise ValueError

        peer = Bench.of(observe=observe).connect()
        statuses = [peer.ask(request("GET", "/echo")).status for _ in range(2)]

        self.assertEqual((statuses, len(self.flushLoggedErrors(ValueError))), ([200, 200], 2))


class ResourceTests(SynchronousTestCase):
    """The same routes as a resource, for tests through an HTTP client in memory."""

    def setUp(self) -> None:
        """Make a client of some routes."""
        self.waits = Waits()
        routes = [
            route("/echo"),
            route("/klein", fast=False),
            route("/waits", self.waits, cors=Cors.ANY_ORIGIN),
            route("/x", raising(ValueError("inner"))),
        ]
        self.client = StubTreq(
            klein_resource(routes, not_found=not_found, failure=failure, reference=lambda: REFERENCE)
        )

    def test_answers(self) -> None:
        """Both lanes, unknown paths, methods and failures are as on the wire."""
        for method, path, status, body in (
            ("GET", "/echo?a", 200, b"GET /echo a "),
            ("POST", "/klein", 200, b"POST /klein  a=b"),
            ("GET", "/nowhere", 404, b"404 Not Found\n"),
            ("PUT", "/echo", 405, b"405 Method Not Allowed\n"),
            ("HEAD", "/echo", 200, b""),
            ("OPTIONS", "/klein", 204, b""),
            ("GET", "/x", 500, b"500 Internal Server Error\nReference: ref-1\n"),
        ):
            sent = b"a=b" if method == "POST" else None
            answer = self.successResultOf(self.client.request(method, f"http://sso.example{path}", data=sent))
            with self.subTest(method=method, path=path):
                self.assertEqual((answer.code, self.successResultOf(answer.content())), (status, body))
                self.assertEqual(answer.headers.getRawHeaders("X-Content-Type-Options"), ["nosniff"])
                self.assertEqual(answer.headers.getRawHeaders("Server"), None)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_waiting(self) -> None:
        """An answer that is waited for arrives, with the headers of its route."""
        asked = self.client.get("http://sso.example/waits")
        self.waits.arrive("one ")
        self.waits.arrive("two")
        self.client.flush()
        answer = self.successResultOf(asked)

        self.assertEqual(self.successResultOf(answer.content()), b"one two")
        self.assertEqual(answer.headers.getRawHeaders("Access-Control-Allow-Origin"), ["*"])
