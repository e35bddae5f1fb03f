"""Run the whole suite with trial and end with one line that says how it went.

Three groups of tests run, each in a process of its own:

* *in memory*: everything but ``tests/real``;
* *optimized*: the same under ``python -O``, because no rule of the product may hang on an ``assert``;
* *real*: ``tests/real``, alone, because it measures time against other programs.

The first two share the machine when it has two cores. trial's own ``-j`` is not used: it gives each worker single
tests, and with them the cost of what a class or a module sets up once.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent
#: The last lines of a run are "PASSED (skips=1, successes=3)" and the like; "PASSED" alone when nothing was found.
VERDICT = re.compile(r"^(?:PASSED|FAILED)(?: \((?P<counts>[a-zA-Z0-9=, ]*)\))?$")


@frozen(kw_only=True)
class Group:
    """Tests that run in one process.

    Attributes:
        name: how it is called in the last lines.
        modules: dotted names.
        optimized: run under ``python -O``.
    """

    name: str
    modules: tuple[str, ...]
    optimized: bool = False


@frozen(kw_only=True)
class Tally:
    """How tests went."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    @classmethod
    def parse(cls, counts: str) -> "Tally":
        """Read trial's counts.

        An error counts as a failure, and so does a test that passes although it is marked as a known fault: the mark
        is wrong then. A known fault that is still there tells nothing new and counts as skipped.
        """
        found = dict.fromkeys(
            ("successes", "failures", "errors", "unexpectedSuccesses", "skips", "expectedFailures"), 0
        )
        for pair in filter(None, counts.split(", ")):
            name, _, number = pair.partition("=")
            found[name] = int(number)
        return cls(
            passed=found["successes"],
            failed=found["failures"] + found["errors"] + found["unexpectedSuccesses"],
            skipped=found["skips"] + found["expectedFailures"],
        )

    @classmethod
    def total(cls, tallies: Iterable["Tally"]) -> "Tally":
        """Add up."""
        every = tuple(tallies)
        return cls(
            passed=sum(tally.passed for tally in every),
            failed=sum(tally.failed for tally in every),
            skipped=sum(tally.skipped for tally in every),
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def modules(root: Path) -> tuple[str, ...]:
    """Return the dotted names of all test modules below ``root/tests``, sorted."""
    files = sorted((root / "tests").rglob("test_*.py"))
    return tuple(".".join(file.relative_to(root).with_suffix("").parts) for file in files)


def groups(names: Iterable[str], *, fast: bool) -> tuple[Group, ...]:
    """Sort test modules into groups; fast is only what is in memory, and that once."""
    every = tuple(names)
    real = tuple(name for name in every if name.startswith("tests.real."))
    rest = tuple(name for name in every if name not in real)
    found = [Group(name="in memory", modules=rest)]
    if not fast:
        found.append(Group(name="optimized", modules=rest, optimized=True))
        found.append(Group(name="real", modules=real))
    return tuple(group for group in found if group.modules)


def judge(counts: str | None, status: int, complain: Callable[[str], object]) -> Tally:
    """Make a tally of what trial said last, and do not believe in a success it did not end with."""
    if counts is None:
        complain(f"the run ended with status {status} and without a verdict\n")
        return Tally(failed=1)
    tally = Tally.parse(counts)
    if status != 0 and tally.failed == 0:
        complain(f"the run ended with status {status} although no test failed\n")
        return Tally(passed=tally.passed, failed=1, skipped=tally.skipped)
    return tally


def run(group: Group, write: Callable[[str], object], limit: float) -> Tally:
    """Run one group and pass on its output.

    Args:
        group: what to run.
        write: takes the output, line by line.
        limit: seconds after which a run that hangs is ended, with all it has started.
    """
    folder = Path(tempfile.mkdtemp(prefix="konnectd-trial-"))
    reporter = ["--reporter=text"] if group.optimized else []
    command = [sys.executable, "-m", "twisted.trial", *reporter, "--temp-directory", str(folder / "t"), *group.modules]
    # The variable and not the flag: it also reaches the daemons that tests start.
    environment = {**os.environ, "PYTHONOPTIMIZE": "1" if group.optimized else "", "PYTHONUNBUFFERED": "1"}
    counts: str | None = None
    try:
        # A session of its own, so that everything a test has left behind can be ended together.
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            timer = threading.Timer(limit, end, [process.pid])
            timer.start()
            try:
                for line in process.stdout or ():
                    write(line)
                    verdict = VERDICT.match(line.rstrip())
                    counts = (verdict["counts"] or "") if verdict else counts
                status = process.wait()
            finally:
                timer.cancel()
                end(process.pid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return judge(counts, status, write)


def end(session: int) -> None:
    """End every process of a session that is still there."""
    try:
        os.killpg(session, signal.SIGKILL)
    except ProcessLookupError:
        return


def run_all(every: tuple[Group, ...], jobs: int, limit: float) -> tuple[Tally, ...]:
    """Run groups, those in memory side by side, and show their output one after the other."""
    outputs: dict[str, list[str]] = {group.name: [] for group in every}
    tallies: dict[str, Tally] = {}

    def background(group: Group) -> Tally:
        return run(group, outputs[group.name].append, limit)

    def show(line: str) -> None:
        sys.stdout.write(line)
        sys.stdout.flush()

    with ThreadPoolExecutor(max_workers=max(1, jobs - 1)) as pool:
        aside = {group.name: pool.submit(background, group) for group in every if group.optimized and jobs > 1}
        for group in every:
            print(f"--- {group.name}: {len(group.modules)} modules", flush=True)
            if group.name in aside:
                tallies[group.name] = aside[group.name].result()
                show("".join(outputs[group.name]))
            else:
                tallies[group.name] = run(group, show, limit)
    return tuple(tallies[group.name] for group in every)


def main(argv: list[str]) -> int:
    """Run the suite; the last line says how it went, and so does the exit status."""
    parser = argparse.ArgumentParser(description="Run konnectd's tests.")
    parser.add_argument("--fast", action="store_true", help="only what runs in memory, and not under python -O")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="1 runs one group at a time")
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds after which one group is ended")
    options = parser.parse_args(argv)
    every = groups(modules(ROOT), fast=options.fast)
    if not every:
        print("no tests were found")
        return 1
    tallies = run_all(every, options.jobs, options.limit)
    print()
    for group, tally in zip(every, tallies, strict=True):
        print(f"{group.name}: {tally}")
    total = Tally.total(tallies)
    print(total)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
