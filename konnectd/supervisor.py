"""What a service manager such as systemd tells a process that it starts, and a way to send word back.

Sockets that were handed over are only counted here; listening at them is `konnectd.handed`. What there is to say, and
when, is `konnectd.notices`. Twisted is not imported: it takes away what is read here.
"""

import socket
from collections.abc import Mapping

from attrs import frozen

#: The number of the first descriptor that is handed over; fixed by systemd.
FIRST_DESCRIPTOR = 3
#: More sockets than this are a mistake: each unit of sockets has a few.
MOST_DESCRIPTORS = 64
#: The longest address a datagram can be sent to, in bytes.
_LONGEST_ADDRESS = 107
_LONGEST_NUMBER = 18


@frozen(kw_only=True)
class Supervisor:
    """What was in the environment.

    Attributes:
        descriptors: numbers of the sockets that were handed over.
        address: where to send word, a path or an abstract name behind ``@``; empty for nowhere.
        patience: seconds without a sign of life after which the daemon is ended; 0 when nobody minds.
    """

    descriptors: tuple[int, ...] = ()
    address: str = ""
    patience: float = 0.0

    @classmethod
    def read(cls, environ: Mapping[str, str], process: int) -> "Supervisor":
        """Read the environment; what is meant for another process, or is nonsense, says nothing.

        Args:
            environ: the environment variables. Twisted takes those of the sockets away when it is imported, so this
                must come first; under twistd they are gone, and only addresses of the form ``systemd:`` find them.
            process: the number of this one.
        """
        count = _number(environ, "LISTEN_FDS") if _number(environ, "LISTEN_PID") == process else 0
        watched = _number(environ, "WATCHDOG_PID") in {0, process}
        address = environ.get("NOTIFY_SOCKET", "")
        return cls(
            descriptors=tuple(range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + min(count, MOST_DESCRIPTORS))),
            address=address if address[:1] in {"/", "@"} and len(address.encode()) <= _LONGEST_ADDRESS else "",
            patience=_number(environ, "WATCHDOG_USEC") / 1_000_000 if watched else 0.0,
        )

    def tell(self, *lines: str) -> None:
        """Send word, such as ``READY=1``.

        Raises:
            OSError: nobody hears it.
        """
        name = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaker:
            speaker.settimeout(0)
            speaker.sendto("\n".join(lines).encode(), name)


def _number(environ: Mapping[str, str], name: str) -> int:
    """Return a number from the environment; 0 if it is none."""
    text = environ.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else 0
