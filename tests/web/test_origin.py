"""Who asks, and who may read the answer."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest
from konnectd.web.origin import allow, is_same_origin, origin_of
from konnectd.web.route import Cors
from tests.support.connection import Bench, request, route

ISSUER = "https://sso.example.com"


def asked(**headers: str) -> HttpRequest:
    """Make a request with some headers; ``_`` stands for ``-``."""
    return HttpRequest(method="POST", path="/x", headers={name.replace("_", "-"): v for name, v in headers.items()})


class SameOriginTests(SynchronousTestCase):
    """Only a page of our own may post a form of ours."""

    def test_our_own_pages(self) -> None:
        """However the browser writes where it is."""
        for headers in (
            {"origin": "https://sso.example.com"},
            {"origin": "https://sso.example.com:443"},
            {"origin": "https://SSO.example.com"},
            {"referer": "https://sso.example.com/signin/v1/identifier?flow=oidc"},
            {"referer": "https://sso.example.com:443"},
            {"origin": "https://sso.example.com", "referer": "https://evil.example/"},
            {"origin": "null", "sec_fetch_site": "same-origin"},
        ):
            with self.subTest(headers=headers):
                self.assertTrue(is_same_origin(asked(**headers), ISSUER))

    def test_others(self) -> None:
        """However similar it looks, and when the browser does not say."""
        for headers in (
            {},
            {"origin": ""},
            {"origin": "null"},
            {"origin": "null", "referer": "https://sso.example.com/"},
            {"origin": "null", "sec_fetch_site": "cross-site"},
            {"origin": "null", "sec_fetch_site": "same-site"},
            {"origin": "null", "sec_fetch_site": "none"},
            {"origin": "https://evil.example", "sec_fetch_site": "same-origin"},
            {"origin": "http://sso.example.com"},
            {"origin": "https://sso.example.com:8443"},
            {"origin": "https://sso.example.com.evil.example"},
            {"origin": "https://evil.example/https://sso.example.com"},
            {"origin": "https://sso.example.com@evil.example"},
            {"origin": "https://evil.example", "referer": "https://sso.example.com/"},
            {"origin": "https://evil.example, https://sso.example.com"},
            {"origin": "https://sso.example.com:https"},
            {"origin": "https://[sso.example.com"},
            {"origin": "sso.example.com"},
            {"referer": "https://user@sso.example.com/"},
            {"referer": "about:blank"},
        ):
            with self.subTest(headers=headers):
                self.assertFalse(is_same_origin(asked(**headers), ISSUER))

    def test_ports_and_loopback(self) -> None:
        """A port is part of where one is, the default one also when it is not written."""
        self.assertTrue(is_same_origin(asked(origin="http://localhost:8777"), "http://localhost:8777"))
        self.assertTrue(is_same_origin(asked(origin="http://[::1]"), "http://[::1]:80"))
        self.assertFalse(is_same_origin(asked(origin="http://localhost"), "http://localhost:8777"))
        self.assertFalse(is_same_origin(asked(origin="https://a"), "no origin"))

    @settings(deadline=None)
    @given(st.text())
    def test_any_origin(self, text: str) -> None:
        """Whatever a header says, it is our origin or it is not."""
        expected = origin_of(text) == ("https", "sso.example.com", 443)

        self.assertEqual(is_same_origin(asked(referer=text), ISSUER), expected)


class CorsTests(SynchronousTestCase):
    """What scripts of other origins may do."""

    PREFLIGHT = ("Origin: https://rp.example", "Access-Control-Request-Method: POST")

    def test_preflight(self) -> None:
        """A script may send what clients send, an Authorization header too."""
        bench = Bench.of(route("/token", methods=("POST",), cors=Cors.ANY_ORIGIN))
        answer = bench.ask(
            request("OPTIONS", "/token", *self.PREFLIGHT, "Access-Control-Request-Headers: authorization")
        )

        self.assertEqual((answer.status, answer.body, answer.header("Content-Length")), (204, b"", ""))
        self.assertEqual(answer.header("Access-Control-Allow-Origin"), "*")
        self.assertEqual(answer.header("Access-Control-Allow-Methods"), "POST, OPTIONS")
        self.assertIn("Authorization", answer.header("Access-Control-Allow-Headers"))
        self.assertIn("Content-Type", answer.header("Access-Control-Allow-Headers"))
        self.assertEqual(answer.header("Access-Control-Max-Age"), "7200")

    def test_answers_are_readable(self) -> None:
        """Failures as well, so that a client's developer sees what is wrong, challenges included."""
        bench = Bench.of(route("/token", cors=Cors.ANY_ORIGIN))
        for method in ("GET", "PUT"):
            answer = bench.ask(request(method, "/token", "Origin: https://rp.example"))
            with self.subTest(method=method):
                self.assertEqual(answer.header("Access-Control-Allow-Origin"), "*")
                self.assertIn("WWW-Authenticate", answer.header("Access-Control-Expose-Headers"))

    def test_never_with_cookies(self) -> None:
        """No answer lets a script of another origin use a person's session."""
        bench = Bench.of(route("/token", cors=Cors.ANY_ORIGIN))
        for raw in (request("GET", "/token", *self.PREFLIGHT), request("OPTIONS", "/token", *self.PREFLIGHT)):
            self.assertEqual(bench.ask(raw).header("Access-Control-Allow-Credentials"), "")

    def test_closed_by_default(self) -> None:
        """An endpoint for people has nothing to say to scripts."""
        bench = Bench.of(route("/page"))
        for raw in (
            request("GET", "/page", *self.PREFLIGHT),
            request("OPTIONS", "/page", *self.PREFLIGHT),
            request("GET", "/nowhere", *self.PREFLIGHT),
        ):
            names = [name.lower() for name, _ in bench.ask(raw).headers]
            with self.subTest(raw=raw):
                self.assertEqual([name for name in names if name.startswith("access-control")], [])

    def test_plain_options(self) -> None:
        """Without a script behind it, OPTIONS just tells the methods."""
        answer = Bench.of(route("/token", cors=Cors.ANY_ORIGIN)).ask(request("OPTIONS", "/token"))

        self.assertEqual(
            (answer.header("Allow"), answer.header("Access-Control-Max-Age")), ("GET, HEAD, POST, OPTIONS", "")
        )

    def test_allow(self) -> None:
        """HEAD goes with GET, OPTIONS with everything, and nothing stands there twice."""
        for methods, expected in (
            (("GET",), b"GET, HEAD, OPTIONS"),
            (("POST",), b"POST, OPTIONS"),
            (("HEAD", "GET", "OPTIONS"), b"HEAD, GET, OPTIONS"),
        ):
            with self.subTest(methods=methods):
                self.assertEqual(allow(route(methods=methods)), expected)
