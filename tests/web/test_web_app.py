"""A front end of somebody else's in the place of our pages: its document, its files, and nothing besides."""

import re

from twisted.trial.unittest import SynchronousTestCase

from tests.support.assembly import Daemon
from tests.support.front_end import FILES, INNER, with_front_end

BELOW = "/signin/v1/"
PAGES = ("identifier", "chooseaccount", "consent", "welcome", "goodbye", "index.html")


class DocumentTests(SynchronousTestCase):
    """The one document."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = with_front_end()

    def test_everywhere(self) -> None:
        """It is at each address of a page, knows where it is, and is never kept."""
        for name in PAGES:
            answer = self.daemon.get(f"{BELOW}{name}?client_id=x&client_id=y&%00")
            if answer.status == 400:
                answer = self.daemon.get(f"{BELOW}{name}?client_id=x&client_id=y")

            self.assertEqual((answer.status, answer.header("Content-Type")), (200, "text/html; charset=utf-8"), name)
            self.assertIn(b'data-path-prefix="/signin/v1"', answer.body)
            self.assertEqual(answer.header("Cache-Control"), "no-store")
            self.assertEqual(answer.header("Set-Cookie"), "")

    def test_base_path(self) -> None:
        """It is told another place as well."""
        daemon = with_front_end("--uri-base-path=/sso")

        self.assertIn(b'data-path-prefix="/sso/signin/v1"', daemon.get("/sso/signin/v1/identifier").body)
        self.assertEqual(daemon.get("/sso/signin/v1/static/logo.svg").status, 200)

    def test_nonce(self) -> None:
        """What it may run has a word that is in its policy, everywhere the same and each time another one."""
        words = set()
        for _ in range(3):
            answer = self.daemon.get(f"{BELOW}identifier")
            found = set(re.findall(rb'nonce="([^"]+)"', answer.body)) | set(re.findall(rb">([^<>]+)</p>", answer.body))
            (nonce,) = (word.decode() for word in found)
            words.add(nonce)
            policy = answer.header("Content-Security-Policy").split("; ")
            self.assertIn(f"script-src 'self' 'nonce-{nonce}'", policy)
            self.assertIn(f"style-src 'self' 'nonce-{nonce}'", policy)
            self.assertGreaterEqual(len(nonce), 43)

        self.assertEqual(len(words), 3)

    def test_sec_22_policy(self) -> None:
        """SEC, row 22: nothing kept a form from being sent elsewhere. It can not, nor can it be in a frame."""
        answer = self.daemon.get(f"{BELOW}identifier")
        policy = answer.header("Content-Security-Policy").split("; ")

        for directive in ("default-src", "form-action"):
            self.assertIn(f"{directive} 'self'", policy)
        for directive in ("base-uri", "frame-ancestors", "object-src"):
            self.assertIn(f"{directive} 'none'", policy)
        self.assertNotIn("unsafe", answer.header("Content-Security-Policy"))
        self.assertEqual(answer.header("X-Frame-Options"), "DENY")
        self.assertEqual(answer.header("X-Content-Type-Options"), "nosniff")
        self.assertEqual(answer.header("Referrer-Policy"), "same-origin")

    def test_methods(self) -> None:
        """It is only read; ``HEAD`` says what ``GET`` would."""
        self.assertEqual(self.daemon.ask("POST", f"{BELOW}identifier", body=b"x").status, 405)
        self.assertEqual(self.daemon.ask("HEAD", f"{BELOW}welcome").status, 200)

    def test_our_pages_are_gone(self) -> None:
        """No page of ours that signs people in is left beside it."""
        for name in ("signin", "chooseaccount", "welcome", "goodbye"):
            self.assertEqual(self.daemon.get(INNER + name).status, 404, name)
        self.assertEqual(self.daemon.get(f"{INNER}consent").status, 405)


class FileTests(SynchronousTestCase):
    """Its files."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = with_front_end()

    def test_served(self) -> None:
        """Each is what it is, and opened by itself it runs nothing; a script is not hindered in a worker."""
        for name, kind, alone in (
            ("static/js/main.0123abcd.js", "text/javascript; charset=utf-8", False),
            ("static/logo.svg", "image/svg+xml", True),
            ("service-worker.js", "text/javascript; charset=utf-8", False),
        ):
            answer = self.daemon.get(BELOW + name)

            self.assertEqual((answer.status, answer.body, answer.header("Content-Type")), (200, FILES[name], kind))
            self.assertEqual("sandbox" in answer.header("Content-Security-Policy"), alone, name)
            self.assertEqual(answer.header("Cross-Origin-Resource-Policy"), "same-origin")

    def test_bug_24_kept(self) -> None:
        """BUG, row 24: a year had lost a digit. What has a digest in its name is kept for one."""
        kept = "public, max-age=31536000, immutable"
        told = [self.daemon.get(BELOW + name).header("Cache-Control") for name in FILES if name != "index.html"]

        self.assertEqual(told, [kept, "no-cache", "no-cache"])

    def test_unchanged(self) -> None:
        """Whoever has a file already is told so."""
        tag = self.daemon.get(f"{BELOW}static/logo.svg").header("ETag")
        for header in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            answer = self.daemon.get(f"{BELOW}static/logo.svg", f"If-None-Match: {header}")
            self.assertEqual((answer.status, answer.body, answer.header("ETag")), (304, b"", tag))
        self.assertEqual(self.daemon.get(f"{BELOW}static/logo.svg", 'If-None-Match: "x"').status, 200)

    def test_nothing_else(self) -> None:
        """No address leads out of it, or to a list of what there is."""
        for path in (
            *("static/", "static", "static/js/", "static/nothing.js", "static/index.html", "static//logo.svg"),
            *("static/../index.html", "static/../../etc/passwd", "static/js/../logo.svg", "static/./logo.svg"),
            *("static/%2e%2e/index.html", "static/..%2findex.html", "static/..%5cindex.html", "static/logo.svg%00"),
            *("static/logo.svg/", "static/LOGO.SVG", "static/%6cogo.svg/..", "static/....//index.html"),
        ):
            answer = self.daemon.get(BELOW + path)
            self.assertEqual(answer.status, 404, path)
            self.assertNotIn(b"<svg", answer.body)


class DisabledTests(SynchronousTestCase):
    """Nobody's pages, only the API."""

    def test_no_pages(self) -> None:
        """Our pages are gone, and so are those of a front end; what signs people in is there."""
        for words in ((), ("--identifier-client-path=/front/end",)):
            daemon = Daemon("--disable-identifier-client", *words)
            for path in (
                *(BELOW + name for name in PAGES),
                f"{INNER}signin",
                f"{INNER}welcome",
                f"{BELOW}service-worker.js",
            ):
                self.assertEqual(daemon.get(path).status, 404, path)
            for name in ("hello", "logon", "logoff", "consent"):
                self.assertEqual(daemon.get(INNER + name).status, 405, name)
            self.assertEqual(daemon.get(f"{INNER}authorize").status, 400)
