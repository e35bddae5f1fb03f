"""Catalogues in the checkout: complete, and kept in step by a command."""

import io
import shutil
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.web.catalog import documents, extract, main
from konnectd.web.locales import NAMES, BrokenCatalogError
from konnectd.web.templates_path import find_templates
from konnectd.web.texts import EXPLANATIONS, MOVES, SCOPES, SIGN_IN_FAULTS


class CatalogTests(SynchronousTestCase):
    """Texts, template and translations."""

    def setUp(self) -> None:
        """Copy what texts are taken from, with one language."""
        self.top = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.top)
        original = find_templates().parent
        others = shutil.ignore_patterns(*NAMES.keys() - {"de"})
        shutil.copytree(original / "templates", self.top / "templates", ignore=others)
        (self.top / "konnectd" / "web").mkdir(parents=True)
        shutil.copy(original / "konnectd" / "web" / "texts.py", self.top / "konnectd" / "web" / "texts.py")
        self.german = self.top / "templates" / "locale" / "de" / "LC_MESSAGES" / "konnectd.po"

    def translate(self, text: str) -> None:
        """Begin a translation."""
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
        shutil.rmtree(self.german.parent.parent)
        (self.top / "templates" / "new.html").write_text("{% trans %}Brand new{% endtrans %}", "utf-8")
        statuses = [main([mode], said, self.top) for mode in ("--check", "--write", "--check")]

        self.assertEqual(statuses, [1, 0, 0])
        self.assertEqual(said.getvalue().count("is not up to date"), 1)

    def test_every_language(self) -> None:
        """There is a catalogue for each language that has a name here, as text and compiled."""
        folder = find_templates() / "locale"
        for tag in NAMES.keys() - {"en"}:
            self.assertTrue((folder / tag / "LC_MESSAGES" / "konnectd.po").is_file(), tag)
            self.assertTrue((folder / tag / "LC_MESSAGES" / "konnectd.mo").is_file(), tag)

    def test_missing(self) -> None:
        """A text that one language lacks, and one that somebody has doubts about, are faults, and are named."""
        good = self.german.read_text("utf-8")
        broken = {
            'msgid "Allow"\nmsgstr "Erlauben"': 'msgid "Allow"\nmsgstr ""',
            '#: templates/device_code.html\nmsgid "Code on your device"': (
                '#: templates/device_code.html\n#, fuzzy\nmsgid "Code on your device"'
            ),
        }
        for before, after in broken.items():
            self.german.write_text(good.replace(before, after), "utf-8")
            said = io.StringIO()
            statuses = [main([mode], said, self.top) for mode in ("--write", "--check")]

            self.assertEqual(statuses, [1, 1], after)
            self.assertEqual(said.getvalue().count("is not translated"), 2, after)

    def test_compiled_is_stale(self) -> None:
        """What was compiled of an older text is not up to date."""
        self.german.with_suffix(".mo").write_bytes(b"")
        said = io.StringIO()

        self.assertEqual(main(["--check"], said, self.top), 1)
        self.assertEqual(said.getvalue().count("konnectd.mo: is not up to date"), 1)

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
