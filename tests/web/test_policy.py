"""What browsers are told to refuse on pages."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpResponse
from konnectd.web.views import ErrorKind, ErrorPage
from tests.support.markup import one
from tests.support.rendering import GET, PAGES, header, page
from tests.support.views import CONSENT, SIGN_IN, WELCOME


def directives(response: HttpResponse) -> dict[str, str]:
    """Return the content security policy of an answer, by directive."""
    parts = (part.strip().partition(" ") for part in header(response, b"Content-Security-Policy").split(";"))
    return {name: sources for name, _, sources in parts}


class HeaderTests(SynchronousTestCase):
    """What browsers are told."""

    def test_policy(self) -> None:
        """Nothing is allowed but our own style, pictures and form targets, and the script with this page's nonce."""
        response = PAGES.render(SIGN_IN, GET)
        nonce = one(response.body, "script").attributes["nonce"]

        self.assertEqual(
            directives(response),
            {
                "default-src": "'none'",
                "style-src": "'self'",
                "img-src": "'self' data:",
                "script-src": f"'nonce-{nonce}'",
                "base-uri": "'none'",
                "frame-ancestors": "'none'",
                "form-action": "'self'",
            },
        )

    def test_nonce_changes(self) -> None:
        """No two pages have the same nonce."""
        nonces = {one(page(SIGN_IN), "script").attributes["nonce"] for _ in range(5)}

        self.assertEqual(len(nonces), 5)

    def test_form_targets(self) -> None:
        """The application that a form leads to is allowed, and nothing else."""
        response = PAGES.render(CONSENT, GET, form_targets=("https://notes.example.org", "org.example.app:"))

        self.assertEqual(directives(response)["form-action"], "'self' https://notes.example.org org.example.app:")

    def test_frames(self) -> None:
        """The origins that a page opens are allowed, and nothing else; without any, frames are not spoken of."""
        response = PAGES.render(WELCOME, GET, frames=("https://a.example", "http://localhost:9000"))

        self.assertEqual(directives(response)["frame-src"], "https://a.example http://localhost:9000")
        self.assertEqual(directives(response)["frame-ancestors"], "'none'")

    def test_frame_can_not_smuggle(self) -> None:
        """A frame that is not of an origin is refused, a whole scheme too."""
        for frame in ("https:", "https://a; script-src *", "https://a b", "*", "https://a/path", ""):
            with self.assertRaises(ValueError):
                PAGES.render(WELCOME, GET, frames=(frame,))

    def test_form_target_can_not_smuggle(self) -> None:
        """A target that would begin another directive is refused."""
        for target in ("https://a; script-src *", "https://a b", "*", "'none'", "https://a/path", "https:\n", ""):
            with self.assertRaises(ValueError):
                PAGES.render(CONSENT, GET, form_targets=(target,))

    def test_other_headers(self) -> None:
        """Pages are not kept, not framed, and tell other sites nothing."""
        response = PAGES.render(WELCOME, GET)
        expected = {
            b"Content-Type": "text/html; charset=utf-8",
            b"Cache-Control": "no-store",
            b"X-Frame-Options": "DENY",
            b"Referrer-Policy": "same-origin",
            b"Content-Language": "en",
        }

        self.assertEqual({name: header(response, name) for name in expected}, expected)
        self.assertIn("geolocation=()", header(response, b"Permissions-Policy"))

    def test_callers_headers_and_status(self) -> None:
        """A caller may set cookies and the status."""
        response = PAGES.render(SIGN_IN, GET, status=401, headers=((b"Set-Cookie", b"a=b"),))

        self.assertEqual((response.status, header(response, b"Set-Cookie")), (401, "a=b"))

    def test_status(self) -> None:
        """An error page knows its status; any other page is a success."""
        error = ErrorPage(status=503, kind=ErrorKind.UNAVAILABLE, reference="r")

        self.assertEqual([PAGES.render(view, GET).status for view in (error, SIGN_IN)], [503, 200])
