"""Catalogues in the checkout: complete, and kept in step by a command."""

import io
import shutil
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.web.catalog import documents, extract, main
from konnectd.web.locales import BrokenCatalogError
from konnectd.web.templates_path import find_templates
from konnectd.web.texts import EXPLANATIONS, MOVES, SCOPES, SIGN_IN_FAULTS


class CatalogTests(SynchronousTestCase):
    """Texts, template and translations."""

    def setUp(self) -> None:
        """Copy what texts are taken from."""
        self.top = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.top)
        original = find_templates().parent
        shutil.copytree(original / "templates", self.top / "templates")
        (self.top / "konnectd" / "web").mkdir(parents=True)
        shutil.copy(original / "konnectd" / "web" / "texts.py", self.top / "konnectd" / "web" / "texts.py")
        self.german = self.top / "templates" / "locale" / "de" / "LC_MESSAGES" / "konnectd.po"

    def translate(self, text: str) -> None:
        """Begin a translation."""
        self.german.parent.mkdir(parents=True)
        self.german.write_text('msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n' + text, "utf-8")

    def test_up_to_date(self) -> None:
        """The catalogues of this checkout are what the command would write."""
        self.assertEqual(main(["--check"]), 0)

    def test_complete(self) -> None:
        """Texts of the code and of the templates are collected."""
        texts = {message.id for message in extract(self.top)}
        chosen = [*SIGN_IN_FAULTS.values(), *MOVES.values(), *SCOPES.values()]
        chosen += [text for e in EXPLANATIONS.values() for text in (e.title, e.what, e.advice)]

        self.assertEqual([text for text in chosen if text not in texts], [])
        self.assertIn("to continue to <bdi>%(name)s</bdi>", texts)

    def test_steady(self) -> None:
        """Writing again changes nothing, and no file names a moment or a machine."""
        first = documents(self.top)
        for file, content in first.items():
            file.write_bytes(content)

        self.assertEqual(documents(self.top), first)
        self.assertFalse([file for file, content in first.items() if b"-Date" in content or b"tmp" in content])

    def test_new_text(self) -> None:
        """A new text appears in every catalogue, untranslated; what was translated stays."""
        self.translate('msgid "Allow"\nmsgstr "Erlauben"\n')
        (self.top / "templates" / "new.html").write_text("{% trans %}Brand new{% endtrans %}", "utf-8")
        written = documents(self.top)[self.german].decode()

        self.assertIn('msgid "Allow"\nmsgstr "Erlauben"\n', written)
        self.assertIn('msgid "Brand new"\nmsgstr ""\n', written)

    def test_old_text(self) -> None:
        """A text that is gone leaves the catalogues."""
        self.translate('msgid "Gone"\nmsgstr "Fort"\n')

        self.assertNotIn(b"Gone", documents(self.top)[self.german])

    def test_broken(self) -> None:
        """A translation that would break pages is refused."""
        self.translate('msgid "Allow"\nmsgstr "<b>"\n')

        self.assertRaises(BrokenCatalogError, documents, self.top)

    def test_write_and_check(self) -> None:
        """What is not up to date is named; writing it mends that."""
        said = io.StringIO()
        (self.top / "templates" / "new.html").write_text("{% trans %}Brand new{% endtrans %}", "utf-8")
        statuses = [main([mode], said, self.top) for mode in ("--check", "--write", "--check")]

        self.assertEqual(statuses, [1, 0, 0])
        self.assertEqual(said.getvalue().count("is not up to date"), 2)

    def test_broken_is_told(self) -> None:
        """A catalogue that can not be used is named, and nothing is written."""
        self.translate('msgid "Allow"\nmsgstr "<b>"\n')
        said = io.StringIO()

        self.assertEqual(main(["--write"], said, self.top), 1)
        self.assertIn("konnectd.po:5", said.getvalue())

    def test_usage(self) -> None:
        """Anything but one of the two words is answered with the usage."""
        for arguments in ([], ["--write", "--check"], ["--help"]):
            said = io.StringIO()

            self.assertEqual(main(arguments, said), 2)
            self.assertIn("usage", said.getvalue())
