"""Programs in JavaScript that play a relying party: Node, and the packages that `tools/npm_packages.sh` installs."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.real.daemon import ROOT

FOLDER = ROOT / "tests" / "real" / "npm"
_NODE = shutil.which("node")
_PATIENCE = 15.0

#: Why tests with Node can not run here; None when they can.
SKIP: str | None = None
if _NODE is None:
    SKIP = "nodejs is not installed"


def package_missing(name: str) -> str | None:
    """Return why a package can not be used, or None when it can."""
    return None if (FOLDER / "node_modules" / name).is_dir() else f"{name} is not installed; make system does"


class RefusedError(Exception):
    """The program could not do what it was told.

    Attributes:
        error: the code of the provider's error, or of the library's.
    """

    def __init__(self, error: str, description: str) -> None:
        """Keep what it said."""
        super().__init__(f"{error}: {description}")
        self.error = error


class Conversation:
    """A program that is told what to do line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Take the program, which runs."""
        self._process = process

    def ask(self, call: str, **words: object) -> Any:  # noqa: ANN401 - whatever the program answers
        """Have it do one thing, and return what came of it.

        Raises:
            RefusedError: it could not.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("the program has no pipes")
        self._process.stdin.write(json.dumps({"call": call, **words}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the program ended with status {self._process.wait(_PATIENCE)}")
        answer = json.loads(line)
        if "error" in answer:
            raise RefusedError(answer["error"], answer["description"])
        return answer["result"]


@contextmanager
def conversation(script: Path) -> Iterator[Conversation]:
    """Run a script and end it again."""
    process = subprocess.Popen(
        [_NODE or "node", str(script)], cwd=script.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Conversation(process)
    finally:
        # It ends when nobody can tell it anything any more.
        try:
            process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
