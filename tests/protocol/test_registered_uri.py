"""Tests of the rules for URIs that are registered."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.registered_uri import (
    implicit_uri_problem,
    page_uri_problem,
    private_scheme_problem,
    redirect_uri_problem,
    sector_of,
)
from konnectd.protocol.vocabulary import ApplicationType

WEB, NATIVE = ApplicationType.WEB, ApplicationType.NATIVE


class RedirectUriTests(SynchronousTestCase):
    """Where a code may go."""

    def test_good(self) -> None:
        """What each kind of client uses."""
        for uri, kind in (
            ("https://app.example/cb", WEB),
            ("https://app.example/cb?tenant=1", WEB),
            ("https://app.example:8443", WEB),
            ("https://app.example/cb", NATIVE),
            ("http://127.0.0.1/cb", NATIVE),
            ("http://[::1]/cb", NATIVE),
            ("http://localhost:8080/cb", NATIVE),
            ("org.example.app:/cb", NATIVE),
            ("app://callback.example", NATIVE),
        ):
            with self.subTest(uri=uri, kind=kind):
                self.assertEqual(redirect_uri_problem(uri, kind, http=False), "")

    def test_private_schemes(self) -> None:
        """A scheme of somebody's own is the name of their domain, from its end. Spec: RFC 8252 7.1."""
        for uri in ("org.example.app:/cb", "https://app.example/cb", "http://localhost/cb", "http:"):
            self.assertEqual(private_scheme_problem(uri), "", uri)
        for uri in ("app://callback.example", "mailto:alice@org.example", "tel:1.2"):
            self.assertIn("reversed name", private_scheme_problem(uri))

    def test_bad(self) -> None:
        """Whatever could lead elsewhere."""
        for uri, kind, problem in (
            ("http://app.example/cb", WEB, "https://"),
            ("http://localhost/cb", WEB, "https://"),
            ("org.example.app:/cb", WEB, "https://"),
            ("http://app.example/cb", NATIVE, "may go without"),
            ("http://localhost.evil.example/cb", NATIVE, "may go without"),
            ("https://app.example/*", WEB, "wildcard"),
            ("https://app.example/cb#x", WEB, "fragment"),
            ("https://app.example/cb#", WEB, "fragment"),
            ("/cb", WEB, "absolute"),
            ("//app.example/cb", WEB, "absolute"),
            ("https://user@app.example/cb", WEB, "absolute"),
            ("https://app.example\\@evil.example/", WEB, "absolute"),
            ("https://app.example/\tcb", WEB, "absolute"),
            ("https://app.example/ä", WEB, "absolute"),
            ("https://app.example:99999/", WEB, "absolute"),
            ("javascript:alert(1)", NATIVE, "absolute"),
            ("data:text/html,x", NATIVE, "absolute"),
            ("app:", NATIVE, "nothing after"),
            ("https://", WEB, "absolute"),
            ("", WEB, "absolute"),
            ("https://app.example/" + "a" * 2000, WEB, "absolute"),
        ):
            with self.subTest(uri=uri[:60], kind=kind):
                self.assertIn(problem, redirect_uri_problem(uri, kind, http=False))

    def test_http(self) -> None:
        """Where everything is on one machine, http is good enough; a scheme a browser runs is not."""
        self.assertEqual(redirect_uri_problem("http://localhost/cb", WEB, http=True), "")
        self.assertIn("absolute", redirect_uri_problem("javascript:x", WEB, http=True))

    def test_implicit(self) -> None:
        """A web client's tokens do not go to somebody's own machine. Spec: OIDC Registration 2."""
        self.assertIn("loopback", implicit_uri_problem("https://localhost/cb", WEB))
        self.assertEqual(implicit_uri_problem("http://localhost/cb", NATIVE), "")
        self.assertEqual(implicit_uri_problem("https://app.example/cb", WEB), "")


class PageTests(SynchronousTestCase):
    """Addresses of pages and documents."""

    def test_schemes(self) -> None:
        """Over TLS, unless that does not matter; and of the web in any case."""
        for uri, http, good in (
            ("https://app.example/", False, True),
            ("http://app.example/", False, False),
            ("http://app.example/", True, True),
            ("javascript:alert(1)", True, False),
            ("https://user:pw@app.example/", True, False),
            ("", True, False),
        ):
            with self.subTest(uri=uri, http=http):
                self.assertIs(page_uri_problem(uri, http=http) == "", good)


class SectorTests(SynchronousTestCase):
    """To which sector a client belongs. Spec: OIDC Core 8.1."""

    def test_sector(self) -> None:
        """The one host of all redirect URIs, or that of the document that names them."""
        for uris, document, sector in (
            (["https://a.example/1", "https://a.example:8443/2"], "", "a.example"),
            (["https://A.example/1", "https://a.example/2"], "", "a.example"),
            (["https://a.example/1", "https://b.example/2"], "", ""),
            (["https://a.example/1", "https://b.example/2"], "https://c.example/uris", "c.example"),
            (["app://callback.example"], "", ""),
            (["app:/cb"], "https://c.example/uris", "c.example"),
            ([], "", ""),
        ):
            with self.subTest(uris=uris, document=document):
                self.assertEqual(sector_of(uris, document), sector)
