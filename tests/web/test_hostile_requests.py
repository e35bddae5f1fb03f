"""Hostile input to the assembled daemon: whatever comes, there is a clear answer, never a 500, and nobody waits."""

import json
from base64 import b64encode
from itertools import product
from urllib.parse import quote, urlencode

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.web.limits import Limits
from konnectd.web.route import Route
from tests.support.application import Application, error_of
from tests.support.assembly import FORM_HEADER, Daemon
from tests.support.connection import Heard, parse_answers, request
from tests.support.fakes import NOON, claims_of
from tests.support.forgery import forge, segment
from tests.support.keys import p256_key, rsa_key
from tests.support.redirects import without_query
from tests.support.requests import BYE, CALLBACK, ISSUER, NOTES
from tests.support.strategies import CHANGES, HOSTILE_URIS, TEXT
from tests.support.visitor import Visitor

LIMITS = Limits()
USERINFO = "/konnect/v1/userinfo"
#: Routes whose pages post a form, which then comes in the body while the request stays in the address.
FORMS = frozenset({"sign-in", "chooser", "consent", "welcome", "goodbye"})
BUTTONS = {"username": "alice", "password": "wonderland", "account": "alice", "allow": "1", "signout": "1"}
#: What a redirect may lead to: pages of ours, and what is registered.
REGISTERED = (
    CALLBACK,
    BYE,
    "http://127.0.0.1/cb",
    "http://127.0.0.1:5555/cb",
    "http://[::1]:8000/cb",
    "http://localhost/cb",
    "org.example.program:/cb",
)
#: Answers to what is not right: never an error of ours.
REFUSALS = frozenset({400, 401, 403, 404, 405, 408, 413, 431})
quickly = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


class HostileCase(SynchronousTestCase):
    """A daemon with Alice's browser signed in to it."""

    def setUp(self) -> None:
        """Assemble; what is sent must not change what comes later in the same test."""
        self.daemon = Daemon()
        self.app = Application(self.daemon)
        visitor = Visitor(self.daemon)
        self.tokens = self.app.tokens(visitor, scope="openid offline_access")
        inner = self.daemon.settings.paths.inner
        # The good tokens of our forms: nothing is refused here for the lack of one.
        self.csrf = {name: visitor.open(f"{inner}goodbye").fields["csrf"] for name in FORMS}
        self.csrf["sign-in"] = self.app.arrive(visitor, prompt="login").fields["csrf"]
        self.cookies = visitor.cookies_for(f"{ISSUER}{self.daemon.settings.paths.authorize}")
        self.routes = self.daemon.assembly.routes

    def assertClear(self, answer: Heard) -> None:
        """Fail unless the answer is one that somebody can do something with."""
        self.assertIn(answer.status, REFUSALS | {200, 204, 302, 303, 304})
        self.assertEqual(self.flushLoggedErrors(), [])

    def assertGoodRedirect(self, answer: Heard) -> None:
        """Fail unless a redirect leads to a page of ours or to what is registered."""
        if answer.status in {302, 303}:
            location = answer.header("Location")
            paths = {route.path for route in self.routes}
            self.assertIn(without_query(location), paths | set(REGISTERED), location)
        else:
            self.assertEqual(answer.header("Location"), "")


class RedirectTests(HostileCase):
    """No redirect leaves a registered address."""

    def ask(self, route: Route, method: str, sent: dict[str, str]) -> Heard:
        """Send parameters to a route, signed in, the way the method and the page send them."""
        text = urlencode(sent)
        cookies, ours = f"Cookie: {self.cookies}", f"Origin: {ISSUER}"
        if method == "GET":
            return self.daemon.get(f"{route.path}?{text}", cookies)
        if route.name in FORMS:
            form = {**BUTTONS, "csrf": self.csrf[route.name]}
            return self.daemon.post(f"{route.path}?{text}", urlencode(form), cookies, ours)
        return self.daemon.post(route.path, text, cookies, ours)

    def test_good_requests_get_through(self) -> None:
        """Unchanged, the requests that are changed below lead on everywhere, forms and the way out included."""
        good = {**self.app.parameters(client_id="notes"), "post_logout_redirect_uri": BYE}
        found = {
            (route.name, method): without_query(self.ask(route, method, good).header("Location"))
            for route, method in product(self.routes, ("GET", "POST"))
            if method in route.methods
        }
        paths = self.daemon.settings.paths
        for name, location in (
            ("authorize", f"{paths.inner}consent"),
            ("sign-in", paths.authorize),
            ("chooser", paths.authorize),
            ("consent", paths.authorize),
            ("goodbye", BYE),
            ("endsession", f"{paths.inner}goodbye"),
        ):
            with self.subTest(name=name):
                self.assertEqual(found[name, "POST"], location)

    @quickly
    @given(
        changes=CHANGES, method=st.sampled_from(["GET", "POST"]), client=st.sampled_from(["mail", "notes", "program"])
    )
    @example(changes={"redirect_uri": "https://evil.example/"}, method="GET", client="mail")
    def test_any_request_to_any_route(self, changes: dict[str, str | None], method: str, client: str) -> None:
        """Whatever the parameters, every redirect of every route stays with us or goes where a client registered."""
        good = {**self.app.parameters(client_id=client), "post_logout_redirect_uri": BYE}
        sent = {name: value for name, value in {**good, **changes}.items() if value is not None}
        for route in self.routes:
            if method in route.methods and route.name != "static":
                answer = self.ask(route, method, sent)
                self.assertClear(answer)
                self.assertGoodRedirect(answer)

    @quickly
    @given(uri=st.one_of(st.sampled_from(HOSTILE_URIS), TEXT), tail=TEXT)
    def test_any_address(self, uri: str, tail: str) -> None:
        """Whatever stands for the way back, signed in and with a hint that would let anybody leave at once."""
        for way in (uri, uri + tail, CALLBACK + tail, BYE + tail):
            answers = [
                self.daemon.get(self.app.url(redirect_uri=way, prompt="none"), f"Cookie: {self.cookies}"),
                self.daemon.get(
                    f"{self.daemon.settings.paths.endsession}?"
                    + urlencode({"id_token_hint": self.tokens["id_token"], "post_logout_redirect_uri": way}),
                    f"Cookie: {self.cookies}",
                ),
            ]
            for answer in answers:
                self.assertClear(answer)
                self.assertGoodRedirect(answer)


class AnyBytesTests(HostileCase):
    """No input gives a 500."""

    @quickly
    @given(query=st.binary(max_size=60), body=st.binary(max_size=60), header=st.binary(max_size=60))
    @example(query=b"%", body=b"%ff", header=b"Bearer \xff")
    @example(query=b"a=%00", body=b"a=%ED%A0%80", header=b"Basic " + b64encode(b"\xff:\x00"))
    @example(query=b"client_id=%F0%90%80%80", body=b"&&=&==", header=b"Basic =")
    def test_any_bytes_to_any_endpoint(self, query: bytes, body: bytes, header: bytes) -> None:
        """In the address, in the body, in headers."""
        odd = header.translate(None, b"\r\n\x00").decode("latin-1")
        for route, method in product(self.routes, ("GET", "POST")):
            if route.name == "static":
                continue
            target = f"{route.path}?{query.translate(None, bytes(range(33))).decode('latin-1')}"
            headers = (
                FORM_HEADER,
                f"Authorization: {odd}",
                f"Cookie: __Secure-KKT={odd}; {odd}",
                f"Accept-Language: {odd}",
            )
            answer = self.daemon.ask(method, target, *headers, body=body if method == "POST" else b"")
            self.assertClear(answer)

    @quickly
    @given(
        st.lists(
            st.one_of(st.binary(max_size=40), st.sampled_from([b"GET ", b" HTTP/1.1\r\n", b"\r\n", b": "])), max_size=12
        )
    )
    def test_any_bytes_to_the_server(self, pieces: list[bytes]) -> None:
        """Without any shape, in any pieces: it is answered, or waited for until the time for a request is over."""
        peer = self.daemon.connect()
        heard = peer.send(*pieces)
        if not heard and any(pieces):
            self.daemon.reactor.pump([1.0] * 20)
            heard = peer.hear()
        for answer in parse_answers(heard):
            self.assertClear(answer)
            self.assertIn(answer.status, REFUSALS)

    def test_malformed_escapes(self) -> None:
        """In the path and in parameters, at every endpoint."""
        for route, odd in product(self.routes, ("%", "%2", "%zz", "%u0041", "%00", "%c0%ae", "%ff", "%ed%a0%80")):
            if route.name == "static":
                continue
            in_path = self.daemon.get(f"{route.path}{odd}")
            with self.subTest(path=route.path, odd=odd):
                self.assertIn(in_path.status, {400, 404})
                self.assertClear(self.daemon.ask(route.methods[0], f"{route.path}?client_id={odd}"))
                self.assertClear(self.daemon.ask(route.methods[0], f"{route.path}?{odd}={odd}"))

    def test_text_of_others_is_never_markup(self) -> None:
        """What a stranger writes into an address, a header or a form is text on the page, if it is there at all."""
        odd = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
        for route in self.routes:
            query = urlencode(self.app.parameters(client_id="notes", state=odd, login_hint=odd, error_description=odd))
            headers = (f"Cookie: {self.cookies}", f"Accept-Language: {odd}", f"X-Forwarded-Host: {odd}")
            for target in (f"{route.path}?{query}", f"{route.path}?x={quote(odd)}", f"{route.path}{quote(odd)}"):
                answer = self.daemon.ask(route.methods[0], target, *headers)
                with self.subTest(target=target):
                    self.assertClear(answer)
                    self.assertNotIn(b"<script>alert", answer.body)
                    self.assertNotIn(b"<img src=x", answer.body)


class SizeTests(HostileCase):
    """Too much, and too slow."""

    def test_bodies(self) -> None:
        """The largest body is read, one byte more is not, at every endpoint, with a length and in chunks."""
        for route in self.routes:
            if "POST" not in route.methods:
                continue
            fits, more = ("a=" + "x" * (LIMITS.body_bytes - 2), "a=" + "x" * (LIMITS.body_bytes - 1))
            chunked = f"{len(more):x}\r\n{more}\r\n0\r\n\r\n".encode()
            head = request("POST", route.path, FORM_HEADER, "Transfer-Encoding: chunked")
            with self.subTest(path=route.path):
                self.assertNotEqual(self.daemon.post(route.path, fits).status, 413)
                self.assertClear(self.daemon.post(route.path, fits))
                self.assertEqual(self.daemon.post(route.path, more).status, 413)
                self.assertEqual(self.daemon.connect().ask(head + chunked).status, 413)

    def test_a_length_is_refused_before_the_body(self) -> None:
        """Nobody has to send what will not be read."""
        head = request("POST", "/konnect/v1/token", "Content-Length: 10000000", FORM_HEADER)

        self.assertEqual(self.daemon.connect().ask(head).status, 413)

    def test_heads(self) -> None:
        """A flood of headers, an endless one or an endless address are refused."""
        for raw in (
            request("GET", USERINFO, *(f"X-{n}: {n}" for n in range(200))),
            request("GET", USERINFO, "Authorization: Bearer " + "a" * LIMITS.header_bytes),
            request("GET", USERINFO, "Cookie: " + "a=b; " * 5000),
            request("GET", "/signin/v1/identifier?" + "a=b&" * 5000),
        ):
            self.assertEqual(self.daemon.connect().ask(raw).status, 431)

    def test_slow_senders(self) -> None:
        """Drop by drop, a request has the same time as any other, and others are served meanwhile."""
        form = urlencode({"grant_type": "refresh_token"}).encode()
        raw = request("POST", "/konnect/v1/token", FORM_HEADER, "Content-Length: 64000") + form
        peer = self.daemon.connect()
        for byte in raw[:-5]:
            self.assertEqual(peer.send(bytes([byte])), b"")
            self.daemon.reactor.advance(LIMITS.read_seconds / (2 * len(raw)))
        self.assertEqual(self.daemon.get("/health-check").status, 200)
        self.daemon.reactor.pump([0.5] * round(LIMITS.read_seconds * 2))

        (answer,) = parse_answers(peer.hear())
        self.assertEqual((answer.status, peer.closed), (408, True))

    def test_many_parameters(self) -> None:
        """More than any request has are refused at once."""
        for route in self.routes:
            if "POST" in route.methods and route.name not in {"health-check", "userinfo", "token"}:
                answer = self.daemon.post(f"{route.path}?{'a&' * 101}", "a=1&" * 15000)
                with self.subTest(path=route.path):
                    self.assertEqual(answer.status, 400)

    def test_smuggling(self) -> None:
        """A message that two readers frame differently is refused, and what follows it is not looked at."""
        for lines in (
            ("Content-Length: 5", "Transfer-Encoding: chunked"),
            ("Content-Length: 5", "Content-Length: 6"),
            ("Content-Length: +5",),
            ("Content-Length: 0x5",),
            ("Content-Length: 5, 5",),
            ("Transfer-Encoding: chunked, identity",),
            ("Transfer-Encoding: xchunked",),
            ("Host: evil.example",),
        ):
            raw = (
                request("POST", "/konnect/v1/token", *lines) + b"0\r\n\r\nGET /health-check HTTP/1.1\r\nHost: a\r\n\r\n"
            )
            heard = parse_answers(self.daemon.connect().send(raw))
            with self.subTest(lines=lines):
                self.assertEqual([answer.status for answer in heard], [400])


class TokenTests(HostileCase):
    """Tokens that are not ours, or not for this."""

    def present(self, token: str) -> list[tuple[int, str]]:
        """Show a token wherever one is taken, and return how each place refuses it."""
        hint = self.daemon.get(self.app.url(id_token_hint=token, prompt="none"), f"Cookie: {self.cookies}")
        leave = f"{self.daemon.settings.paths.endsession}?{urlencode({'id_token_hint': token})}"
        told = "code" if "code=" in hint.header("Location") else "refused"
        return [
            error_of(self.app.userinfo(token)),
            error_of(self.app.refresh(token)),
            (hint.status, told),
            (self.daemon.get(leave, f"Cookie: {self.cookies}").status, ""),
        ]

    REFUSED = ((401, "invalid_token"), (400, "invalid_grant"), (302, "refused"), (400, ""))

    def claims(self, kind: str) -> bytes:
        """Return the claims of a good token."""
        return json.dumps(claims_of(self.tokens[kind])).encode()

    def test_forgeries(self) -> None:
        """None, extensions, keys that come along, foreign keys, and MACs with a public key are refused everywhere."""
        good = {"alg": "ES256", "kid": "es256-1", "typ": "JWT"}
        stranger, ours = p256_key(2), p256_key()
        for kind in ("access_token", "refresh_token", "id_token"):
            claims = self.claims(kind)
            unsigned = segment(json.dumps({"alg": "none", "kid": "es256-1"}).encode()) + "." + segment(claims) + "."
            signature = self.tokens[kind].rpartition(".")[2]
            for forged in (
                unsigned,
                unsigned + signature,
                forge(ours, {**good, "crit": ["exp"], "exp": 1}, claims),
                forge(ours, {**good, "crit": []}, claims),
                forge(ours, {**good, "b64": False, "crit": ["b64"]}, claims),
                forge(ours, {**good, "jwk": ours.public.to_jwk()}, claims),
                forge(stranger, {**good, "jwk": stranger.public.to_jwk()}, claims),
                forge(stranger, {**good, "jku": "https://evil.example/jwks"}, claims),
                forge(stranger, {**good, "x5u": "https://evil.example/x"}, claims),
                forge(stranger, good, claims),
                forge(stranger, {**good, "kid": "default"}, claims),
                forge(rsa_key(2), {"alg": "PS256", "kid": "ps256-1"}, claims),
                forge(rsa_key(), {"alg": "PS256", "kid": "es256-1"}, claims),
                forge(rsa_key(), {"alg": "HS256", "kid": "ps256-1"}, claims),
                segment(json.dumps(good).encode()) + "." + segment(claims[:-1] + b',"x":1}') + "." + signature,
            ):
                with self.subTest(kind=kind, forged=forged[:80]):
                    self.assertEqual(tuple(self.present(forged)), self.REFUSED)

    def test_a_forged_copy_of_a_good_token_would_pass(self) -> None:
        """What `forge` makes with the right key and header is taken, so the refusals are for their own reasons."""
        header = {"alg": "ES256", "kid": "es256-1", "typ": "JWT"}
        answer = self.app.userinfo(forge(p256_key(), header, self.claims("access_token")))

        self.assertEqual(answer.status, 200)

    def test_kinds(self) -> None:
        """Each kind of our own tokens is taken in its own place and nowhere else. Spec: RFC 8725 3.12."""
        places = {"access_token": 0, "refresh_token": 1}
        for kind, token in self.tokens.items():
            if not kind.endswith("_token"):
                continue
            taken = [
                self.app.userinfo(token).status == 200,
                self.app.refresh(token).status == 200,
                "code="
                in self.daemon.get(self.app.url(id_token_hint=token, prompt="none"), f"Cookie: {self.cookies}").header(
                    "Location"
                ),
            ]
            with self.subTest(kind=kind):
                self.assertEqual(taken, [place == places.get(kind, 2) for place in range(3)])

    def test_claims_that_are_not_right(self) -> None:
        """A token of ours for another issuer, another time or nobody is refused, whatever the types of its claims."""
        header = {"alg": "ES256", "kid": "es256-1", "typ": "JWT"}
        good = claims_of(self.tokens["access_token"])
        odd: tuple[object, ...] = (None, "", [], {}, -1, 1e308, True, "x" * 100)
        wrong: list[dict[str, object]] = [
            {"iss": "https://evil.example"},
            {"exp": NOON},
            {"nbf": NOON + 100},
            {"iat": NOON + 100},
            {"aud": "x"},
        ]
        wrong += [{"kc.isAccessToken": False}, {"sub": "bob"}]
        names = ("iss", "exp", "sub", "aud", "kc.authorizedScopes", "kc.identity", "kc.provider")
        wrong += [{name: value} for name, value in product(names, odd)]
        for change in wrong:
            answer = self.app.userinfo(forge(p256_key(), header, json.dumps({**good, **change}).encode()))
            with self.subTest(change=change):
                self.assertClear(answer)
                self.assertIn(answer.status, {401, 403})

    def test_oversized(self) -> None:
        """A segment of any size is refused before anybody decodes it."""
        header, claims, signature = self.tokens["access_token"].split(".")
        for token in (
            f"{'A' * 60000}.{claims}.{signature}",
            f"{header}.{'A' * 60000}.{signature}",
            f"{header}.{claims}.{'A' * 60000}",
            "." * 60000,
            f"{header}.{claims}.{signature}" + ".A" * 20000,
        ):
            answer = self.daemon.post(USERINFO, urlencode({"access_token": token}))
            self.assertEqual(error_of(answer), (401, "invalid_token"))

    @quickly
    @given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=100))
    def test_any_token(self, text: str) -> None:
        """Whatever is shown is refused in the same words."""
        self.assertEqual(error_of(self.app.userinfo(text)), (401, "invalid_token"))
        self.assertEqual(Application(self.daemon, NOTES).refresh(text).status, 400)
