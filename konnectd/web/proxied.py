"""Connections that trusted proxies pass on as they are, and whose first words say whose they are: the PROXY protocol.

From a trusted proxy the header has to come; without it a connection is closed unanswered, because who could leave it
out could be anybody. From anybody else none is read, and one that comes is a malformed request.

Afterwards the connection is that of whoever the header names. So what is believed of ``X-Forwarded-For`` and
``X-Forwarded-User`` depends on them, not on the proxy: it has not looked into what it passes on, and all of it may come
from a browser. Where it does not say whose the connection is, nobody is believed.

Spec: The PROXY protocol, versions 1 and 2 (haproxy.org), 2 and 4.
"""

from typing import TYPE_CHECKING, cast

from attrs import field, frozen
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress
from twisted.logger import Logger

from konnectd.web.limits import Limits
from konnectd.web.proxies import Proxies, host_of
from konnectd.web.proxy_header import BadHeaderError, ProxyHeader, read_header
from konnectd.web.transport import Channel, Serve

if TYPE_CHECKING:
    from konnectd.web.roster import Roster

log = Logger()


@frozen
class UnknownAddress:
    """Where somebody is whom the proxy does not name; it is in no network and at no socket."""


@frozen
class Passage:
    """What is expected of trusted proxies at the beginning of each connection.

    Attributes:
        proxies: that are trusted.
    """

    proxies: Proxies
    _told: set[str] = field(factory=set, init=False, repr=False)

    def complain(self, peer: str, problem: str) -> None:
        """Tell the operator what is wrong with a proxy, each problem once: a setting is wrong at every connection."""
        if problem in self._told:
            log.debug("closed a connection: the trusted proxy {peer} {problem}", peer=peer, problem=problem)
            return
        self._told.add(problem)
        log.warn("closed a connection: the trusted proxy {peer} {problem}", peer=peer, problem=problem)


class ProxiedChannel(Channel):
    """One connection that may begin with a header."""

    def __init__(self, roster: "Roster", limits: Limits, serve: Serve, passage: Passage) -> None:
        """Keep what is expected; nothing is connected yet."""
        super().__init__(roster, limits, serve)
        self._passage = passage
        self._awaited = False
        self._begun = b""

    def connectionMade(self) -> None:
        """Wait for the header, if this is a trusted proxy."""
        super().connectionMade()
        self._awaited = self._passage.proxies.trusts(self.transport.getPeer())

    def dataReceived(self, data: bytes) -> None:
        """Take what came; the header first, whose time runs as that of a request does."""
        if not self._awaited:
            super().dataReceived(data)
            return
        if self.idle:
            self.idle = False
            self.deadline = self._roster.seconds() + self.limits.read_seconds
        self._begun += data
        try:
            header = read_header(self._begun)
        except BadHeaderError as error:
            self._begun = b""
            self._passage.complain(host_of(self.transport.getPeer()) or "at the unix socket", str(error))
            self.abort()
            return
        if header is not None:
            self._begin(header)

    def expire(self) -> None:
        """End what has lasted too long; who has not even said whose the connection is gets no answer."""
        if self._awaited:
            self.abort()
        else:
            super().expire()

    def _begin(self, header: ProxyHeader) -> None:
        """Let the connection be that of whoever the header names, and wait for a request of theirs."""
        rest, self._begun, self._awaited = self._begun[header.size :], b"", False
        self._peer = _address(header)
        self.idle = True
        self.deadline = self._roster.seconds() + self.limits.idle_seconds
        if rest:
            super().dataReceived(rest)


def _address(header: ProxyHeader) -> IAddress:
    """Return whom a header names."""
    if not header.host:
        return cast("IAddress", UnknownAddress())
    kind = IPv6Address if ":" in header.host else IPv4Address
    return cast("IAddress", kind("TCP", header.host, header.port))
