"""The parameters of a request: each at most once (but ``resource``), empty ones as if not sent.

Spec: RFC 6749 3.1 and 3.2 (parameters sent without a value; parameters that must not be repeated), appendix B
(form encoding).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Self
from urllib.parse import unquote_to_bytes

from attrs import field, frozen

from konnectd.protocol.errors import UntrustedRequestError
from konnectd.protocol.vocabulary import ErrorCode

#: More than any request has; a parser that counts first can not be kept busy.
MOST_PARAMETERS = 100
#: May be sent several times, and are then one text with blanks between, which no value of theirs has.
#: Spec: RFC 8707 2.
_REPEATABLE = frozenset({"resource"})
#: What a client sends with each request in the same words, none of them a secret.
_ALWAYS_THE_SAME = frozenset({"redirect_uri", "scope", "response_type", "post_logout_redirect_uri"})
#: A percent sign that begins no escape, and control characters, which no parameter of any specification has.
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def parse_form(text: str) -> tuple[tuple[str, str], ...]:
    """Read form-encoded text, strictly.

    Raises:
        UntrustedRequestError: it is not form-encoded UTF-8 text, or has too many parameters.

    Spec: RFC 6749 appendix B.
    """
    if not text:
        return ()
    if not text.isascii():
        raise UntrustedRequestError(ErrorCode.INVALID_REQUEST, "a parameter is not form-encoded")
    parts = text.split("&", MOST_PARAMETERS + 1)
    if len(parts) > MOST_PARAMETERS:
        raise UntrustedRequestError(ErrorCode.INVALID_REQUEST, "too many parameters")
    pairs = []
    for part in parts:
        name, _, value = part.partition("=")
        if "%" in part or "+" in part or not part.isprintable():
            decode = _decode_again if name in _ALWAYS_THE_SAME else _decode
            pairs.append((name if name.isidentifier() else _decode(name), decode(value)))
        elif part:
            pairs.append((name, value))
    return tuple(pairs)


def _decode(text: str) -> str:
    """Decode one name or value."""
    if _BROKEN_ESCAPE.search(text) is not None:
        raise UntrustedRequestError(ErrorCode.INVALID_REQUEST, "a parameter is not form-encoded")
    try:
        # What the library calls `unquote_plus` does this, after a search for text that is not ASCII.
        decoded = unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError:
        raise UntrustedRequestError(ErrorCode.INVALID_REQUEST, "a parameter is not UTF-8 text") from None
    if _CONTROL.search(decoded) is not None:
        raise UntrustedRequestError(ErrorCode.INVALID_REQUEST, "a parameter has control characters")
    return decoded


@lru_cache(maxsize=64)
def _decode_again(text: str) -> str:
    """Decode a value that has probably been here before."""
    return _decode(text)


def is_text(text: str) -> bool:
    """Tell whether a value could have been sent in a form: no control characters, nothing that UTF-8 can not write."""
    return _CONTROL.search(text) is None and not any("\ud800" <= character <= "\udfff" for character in text)


@frozen
class Parameters:
    """What was sent, by name."""

    _values: Mapping[str, str] = field(factory=dict, repr=False)

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """Collect parameters.

        Raises:
            UntrustedRequestError: one is repeated, so two readers could disagree about it.

        Spec: RFC 6749 3.1.
        """
        values: dict[str, str] = {}
        empty = False
        for name, value in pairs:
            if name not in values:
                values[name], empty = value, empty or not value
            elif name not in _REPEATABLE:
                raise UntrustedRequestError(ErrorCode.INVALID_REQUEST, "a parameter is repeated")
            elif value:
                values[name] = f"{values[name]} {value}" if values[name] else value
        return cls({name: value for name, value in values.items() if value} if empty else values)

    def get(self, name: str) -> str | None:
        """Return a value, or None when it was not sent or empty."""
        return self._values.get(name)

    def text(self, name: str) -> str:
        """Return a value, or the empty string."""
        return self._values.get(name, "")

    def __contains__(self, name: str) -> bool:
        """Tell whether a parameter was sent with a value."""
        return name in self._values

    def items(self) -> Iterator[tuple[str, str]]:
        """Iterate over what was sent, in that order."""
        return iter(self._values.items())

    def without(self, *names: str) -> "Parameters":
        """Return the others."""
        return Parameters({name: value for name, value in self._values.items() if name not in names})
