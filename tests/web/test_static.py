"""Static files: addresses that change with the content, and answers that browsers may keep for good."""

import re
import shutil
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest, HttpResponse
from konnectd.web.static import StaticFiles
from tests.support.fakes import run
from tests.support.rendering import GET, STATIC, header

PREFIX = "/signin/v1/static/"


class StaticTests(SynchronousTestCase):
    """A folder of files, served from memory."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "look.css").write_bytes(b"p{}")

    def read(self) -> StaticFiles:
        """Read the folder."""
        return StaticFiles.read(self.folder, PREFIX)

    def get(self, **headers: str) -> HttpResponse:
        """Get the style sheet."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = HttpRequest(method="GET", path="/", headers=named)
        return run(self.read().files["look.css"].respond(request))  # type: ignore[arg-type]

    def test_address(self) -> None:
        """The address is below the prefix and keeps name and ending around a digest."""
        self.assertTrue(re.fullmatch(re.escape(PREFIX) + r"look\.[0-9a-f]{24}\.css", self.read().url("look.css")))

    def test_address_follows_content(self) -> None:
        """Another content has another address, the same one the same."""
        before = self.read().url("look.css")
        self.assertEqual(self.read().url("look.css"), before)
        (self.folder / "look.css").write_bytes(b"p{ }")

        self.assertNotEqual(self.read().url("look.css"), before)

    def test_answer(self) -> None:
        """The file is sent with its type and may be kept for a year."""
        response = self.get()

        self.assertEqual((response.status, response.body), (200, b"p{}"))
        self.assertEqual(header(response, b"Content-Type"), "text/css; charset=utf-8")
        self.assertEqual(header(response, b"Cache-Control"), "public, max-age=31536000, immutable")

    def test_still_good(self) -> None:
        """A browser that has the file already is sent nothing but its tag."""
        etag = header(self.get(), b"ETag")
        for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            response = self.get(if_none_match=known)

            self.assertEqual((response.status, response.body), (304, b""), known)
            self.assertEqual(header(response, b"ETag"), etag)

    def test_not_good_any_more(self) -> None:
        """A browser that has another version is sent this one."""
        for known in ('"other"', "", header(self.get(), b"ETag").strip('"')):
            self.assertEqual(self.get(if_none_match=known).status, 200)

    def test_strong_tag(self) -> None:
        """The tag is strong: the bytes never change under it."""
        self.assertTrue(re.fullmatch('"[0-9a-f]+"', header(self.get(), b"ETag")))

    def test_alone_it_can_do_nothing(self) -> None:
        """A picture that is opened by itself runs no script."""
        policy = header(self.get(), b"Content-Security-Policy")

        self.assertIn("default-src 'none'", policy)
        self.assertIn("sandbox", policy)

    def test_routes(self) -> None:
        """There is one route for each file, for reading only, and it knows no failure."""
        files = self.read()
        (route,) = files.routes

        self.assertEqual((route.path, route.methods), (files.url("look.css"), ("GET",)))
        self.assertIsNone(route.face(ValueError(), GET, "reference"))

    def test_unknown_kind(self) -> None:
        """A file of a kind nobody expects is not served by accident; start stops."""
        (self.folder / "notes.txt").write_bytes(b"secret")
        error = self.assertRaises(LookupError, self.read)

        self.assertIn("notes.txt", str(error))

    def test_hidden(self) -> None:
        """Hidden files and folders are left alone."""
        (self.folder / ".swp").write_bytes(b"")
        (self.folder / "more").mkdir()

        self.assertEqual(list(self.read().files), ["look.css"])

    def test_unknown_name(self) -> None:
        """There is no address for what is not there."""
        self.assertRaises(LookupError, self.read().url, "missing.css")

    def test_ours(self) -> None:
        """The pages bring a style sheet, a script and a picture."""
        self.assertEqual(set(STATIC.files), {"check-session.js", "demo.css", "konnectd.css", "konnectd.js", "logo.svg"})

    def test_ours_load_nothing(self) -> None:
        """Neither the style sheet nor the script loads anything, and the script builds no markup from text."""
        for name in ("check-session.js", "demo.css", "konnectd.css", "konnectd.js"):
            text = STATIC.files[name].content.decode().replace("http://www.w3.org/2000/svg", "")
            for word in ("url(", "@import", "http:", "https:", "//cdn", "fetch(", "innerHTML", "eval("):
                self.assertNotIn(word, text, name)
