"""A front end in a folder: what is read of it, and what is wrong with it."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config import web_app
from konnectd.config.contents import read_contents
from konnectd.config.settings import load
from konnectd.option import ConfigErrors
from tests.support.files import folder


class WebAppTests(SynchronousTestCase):
    """A folder of somebody else's."""

    def setUp(self) -> None:
        """Make one."""
        self.folder = folder(self)
        self.warnings: list[str] = []
        self.put("index.html", b"<!doctype html>")

    def put(self, name: str, content: bytes = b"x") -> Path:
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def read(self) -> dict[str, bytes]:
        """Read it."""
        return dict(web_app.load_web_app(self.folder, warn=self.warnings.append))

    def fault(self) -> str:
        """Return what is wrong with it."""
        return str(self.assertRaises(ConfigErrors, self.read))

    def test_files(self) -> None:
        """The document, the worker and what is below ``static`` are served, and nothing else that lies there."""
        served = ["index.html", "service-worker.js", "static/a.css", "static/js/main.0a1b2c3d.js"]
        for name in (*served, "asset-manifest.json", ".htpasswd", "static/.git/config", "static/.env", "src/app.js"):
            self.put(name)

        self.assertEqual(sorted(self.read()), served)
        self.assertEqual(self.warnings, [])

    def test_resources_of_konnect(self) -> None:
        """A file of Konnect's names the folder that its front end lies in, under a name of its own."""
        (self.folder / "index.html").unlink()
        self.put("identifier-webapp/index.html", b"<!doctype html>")
        self.put("identifier-webapp/static/a.css")
        self.put("static/other.css")

        self.assertEqual(sorted(self.read()), ["index.html", "static/a.css"])

    def test_links(self) -> None:
        """A link that leads out of the folder is left out with a warning, and one that stays in it is followed."""
        self.put("static/a.css", b"a")
        (self.folder / "static" / "same.css").symlink_to("a.css")
        (self.folder / "static" / "out.css").symlink_to(Path(__file__))
        (self.folder / "static" / "folder").symlink_to(Path(__file__).parent)
        (self.folder / "static" / "nowhere.css").symlink_to("nothing.css")

        self.assertEqual(sorted(self.read()), ["index.html", "static/a.css", "static/same.css"])
        self.assertEqual(["out.css is not served: it leads out of" in line for line in self.warnings], [True])

    def test_circle(self) -> None:
        """A link that leads to itself is left out, and stops nothing."""
        (self.folder / "static").mkdir()
        (self.folder / "static" / "a.css").symlink_to("a.css")

        self.assertEqual(sorted(self.read()), ["index.html"])

    def test_names(self) -> None:
        """What an address can not say as it is, is left out with a warning."""
        for name in ("static/a b.css", "static/\u00e4.css", "static/a%2fb.css", "static/a<b>.css"):
            self.put(name)

        self.assertEqual(sorted(self.read()), ["index.html"])
        self.assertEqual(len(self.warnings), 4)

    def test_nothing_there(self) -> None:
        """Without its document there is no front end."""
        (self.folder / "index.html").unlink()

        self.assertIn("index.html can not be read: No such file or directory", self.fault())

    def test_no_text(self) -> None:
        """The document is text."""
        self.put("index.html", b"\xff")

        self.assertIn("index.html is not UTF-8 text", self.fault())

    def test_too_large(self) -> None:
        """A folder that is no front end, but a disk, is not read into memory."""
        with self.put("static/large").open("wb") as stream:
            stream.truncate(web_app.LARGEST + 1)

        self.assertIn(f"has more than {web_app.LARGEST} bytes", self.fault())

    def test_start(self) -> None:
        """It is read at start, and a fault has its place; nobody looks at it when no pages are served at all."""
        words = ("--iss=http://localhost:8777", f"--identifier-client-path={self.folder}", "file")
        found = read_contents(load(words, {}), warn=self.warnings.append).web_app
        (self.folder / "index.html").unlink()
        error = self.assertRaises(ConfigErrors, read_contents, load(words, {}), warn=self.warnings.append)
        disabled = load(("--disable-identifier-client", *words), {})

        self.assertEqual(dict(found), {"index.html": b"<!doctype html>"})
        self.assertTrue(str(error).startswith("command line: identifier_client_path: "), str(error))
        self.assertEqual(dict(read_contents(disabled, warn=self.warnings.append).web_app), {})
