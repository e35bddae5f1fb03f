"""Templates that are read at start and compiled later."""

import shutil
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.web.pages import Pages
from konnectd.web.templates_path import find_templates
from tests.support.fakes import CountingEntropy
from tests.support.rendering import GET, STATIC
from tests.support.views import SIGN_IN, WELCOME


class LateTests(SynchronousTestCase):
    """What happens to the folder while the daemon runs."""

    def setUp(self) -> None:
        """Copy the templates, and start."""
        self.folder = Path(tempfile.mkdtemp()) / "templates"
        self.addCleanup(shutil.rmtree, self.folder.parent)
        shutil.copytree(find_templates(), self.folder)
        self.pages = Pages(self.folder, static=STATIC, entropy=CountingEntropy())

    def test_another_version(self) -> None:
        """Pages stay those of the version that was started, also where nobody has opened them yet."""
        self.pages.render(SIGN_IN, GET)
        for file in self.folder.glob("*.html"):
            file.write_text("another version", "utf-8")
        (self.folder / "parts.html").unlink()

        self.assertIn(b"Alice", self.pages.render(WELCOME, GET).body)

    def test_not_text(self) -> None:
        """A file that can not be read is told at start."""
        (self.folder / "welcome.html").write_bytes(b"\xff")
        error = self.assertRaises(LookupError, Pages, self.folder, static=STATIC, entropy=CountingEntropy())

        self.assertIn("can not be read", str(error))
