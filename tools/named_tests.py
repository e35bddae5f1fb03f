"""Run some tests by name and write down how each went, for `tools.taken_out`.

It is a program of its own because it has to run inside a copy of the tree whose modules nobody has imported yet.
"""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from twisted.trial.reporter import TestResult
from twisted.trial.runner import TestLoader

import konnectd

#: What trial says when something else was raised than the test was waiting for.
_INSTEAD = re.compile(r"^(?:[\w.]+\.)?(\w+) raised instead of ")


def kinds_of(failure: Any) -> tuple[str, ...]:  # noqa: ANN401 - trial's failures carry no types
    """Return the names of the exceptions that one failure is about."""
    named = _INSTEAD.match(str(failure.value))
    return (type(failure.value).__name__, *((named[1],) if named else ()))


def outcomes(names: Iterable[str]) -> dict[str, list[str]]:
    """Run tests; return for each the names of the exceptions it failed with, none if it passed."""
    untyped: Any = TestResult
    result, loader = untyped(), TestLoader()
    suite: Any = loader
    suite.loadByNames(list(names)).run(result)
    found: dict[str, list[str]] = {}
    for test, failure in (*result.failures, *result.errors):
        found.setdefault(test.id(), []).extend(kinds_of(failure))
    for test, _ in result.skips:
        found.setdefault(test.id(), []).append("Skipped")
    return {**found, **{f"passed {number}": [] for number in range(result.successes)}}


def main(words: list[str]) -> int:
    """Run the tests that are named after the file that the outcome goes to."""
    place, *names = words
    told = {"package": str(Path(konnectd.__file__).resolve()), "outcomes": outcomes(names)}
    Path(place).write_text(json.dumps(told), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
