"""Listening at sockets that systemd opened and handed over, so that a restart refuses nobody.

The socket is systemd's: while no daemon runs, connections wait in it. So its file and its mode are not ours to change.
Who listens where is decided by `konnectd.listener`.
"""

import os
import socket
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.unix import Port

from konnectd.address import Address
from konnectd.option import ConfigError, ConfigErrors

#: How addresses that name all interfaces are compared.
_EVERYWHERE = {"": "0.0.0.0"}  # noqa: S104 - nothing is opened here
_FAMILIES = frozenset({socket.AF_INET, socket.AF_INET6, socket.AF_UNIX})

# It carries no types.
_Port: Any = Port


class _KeptSocket(socket.socket):
    """A socket that is not only ours: it has its address already, and goes on listening when we do not."""

    def bind(self, address: object) -> None:
        """Leave the address alone."""

    def shutdown(self, how: int) -> None:
        """Leave it open; it would be shut for everybody who has it."""


class HandedPort(_Port):  # type: ignore[misc] # without types
    """A unix socket of somebody else.

    Twisted would open such a socket to everybody on the machine, and at the end shut it down and remove its file, so
    that nobody finds it again. It leaves alone what has no file, which is why it is not told of it.
    """

    def __init__(self, fileno: int, factory: object, backlog: int, reactor: object) -> None:
        """Take a descriptor over.

        Args:
            fileno: ours from now on.
            factory: makes protocols.
            backlog: connections that the kernel keeps for us.
            reactor: of Twisted.
        """
        super().__init__("\0", factory, backlog, reactor=reactor)
        self._fileno = fileno

    def createInternetSocket(self) -> socket.socket:  # noqa: N802 - Twisted calls it
        """Return the socket instead of making one."""
        made = _KeptSocket(fileno=self._fileno)
        made.settimeout(0)
        return made


@frozen(kw_only=True)
class Handed:
    """A socket that was handed over, as an endpoint of Twisted.

    Attributes:
        fileno: its descriptor.
        family: ``AF_INET``, ``AF_INET6`` or ``AF_UNIX``.
        host: where it listens; empty for a unix socket.
        port: -1 for a unix socket.
        path: empty for TCP.
        reactor: of Twisted.
        backlog: connections that the kernel keeps for us.
    """

    fileno: int
    family: int
    host: str = ""
    port: int = -1
    path: str = ""
    reactor: Any
    backlog: int

    @classmethod
    def take(cls, fileno: int, reactor: Any, backlog: int) -> "Handed":  # noqa: ANN401 - Twisted's reactor
        """Look at a descriptor.

        Raises:
            ValueError: it is no socket that listens for connections.
        """
        try:
            with socket.socket(fileno=os.dup(fileno)) as seen:
                listens = seen.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                family, kind, name = seen.family, seen.type, seen.getsockname()
        except OSError as error:
            raise ValueError("is no socket") from error
        if not listens or kind != socket.SOCK_STREAM or family not in _FAMILIES:
            raise ValueError("is no socket that listens for connections")
        os.set_inheritable(fileno, False)  # noqa: FBT003 - it takes no names
        where = {"path": os.fsdecode(name)} if family == socket.AF_UNIX else {"host": name[0], "port": name[1]}
        return cls(fileno=fileno, family=family, reactor=reactor, backlog=backlog, **where)

    @property
    def address(self) -> Address:
        """What is said about it in the log. It has no path, for its file is not ours."""
        if self.family == socket.AF_UNIX:
            return Address(text=f"unix:{self.path}, a socket of systemd")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return Address(text=f"{host}:{self.port}, a socket of systemd", host=self.host, port=self.port)

    def serves(self, address: Address) -> bool:
        """Tell whether it listens where somebody wants to listen."""
        if address.path:
            return address.path == self.path
        return address.port == self.port >= 0 and _same_host(address.host, self.host)

    def listen(self, factory: Any) -> Deferred[Any]:  # noqa: ANN401 - factories carry no types
        """Begin to accept connections."""
        if self.family == socket.AF_UNIX:
            handed: Any = HandedPort(self.fileno, factory, self.backlog, self.reactor)
            handed.startListening()
            return succeed(handed)
        os.set_blocking(self.fileno, False)
        port = self.reactor.adoptStreamPort(self.fileno, self.family, factory)
        # Twisted has made a copy.
        os.close(self.fileno)
        return succeed(port)


def _same_host(one: str, other: str) -> bool:
    """Compare two addresses of interfaces; a name is none, so it is the same as nothing."""
    try:
        return ip_address(_EVERYWHERE.get(one, one)) == ip_address(_EVERYWHERE.get(other, other))
    except ValueError:
        return False


def take_all(descriptors: Iterable[int], reactor: Any, backlog: int) -> tuple[Handed, ...]:  # noqa: ANN401 - see above
    """Look at every descriptor that was handed over.

    Raises:
        ConfigErrors: some are no sockets that listen.
    """
    found: list[Handed] = []
    faults: list[ConfigError] = []
    for fileno in descriptors:
        try:
            found.append(Handed.take(fileno, reactor, backlog))
        except ValueError as error:
            faults.append(ConfigError("listen", f"descriptor {fileno}, which systemd has handed over, {error}"))
    if faults:
        raise ConfigErrors(faults)
    return tuple(found)


def left_to_open(addresses: Sequence[str], handed: Sequence[Handed]) -> tuple[str, ...]:
    """Return the addresses that no socket which was handed over serves already."""
    return tuple(text for text in addresses if not any(_serves(each, text) for each in handed))


def _serves(handed: Handed, text: str) -> bool:
    """Tell whether a socket serves an address as an operator writes it."""
    try:
        return handed.serves(Address.parse(text))
    except ValueError:
        return False  # whoever opens it will say so
