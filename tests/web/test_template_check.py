"""Checks at start: a mistake in a template is told with its place."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Template
from twisted.trial.unittest import SynchronousTestCase

from konnectd.web.pages import make_environment
from konnectd.web.template_check import BrokenTemplateError, ReadOnceLoader, check_templates
from konnectd.web.templates_path import find_templates
from tests.support.rendering import STATIC
from tests.support.views import SAMPLES


class StartTests(SynchronousTestCase):
    """A mistake in a template is found at start, not by whoever signs in first."""

    def setUp(self) -> None:
        """Copy the templates, to spoil them."""
        self.folder = Path(tempfile.mkdtemp()) / "templates"
        self.addCleanup(shutil.rmtree, self.folder.parent)
        shutil.copytree(find_templates(), self.folder)

    def broken(self, name: str, old: str, new: str) -> tuple[str, int, str]:
        """Replace something in a template and return name, line and problem of the complaint."""
        file = self.folder / name
        text = file.read_text("utf-8")
        self.assertIn(old, text)
        file.write_text(text.replace(old, new, 1), "utf-8")
        line = text[: text.index(old)].count("\n") + 1
        error = self.assertRaises(BrokenTemplateError, self.build)
        self.assertEqual((error.name, error.line), (name, line))
        return error.name, error.line, error.problem

    def build(self) -> Mapping[str, Template]:
        """Check the copy."""
        loader = ReadOnceLoader(self.folder)
        return check_templates(make_environment(loader, STATIC), loader, self.folder, frozenset(STATIC.files))

    def test_unspoiled(self) -> None:
        """Our own templates are good; nobody else looks for mistakes in them."""
        self.assertLessEqual({view.template for view in SAMPLES.values()}, self.build().keys())

    def test_syntax(self) -> None:
        """A tag that does not exist is named with its line."""
        self.broken("consent.html", "{% for line in page.lines %}", "{% fro line in page.lines %}")

    def test_unknown_variable(self) -> None:
        """So is a variable."""
        self.assertIn("pgae", self.broken("welcome.html", "page.signout_action", "pgae.signout_action")[2])

    def test_unknown_field(self) -> None:
        """So is a field that the page does not have."""
        self.assertIn("'host'", self.broken("error.html", "page.description %}", "page.host %}")[2])

    def test_unknown_filter(self) -> None:
        """So is a filter."""
        self.assertIn(
            "web_lnik", self.broken("consent.html", "page.client_uri|web_link", "page.client_uri|web_lnik")[2]
        )

    def test_unknown_test(self) -> None:
        """So is a test."""
        self.assertIn(
            "nnoe", self.broken("signin.html", "is not none and page.fault.blames_username", "is not nnoe")[2]
        )

    def test_unknown_static_file(self) -> None:
        """So is a file that is not served, in a template that others extend."""
        self.assertIn("logo.gif", self.broken("layout.html", "logo.svg", "logo.gif")[2])

    def test_missing(self) -> None:
        """A template that is missing is named."""
        (self.folder / "goodbye.html").unlink()
        error = self.assertRaises(BrokenTemplateError, self.build)

        self.assertEqual((error.name, str(error).startswith("goodbye.html: ")), ("goodbye.html", True))

    def test_missing_part(self) -> None:
        """So is one that others need."""
        (self.folder / "parts.html").unlink()
        error = self.assertRaises(BrokenTemplateError, self.build)

        self.assertEqual(error.name, "parts.html")

    def test_not_text(self) -> None:
        """A template in another encoding is refused by name."""
        (self.folder / "error.html").write_bytes(b"\xff\xfe")
        error = self.assertRaises(BrokenTemplateError, self.build)

        self.assertEqual(error.name, "error.html")
