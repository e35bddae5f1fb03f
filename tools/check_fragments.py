"""Check the changelog fragments: their names, their words, and that a change has one.

The last needs something to compare with. In a clone without history, or on the main branch itself, there is nothing,
and only the fragments that are there are looked at. Nothing is asked of git but to read.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("security", "feature", "fix", "change", "removal", "doc", "misc")
NAME = re.compile(r"(?P<number>[0-9]+)\.(?P<kind>[a-z]+)(?:\.[0-9]+)?\.md")
#: Where a sentence ends: at a full stop that is not inside a word, such as in "konnectd.conf".
SENTENCE_END = re.compile(r"\.(?=\s|$)")
LONGEST = 2
BASES = ("origin/HEAD", "origin/main", "main")
README = "README.md"


def faults_of(name: str, text: str) -> list[str]:
    """Return what is wrong with one fragment, in words for who wrote it."""
    match = NAME.fullmatch(name)
    if match is None:
        return ["is not named NUMBER.KIND.md"]
    if match["kind"] not in KINDS:
        return [f"{match['kind']} is not a kind; it is one of {', '.join(KINDS)}"]
    words = text.strip()
    if match["kind"] == "misc":
        return ["a fragment of kind misc is empty"] if words else []
    if not words:
        return ["says nothing"]
    faults = [] if words.endswith(".") else ["does not end in a full stop"]
    if len(SENTENCE_END.findall(words)) > LONGEST:
        faults.append("has more than two sentences")
    return faults


def faults_in(folder: Path) -> list[str]:
    """Return what is wrong with the fragments of a folder, each with the fragment's name."""
    return [
        f"{folder.name}/{file.name}: {fault}"
        for file in sorted(folder.iterdir())
        if file.name != README and not file.name.startswith(".")
        for fault in faults_of(file.name, file.read_text(encoding="utf-8"))
    ]


def git(root: Path, *words: str) -> str | None:
    """Return what git says, or None when it can not tell (no git, no repository, no such commit)."""
    try:
        answer = subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


def changed_since_base(root: Path) -> tuple[str, ...] | None:
    """Return the files that a branch changes, committed or not; None when there is nothing to compare it with."""
    head = git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    for name in BASES:
        base = git(root, "merge-base", name, "HEAD") if head else None
        if base and base != head:
            names = git(root, "diff", "--name-only", base)
            added = git(root, "ls-files", "--others", "--exclude-standard")
            return None if names is None else tuple(names.splitlines() + (added or "").splitlines())
    return None


def lacks_fragment(changed: tuple[str, ...]) -> bool:
    """Whether a change of these files comes without a fragment; a release moves them into the changelog."""
    recorded = any(name.startswith("changelog.d/") and not name.endswith(README) for name in changed)
    return bool(changed) and not recorded and "CHANGELOG.md" not in changed


def main() -> int:
    """Show all faults; the exit status is 1 when there is one."""
    faults = faults_in(ROOT / "changelog.d")
    changed = changed_since_base(ROOT)
    if changed is not None and lacks_fragment(changed):
        faults.append("this branch changes files and adds no fragment to changelog.d")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
