"""Files that tests write, each in a folder of its own."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase, TestCase


def folder(case: SynchronousTestCase | TestCase) -> Path:
    """Make an empty folder."""
    path = Path(case.mktemp()).resolve()
    path.mkdir(parents=True)
    return path


def let_others_enter(case: SynchronousTestCase, path: Path) -> None:
    """Let everybody reach a folder of a test, whoever runs it, until the test is over."""
    for parent in (path, *path.parents):
        mode = parent.stat().st_mode & 0o777
        if not mode & 0o001:
            parent.chmod(mode | 0o055)
            case.addCleanup(parent.chmod, mode)


def write(case: SynchronousTestCase | TestCase, name: str, content: str | bytes) -> Path:
    """Write a file into a folder of its own."""
    path = folder(case) / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
