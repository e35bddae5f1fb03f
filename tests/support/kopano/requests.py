"""What is asked: a call with its values, out of the tree of a document, by the rules of the real server.

A call stands in its namespace, its values stand without a prefix or are not seen. Their order is free, the last of
several counts, unknown ones are skipped. A value that can not be read is a fault before the call is looked at.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from tests.support.kopano.documents import Element

ENVELOPES = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
SCHEMA = "http://www.w3.org/2001/XMLSchema"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
CALLS = "urn:zarafa"
_NUMBER = re.compile(r"[ \t\r\n]*([0-9]+)[ \t\r\n]*")
_BITS_32, _BITS_64 = 32, 64


class FaultError(Exception):
    """The request is answered with a SOAP fault; the text is the fault's."""


@frozen
class Property:
    """A property of somebody who is looked for.

    Attributes:
        text: None if the value is none.
    """

    tag: int
    text: str | None


@frozen(kw_only=True)
class Call:
    """What is asked.

    Attributes:
        name: of the call.
        values: by their names; those that are not there are None.
    """

    name: str
    values: Mapping[str, Any] = field(repr=False)

    def text(self, name: str) -> str | None:
        """Return a text, or None."""
        value: str | None = self.values[name]
        return value

    def number(self, name: str) -> int:
        """Return a number, 0 if it is not there."""
        value: int | None = self.values[name]
        return value or 0

    def binary(self, name: str) -> bytes | None:
        """Return bytes, or None."""
        value: bytes | None = self.values[name]
        return value


def invalid(element: Element) -> FaultError:
    """Return what is said about a value that can not be read."""
    return FaultError(f"Validation constraint violation: invalid value in element '{element.name}'")


def read_call(root: Element) -> Call:
    """Find the call in an envelope, and read its values.

    Raises:
        FaultError: there is none, or one that is not known, or a value that can not be read.
    """
    if root.local_name != "Envelope" or root.namespace not in ENVELOPES:
        raise FaultError("Validation constraint violation: SOAP version mismatch or invalid SOAP message")
    body = next((part for part in root.children if (part.local_name, part.namespace) == ("Body", root.namespace)), None)
    if body is None or not body.children:
        raise FaultError("Validation constraint violation: SOAP message expected")
    call = body.children[0]
    fields = FIELDS.get(call.local_name)
    if fields is None or call.namespace != CALLS:
        raise FaultError(f"Method '{call.name}' not implemented: method name or namespace not recognized")
    # One with a prefix has another name than any that is looked for.
    found = {child.name: child for child in call.children}
    values = {name: kind(found[name]) if name in found else None for name, kind in fields.items()}
    return Call(name=call.local_name, values=values)


def _check_type(element: Element, *names: tuple[str, str]) -> None:
    """Refuse a value that says of itself to be of another type.

    Raises:
        FaultError: it does.
    """
    written = element.attribute(INSTANCE, "type")
    if written is None:
        return
    prefix, _, local = written.strip().rpartition(":")
    if (element.prefixes.get(prefix, ""), local) not in names:
        raise FaultError(f"Validation constraint violation: type mismatch: {written} in element '{element.name}'")


def _is_null(element: Element) -> bool:
    """Say whether it says that it is not there."""
    return (element.attribute(INSTANCE, "nil") or "").strip() in {"true", "1"}


def _string(element: Element) -> str | None:
    """Read a text; white space is part of it."""
    _check_type(element, (SCHEMA, "string"))
    return None if _is_null(element) else element.text


def _whole(bits: int) -> "Callable[[Element], int | None]":
    """Return what reads a number that has at most so many bits."""
    names = ("unsignedInt", "unsignedShort", "unsignedByte", *(("unsignedLong",) if bits > _BITS_32 else ()))

    def read(element: Element) -> int | None:
        """Read the number."""
        _check_type(element, *[(SCHEMA, name) for name in names])
        if _is_null(element):
            return None
        match = _NUMBER.fullmatch(element.text)
        if match is None or int(match[1]) >= 1 << bits:
            raise invalid(element)
        return int(match[1])

    return read


_int, _long = _whole(_BITS_32), _whole(_BITS_64)


def _binary(element: Element) -> bytes | None:
    """Read bytes."""
    _check_type(element, (SCHEMA, "base64Binary"), (ENCODING, "base64"), (ENCODING, "base64Binary"))
    if _is_null(element):
        return None
    try:
        return base64.b64decode(re.sub(r"[ \t\r\n]+", "", element.text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(element) from error


def _items(element: Element) -> list[Element]:
    """Return the items of an array; what it says of its own type is decoration."""
    return [child for child in element.children if child.name == "item"]


def _numbers(element: Element) -> list[int]:
    """Read an array of numbers."""
    return [_int(item) or 0 for item in _items(element)]


def _rows(element: Element) -> list[list[Property]]:
    """Read an array of rows."""
    return [[_property(item) for item in _items(row)] for row in _items(element)]


def _property(element: Element) -> Property:
    """Read one property; of values only texts are of use here."""
    found = {child.name: child for child in element.children}
    tag = _int(found["ulPropTag"]) if "ulPropTag" in found else 0
    return Property(tag or 0, _string(found["lpszA"]) if "lpszA" in found else None)


Fields = Mapping[str, Callable[[Element], Any]]

#: What belongs to each call. ``clientVersion`` is none of `logon`: there it is skipped like anything unknown.
FIELDS: Mapping[str, Fields] = {
    "logon": {
        "szUsername": _string,
        "szPassword": _string,
        "szImpersonateUser": _string,
        "szVersion": _string,
        "ulCapabilities": _int,
        "ulFlags": _int,
        "sLicenseReq": _binary,
        "ullSessionGroup": _long,
        "szClientApp": _string,
        "szClientAppVersion": _string,
        "szClientAppMisc": _string,
    },
    "ssoLogon": {
        "ulSessionId": _long,
        "szUsername": _string,
        "szImpersonateUser": _string,
        "lpInput": _binary,
        "clientVersion": _string,
        "clientCaps": _int,
        "sLicenseReq": _binary,
        "ullSessionGroup": _long,
        "szClientApp": _string,
        "szClientAppVersion": _string,
        "szClientAppMisc": _string,
    },
    "logoff": {"ulSessionId": _long},
    "resolveUsername": {"lpszUsername": _string, "ulSessionId": _long},
    "getUser": {"sUserId": _binary, "ulUserId": _int, "ulSessionId": _long},
    "getUserList": {"ulSessionId": _long, "ulCompanyId": _int, "sCompanyId": _binary},
    "abResolveNames": {
        "ulSessionId": _long,
        "lpaPropTag": _numbers,
        "lpsRowSet": _rows,
        "lpaFlags": _numbers,
        "ulFlags": _int,
    },
}
