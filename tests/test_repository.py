"""What stands around the code is true: commands that are named exist, links lead somewhere, files fit together."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

import konnectd
from konnectd.config import documents
from konnectd.web import catalog
from tools import check_fragments

ROOT = Path(konnectd.__file__).parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "changelog.d/README.md", "bench/README.md")
RUN_LOCK, DEVELOP_LOCK = "requirements.lock", "requirements-develop.lock"
#: What a record has to say, in this order.
RECORD = ("Status", "Context", "Decision", "Consequences", "Alternatives")
MOST_RECORD_LINES = 60

LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")
COMMAND = re.compile(r"(?:`|^ {4})(?:[A-Z_]+=\S+ )?make(?: [A-Z]+=\S+)* ([a-z-]+)(?: [A-Z]+=\S+)?(?:`|$)", re.MULTILINE)
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
PIN = re.compile(r"^([a-z0-9.-]+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)
STANDARD = re.compile(r"^\|.*\| `([^`]+)` \| `([^`]+)` \|$", re.MULTILINE)


@frozen(kw_only=True)
class Requirement:
    """A package that setup.py asks for.

    Attributes:
        name: as registries compare names.
        least: the oldest version that will do.
    """

    name: str
    least: tuple[int, ...]


def read(name: str) -> str:
    """Return a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def pages() -> Iterator[Path]:
    """Yield everything that is written for people."""
    yield from (ROOT / name for name in PAGES)
    yield from sorted((ROOT / "docs").rglob("*.md"))


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version."""
    return tuple(int(part) for part in re.match(r"[0-9.]+", version)[0].strip(".").split("."))


def pins(name: str) -> dict[str, str]:
    """Return the versions that a lock file names, by package."""
    return {match[1]: match[2] for match in PIN.finditer(read(name))}


def requirements(*names: str) -> tuple[Requirement, ...]:
    """Return what the lists and tables of setup.py with these names ask for."""
    texts: list[str] = []
    for node in ast.parse(read("setup.py")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in names:
            value = ast.literal_eval(node.value)
            texts += value if isinstance(value, list) else [text for group in value.values() for text in group]
    found = (text.partition(">=") for text in texts)
    return tuple(
        Requirement(name=name.partition("[")[0].lower().replace("_", "-"), least=numbers(least))
        for name, _, least in found
    )


def unmet(lock: str, *names: str) -> list[str]:
    """Return the packages that setup.py asks for and a lock file does not give."""
    given = pins(lock)
    return [item.name for item in requirements(*names) if numbers(given.get(item.name, "0")) < item.least]


class WordsTests(SynchronousTestCase):
    """What people read."""

    def test_commands_exist(self) -> None:
        """Whatever a page tells to type is a target of the Makefile."""
        targets = set(TARGET.findall(read("Makefile")))
        named = {command for page in pages() for command in COMMAND.findall(page.read_text(encoding="utf-8"))}

        self.assertEqual(named - targets, set())

    def test_the_readme_names_the_way_in(self) -> None:
        """A newcomer is told how to try it, and how to check and test a change."""
        self.assertLessEqual({"demo", "check", "test"}, set(COMMAND.findall(read("README.md"))))

    def test_ci_runs_what_the_readme_gives(self) -> None:
        """What passes on a desk passes there."""
        commands = set(re.findall(r"^make ([a-z]+)", read(".ci/run"), re.MULTILINE))

        self.assertEqual(commands, {"check", "test"})

    def test_every_command_is_explained(self) -> None:
        """`make` alone lists all targets."""
        makefile = read("Makefile")
        explained = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))

        self.assertEqual(set(TARGET.findall(makefile)) - explained, set())

    def test_links_lead_somewhere(self) -> None:
        """A link between pages leads to a file that is there."""
        broken = [
            f"{page.relative_to(ROOT)}: {link}"
            for page in pages()
            for link in LINK.findall(page.read_text(encoding="utf-8"))
            if not (page.parent / link).exists()
        ]

        self.assertEqual(broken, [])

    def test_the_map_is_true(self) -> None:
        """Whatever stands in the map of the code is there."""
        drawn = re.findall(r"^ {4}(konnectd/\S+|templates/|tests/)", read("README.md"), re.MULTILINE)

        self.assertEqual([name for name in drawn if not (ROOT / name).exists()], [])
        self.assertGreater(len(drawn), 10)


class RecordTests(SynchronousTestCase):
    """Decisions, standards and fragments keep their form."""

    def test_records_have_a_form(self) -> None:
        """A record says what was decided, why, and what was left, on one page."""
        records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
        texts = [record.read_text(encoding="utf-8") for record in records]

        self.assertEqual(
            [tuple(re.findall(r"^## (.*)$", text, re.MULTILINE)) for text in texts], [RECORD] * len(records)
        )
        self.assertLessEqual(max(len(text.splitlines()) for text in texts), MOST_RECORD_LINES)

    def test_records_are_numbered_and_listed(self) -> None:
        """No number is missing, and none was given twice; the list names them all."""
        names = sorted(record.name for record in (ROOT / "docs" / "adr").glob("[0-9]*.md"))

        self.assertEqual([int(name[:4]) for name in names], list(range(1, len(names) + 1)))
        self.assertEqual(re.findall(r"\]\(([0-9]{4}-[a-z0-9-]+\.md)\)", read("docs/adr/README.md")), names)

    def test_standards_are_kept_somewhere(self) -> None:
        """Each clause of the table names a module and a test that exist."""
        rows = STANDARD.findall(read("docs/standards.md"))
        missing = {
            path
            for module, test in rows
            for path in (f"konnectd/{module}", f"tests/{test}")
            if not (ROOT / path).exists()
        }

        self.assertEqual(missing, set())
        self.assertGreater(len(rows), 30)

    def test_clauses_in_the_code_are_listed(self) -> None:
        """A module that names a clause as its reason has a row in the table of standards."""
        package = ROOT / "konnectd"
        naming = {
            path.relative_to(package).as_posix()
            for path in package.rglob("*.py")
            if "Spec: " in path.read_text(encoding="utf-8")
        }

        self.assertEqual(naming - {module for module, _ in STANDARD.findall(read("docs/standards.md"))}, set())
        self.assertGreater(len(naming), 30)

    def test_fragments_have_a_form(self) -> None:
        """What goes into the changelog is named, one or two sentences long, and ends in a full stop."""
        self.assertEqual(check_fragments.faults_in(ROOT / "changelog.d"), [])


class GeneratedTests(SynchronousTestCase):
    """What is generated or resolved fits what it comes from."""

    def test_options_are_up_to_date(self) -> None:
        """The example file and the manual say what the table says."""
        self.assertEqual(documents.main(["--check"]), 0)

    def test_texts_are_up_to_date(self) -> None:
        """Translators see every text that pages show."""
        self.assertEqual(catalog.main(["--check"]), 0)

    def test_a_fresh_machine_gets_what_is_asked_for(self) -> None:
        """The lock files name every package of setup.py, in a version that will do."""
        self.assertEqual(unmet(RUN_LOCK, "REQUIRES"), [])
        self.assertEqual(unmet(DEVELOP_LOCK, "REQUIRES", "EXTRAS"), [])

    def test_both_lock_files_agree(self) -> None:
        """What runs is what was tested."""
        run, develop = pins(RUN_LOCK), pins(DEVELOP_LOCK)

        self.assertEqual({name: version for name, version in run.items() if develop.get(name) != version}, {})

    def test_lock_files_are_hashes_and_nothing_else(self) -> None:
        """Every package has hashes, and no file says where to get it."""
        rests = [PIN.sub("", read(name)) for name in (RUN_LOCK, DEVELOP_LOCK)]

        self.assertEqual([line for rest in rests for line in rest.splitlines() if line and line[0] != "#"], [])

    def test_scripts_can_be_run(self) -> None:
        """What is meant to be typed is executable."""
        scripts = (ROOT / ".ci" / "run", *sorted((ROOT / "tools").glob("*.sh")))

        self.assertEqual([script.name for script in scripts if not os.access(script, os.X_OK)], [])
