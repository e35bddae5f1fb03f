"""Search filters: an operator's text is parsed once, everything else is put together from values.

What a person typed is only ever the value of a comparison made by `equals`; no text is formatted into a filter.
The parser takes what Konnect's took beyond RFC 4515: missing outer parentheses, doubled ones, blanks between parts.
"""

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from attrs import frozen
from ldaptor.protocols import pureldap

#: An attribute by name or OID, with options. Spec: RFC 4512 2.5.
ATTRIBUTE = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+)(?:;[A-Za-z0-9-]+)*")
_RULE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+")
_COMPARISON = re.compile(r"([^()=<>~]*?)\s*(>=|<=|~=|:=|=)(.*)", re.DOTALL)
_HEX_PAIR = re.compile(r"\\([0-9A-Fa-f]{2})")

#: Deeper nesting is a mistake; the limit keeps a hostile file from exhausting the stack.
_DEEPEST = 50

#: A class or object of ldaptor, which has no types.
_Untyped: TypeAlias = Any

_ORDERINGS = {
    ">=": pureldap.LDAPFilter_greaterOrEqual,
    "<=": pureldap.LDAPFilter_lessOrEqual,
    "~=": pureldap.LDAPFilter_approxMatch,
}


@frozen
class Filter:
    """A filter as it goes over the wire.

    Attributes:
        wire: BER; made once, sent with each search.
    """

    wire: bytes

    def toWire(self) -> bytes:  # noqa: N802 - the name ldaptor asks for
        """Return what ldaptor puts into a request."""
        return self.wire


def equals(attribute: str, value: bytes | str) -> Filter:
    """Compare an attribute with a value, whatever bytes that has."""
    return Filter(_assertion(pureldap.LDAPFilter_equalityMatch, attribute, _octets(value)).toWire())


def matches_rule(attribute: str, rule: str, value: bytes | str) -> Filter:
    """Compare an attribute with a value by a named matching rule.

    Spec: RFC 4511 4.5.1.7.7.
    """
    return Filter(
        pureldap.LDAPFilter_extensibleMatch(
            matchingRule=rule.encode(), type=attribute.encode() or None, matchValue=_octets(value)
        ).toWire()
    )


def present(attribute: str) -> Filter:
    """Match every entry that has an attribute."""
    return Filter(pureldap.LDAPFilter_present(attribute).toWire())


def all_of(*filters: Filter) -> Filter:
    """Match what all of some filters match."""
    return Filter(pureldap.LDAPFilter_and(list(filters)).toWire())


def any_of(*filters: Filter) -> Filter:
    """Match what at least one of some filters matches."""
    return filters[0] if len(filters) == 1 else Filter(pureldap.LDAPFilter_or(list(filters)).toWire())


def parse(text: str) -> Filter:
    """Read a filter as operators write it.

    Raises:
        ValueError: it is no filter; the text says where it stops making sense.

    Spec: RFC 4515 3; RFC 4526 (empty and, or).
    """
    stripped = text.strip()
    if not stripped:
        raise ValueError("is empty")
    if not stripped.startswith("("):
        stripped = f"({stripped})"
    reader = _Reader(stripped)
    found = reader.component(0)
    if reader.rest().strip():
        raise ValueError(f"has more after its end: {reader.rest().strip()!r}")
    return found


class _Reader:
    """A position in a filter's text."""

    def __init__(self, text: str) -> None:
        """Stand at the beginning."""
        self._text = text
        self._at = 0

    def rest(self) -> str:
        """Return what was not read yet."""
        return self._text[self._at :]

    def component(self, depth: int) -> Filter:
        """Read one parenthesized component.

        Raises:
            ValueError: there is none.
        """
        if depth > _DEEPEST:
            raise ValueError("is nested too deeply")
        self._expect("(")
        found = self._inside(depth)
        self._expect(")")
        return found

    def _inside(self, depth: int) -> Filter:
        """Read what stands between parentheses."""
        match self._peek():
            case "(":
                return self.component(depth + 1)
            case "&":
                return all_of(*self._components(depth))
            case "|":
                return Filter(pureldap.LDAPFilter_or(list(self._components(depth))).toWire())
            case "!":
                found = self._components(depth)
                if len(found) != 1:
                    raise ValueError("has a ! that is not followed by exactly one component")
                return Filter(pureldap.LDAPFilter_not(found[0]).toWire())
        end = self._text.find(")", self._at)
        if end < 0:
            raise ValueError("lacks a closing parenthesis")
        item, self._at = self._text[self._at : end], end
        return _comparison(item)

    def _components(self, depth: int) -> list[Filter]:
        """Read an operator and the components after it."""
        self._at += 1
        found = []
        while self._peek() == "(":
            found.append(self.component(depth + 1))
        return found

    def _peek(self) -> str:
        """Return the next character that is no blank, and stand before it."""
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1
        return self._text[self._at : self._at + 1]

    def _expect(self, character: str) -> None:
        """Step over a character.

        Raises:
            ValueError: another one is there.
        """
        found = self._peek()
        if found != character:
            raise ValueError(f"lacks a {character!r} before {self.rest()!r}")
        self._at += 1


def _comparison(item: str) -> Filter:
    """Read a comparison.

    Raises:
        ValueError: it is none.
    """
    match = _COMPARISON.fullmatch(item)
    if match is None:
        raise ValueError(f"has {item!r}, which is no comparison")
    attribute, operator, value = match[1].strip(), match[2], match[3]
    if operator == ":=":
        return _extensible(attribute, value)
    if ATTRIBUTE.fullmatch(attribute) is None:
        raise ValueError(f"has {attribute!r}, which is no attribute")
    if operator in _ORDERINGS:
        return Filter(_assertion(_ORDERINGS[operator], attribute, _value(value)).toWire())
    if value.strip() == "*":
        return present(attribute)
    if "*" in value:
        return _substrings(attribute, value)
    return equals(attribute, _value(value))


def _substrings(attribute: str, value: str) -> Filter:
    """Compare with parts of a value; ``**`` counts as ``*``."""
    initial, *middle, final = value.split("*")
    parts: list[_Untyped] = []
    if initial:
        parts.append(pureldap.LDAPFilter_substrings_initial(_value(initial)))
    parts += [pureldap.LDAPFilter_substrings_any(_value(part)) for part in middle if part]
    if final:
        parts.append(pureldap.LDAPFilter_substrings_final(_value(final)))
    if not parts:
        return present(attribute)
    return Filter(pureldap.LDAPFilter_substrings(type=attribute.encode(), substrings=parts).toWire())


def _extensible(left: str, value: str) -> Filter:
    """Compare by a matching rule: ``attribute:dn:rule:=value``, each part but one optional.

    Raises:
        ValueError: neither attribute nor rule, or one that is malformed.
    """
    attribute, *flags = left.split(":")
    by_dn = bool(flags) and flags[0].lower() == "dn"
    rules = flags[1:] if by_dn else flags
    if len(rules) > 1 or not (attribute or rules):
        raise ValueError(f"has {left!r}, which names no attribute and matching rule")
    if attribute and ATTRIBUTE.fullmatch(attribute) is None:
        raise ValueError(f"has {attribute!r}, which is no attribute")
    if rules and _RULE.fullmatch(rules[0]) is None:
        raise ValueError(f"has {rules[0]!r}, which is no matching rule")
    return Filter(
        pureldap.LDAPFilter_extensibleMatch(
            matchingRule=rules[0].encode() if rules else None,
            type=attribute.encode() or None,
            matchValue=_value(value),
            # False would be sent although it is the default, which RFC 4511 5.1 forbids.
            dnAttributes=by_dn or None,
        ).toWire()
    )


def _assertion(kind: _Untyped, attribute: str, value: bytes) -> _Untyped:
    """Make one of ldaptor's comparisons."""
    return kind(
        attributeDesc=pureldap.LDAPAttributeDescription(attribute), assertionValue=pureldap.LDAPAssertionValue(value)
    )


def _value(text: str) -> bytes:
    r"""Read a value, in which ``\xx`` stands for an octet.

    Raises:
        ValueError: a backslash is followed by something else.
    """
    pieces = _HEX_PAIR.split(text)
    if any("\\" in literal for literal in pieces[::2]):
        raise ValueError(rf"has {text!r}, in which a backslash is not followed by two hex digits (write \5c for it)")
    pairs: Iterable[tuple[int, str]] = enumerate(pieces)
    return b"".join(bytes.fromhex(piece) if index % 2 else piece.encode() for index, piece in pairs)


def _octets(value: bytes | str) -> bytes:
    """Return the octets of a value."""
    return value.encode() if isinstance(value, str) else value
