"""The head of a request: what is refused before anything of its body is read.

Messages that another reader on the way, such as a reverse proxy, could split in different places are not for us. What
twisted.web refuses by itself is not here.
"""

import re
from collections.abc import Sequence

from attrs import frozen

FRAMING = frozenset({b"Content-Length", b"Transfer-Encoding"})
#: From this length on a request line is looked at here: twisted.web does it byte by byte, which for the query of an
#: authorization request takes longer than anything else the server does.
LONG_LINE = 120

#: Methods whose requests have no content; one that has some is meant for a reader who frames it differently.
#: Spec: RFC 9110 9.3.1 (``GET`` with content, request smuggling).
_WITHOUT_CONTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT"})
#: A length with more digits is beyond every limit, and Python refuses to read very long ones.
_MOST_DIGITS = 18
_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*\Z")
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) (HTTP/1\.[01])\Z")


@frozen
class ShortLine:
    """A request line without its target, and the target."""

    line: bytes
    target: bytes


def shorten(line: bytes) -> ShortLine | None:
    """Take the target out of a request line; None when it is none, which twisted.web refuses."""
    match = _REQUEST_LINE.match(line)
    return None if match is None else ShortLine(b"%b / %b" % match.group(1, 3), match[2])


def is_plain_framing(name: bytes, value: bytes) -> bool:
    """Tell whether a header frames a body in one of the two ways there are, by its length or in chunks.

    Spec: RFC 9112 6.1 and 6.3.
    """
    if name == b"Content-Length":
        return len(value) <= _MOST_DIGITS and value.isdigit()
    return value.lower() == b"chunked"


def find_fault(method: bytes, version: bytes, hosts: Sequence[bytes], length: int | None, most: int) -> int:
    """Return the status a head is refused with, or 0 when there is nothing wrong with it.

    Args:
        method: as it came.
        version: ``HTTP/1.0`` or ``HTTP/1.1``.
        hosts: the values of ``Host``.
        length: of the body; None when it comes in chunks.
        most: the largest body.

    Spec: RFC 9112 3.2 (``Host``) and 6.1 (chunks and HTTP/1.0).
    """
    modern = version == b"HTTP/1.1"
    if len(hosts) > 1 or (modern and not hosts) or (hosts and _HOST.match(hosts[0]) is None):
        return 400
    if length == 0:
        return 0
    if method in _WITHOUT_CONTENT or (length is None and not modern):
        return 400
    return 413 if length is not None and length > most else 0
