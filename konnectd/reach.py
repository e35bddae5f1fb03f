"""Which machines a client may make us ask: those that anybody could ask, and no others.

A daemon stands inside a network that trusts it. Whoever can register an address could read or touch what stands beside
it: a database on this very machine, the cloud's own service for secrets, the administration of a switch. So addresses
are looked at after the name was resolved, and only ordinary public ones are asked, unless the operator names networks.

Spec: RFC 6890 2.2; RFC 4291 2.4 and 2.5; RFC 9700 4.9 and RFC 9126 7.1 (requests that a server is made to send).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from attrs import frozen

Network: TypeAlias = IPv4Network | IPv6Network
_Address: TypeAlias = IPv4Address | IPv6Address

#: Written out, because what Python counts as global has changed between its versions.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by customers of a carrier
        "127.0.0.0/8",  # this machine
        "169.254.0.0/16",  # link-local; clouds keep secrets there
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocols
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # protocols, among them Teredo, which carries an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries an IPv4 address
        "3fff::/20",  # documentation
    )
)
#: All public IPv6 addresses are here. Loopback, link-local, unique local, multicast and NAT64 are not.
_PUBLIC_IPV6 = IPv6Network("2000::/3")


@frozen
class Reach:
    """Who may be asked.

    Attributes:
        allowed: networks that may be asked although they are not public.
    """

    allowed: tuple[Network, ...] = ()

    def permits(self, address: str) -> bool:
        """Tell whether a resolved address may be connected to."""
        found = _read(address)
        if found is None:
            return False
        return any(found in network for network in self.allowed) or _is_public(found)


def network(text: str) -> Network:
    """Read a network, or the address of one machine.

    Raises:
        ValueError: it is neither, or an address inside a network.
    """
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError("must be a network such as 10.1.0.0/16 or fd00:1::/48, or one address") from None


def _read(text: str) -> _Address | None:
    """Read an address; an IPv4 address inside an IPv6 one is itself, since that is where the connection goes."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    # A zone names an interface of this machine, which no client may choose.
    return None if address.scope_id else address.ipv4_mapped or address


def _is_public(address: _Address) -> bool:
    """Tell whether an address is one that anybody can ask."""
    if isinstance(address, IPv6Address) and address not in _PUBLIC_IPV6:
        return False
    return not any(address in network for network in _NOT_PUBLIC)
