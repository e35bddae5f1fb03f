"""Take out, one at a time, each check that stands against a fault of others, and see a test fail: `make taken-out`.

A test that can not fail is worse than none. ``taken_out.toml`` beside this file says for each check of the product
where it is, what stands in its place when it is taken out, and which tests must notice; its rows are those of
``docs/develop/known-faults.md``. Nothing here touches the tree itself: the changes are made in copies that go away.

Not every failure is a proof. A change that no module survives makes each test fail and shows nothing about the check,
so a test counts only if it was the behavior that it did not like.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent
TABLE = Path(__file__).with_suffix(".toml")
#: What is no part of the tree, or takes long to copy and is not needed.
_NOT_COPIED = (".git", ".venv", ".mypy_cache", ".ruff_cache", ".hypothesis", "node_modules", "_trial_temp*", "build")
#: A program that fails with one of these is broken; that a test met it says nothing about a check.
_BROKEN = frozenset(
    {
        "AttributeError",
        "ImportError",
        "IndentationError",
        "ModuleNotFoundError",
        "NameError",
        "Skipped",
        "SyntaxError",
        "TypeError",
        "UnboundLocalError",
    }
)
#: How long the tests of one check may take, in seconds.
_SECONDS = 300


@frozen(kw_only=True)
class Change:
    """One place in the product.

    Attributes:
        file: below the root of the tree.
        text: what stands there, and nowhere else in the file.
        instead: what stands there when the check is taken out.
    """

    file: str
    text: str
    instead: str

    def apply(self, root: Path) -> None:
        """Take the check out of the copy of the tree at a place.

        Raises:
            ValueError: the text is not there exactly once.
            SyntaxError: what comes out is no program.
        """
        path = root / self.file
        source = path.read_text(encoding="utf-8")
        if source.count(self.text) != 1:
            raise ValueError(f"{self.file}: {self.text!r} is there {source.count(self.text)} times")
        changed = source.replace(self.text, self.instead)
        compile(changed, self.file, "exec")
        path.write_text(changed, encoding="utf-8")


@frozen(kw_only=True)
class Check:
    """One thing that stands against a fault of others.

    Attributes:
        row: of the record of known faults.
        words: what it sees to.
        changes: what takes it out; several where one check alone would hide behind another.
        tests: what must fail then, as trial names them.
    """

    row: int
    words: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> "Check":
        """Read an entry of the table: one change in itself, or more of them under ``also``."""
        changes = tuple(
            Change(file=one["file"], text=one["text"], instead=one["instead"])
            for one in (entry, *entry.get("also", ()))
        )
        return cls(row=entry["row"], words=entry["words"], changes=changes, tests=tuple(entry["tests"]))


class Verdict(StrEnum):
    """What came of taking a check out."""

    PROVEN = "proven"
    NOT_PROVEN = "NOT PROVEN"
    BROKEN = "BROKEN"


def read_table(path: Path = TABLE) -> tuple[Check, ...]:
    """Return all checks, in the order of the rows."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["check"]
    return tuple(sorted((Check.parse(entry) for entry in entries), key=lambda check: check.row))


def judge(outcomes: Mapping[str, Iterable[str]]) -> Verdict:
    """Say what it means how tests went: for each the exceptions it failed with, none if it passed.

    Every test that is named has to fail, or the table would name tests that have nothing to do with it.
    """
    if not outcomes or not all(outcomes.values()):
        return Verdict.NOT_PROVEN
    return Verdict.BROKEN if any(_BROKEN.intersection(kinds) for kinds in outcomes.values()) else Verdict.PROVEN


def run(copy: Path, tests: Iterable[str]) -> dict[str, list[str]]:
    """Run tests in a copy of the tree.

    Raises:
        RuntimeError: it was not the copy that ran, or nothing did.
    """
    place = copy / "outcomes.json"
    place.unlink(missing_ok=True)
    # What is compiled of a changed module must not be there for the next change.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ""}
    words = [sys.executable, "-m", "tools.named_tests", str(place), *tests]
    subprocess.run(words, cwd=copy, env=environment, check=False, capture_output=True, timeout=_SECONDS)
    if not place.exists():
        return {"the run itself": ["ImportError"]}
    told = json.loads(place.read_text(encoding="utf-8"))
    if not Path(told["package"]).is_relative_to(copy.resolve()):
        raise RuntimeError(f"{told['package']} was tested in place of {copy}")
    found: dict[str, list[str]] = told["outcomes"]
    return found


def take_out(check: Check, copy: Path) -> tuple[Verdict, str]:
    """Take a check out of a copy, run its tests and put it back; return what came of it, and why."""
    try:
        for change in check.changes:
            change.apply(copy)
        outcomes = run(copy, check.tests)
    except (SyntaxError, ValueError, subprocess.TimeoutExpired) as error:
        return Verdict.BROKEN, str(error)
    finally:
        for file in {change.file for change in check.changes}:
            shutil.copy2(ROOT / file, copy / file)
    return judge(outcomes), ", ".join(f"{test}: {' '.join(kinds)}" for test, kinds in outcomes.items() if kinds)


def make_copies(folder: Path, number: int) -> list[Path]:
    """Copy the tree some times, compiled, so that each run has to compile no more than what was changed."""
    copies = [folder / str(count) for count in range(number)]
    shutil.copytree(ROOT, copies[0], ignore=shutil.ignore_patterns(*_NOT_COPIED, "__pycache__"))
    compiling = [sys.executable, "-m", "compileall", "-q", "konnectd", "tests", "tools"]
    subprocess.run(compiling, cwd=copies[0], check=True)
    for copy in copies[1:]:
        shutil.copytree(copies[0], copy)
    return copies


def prove(checks: tuple[Check, ...], copies: list[Path]) -> list[Check]:
    """Take out each check, say what came of it, and return those that are not proven."""
    idle: SimpleQueue[Path] = SimpleQueue()
    for copy in copies:
        idle.put(copy)

    def one(check: Check) -> tuple[Verdict, str]:
        copy = idle.get()
        try:
            return take_out(check, copy)
        finally:
            idle.put(copy)

    wanting = []
    with ThreadPoolExecutor(len(copies)) as pool:
        for check, (verdict, reason) in zip(checks, pool.map(one, checks), strict=True):
            print(f"row {check.row:2}  {verdict:10}  {check.words}", flush=True)
            if verdict is not Verdict.PROVEN:
                wanting.append(check)
                print(f"        {reason or 'passed without it: ' + ', '.join(check.tests)}", flush=True)
    return wanting


def main(words: list[str] | None = None) -> int:
    """Take out all checks or those of some rows; the exit status is 1 when one of them is not proven."""
    parser = argparse.ArgumentParser(prog="taken_out", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("rows", nargs="*", type=int, help="rows of the record of known faults; all when left out")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="how many at one time")
    given = parser.parse_args(words)
    checks = tuple(check for check in read_table() if not given.rows or check.row in given.rows)
    tests = sorted({test for check in checks for test in check.tests})
    with tempfile.TemporaryDirectory(prefix="konnectd-taken-out-") as folder:
        copies = make_copies(Path(folder), max(given.jobs, 1))
        failed = {test: kinds for test, kinds in run(copies[0], tests).items() if kinds}
        if failed or not tests:
            print(f"taken out: with every check in place, these tests must pass: {failed or 'none is named'}")
            return 1
        wanting = prove(checks, copies)
    counts = Counter(check.row for check in checks)
    print("checks by row: " + ", ".join(f"{row}: {count}" for row, count in sorted(counts.items())))
    print(f"taken out: {len(checks)} checks, {len(checks) - len(wanting)} proven, {len(wanting)} not proven")
    return 1 if wanting else 0


if __name__ == "__main__":
    raise SystemExit(main())
