"""The header that the PROXY protocol puts before the first byte of a connection, in both of its versions.

Only its form is here; whether one is expected, and from whom, is `konnectd.web.proxied`.

Twisted has readers of its own behind its ``haproxy:`` endpoints, which are not used: they believe whoever connects, end
a connection whose header comes in two pieces, keep up to 64 KiB of it for as long as it likes to come, take any text
for an address, and stop with a traceback at a port that is no number.

Spec: The PROXY protocol, versions 1 and 2 (haproxy.org), 2.1 and 2.2.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TypeAlias

from attrs import frozen

_Address: TypeAlias = IPv4Address | IPv6Address

#: The longest first line of version 1, its end included, in bytes.
LONGEST_LINE = 107
#: The longest header of version 2 that is read, in bytes; addresses take 36 of it, and proxies like to add something.
LONGEST_HEADER = 2048

_LINE = b"PROXY "
_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
#: Signature, version and command, family, length.
_FIXED = 16
_ADDRESSES = re.compile(
    rb"TCP(?P<family>[46]) (?P<source>[0-9A-Fa-f:.]{2,39}) (?P<destination>[0-9A-Fa-f:.]{2,39}) "
    rb"(?P<source_port>0|[1-9][0-9]{0,4}) (?P<destination_port>0|[1-9][0-9]{0,4})\Z"
)
_HIGHEST_PORT = 65535
_VERSION = 2
_LOCAL, _PROXY = 0, 1
_UNSPECIFIED, _TCP4, _TCP6, _UNIX = 0x00, 0x11, 0x21, 0x31
#: How long the addresses of a family are at least, in bytes.
_LENGTHS = {_UNSPECIFIED: 0, _TCP4: 12, _TCP6: 36, _UNIX: 216}


class BadHeaderError(Exception):
    """What came first is no such header. Its text is for the operator, and one of few."""


@frozen
class ProxyHeader:
    """One header.

    Attributes:
        size: how many bytes it takes.
        host: the address of who connected to the proxy; empty when it does not say.
        port: theirs.
    """

    size: int
    host: str = ""
    port: int = 0


def read_header(raw: bytes) -> ProxyHeader | None:
    """Read the header at the beginning of a connection; None while it is not complete.

    Args:
        raw: all that has come until now, which may be more than the header.

    Raises:
        BadHeaderError: it is none, and no further byte will make it one.
    """
    if raw.startswith(_SIGNATURE[: len(raw)]):
        return _binary(raw)
    if raw.startswith(_LINE[: len(raw)]):
        return _line(raw)
    raise BadHeaderError("does not begin with a header of the PROXY protocol")


def _line(raw: bytes) -> ProxyHeader | None:
    """Read version 1."""
    line, end, _ = raw[:LONGEST_LINE].partition(b"\r\n")
    if not end:
        if len(raw) >= LONGEST_LINE:
            raise BadHeaderError(f"sends a header of version 1 of more than {LONGEST_LINE} bytes")
        return None
    size, said = len(line) + 2, line.removeprefix(_LINE)
    if said == b"UNKNOWN" or said.startswith(b"UNKNOWN "):
        # What follows has to be passed over.
        return ProxyHeader(size)
    match = _ADDRESSES.match(said)
    if match is None:
        raise BadHeaderError("sends a header of version 1 that can not be read")
    kind: type[_Address] = IPv4Address if match["family"] == b"4" else IPv6Address
    try:
        source, _ = kind(match["source"].decode("ascii")), kind(match["destination"].decode("ascii"))
    except AddressValueError:
        raise BadHeaderError("sends a header of version 1 with an address that is none of its family") from None
    port = int(match["source_port"])
    if max(port, int(match["destination_port"])) > _HIGHEST_PORT:
        raise BadHeaderError("sends a header of version 1 with a port that is none")
    return ProxyHeader(size, _plain(source), port)


def _binary(raw: bytes) -> ProxyHeader | None:
    """Read version 2."""
    if len(raw) < _FIXED:
        return None
    version, command = raw[12] >> 4, raw[12] & 0x0F
    family, length = raw[13], int.from_bytes(raw[14:16], "big")
    if version != _VERSION or command not in {_LOCAL, _PROXY}:
        raise BadHeaderError("sends a header with a version or a command that is unknown")
    size = _FIXED + length
    if size > LONGEST_HEADER:
        raise BadHeaderError(f"sends a header of version 2 of more than {LONGEST_HEADER} bytes")
    if command == _PROXY and length < _LENGTHS.get(family, 1 << 16):
        raise BadHeaderError("sends a header of version 2 that is not about a stream, or too short for its addresses")
    if len(raw) < size:
        return None
    # LOCAL is the proxy itself, to see whether we are well; whatever else it says has to be passed over.
    host, port = _who(family, raw) if command == _PROXY else ("", 0)
    return ProxyHeader(size, host, port)


def _who(family: int, raw: bytes) -> tuple[str, int]:
    """Return address and port of who connected to the proxy; none where there is no such thing."""
    if family == _TCP4:
        return str(IPv4Address(raw[16:20])), int.from_bytes(raw[24:26], "big")
    if family == _TCP6:
        return _plain(IPv6Address(raw[16:32])), int.from_bytes(raw[48:50], "big")
    return "", 0


def _plain(address: _Address) -> str:
    """Write an address; an IPv4 address inside an IPv6 one is itself."""
    return str((address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address)
