"""The table of what stands against known faults keeps up with the code, and what is read from it is right."""

import ast
import importlib
import re
from pathlib import Path

from twisted.python.failure import Failure
from twisted.trial.unittest import FailTest, SynchronousTestCase

from tests.support.files import folder
from tools import named_tests, taken_out
from tools.taken_out import ROOT, Change, Check, Verdict, judge

CHECKS = taken_out.read_table()
RECORD = (ROOT / "docs" / "develop" / "known-faults.md").read_text(encoding="utf-8")


def recorded() -> dict[int, set[str]]:
    """Return the rows of the record, each with the names of its tests."""
    rows: dict[int, set[str]] = {}
    for number, name in re.findall(r"^\| (\d+) \|.*`tests/[\w/]+\.py::(\w+)` \|$", RECORD, re.MULTILINE):
        rows.setdefault(int(number), set()).add(name)
    return rows


def is_there(test: str) -> bool:
    """Tell whether a test is there under the name that trial knows it by."""
    module, _, path = test.rpartition(".")[0].rpartition(".")
    case = getattr(importlib.import_module(module), path, None)
    return isinstance(case, type) and callable(getattr(case, test.rpartition(".")[2], None))


class TableTests(SynchronousTestCase):
    """The table."""

    def test_texts_are_there(self) -> None:
        """Each text stands in its file, once, so that there is no doubt what is taken out."""
        sources = {change.file: (ROOT / change.file).read_text() for check in CHECKS for change in check.changes}
        wrong = [
            f"{change.file}: {change.text}"
            for check in CHECKS
            for change in check.changes
            if sources[change.file].count(change.text) != 1
        ]

        self.assertEqual(wrong, [])

    def test_changes_are_changes(self) -> None:
        """What stands in place of a check is something else, and the file is a program still."""
        plain: dict[str, str] = {}
        for change in {change for check in CHECKS for change in check.changes}:
            text = (ROOT / change.file).read_text()
            before = plain.setdefault(change.file, ast.dump(ast.parse(text)))

            self.assertNotEqual(ast.dump(ast.parse(text.replace(change.text, change.instead))), before, change)

    def test_tests_are_there(self) -> None:
        """Each test that must fail is there."""
        self.assertEqual({test for check in CHECKS for test in check.tests if not is_there(test)}, set())

    def test_every_row(self) -> None:
        """The rows are those of the record."""
        self.assertEqual({check.row for check in CHECKS}, set(recorded()))

    def test_tests_are_named_by_row(self) -> None:
        """Among the tests of a check there is one that is named by its row, or that the record names."""
        rows = recorded()
        strangers = [
            check
            for check in CHECKS
            if not any(
                re.search(rf"\.test_row_{check.row}(?:_|\Z)", test) or test.rpartition(".")[2] in rows[check.row]
                for test in check.tests
            )
        ]

        self.assertEqual(strangers, [])

    def test_each_once(self) -> None:
        """No check of a row is there twice, by its words or by its changes."""
        for described in ([(c.row, c.words) for c in CHECKS], [(c.row, c.changes) for c in CHECKS]):
            self.assertEqual([one for one in described if described.count(one) > 1], [])

    def test_every_text_is_of_the_product(self) -> None:
        """What is taken out is in the product."""
        files = {change.file for check in CHECKS for change in check.changes}

        self.assertEqual([file for file in files if not file.startswith("konnectd/")], [])


class ChangeTests(SynchronousTestCase):
    """Taking out."""

    def setUp(self) -> None:
        """Make a tree of one file."""
        self.tree = folder(self)
        self.file = Path(self.tree) / "a.py"
        self.file.write_text("if a:\n    b()\nif c:\n    b()\n")

    def test_apply(self) -> None:
        """The text gives way."""
        Change(file="a.py", text="if a:", instead="if True:").apply(self.tree)

        self.assertEqual(self.file.read_text(), "if True:\n    b()\nif c:\n    b()\n")

    def test_refused(self) -> None:
        """A text that is not there, or twice, or whose file is no program then, changes nothing."""
        before = self.file.read_text()
        for text, instead, error in (("if x:", "", ValueError), ("b()", "", ValueError), ("if a:", "if", SyntaxError)):
            self.assertRaises(error, Change(file="a.py", text=text, instead=instead).apply, self.tree)

        self.assertEqual(self.file.read_text(), before)

    def test_also(self) -> None:
        """An entry that takes out two checks has two changes."""
        one = {"file": "a.py", "text": "x", "instead": "y"}
        check = Check.parse({"row": 1, "words": "w", **one, "tests": ["t"], "also": [{**one, "file": "b.py"}]})

        self.assertEqual([change.file for change in check.changes], ["a.py", "b.py"])


class VerdictTests(SynchronousTestCase):
    """What is a proof."""

    def test_table(self) -> None:
        """All that are named fail, and because of what they have seen."""
        for outcomes, verdict in (
            ({"t": ["FailTest"]}, Verdict.PROVEN),
            ({"t": ["FailTest"], "u": ["KeyError"]}, Verdict.PROVEN),
            ({}, Verdict.NOT_PROVEN),
            ({"t": []}, Verdict.NOT_PROVEN),
            ({"t": ["FailTest"], "u": []}, Verdict.NOT_PROVEN),
            ({"t": ["ImportError"]}, Verdict.BROKEN),
            ({"t": ["FailTest"], "u": ["NameError"]}, Verdict.BROKEN),
            ({"t": ["FailTest", "AttributeError"]}, Verdict.BROKEN),
            ({"t": ["Skipped"]}, Verdict.BROKEN),
        ):
            self.assertEqual(judge(outcomes), verdict, outcomes)

    def test_kinds(self) -> None:
        """What was raised in place of what a test was waiting for is what it failed with, too."""
        plain = Failure(FailTest("1 != 2"))  # type: ignore[no-untyped-call]  # Twisted left it out
        instead = Failure(FailTest("builtins.NameError raised instead of OAuthError:\n x"))  # type: ignore[no-untyped-call]  # as above

        self.assertEqual(named_tests.kinds_of(plain), ("FailTest",))
        self.assertEqual(named_tests.kinds_of(instead), ("FailTest", "NameError"))

    def test_outcomes(self) -> None:
        """A test that passes has no exception, and one that is not there has the one of its import."""
        good = "tests.protocol.test_pkce.VerifierTests.test_example_of_the_specification"

        self.assertEqual(list(named_tests.outcomes([good]).values()), [[]])
        self.assertEqual(judge(named_tests.outcomes(["tests.none_such"])), Verdict.BROKEN)
