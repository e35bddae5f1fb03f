"""Everything a machine can say about the code without running it: what `make check` is.

All steps run, whatever the ones before have found, so that one run shows all there is to mend.
"""

import subprocess
import sys
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent


@frozen(kw_only=True)
class Step:
    """One check.

    Attributes:
        name: what is looked at.
        words: arguments of the interpreter that runs this file.
        remedy: what to type when it fails; empty when only thinking helps.
    """

    name: str
    words: tuple[str, ...]
    remedy: str = ""


STEPS = (
    Step(name="format", words=("-m", "ruff", "format", "--check", "--quiet", "."), remedy="make format"),
    Step(name="lint", words=("-m", "ruff", "check", "--quiet", "."), remedy="make format mends some of it"),
    Step(name="types", words=("-m", "mypy", "--strict", "--no-error-summary", "konnectd", "tools", "twisted/plugins")),
    Step(name="generated options", words=("-m", "konnectd.config.documents", "--check"), remedy="make generate"),
    Step(name="catalog of texts", words=("-m", "konnectd.web.catalog", "--check"), remedy="make generate"),
    Step(name="changelog", words=("tools/check_fragments.py",), remedy="changelog.d/README.md says how to write one"),
)


def passes(step: Step) -> bool:
    """Run one check; its findings are shown as they are."""
    print(f"--- {step.name}", flush=True)
    status = subprocess.run([sys.executable, *step.words], cwd=ROOT, check=False).returncode
    if status != 0:
        print(f"{step.name}: failed" + (f" ({step.remedy})" if step.remedy else ""), flush=True)
    return status == 0


def main() -> int:
    """Run all checks; the exit status is 1 when one of them failed."""
    failed = [step.name for step in STEPS if not passes(step)]
    verdict = f"failed: {', '.join(failed)}" if failed else "all is well"
    print(f"check: {verdict}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
