"""Reading parameters and forms, and the token that keeps other sites from posting."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.browser import Keep
from konnectd.http import FORM_TYPE, HttpRequest
from konnectd.jose.sealing import SecretSealer
from konnectd.protocol.errors import UntrustedRequestError
from konnectd.web.cookies import FORM, Cookies
from konnectd.web.forms import FIELD, FormRefusedError, Forms, form_of, parameters_of, query_of
from konnectd.web.views import ErrorKind
from tests.support.fakes import CountingEntropy
from tests.support.requests import ISSUER

COOKIES = Cookies(secure=True, path="/i/", form_path="/")


def posted(body: str | bytes, query: str = "", media_type: str = FORM_TYPE, **headers: str) -> HttpRequest:
    """Make a request with a body; ``_`` in a header's name stands for ``-``."""
    named = {"content-type": media_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    content = body if isinstance(body, bytes) else body.encode()
    return HttpRequest(method="POST", path="/", query=query, headers=named, body=content)


class ReadTests(SynchronousTestCase):
    """What was sent."""

    def test_where_from(self) -> None:
        """Address and body are kept apart, or read as one where both are allowed."""
        request = posted("a=1", "b=2")

        self.assertEqual(dict(query_of(request).items()), {"b": "2"})
        self.assertEqual(dict(form_of(request).items()), {"a": "1"})
        self.assertEqual(dict(parameters_of(request).items()), {"a": "1", "b": "2"})

    def test_once_in_each(self) -> None:
        """A parameter that is in both is repeated."""
        with self.assertRaises(UntrustedRequestError):
            parameters_of(posted("a=1", "a=1"))

    def test_body_of_a_get(self) -> None:
        """Only what is posted has a form."""
        request = HttpRequest(method="GET", path="/", query="a=1", headers={"content-type": FORM_TYPE}, body=b"b=2")

        self.assertEqual(dict(parameters_of(request).items()), {"a": "1"})

    def test_media_type(self) -> None:
        """A charset and another case make no difference; another type does; without a body it is not asked for."""
        for media_type in (FORM_TYPE, FORM_TYPE.upper(), f"{FORM_TYPE}; charset=UTF-8"):
            self.assertEqual(form_of(posted("a=1", media_type=media_type)).text("a"), "1")
        for media_type in ("", "application/json", "multipart/form-data", f"{FORM_TYPE}x", f"x, {FORM_TYPE}"):
            with self.subTest(media_type=media_type), self.assertRaises(UntrustedRequestError):
                form_of(posted("a=1", media_type=media_type))
        self.assertEqual(dict(form_of(posted("", media_type="application/json")).items()), {})

    @settings(deadline=None)
    @given(st.binary(max_size=80), st.text(st.characters(codec="latin-1"), max_size=80))
    def test_any_bytes(self, body: bytes, query: str) -> None:
        """Whatever it is, it is a form or it is refused."""
        for read in (query_of, form_of, parameters_of):
            try:
                values = dict(read(posted(body, query)).items())
            except UntrustedRequestError:
                continue
            self.assertEqual([value for value in values.values() if not value], [])


class TokenTests(SynchronousTestCase):
    """Tokens of forms."""

    def setUp(self) -> None:
        """Make a page for a browser, and what the browser posts."""
        self.forms = Forms(cookies=COOKIES, sealer=SecretSealer(bytes(32)), entropy=CountingEntropy(), origin=ISSUER)
        self.token, (keep,) = self.forms.token(HttpRequest(method="GET", path="/"), "session-1")
        self.keep = keep

    def read(self, token: str, session_id: str = "session-1", cookie: str = "", **headers: str) -> ErrorKind | None:
        """Post the form, and return why it is refused, if it is."""
        value = cookie or (self.keep.value if isinstance(self.keep, Keep) else "")
        request = posted(f"{FIELD}={token}&allow=1", cookie=f"__Secure-{FORM}={value}", **headers)
        try:
            self.forms.read(request, session_id)
        except FormRefusedError as refused:
            return refused.kind
        return None

    def test_good(self) -> None:
        """It is taken again and again: nothing is stored for it."""
        self.assertEqual([self.read(self.token) for _ in range(3)], [None] * 3)

    def test_does_not_tell_the_cookie(self) -> None:
        """Who can read a page of ours still does not know what the cookie says."""
        self.assertIsInstance(self.keep, Keep)
        self.assertNotIn(getattr(self.keep, "value", "?"), self.token)
        self.assertNotIn(self.token, repr(self.keep))

    def test_of_another(self) -> None:
        """Another session's, another browser's, another secret's, or none at all."""
        other = Forms(cookies=COOKIES, sealer=SecretSealer(bytes(31) + b"1"), entropy=CountingEntropy(), origin=ISSUER)
        forged, _ = other.token(HttpRequest(method="GET", path="/"), "session-1")

        self.assertEqual(self.read(self.token, "session-2"), ErrorKind.STALE_FORM)
        self.assertEqual(self.read(self.token, ""), ErrorKind.STALE_FORM)
        self.assertEqual(self.read(self.token, cookie="B" * 43), ErrorKind.STALE_FORM)
        self.assertEqual(self.read(forged), ErrorKind.STALE_FORM)
        self.assertEqual(self.read(""), ErrorKind.STALE_FORM)
        self.assertEqual(self.read(self.token, cookie="short"), ErrorKind.COOKIES_BLOCKED)

    def test_from_elsewhere(self) -> None:
        """What the browser says about where it comes from counts more than the token."""
        self.assertEqual(self.read(self.token, origin="https://evil.example"), ErrorKind.CROSS_SITE)
        self.assertEqual(self.read(self.token, origin="null", sec_fetch_site="same-site"), ErrorKind.CROSS_SITE)
        self.assertEqual(self.read(self.token, sec_fetch_site="cross-site", origin=ISSUER), ErrorKind.CROSS_SITE)
        self.assertIsNone(self.read(self.token, origin="null"))
        self.assertIsNone(self.read(self.token, origin=ISSUER, sec_fetch_site="same-origin"))
