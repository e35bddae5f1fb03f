"""Text that wants to be more than text, and views that have it in every field."""

from collections.abc import Iterator
from enum import Enum

import attrs

from konnectd.protocol.local_text import LocalText
from konnectd.web.views import Account, ScopeLine, View

HOSTILE = (
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "</title></main><h1>",
    "{{7*7}}{% raw %}{#",
    "%(name)s %s %",
    "&lt;b&gt; &amp;amp; &#x3c;",
    "]]><!--<![CDATA[",
    "javascript:alert(1)//",
    "".join(map(chr, range(0x20))) + "\x7f\x85\x9f",
    "\ud800\udfff\ufffe\uffff\ufdd0",
    "\u202egro.live\u202c \u2066\u2067\u200f",
    "x" * 10_000,
    "<" * 10_000,
)


def filled(view: View, text: str) -> View:
    """Return a view with the same text in every field that holds any, made different by the field's name."""
    changes: dict[str, object] = {}
    for field in attrs.fields(type(view)):  # type: ignore[arg-type]  # every view is a class of attrs
        value = getattr(view, field.name)
        if isinstance(value, str) and not isinstance(value, Enum):
            changes[field.name] = text + field.name
        elif isinstance(value, Account):
            changes[field.name] = Account(text + "username", text + "name")
        elif field.name == "fields":
            changes[field.name] = tuple((text + name, text + name) for name, _ in value)
        elif isinstance(value, tuple) and not any(isinstance(line, ScopeLine) for line in value):
            changes[field.name] = tuple(filled(line, text) for line in value)
        elif isinstance(value, tuple):
            changes[field.name] = (
                ScopeLine(description=LocalText(text), token=text),
                ScopeLine(id=text, token=text),
                ScopeLine(token=text),
                ScopeLine(token=f"{text}2", optional=True),
            )
    return attrs.evolve(view, **changes)  # type: ignore[misc]  # every view is a class of attrs


def texts(value: object) -> Iterator[str]:
    """Yield every text that a view holds, however deep, except the words of closed sets."""
    if isinstance(value, Enum):
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from texts(part)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):  # type: ignore[arg-type]  # asked in the line above
            yield from texts(getattr(value, field.name))
