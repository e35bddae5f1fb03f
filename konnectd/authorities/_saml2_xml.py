"""XML that somebody else wrote, read so that it can be nothing but what it looks like.

No document type, so no entities; nothing is fetched; no comments and no instructions, between which a name could be cut
in two; limits of size, depth and number. What is read is bytes in UTF-8.

Spec: SAML 2.0 Core 1.3; XML 1.0.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from konnectd.protocol.saml2 import SamlError, SamlFault

#: Longest message that is read, in bytes: what fits into the largest form that is taken. Most have less than 10 kB.
LONGEST_MESSAGE = 48 * 1024
#: Longest metadata, in bytes: those of one provider have 10 kB, those of a small federation some hundred.
LONGEST_METADATA = 1024 * 1024
#: Most elements inside of each other, and most in one message.
DEEPEST = 32
MOST_ELEMENTS = 2000

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"

#: What an id is, as XML Schema has it; also what makes it safe in a reference.
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,255}")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,12})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_DURATION = re.compile(
    r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})(?:\.\d+)?S)?)?",
    re.ASCII,
)
_SPACE = " \t\r\n"


def protocol(name: str) -> str:
    """Return a name of the protocol's namespace."""
    return f"{{{PROTOCOL}}}{name}"


def assertion(name: str) -> str:
    """Return a name of the namespace of assertions."""
    return f"{{{ASSERTION}}}{name}"


def metadata(name: str) -> str:
    """Return a name of the namespace of metadata."""
    return f"{{{METADATA}}}{name}"


def signature(name: str) -> str:
    """Return a name of the namespace of signatures."""
    return f"{{{SIGNATURE}}}{name}"


def parse(document: bytes, longest: int = LONGEST_MESSAGE, most: int = MOST_ELEMENTS) -> etree._Element:
    """Read a document.

    Raises:
        SamlError: it is too large, or more than plain elements.
    """
    if len(document) > longest:
        raise SamlError(SamlFault.TOO_LARGE)
    # Looked for before anything is parsed: what a document type can do, it does while it is read. Other encodings,
    # in which it would look different, are not read.
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise SamlError(SamlFault.DOCUMENT_TYPE)
    try:
        document.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SamlError(SamlFault.MALFORMED, "no UTF-8") from error
    if b"\0" in document:
        raise SamlError(SamlFault.MALFORMED, "no UTF-8")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_blank_text=False,
    )
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SamlError(SamlFault.MALFORMED, "no well-formed XML") from error
    _check_plain(root, most)
    return root


def _check_plain(root: etree._Element, most: int) -> None:
    """Check that there are elements and text and nothing else.

    Raises:
        SamlError: there is more.
    """
    about: Any = root.getroottree().docinfo
    if about.doctype:
        raise SamlError(SamlFault.DOCUMENT_TYPE)
    if root.getprevious() is not None or root.getnext() is not None:
        raise SamlError(SamlFault.COMMENT)
    depth = number = 0
    for event, _ in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event == "end":
            depth -= 1
        elif event == "start":
            depth, number = depth + 1, number + 1
            if depth > DEEPEST or number > most:
                raise SamlError(SamlFault.TOO_LARGE)
        else:
            raise SamlError(SamlFault.COMMENT)


def children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield the children of an element with a name."""
    return (child for child in element if child.tag == name)


def only(element: etree._Element, name: str) -> etree._Element | None:
    """Return the one child with a name; None when there is none.

    Raises:
        SamlError: there are several.
    """
    found = list(children(element, name))
    if len(found) > 1:
        raise SamlError(SamlFault.MALFORMED, f"several {_short(name)}")
    return found[0] if found else None


def text(element: etree._Element | None) -> str:
    """Return the text of an element, without space around it; none of no element.

    Raises:
        SamlError: there is more than text in it.
    """
    if element is None:
        return ""
    if len(element):
        raise SamlError(SamlFault.MALFORMED, f"elements in {_short(str(element.tag))}")
    return (element.text or "").strip(_SPACE)


def plain_text(element: etree._Element) -> str | None:
    """Return the text of an element; None when there are elements in it."""
    return None if len(element) else (element.text or "").strip(_SPACE)


def identifier(element: etree._Element) -> str:
    """Return the id of an element.

    Raises:
        SamlError: it has none, or one that is none.
    """
    found = element.get("ID", "")
    if not _ID.fullmatch(found):
        raise SamlError(SamlFault.MALFORMED, f"id of {_short(str(element.tag))}")
    return found


def moment(element: etree._Element, name: str) -> int | None:
    """Return a time in an attribute, in seconds since the epoch; None when there is none.

    Without a zone it is UTC, as SAML has it.

    Raises:
        SamlError: it is no time.

    Spec: SAML 2.0 Core 1.3.3.
    """
    written = element.get(name)
    if written is None:
        return None
    match = _TIME.fullmatch(written.strip(_SPACE))
    if match is None:
        raise SamlError(SamlFault.MALFORMED, f"{name} is no time")
    try:
        return int(datetime.fromisoformat(match[1] + (match[2] or "Z")).timestamp())
    except (ValueError, OverflowError) as error:
        raise SamlError(SamlFault.MALFORMED, f"{name} is no time") from error


def required_moment(element: etree._Element, name: str) -> int:
    """Return a time that has to be there.

    Raises:
        SamlError: it is not, or is no time.
    """
    found = moment(element, name)
    if found is None:
        raise SamlError(SamlFault.MALFORMED, f"no {name}")
    return found


def duration(written: str | None) -> int | None:
    """Return a duration in seconds, a month being 30 days; None for none, or what is none.

    Spec: SAML 2.0 Metadata 2.3.2 (``cacheDuration``).
    """
    match = _DURATION.fullmatch(written or "")
    if match is None or not any(match.groups()):
        return None
    lengths = (365 * 86400, 30 * 86400, 86400, 3600, 60, 1)
    return sum(int(count or 0) * length for count, length in zip(match.groups(), lengths, strict=True))


def written_time(now: int) -> str:
    """Write a time as SAML has it."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_base64(written: str, longest: int = LONGEST_MESSAGE) -> bytes:
    """Return what base64 stands for; ends of lines in it are usual.

    Raises:
        SamlError: it is too long, or no base64.
    """
    if len(written) > longest * 3 // 2:
        raise SamlError(SamlFault.TOO_LARGE)
    try:
        return b64decode("".join(written.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SamlError(SamlFault.MALFORMED, "no base64") from error


def _short(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition("}")[2]
