"""The options about proxies in front of the daemon: who is believed about who is behind them, and how it is said."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv6Network
from typing import Any

from konnectd.option import ConfigError, Option, switch
from konnectd.reach import Network, network

#: Stands for whoever connects by a unix socket.
UNIX = "unix"
#: Twisted's endpoints that have words of their own to say before the first byte of ours, or wait for some.
_OTHER_WORDS = re.compile(r"(?:ssl|tls|haproxy):")
_HAPROXY = "haproxy:"


def proxy(text: str) -> Network | None:
    """Read one trusted proxy, or the network of several; None stands for whoever connects by a unix socket.

    Raises:
        ValueError: it is neither.
    """
    if text.strip().lower() == UNIX:
        return None
    try:
        found = network(text)
    except ValueError as error:
        raise ValueError(f"{error}, or the word {UNIX}") from None
    if isinstance(found, IPv6Network) and found.network_address.ipv4_mapped is not None:
        raise ValueError("must be written as an IPv4 network, since that is how its addresses are known here")
    return found


def advice(proxies: tuple[Network | None, ...]) -> Iterator[str]:
    """Yield what an operator should think about twice."""
    if proxies:
        yield (
            "trusted_proxies: these can sign anybody in by X-Forwarded-User, so they must set or remove that header in "
            "every request; see docs/operate/proxy.md"
        )
    if any(found is not None and found.prefixlen == 0 for found in proxies):
        yield "trusted_proxies: everybody is in one of these networks, and so can sign in as anybody"


def faults(values: Mapping[str, Any], sources: Mapping[str, str]) -> Iterator[ConfigError]:
    """Yield what does not go together, each with the place where it was given."""
    for address in values["listen"]:
        if address.startswith(_HAPROXY):
            problem = f"{address}: believes everybody who connects; use proxy_protocol and trusted_proxies for that"
            yield ConfigError("listen", problem, sources.get("listen", ""))
        elif values["proxy_protocol"] and _OTHER_WORDS.match(address):
            problem = f"{address}: proxy_protocol needs an address without TLS"
            yield ConfigError("listen", problem, sources.get("listen", ""))
    if values["proxy_protocol"] and not values["trusted_proxy"]:
        problem = "needs trusted_proxies: nobody else is believed about who connects"
        yield ConfigError("proxy_protocol", problem, sources.get("proxy_protocol", ""))


OPTIONS: tuple[Option, ...] = (
    Option(
        name="trusted-proxy",
        help=(
            "A proxy in front of this daemon, as an address or a network such as 10.1.0.0/24, that is believed about "
            "who asks: the address of a browser by X-Forwarded-For, a person it has recognized by X-Forwarded-User; "
            f"{UNIX} stands for whoever connects by a unix socket. It must set or remove both in every request. Nobody "
            "is trusted by default, this very machine included. May be given several times."
        ),
        parse=proxy,
        default=(),
        keys=("trusted_proxies", "trusted_proxy"),
        metavar="PROXY",
        multiple=True,
        section="Provider",
    ),
    Option(
        name="proxy-protocol",
        help=(
            "Trusted proxies begin each connection with a header of the PROXY protocol, version 1 or 2, which says "
            "whose it is; one without it is closed. From anybody else none is read. For proxies that pass connections "
            "on without looking into them."
        ),
        parse=switch,
        default=False,
        metavar="",
        section="Provider",
    ),
)
