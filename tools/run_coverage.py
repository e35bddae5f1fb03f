"""Which branches no test takes, held against the marks of the house (house style 51).

Only what runs in memory is counted: a line that is reached only by way of a real server is reached by accident.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.run_tests import ROOT, modules

#: Folders, comma-separated as the tool takes them, and the percentage that must be reached in them.
MARKS = (("konnectd/protocol/*,konnectd/flows/*,konnectd/grants/*", 100), ("konnectd/*", 90))


def coverage(folder: str, *words: str) -> int:
    """Run the coverage tool with its notes in a folder that goes away, and return its exit status."""
    environment = {**os.environ, "COVERAGE_FILE": str(Path(folder) / "coverage")}
    return subprocess.run([sys.executable, "-m", "coverage", *words], cwd=ROOT, env=environment, check=False).returncode


def main() -> int:
    """Run the tests and show, for each mark, what is missing; the exit status is 1 when something is."""
    names = [name for name in modules(ROOT) if not name.startswith("tests.real.")]
    with tempfile.TemporaryDirectory(prefix="konnectd-coverage-") as folder:
        trial = ("-m", "twisted.trial", "--reporter=text", "--temp-directory", str(Path(folder) / "t"))
        statuses = [coverage(folder, "run", *trial, *names)]
        for include, percent in MARKS:
            print(f"--- {include}: {percent} % of branches", flush=True)
            statuses.append(coverage(folder, "report", f"--include={include}", f"--fail-under={percent}"))
    return 1 if any(statuses) else 0


if __name__ == "__main__":
    raise SystemExit(main())
