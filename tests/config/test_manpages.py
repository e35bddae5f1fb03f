"""What stands in a table of options is text in a manual page, whatever it looks like."""

import shutil
import subprocess

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config import manpages
from konnectd.config.options import CONFIG
from konnectd.option import Option
from tests.support.files import write

HOSTILE = '.SH Not a heading \'nor a \\fBmacro\\fP -- C:\\new ~user ^x `y` "z"'
OPTION = Option(name="odd-one", help=f"{HOSTILE} {'long ' * 30}.so /etc/passwd 'tr x", default="a\\b", secret=False)


class TextTests(SynchronousTestCase):
    """Characters that mean something to troff."""

    def rendered(self, page: str) -> str:
        """Return a page as people read it."""
        if shutil.which("man") is None:
            self.skipTest("man is not there")
        words = ("man", "--warnings=w", "--encoding=UTF-8", "--local-file", str(write(self, "page.8", page)))
        environ = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "1000"}
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, env=environ)
        self.assertEqual(done.stderr, "")
        return " ".join(done.stdout.split())

    def test_text_is_text(self) -> None:
        """Backslashes, quotes and full stops at the beginning of lines arrive as they were written."""
        for page in (manpages.command(CONFIG, {"Odd": (OPTION,)}), manpages.file({"Odd": (OPTION,)})):
            text = self.rendered(page)

            self.assertIn(HOSTILE, text)
            self.assertIn(".so /etc/passwd 'tr x Default: a\\b.", text)

    def test_macros(self) -> None:
        """No line of a text is a macro."""
        page = manpages.file({"Odd": (OPTION,)})
        macros = {line.split()[0] for line in page.splitlines() if line[:1] in {".", "'"}}

        self.assertEqual(macros, {'.\\"', ".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".BR"})

    def test_secret(self) -> None:
        """A secret has no default that could be read, and can be given as a file."""
        page = manpages.file({"S": (Option(name="word", help="A word.", default="hunter2", secret=True),)})

        self.assertNotIn("hunter2", page)
        self.assertIn("Also: word_file.", page)
