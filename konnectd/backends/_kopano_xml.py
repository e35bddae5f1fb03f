"""The XML around and inside of calls: envelopes out of text, fields out of bytes that nobody trusts.

What is written is put together by hand, because servers ignore a child that has a prefix without a word, and libraries
like to give one. Everything that is not a literal goes through `escape`; `Xml` is the type of what has. Envelopes
declare what the clients that servers know best declare, needed or not.

What is read comes from a server, which is believed but not trusted to be well: no document type, so no entities;
nothing is fetched; no answer is longer, deeper or wider than any that is needed. Fields are found by name, in any
order. Of several with the same name the last one counts, as for the server.

What the calls are is in `_kopano_soap`.
"""

import re
from collections.abc import Mapping
from typing import NewType

from lxml import etree

from konnectd.backends._kopano_entry import strict_base64
from konnectd.backends._kopano_errors import KopanoFaultError, MalformedAnswerError, UnsendableError

#: Longest answer that is read, in bytes. Reading one of this size takes a few milliseconds, whatever is in it.
LONGEST_ANSWER = 256 * 1024
#: Most elements that may be inside of each other. Answers to the calls we make have at most eight.
DEEPEST = 16
#: Most elements that may be beside each other where they are looked at one by one.
WIDEST = 1000

Xml = NewType("Xml", str)

_ENVELOPE_URI = "http://schemas.xmlsoap.org/soap/envelope/"
_CALLS_URI = "urn:zarafa"
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{_ENVELOPE_URI}"'
    ' xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xop="http://www.w3.org/2004/08/xop/include"'
    ' xmlns:xmlmime="http://www.w3.org/2004/11/xmlmime"'
    f' xmlns:ns="{_CALLS_URI}">'
    '<SOAP-ENV:Body SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">'
)
_TAIL = "</SOAP-ENV:Body></SOAP-ENV:Envelope>"

#: What no XML document can hold, not even escaped. Spec: XML 1.0 2.2.
_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Tab and the ends of lines would be read as something else if they were written as they are. Spec: XML 1.0 2.11.
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
)
_NUMBER = re.compile(r"[0-9]{1,20}")
_XML_SPACE = " \t\r\n"

_ENVELOPE, _BODY, _FAULT = (f"{{{_ENVELOPE_URI}}}{name}" for name in ("Envelope", "Body", "Fault"))
_TOO_DEEP = etree.XPath(f"boolean({'/*' * (DEEPEST + 1)})")


def escape(text: str) -> Xml:
    """Write text so that it is read as itself.

    Raises:
        UnsendableError: it has a character that XML does not allow.
    """
    if _FORBIDDEN.search(text):
        raise UnsendableError("it has a character that can not be sent")
    return Xml(text.translate(_ESCAPES))


def leaf(name: str, value: str | int) -> Xml:
    """Write an element that holds text or a number.

    Raises:
        UnsendableError: it has a character that XML does not allow.
    """
    content = escape(str(value))
    return Xml(f"<{name}>{content}</{name}>" if content else f"<{name}/>")


def branch(name: str, *children: Xml, array_type: str = "") -> Xml:
    """Write an element that holds others; an array says what is in it."""
    attribute = f' SOAP-ENC:arrayType="{escape(array_type)}"' if array_type else ""
    return Xml(f"<{name}{attribute}>{''.join(children)}</{name}>")


def envelope(method: str, *children: Xml) -> bytes:
    """Write a whole request."""
    return f"{_HEAD}{branch(f'ns:{method}', *children)}{_TAIL}".encode()


class Fields:
    """The children of one element, by name."""

    def __init__(self, element: etree._Element) -> None:
        """Look at an element.

        Raises:
            MalformedAnswerError: it has too many children.
        """
        self._name = str(element.tag).rpartition("}")[2]
        if len(element) > WIDEST:
            raise MalformedAnswerError(f"{self._name} has more than {WIDEST} elements")
        self._element = element
        self._children: Mapping[str, etree._Element] = {str(child.tag): child for child in element}

    def has(self, name: str) -> bool:
        """Tell whether there is such a field, empty or not."""
        return name in self._children

    def number(self, name: str, bits: int = 32) -> int:
        """Return a number.

        Raises:
            MalformedAnswerError: it is missing, no number, or not in the range of unsigned numbers of so many bits.
        """
        written = _text(self._child(name)).strip(_XML_SPACE)
        number = int(written) if _NUMBER.fullmatch(written) else -1
        if not 0 <= number < 1 << bits:
            raise MalformedAnswerError(f"{name} in {self._name} is no unsigned number of {bits} bits")
        return number

    def text(self, name: str) -> str:
        """Return text; none is empty text.

        Raises:
            MalformedAnswerError: it is no text.
        """
        return _text(self._children[name]) if name in self._children else ""

    def octets(self, name: str) -> bytes:
        """Return what base64 text stands for; none is nothing.

        Raises:
            MalformedAnswerError: it is no base64.
        """
        try:
            return strict_base64(self.text(name), LONGEST_ANSWER)
        except ValueError as error:
            raise MalformedAnswerError(f"{name} in {self._name}: {error}") from error

    def group(self, name: str) -> "Fields":
        """Return the fields of a field.

        Raises:
            MalformedAnswerError: it is missing, or has too many.
        """
        return Fields(self._child(name))

    def items(self, name: str) -> tuple["Fields", ...]:
        """Return the items of an array, each with its fields; of none there are none.

        Raises:
            MalformedAnswerError: there are too many.
        """
        return tuple(Fields(item) for item in self._items(name))

    def all_items(self) -> tuple["Fields", ...]:
        """Return the items of what is itself an array, each with its fields.

        Raises:
            MalformedAnswerError: there are too many.
        """
        return tuple(Fields(child) for child in self._element if child.tag == "item")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the items of an array of text; of none there are none.

        Raises:
            MalformedAnswerError: there are too many, or one is no text.
        """
        return tuple(_text(item) for item in self._items(name))

    def _child(self, name: str) -> etree._Element:
        """Return a child.

        Raises:
            MalformedAnswerError: it is missing.
        """
        child = self._children.get(name)
        if child is None:
            raise MalformedAnswerError(f"{self._name} has no {name}")
        return child

    def _items(self, name: str) -> tuple[etree._Element, ...]:
        """Return the items of an array.

        Raises:
            MalformedAnswerError: there are too many.
        """
        array = self._children.get(name)
        if array is None:
            return ()
        if len(array) > WIDEST:
            raise MalformedAnswerError(f"{name} has more than {WIDEST} elements")
        return tuple(child for child in array if child.tag == "item")


def read_answer(method: str, names: frozenset[str], content: bytes) -> Fields:
    """Return the fields of the answer to a call.

    Args:
        method: the call, for errors.
        names: what the answer's element may be called; another name is the answer to another call.
        content: what was received.

    Raises:
        KopanoFaultError: it is a Fault, which is looked for first.
        MalformedAnswerError: it is no answer to this call.
    """
    body = _body(content)
    fault = body.find(_FAULT)
    if fault is not None:
        raise KopanoFaultError(method, Fields(fault).text("faultstring"))
    answer = next(iter(body), None)
    if answer is None or str(answer.tag) not in {f"{{{_CALLS_URI}}}{name}" for name in names}:
        raise MalformedAnswerError("it is not the answer to this call")
    return Fields(answer)


def find_fault(content: bytes) -> str | None:
    """Return the words of a Fault, as they came; None when there is none, or nothing that can be read."""
    # Whether there is one is looked for in any answer, and nearly none has.
    if b"Fault" not in content:
        return None
    try:
        fault = _body(content).find(_FAULT)
        return None if fault is None else Fields(fault).text("faultstring")
    except MalformedAnswerError:
        return None


def _body(content: bytes) -> etree._Element:
    """Return the body of an envelope.

    Raises:
        MalformedAnswerError: it is no envelope, or one that is not read.
    """
    if len(content) > LONGEST_ANSWER:
        raise MalformedAnswerError(f"it is longer than {LONGEST_ANSWER} bytes")
    root = _parse(content)
    if _TOO_DEEP(root):
        raise MalformedAnswerError(f"more than {DEEPEST} elements are inside of each other")
    body = root.find(_BODY) if root.tag == _ENVELOPE else None
    if body is None:
        raise MalformedAnswerError("it is no SOAP envelope")
    return body


def _parse(content: bytes) -> etree._Element:
    """Read a document.

    Raises:
        MalformedAnswerError: it is none, or has a document type.
    """
    # Found before parsing, so that no entity is ever defined. The encoding is given, so that none can hide it.
    if b"<!DOCTYPE" in content:
        raise MalformedAnswerError("it has a document type")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MalformedAnswerError("it is no XML") from error


def _text(element: etree._Element) -> str:
    """Return the text in an element.

    Raises:
        MalformedAnswerError: there are elements in it.
    """
    if len(element):
        raise MalformedAnswerError(f"{element.tag!s} holds elements instead of text")
    return element.text or ""
