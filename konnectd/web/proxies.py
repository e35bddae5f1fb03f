"""Proxies in front of us: which are trusted, and what they say about whoever is at the other end of them.

Only who connects to us is asked who they are; nothing in a request can make it come from a trusted proxy. From anybody
else these headers are not read, so that they are as if they were not there. Names count to the letter: proxies and
applications that take ``X_Forwarded_User`` for ``X-Forwarded-User`` are how others were led astray.

Headers about host, scheme and path are not read from anybody: the issuer says all of it.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from attrs import frozen
from twisted.internet.address import UNIXAddress

_Address: TypeAlias = IPv4Address | IPv6Address

#: Where the addresses are that a request came by, the latest last.
FORWARDED_FOR = b"X-Forwarded-For"
#: The name of the person whom the proxy has recognized.
FORWARDED_USER = b"X-Forwarded-User"
#: Longest name, in characters; a password is checked for none that is longer, either.
LONGEST_NAME = 256
#: How many addresses are looked at; no request comes by more proxies.
_MOST_HOPS = 32


class UnclearHeaderError(Exception):
    """A trusted proxy names a person in a way that could be understood in two. Its text is for the operator."""


@frozen(kw_only=True)
class Proxies:
    """The proxies that are trusted.

    Attributes:
        networks: where they are.
        unix: whether whoever connects by a unix socket is one.
        proxy_protocol: whether they say whose connections they pass on, before anything else.
    """

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    unix: bool = False
    proxy_protocol: bool = False

    def trusts(self, peer: object) -> bool:
        """Tell whether somebody who connects, by an address of Twisted's, is a trusted proxy."""
        if isinstance(peer, UNIXAddress):
            return self.unix
        address = _read(host_of(peer))
        return address is not None and self._has(address)

    def client(self, forwarded_for: Sequence[bytes]) -> str:
        """Return the address of whoever asks through trusted proxies; empty when they do not say.

        Each proxy adds whom it was asked by, so the list is believed from its end on for as long as those who said it
        are trusted. What stands before that was said by somebody else, and may be invented. Some proxies add a header
        of their own rather than to the one that is there, so several are one list.

        Args:
            forwarded_for: values of the header in their order.

        Spec: RFC 9110 5.3.
        """
        found = ""
        for hop in reversed(b",".join(forwarded_for).rsplit(b",", _MOST_HOPS)[-_MOST_HOPS:]):
            address = _read(_host(hop.decode("latin-1").strip()))
            if address is None:
                break
            found = str(address)
            if not self._has(address):
                break
        return found

    def _has(self, address: _Address) -> bool:
        """Tell whether an address is that of a trusted proxy."""
        return any(address in network for network in self.networks)


def name_in(forwarded_user: Sequence[bytes]) -> str:
    """Return the name of the person whom a trusted proxy has recognized; empty for nobody.

    A proxy that adds its header to the one that came from a browser, instead of replacing it, would let everybody be
    anybody. So a header that is there twice is nobody's, nor is one that somebody on the way has made one of.

    Args:
        forwarded_user: values of the header.

    Raises:
        UnclearHeaderError: it is there more than once, or its value can not be a name.
    """
    if not forwarded_user:
        return ""
    if len(forwarded_user) > 1:
        raise UnclearHeaderError(
            "X-Forwarded-User is there more than once: the proxy must replace what comes from browsers"
        )
    try:
        name = forwarded_user[0].decode("utf-8").strip(" \t")
    except UnicodeDecodeError:
        raise UnclearHeaderError("X-Forwarded-User is not UTF-8 text") from None
    if "," in name:
        raise UnclearHeaderError("X-Forwarded-User has a comma in it, as if two of them had been put together")
    if not name.isprintable():
        raise UnclearHeaderError("X-Forwarded-User has control characters in it")
    if len(name) > LONGEST_NAME:
        raise UnclearHeaderError(f"X-Forwarded-User is longer than {LONGEST_NAME} characters")
    return name


def host_of(peer: object) -> str:
    """Return the address in one of Twisted's, the same whether an IPv4 peer came by an IPv6 socket; empty for none."""
    host: str = getattr(peer, "host", "")
    return host[7:] if host.startswith("::ffff:") and "." in host else host


@lru_cache(maxsize=1024)
def _read(text: str) -> _Address | None:
    """Read an address; an IPv4 address inside an IPv6 one is itself."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _host(hop: str) -> str:
    """Return the address in a member of the list, which some proxies write with a port."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
