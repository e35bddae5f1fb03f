"""What the doctor finds: how bad it is, why, and how it is mended."""

from enum import StrEnum

from attrs import frozen


class Level(StrEnum):
    """How bad something is."""

    GOOD = "good"
    HINT = "hint"
    WARNING = "warning"
    FAULT = "fault"


@frozen(kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: how bad it is.
        about: what was looked at, in a word or two.
        says: what was seen.
        cause: why that is, as far as can be told; empty where nothing is wrong.
        mend: what to do about it; empty where nothing is wrong.
    """

    level: Level
    about: str
    says: str
    cause: str = ""
    mend: str = ""


def good(about: str, says: str) -> Finding:
    """Return a finding that nothing is wrong."""
    return Finding(level=Level.GOOD, about=about, says=says)


def hint(about: str, says: str, *, cause: str = "", mend: str = "") -> Finding:
    """Return a finding that somebody may want to know."""
    return Finding(level=Level.HINT, about=about, says=says, cause=cause, mend=mend)


def warning(about: str, says: str, *, cause: str = "", mend: str = "") -> Finding:
    """Return a finding that somebody has to look at."""
    return Finding(level=Level.WARNING, about=about, says=says, cause=cause, mend=mend)


def fault(about: str, says: str, *, cause: str = "", mend: str = "") -> Finding:
    """Return a finding by which people can not sign in, or are not safe."""
    return Finding(level=Level.FAULT, about=about, says=says, cause=cause, mend=mend)
