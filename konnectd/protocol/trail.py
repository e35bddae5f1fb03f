"""The trail of a decision: what is told about one request, in a form that a program can read back from the log.

Nothing here can carry a secret by mistake of ours: there is no field for one. What comes from outside is written so
that it can neither end its own field nor look like another one, in whatever kind of log it ends up, and is cut short.
What of a request may stand in a field is decided in `konnectd.protocol.asking`.
"""

import re
from collections.abc import Iterable
from typing import Self
from urllib.parse import quote, unquote

from attrs import Attribute, fields, frozen

#: Longest value and longest name in a list, in characters, and how many names of a list are kept.
LONGEST_VALUE = 200
LONGEST_NAME = 40
MOST_NAMES = 20
#: Stands for a name in a list that is too long to be one.
TOO_LONG = "(too long)"
#: Longest free words of a line, in characters.
LONGEST_WORDS = 300

_FACT = re.compile(r"([a-z_]+)=([A-Za-z0-9_.~:/@+%,-]*)")
_LINE = re.compile(
    r"(?P<verb>refused|answered): (?P<words>[^\[\]]*?) ?"
    r"\[(?P<reference>[A-Za-z0-9_-]{1,64})\] (?P<facts>[^\[\] ][^\[\]]*)"
)


@frozen(kw_only=True)
class Trail:
    """The facts of one decision; whatever is not known, or does not matter, is empty.

    Attributes:
        at: the name of the route.
        answered: what the request got: ``page``, ``redirect``, ``json``, or the page that was due.
        status: the HTTP status.
        reason: the name of the rule, as `konnectd.protocol.reasons` has it.
        error: the code that the client was told.
        client: the id of a registered client; empty when none is known.
        response_type: as registered names have it.
        response_mode: the one that was asked for.
        grant_type: the one that was asked for.
        prompt: the known words of it.
        asked: the scopes that the client asked for.
        granted: those it got.
        dropped: those that nobody can get here.
        host: where a redirect URI leads that was not accepted.
        differs: in what such a URI differs from the one that is registered and most like it.
        backend: what the backend said to a sign-in.
    """

    at: str = ""
    answered: str = ""
    status: str = ""
    reason: str = ""
    error: str = ""
    client: str = ""
    response_type: str = ""
    response_mode: str = ""
    grant_type: str = ""
    prompt: str = ""
    asked: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    host: str = ""
    differs: str = ""
    backend: str = ""

    def to_text(self) -> str:
        """Write what is known, as ``name=value`` with blanks between."""
        parts = []
        for attribute in fields(Trail):
            value = getattr(self, attribute.name)
            if value:
                text = ",".join(map(_name, _few(value))) if isinstance(value, tuple) else _escape(value[:LONGEST_VALUE])
                parts.append(f"{attribute.name}={text}")
        return " ".join(parts)

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """Read what `to_text` wrote; None when it is anything else."""
        found: dict[str, str | tuple[str, ...]] = {}
        known = {attribute.name: attribute for attribute in fields(Trail)}
        for part in text.split(" "):
            match = _FACT.fullmatch(part)
            if match is None or match[1] not in known or match[1] in found:
                return None
            found[match[1]] = _read(known[match[1]], match[2])
        trail = cls(**found)  # type: ignore[arg-type] # each value has the type of its field
        return trail if trail.at else None


@frozen(kw_only=True)
class Told:
    """One line about a decision.

    Attributes:
        refused: the request was not granted.
        words: what is wrong, in words for developers or operators.
        reference: what is also on the page.
        trail: the facts.
    """

    refused: bool
    words: str
    reference: str
    trail: Trail

    @classmethod
    def parse(cls, sentence: str) -> Self | None:
        """Read the sentence of a line of the log; None when it is not one about a decision.

        The whole of it has to be one: what somebody typed may stand in another sentence, and look like this.
        """
        match = _LINE.fullmatch(sentence)
        trail = Trail.from_text(match["facts"]) if match is not None else None
        if match is None or trail is None:
            return None
        return cls(refused=match["verb"] == "refused", words=match["words"], reference=match["reference"], trail=trail)


def plain_words(text: str) -> str:
    """Return words in which nothing ends a line or looks like the facts after them, cut short."""
    shown = "".join(character if character.isprintable() else "?" for character in text[:LONGEST_WORDS])
    return shown.replace("[", "(").replace("]", ")").strip()


def _few(names: Iterable[str]) -> tuple[str, ...]:
    """Return the first of some names."""
    return tuple(names)[:MOST_NAMES]


def _name(name: str) -> str:
    """Write one name of a list."""
    return _escape(name if len(name) <= LONGEST_NAME else TOO_LONG)


def _escape(text: str) -> str:
    """Write a value; what is not plain ASCII, or means something in the line, is escaped."""
    return quote(text, safe="~:/@+", errors="replace")


def _read(attribute: "Attribute[object]", text: str) -> str | tuple[str, ...]:
    """Read a value as its field has it; control characters do not come back to play with a terminal."""
    if attribute.default == ():
        return tuple(_printable(part) for part in text.split(",") if part)
    return _printable(text)


def _printable(text: str) -> str:
    """Return an escaped text as it was, but for what can not be printed."""
    return "".join(character if character.isprintable() else "?" for character in unquote(text))
