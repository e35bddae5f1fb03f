"""Row 4: text of others that becomes part of a page or of a header, and addresses that browsers run."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.registration import load_clients
from konnectd.http import HttpRequest, HttpResponse
from konnectd.option import ConfigErrors
from konnectd.protocol.client import FORBIDDEN_SCHEMES
from konnectd.protocol.errors import BearerTokenError
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.web.errors import as_challenge
from konnectd.web.wire import UnsafeHeaderError, check_headers, serialize
from tests.support.application import Application
from tests.support.assembly import Daemon
from tests.support.files import write
from tests.support.markup import elements, one, text_of
from tests.support.rendering import GET, PAGES, header, page
from tests.support.requests import CALLBACK, NOTES
from tests.support.views import CONSENT, SIGN_IN, SIGNED_OUT
from tests.support.visitor import Visitor

SCRIPT = '"><script>alert(1)</script>'
ENTRY = "clients:\n  - id: a\n    application_type: native\n    redirect_uris: ['{}']\n"


def policy() -> list[str]:
    """Return what the pages forbid, part by part."""
    return header(PAGES.render(SIGN_IN, GET), b"Content-Security-Policy").split("; ")


class Row4TextTests(SynchronousTestCase):
    """Text on pages."""

    def test_row_4_markup(self) -> None:
        """Markup that comes with a request is text on the page that shows it."""
        daemon = Daemon()
        answer = Visitor(daemon).open(Application(daemon, NOTES).url(login_hint=SCRIPT)).answer

        self.assertIn(b"alert(1)", answer.body)
        self.assertNotIn(b"<script>alert", answer.body)

    def test_row_4_markup_in_translations(self) -> None:
        """So is what gets into the middle of a sentence."""
        body = page(evolve(CONSENT, client_name=SCRIPT))

        self.assertIn("alert(1)", text_of(body))
        self.assertNotIn(b"<script>alert", body)

    def test_row_4_host(self) -> None:
        """What a browser says the host is gets into no answer."""
        daemon = Daemon()
        for target in ("/nowhere", Application(daemon, NOTES).url(), Application(daemon, NOTES).url(client_id="x")):
            answer = daemon.get(target, "Host: evil.example")

            self.assertNotIn(b"evil.example", answer.body + repr(answer.headers).encode())

    def test_row_4_what_is_no_text(self) -> None:
        """Characters that no document may have are replaced."""
        body = page(evolve(SIGN_IN, client_name="a\x1b[2Jb", username="\x00\ud800"))

        self.assertEqual([character for character in body.decode() if character < " " and character != "\n"], [])

    def test_row_4_names_that_turn_around(self) -> None:
        """A name can not turn around what stands beside it to pass for another one."""
        self.assertNotIn("\u202e", page(evolve(CONSENT, client_name="\u202egro.elpmaxe")).decode())

    def test_row_4_names_without_end(self) -> None:
        """A name can not push everything else off the page."""
        self.assertLess(len(text_of(page(evolve(CONSENT, client_name="x" * 10_000)))), 5000)


class Row4AddressTests(SynchronousTestCase):
    """Addresses that a browser runs instead of going there."""

    def test_row_4_schemes_of_programs(self) -> None:
        """A program may have schemes of its own, but none that a browser runs or shows itself."""
        for scheme in (*FORBIDDEN_SCHEMES, "JavaScript"):
            path = write(self, "c.yaml", ENTRY.format(f"{scheme}:x"))

            self.assertRaises(ConfigErrors, load_clients, path, loopback_issuer=False, warn=lambda _: None)

    def test_row_4_schemes_of_the_web(self) -> None:
        """An application of the web has none but that of the web."""
        path = write(self, "c.yaml", ENTRY.replace("native", "web").format("org.example.app:/cb"))

        self.assertRaises(ConfigErrors, load_clients, path, loopback_issuer=False, warn=lambda _: None)

    def test_row_4_home_page(self) -> None:
        """The home page of an application is no script."""
        path = write(self, "c.yaml", ENTRY.format("org.example.app:/cb") + "    uri: 'javascript:alert(1)'\n")

        self.assertRaises(ConfigErrors, load_clients, path, loopback_issuer=False, warn=lambda _: None)

    def test_row_4_links(self) -> None:
        """However it got there, an address that a browser runs is no link on a page about an application."""
        for uri in ("javascript:alert(1)", "data:text/html,x", "app:/run"):
            body = page(evolve(CONSENT, client_uri=uri, policy_uri=uri, tos_uri=uri))

            self.assertEqual([element for element in elements(body) if element.name == "a"], [], uri)

    def test_row_4_way_out(self) -> None:
        """Nor is it the way out."""
        body = page(evolve(SIGNED_OUT, return_uri="javascript:alert(1)"))

        self.assertEqual([element for element in elements(body) if element.name == "a"], [])


class Row4PolicyTests(SynchronousTestCase):
    """What browsers are told to refuse, should something get through all the same."""

    def test_row_4_scripts(self) -> None:
        """No script runs but ours, which has the word of this very page."""
        nonce = one(page(SIGN_IN), "script").attributes["nonce"]
        (told,) = (part for part in policy() if part.startswith("script-src"))

        self.assertRegex(told, r"\Ascript-src 'nonce-[A-Za-z0-9_-]{20,}'\Z")
        self.assertNotIn(nonce, told)

    def test_row_4_everything_else(self) -> None:
        """What is not named is refused."""
        self.assertIn("default-src 'none'", policy())

    def test_row_4_base(self) -> None:
        """No markup can turn our addresses into somebody else's."""
        self.assertIn("base-uri 'none'", policy())

    def test_row_4_forms(self) -> None:
        """Forms go to us."""
        self.assertIn("form-action 'self'", policy())

    def test_row_4_frames(self) -> None:
        """No other site has our pages in a frame, which older browsers are told in their own words."""
        self.assertIn("frame-ancestors 'none'", policy())
        self.assertEqual(header(PAGES.render(SIGN_IN, GET), b"X-Frame-Options"), "DENY")

    def test_row_4_targets(self) -> None:
        """An address that a form leads to adds nothing else to what is allowed."""
        for target in ("https://a; script-src *", "https://a 'unsafe-inline'", "*"):
            self.assertRaises(ValueError, PAGES.render, SIGN_IN, GET, form_targets=(target,))

    def test_row_4_pages_in_frames(self) -> None:
        """Nor does an address that a page has in a frame."""
        for frame in ("https:", "https://a; script-src *"):
            self.assertRaises(ValueError, PAGES.render, SIGN_IN, GET, frames=(frame,))

    def test_row_4_kinds(self) -> None:
        """No browser guesses that an answer is something else than it says."""
        daemon = Daemon()
        for target in (daemon.settings.paths.jwks, "/nowhere", daemon.settings.paths.authorize):
            self.assertEqual(daemon.get(target).header("X-Content-Type-Options"), "nosniff")


class Row4HeaderTests(SynchronousTestCase):
    """Text in headers."""

    def test_row_4_redirect(self) -> None:
        """What goes back to a client is written so that it neither ends the header nor adds to the address."""
        daemon = Daemon()
        for state in ("a\r\nSet-Cookie: b=c", "a&code=x", "a#b", "ä"):
            answer = daemon.get(Application(daemon, NOTES).url(state=state, prompt="none"))

            self.assertEqual(answer.status, 302, state)
            self.assertTrue(answer.header("Location").startswith(f"{CALLBACK}?error=login_required&"))
            self.assertEqual((answer.header("Set-Cookie"), "#" in answer.header("Location")), ("", False))
            self.assertNotIn("code=x", answer.header("Location"))

    def test_row_4_no_header_in_a_header(self) -> None:
        """A header that would be two is not sent, on either way to the wire."""
        headers = ((b"Location", b"/a\r\nSet-Cookie: b=c"),)

        self.assertRaises(UnsafeHeaderError, check_headers, headers)
        self.assertRaises(UnsafeHeaderError, serialize, HttpResponse(headers=headers), date=b"now")

    def test_row_4_names_of_headers(self) -> None:
        """Nor is one whose name is not a name."""
        headers = ((b"Location: /a\r\nSet-Cookie", b"b=c"),)

        self.assertRaises(UnsafeHeaderError, check_headers, headers)
        self.assertRaises(UnsafeHeaderError, serialize, HttpResponse(headers=headers), date=b"now")

    def test_row_4_challenge(self) -> None:
        """A description in a challenge neither ends its quotes nor the header."""
        error = BearerTokenError(ErrorCode.INVALID_TOKEN, 'a", scope="all\r\nSet-Cookie: b=c')
        answer = as_challenge(error, HttpRequest(method="GET", path="/"), "ref-1")
        told = header(answer, b"WWW-Authenticate") if answer is not None else ""

        self.assertNotIn('scope="', told)
        self.assertNotIn("\r\n", told)
