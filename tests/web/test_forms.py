"""Forms: reading what was posted, and keeping other sites from posting."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest
from konnectd.jose.sealing import SecretSealer
from konnectd.protocol.errors import UntrustedRequestError
from konnectd.web.cookies import Cookies
from konnectd.web.forms import FormRefusedError, Forms, form_of, parameters_of, query_of
from konnectd.web.views import ErrorKind
from tests.support.fakes import CountingEntropy

ORIGIN = "https://sso.example.com"
FORM_TYPE = "application/x-www-form-urlencoded"


def posted(body: str | bytes = b"", query: str = "", **headers: str) -> HttpRequest:
    """Return a form that was posted from our own page; headers with _ for -."""
    sent = {"content-type": FORM_TYPE, "origin": ORIGIN}
    sent.update({name.replace("_", "-"): value for name, value in headers.items()})
    content = body.encode() if isinstance(body, str) else body
    return HttpRequest(
        method="POST",
        path="/signin",
        query=query,
        headers={name: value for name, value in sent.items() if value},
        body=content,
    )


class ReadingTests(SynchronousTestCase):
    """Where parameters stand."""

    def test_query(self) -> None:
        """The parameters of an address are read, whatever the body says."""
        self.assertEqual(dict(query_of(posted("a=2", "a=1&b=%20")).items()), {"a": "1", "b": " "})

    def test_body(self) -> None:
        """The parameters of a body are read, whatever the address says."""
        self.assertEqual(dict(form_of(posted("a=2&b=x+y", "a=1")).items()), {"a": "2", "b": "x y"})

    def test_media_types(self) -> None:
        """A body is a form when it says so, in any case and with any charset; no body needs no type."""
        for kind in (FORM_TYPE, FORM_TYPE + "; charset=UTF-8", FORM_TYPE.upper(), FORM_TYPE + " ;x"):
            self.assertEqual(form_of(posted("a=1", content_type=kind)).get("a"), "1", kind)
        for kind in ("", "text/plain", "application/json", "multipart/form-data; boundary=x", FORM_TYPE + "x"):
            with self.assertRaises(UntrustedRequestError, msg=kind):
                form_of(posted("a=1", content_type=kind))
            self.assertEqual(list(form_of(posted("", content_type=kind)).items()), [])

    def test_both(self) -> None:
        """Where both ways are open, a posted request may use both, but no parameter twice."""
        self.assertEqual(dict(parameters_of(posted("a=1", "b=2")).items()), {"a": "1", "b": "2"})
        for query, body in (("a=1", "a=1"), ("a=", "a=1"), ("a=1&a=2", ""), ("", "a=1&a=2")):
            with self.assertRaises(UntrustedRequestError, msg=f"{query} {body}"):
                parameters_of(posted(body, query))

    def test_body_of_get(self) -> None:
        """A body that came with GET is not looked at."""
        request = HttpRequest(method="GET", path="/", query="a=1", headers={"content-type": FORM_TYPE}, body=b"a=2")

        self.assertEqual(dict(parameters_of(request).items()), {"a": "1"})

    @settings(deadline=None)
    @given(st.binary(max_size=60), st.text(max_size=60))
    def test_any_bytes(self, body: bytes, query: str) -> None:
        """Any bytes are parameters or refused in the one way there is."""
        for read in (query_of, form_of, parameters_of):
            try:
                parameters = read(posted(body, query))
            except UntrustedRequestError:
                continue
            self.assertTrue(all(value for _, value in parameters.items()))


class FormsTests(SynchronousTestCase):
    """The token that keeps other sites from posting."""

    def setUp(self) -> None:
        """Let a browser load a page with a form."""
        self.cookies = Cookies(secure=True, path="/signin/v1/identifier/_/", form_path="/signin/v1/")
        self.forms = Forms(
            cookies=self.cookies, sealer=SecretSealer(b"s" * 32), entropy=CountingEntropy(), origin=ORIGIN
        )
        self.token, changes = self.forms.token(HttpRequest(method="GET", path="/signin"))
        ((_, line),) = self.cookies.write(changes)
        self.cookie = line.decode().partition(";")[0]

    def refusal(self, request: HttpRequest, session_id: str = "") -> ErrorKind:
        """Return why a form is refused."""
        with self.assertRaises(FormRefusedError) as caught:
            self.forms.read(request, session_id)
        return ErrorKind(caught.exception.kind)

    def test_our_own(self) -> None:
        """A form that was posted from our page in this browser is read."""
        form = self.forms.read(posted(f"csrf={self.token}&username=alice", cookie=self.cookie))

        self.assertEqual(form.get("username"), "alice")

    def test_again(self) -> None:
        """The same page may be posted twice, and further pages in the same browser have the same token."""
        request = HttpRequest(method="GET", path="/", headers={"cookie": self.cookie})

        self.assertEqual(self.forms.token(request), (self.token, ()))
        for _ in range(2):
            self.assertTrue(self.forms.read(posted(f"csrf={self.token}", cookie=self.cookie)))

    def test_other_browser(self) -> None:
        """Every browser has a token of its own, and another one's does not help."""
        other, changes = self.forms.token(HttpRequest(method="GET", path="/"))

        self.assertEqual(len(changes), 1)
        self.assertNotEqual(other, self.token)
        self.assertEqual(self.refusal(posted(f"csrf={other}", cookie=self.cookie)), ErrorKind.STALE_FORM)

    def test_tokens_that_are_none(self) -> None:
        """No token, a part of one, or the cookie itself is refused as an old page."""
        value = self.cookie.partition("=")[2]
        for body in ("", "csrf=", f"csrf={self.token[:-1]}", f"csrf={self.token}A", f"csrf={value}", "csrf=%E2%82%AC"):
            self.assertEqual(self.refusal(posted(body, cookie=self.cookie)), ErrorKind.STALE_FORM, body)

    def test_no_cookie(self) -> None:
        """A browser that keeps no cookies is told so, and what can not be ours is no cookie."""
        good = f"csrf={self.token}"
        for value in ("", "x", "A" * 42, "A" * 44, "A" * 42 + "!", "A" * 42 + "="):
            cookie = f"__Secure-KKFT={value}"
            self.assertEqual(self.refusal(posted(good, cookie=cookie)), ErrorKind.COOKIES_BLOCKED, value)
        self.assertEqual(self.refusal(posted(good)), ErrorKind.COOKIES_BLOCKED)

    def test_broken_cookie_is_replaced(self) -> None:
        """A browser whose cookie can not be ours gets a new one."""
        request = HttpRequest(method="GET", path="/", headers={"cookie": "__Secure-KKFT=broken"})

        self.assertEqual(len(self.forms.token(request)[1]), 1)

    def test_other_sites(self) -> None:
        """A form that a browser says comes from anywhere else is refused, even with cookie and token."""
        body = f"csrf={self.token}"
        for headers in (
            {"origin": "https://evil.example"},
            {"origin": "https://sso.example.com.evil.example"},
            {"origin": "http://sso.example.com"},
            {"origin": "https://sso.example.com:8443"},
            {"origin": "null", "sec_fetch_site": "cross-site"},
            {"origin": "null", "sec_fetch_site": "same-site"},
            {"origin": "", "sec_fetch_site": "cross-site"},
            {"origin": ORIGIN, "sec_fetch_site": "same-site"},
            {"origin": "", "referer": "https://evil.example/?https://sso.example.com"},
            {"origin": "null", "referer": "https://evil.example/"},
        ):
            request = posted(body, cookie=self.cookie, **headers)
            self.assertEqual(self.refusal(request), ErrorKind.CROSS_SITE, headers)

    def test_our_site_said_otherwise(self) -> None:
        """Browsers have more than one way to say that it was our page; for those that say nothing the token decides."""
        good, bad = f"csrf={self.token}", "csrf=guessed"
        for headers in (
            {"origin": "null", "sec_fetch_site": "same-origin"},
            {"origin": "", "referer": f"{ORIGIN}/signin?x=1"},
            {"origin": "https://sso.example.com:443"},
            {"origin": ""},
            {"origin": "null"},
        ):
            self.assertTrue(self.forms.read(posted(good, cookie=self.cookie, **headers)), headers)
            self.assertEqual(self.refusal(posted(bad, cookie=self.cookie, **headers)), ErrorKind.STALE_FORM, headers)

    def test_other_session(self) -> None:
        """A page that spoke about one person's session says nothing for the next person's."""
        request = HttpRequest(method="GET", path="/", headers={"cookie": self.cookie})
        token, _ = self.forms.token(request, "session-1")
        good = posted(f"csrf={token}", cookie=self.cookie)

        self.assertTrue(self.forms.read(good, "session-1"))
        for session_id in ("", "session-2"):
            self.assertEqual(self.refusal(good, session_id), ErrorKind.STALE_FORM)

    def test_malformed(self) -> None:
        """What is no form is refused as such."""
        for request in (
            posted("a=%", cookie=self.cookie),
            posted("a=1", cookie=self.cookie, content_type="text/plain"),
        ):
            self.assertRaises(UntrustedRequestError, self.forms.read, request)

    def test_other_secret(self) -> None:
        """Who does not have the installation's secret can not make a token for a cookie they planted."""
        others = Forms(cookies=self.cookies, sealer=SecretSealer(b"t" * 32), entropy=CountingEntropy(), origin=ORIGIN)
        request = HttpRequest(method="GET", path="/", headers={"cookie": self.cookie})

        self.assertEqual(
            self.refusal(posted(f"csrf={others.token(request)[0]}", cookie=self.cookie)), ErrorKind.STALE_FORM
        )
