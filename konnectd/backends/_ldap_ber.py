"""Reading BER in one pass, for the two things ldaptor reads slowly or not at all: entries, and values of controls.

ldaptor copies the rest of the content for each element, so an entry with thousands of values would keep the daemon busy
for seconds. Nothing is written here; requests are made by ldaptor.
"""

from collections.abc import Iterator

#: The tag that every LDAP message begins with. Spec: RFC 4511 4.1.1.
SEQUENCE = 0x30


class TruncatedError(ValueError):
    """More bytes are needed."""


def measure(content: bytes | bytearray, offset: int = 0) -> tuple[int, int]:
    """Return where the content of the element at an offset begins and ends; the end may be beyond what is there.

    Raises:
        TruncatedError: not even the length is complete.
        ValueError: the length has a form that LDAP does not use.

    Spec: RFC 4511 5.1 (definite lengths only).
    """
    if len(content) < offset + 2:
        raise TruncatedError
    first = content[offset + 1]
    start = offset + 2
    if first < 0x80:
        return start, start + first
    size = first & 0x7F
    if size == 0 or size > 4:
        raise ValueError("a length that is indefinite or far too long")
    if len(content) < start + size:
        raise TruncatedError
    return start + size, start + size + int.from_bytes(content[start : start + size], "big")


def elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each element.

    Raises:
        ValueError: the last one is cut off, or a length has a form that LDAP does not use.
    """
    offset = 0
    while offset < len(content):
        start, end = measure(content, offset)
        if end > len(content):
            raise TruncatedError
        yield content[offset], content[start:end]
        offset = end


def integer(content: bytes) -> int:
    """Read the content of an INTEGER or ENUMERATED."""
    return int.from_bytes(content, "big", signed=True)
