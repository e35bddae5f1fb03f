"""Files that tests write, each in a folder of its own."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase, TestCase


def folder(case: SynchronousTestCase | TestCase) -> Path:
    """Make an empty folder."""
    path = Path(case.mktemp()).resolve()
    path.mkdir(parents=True)
    return path


def write(case: SynchronousTestCase | TestCase, name: str, content: str | bytes) -> Path:
    """Write a file into a folder of its own."""
    path = folder(case) / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
