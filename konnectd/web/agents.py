"""What a browser says it is, in a word or two that its owner recognizes; nothing is decided by it.

Spec: RFC 9110 10.1.5 (``User-Agent``).
"""

from attrs import frozen

#: How browsers call themselves and what people call them. Most of them also say that they are others, so the first
#: one that is found counts.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
#: As much of the header as is looked at, in characters.
_LONGEST = 512


@frozen
class Agent:
    """The families of a browser and of its system; empty when nobody can tell."""

    browser: str = ""
    system: str = ""

    @classmethod
    def parse(cls, header: str) -> "Agent":
        """Read a ``User-Agent`` header; whatever is in it, only words of our own come out."""
        text = header[:_LONGEST]
        return cls(_first(text, _BROWSERS), _first(text, _SYSTEMS))


def _first(text: str, names: tuple[tuple[str, str], ...]) -> str:
    """Return the first name whose mark is in a text."""
    return next((name for mark, name in names if mark in text), "")
