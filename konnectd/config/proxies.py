"""The option about proxies in front of the daemon: which of them are believed about whoever is behind them."""

from collections.abc import Iterator
from ipaddress import IPv6Network

from konnectd.option import Option
from konnectd.reach import Network, network

#: Stands for whoever connects by a unix socket.
UNIX = "unix"


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


OPTION = Option(
    name="trusted-proxy",
    help=(
        "A proxy in front of this daemon, as an address or a network such as 10.1.0.0/24, that is believed about who "
        f"asks: the address of a browser by X-Forwarded-For, a person it has recognized by X-Forwarded-User; {UNIX} "
        "stands for whoever connects by a unix socket. It must set or remove both in every request. Nobody is trusted "
        "by default, this very machine included. May be given several times."
    ),
    parse=proxy,
    default=(),
    keys=("trusted_proxies", "trusted_proxy"),
    metavar="PROXY",
    multiple=True,
    section="Provider",
)
