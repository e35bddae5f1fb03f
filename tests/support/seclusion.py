"""Tests talk to this very machine and to nobody else; not even by mistake, and whatever a daemon has as its default.

Python tells of every look-up of a name and of every connection before it happens, and stops when it is told to. That
can not be undone, so nothing in the process that runs the tests gets out. Daemons are processes of their own: they are
started with the usage survey switched off, the only thing that would leave a machine unasked.
"""

import os
import sys
from collections.abc import Mapping
from ipaddress import ip_address
from socket import EAI_NONAME, gaierror, inet_aton

#: What keeps a daemon from sending the usage survey.
NO_SURVEY: Mapping[str, str] = {"KOPANO_SURVEYCLIENT_AUTOSURVEY": "no"}

#: Which argument of what Python tells of has the address.
_EVENTS = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
}


class SecludedError(gaierror):
    """Somebody wanted to reach another machine."""


def seclude() -> None:
    """Keep this process, for as long as it runs, from reaching other machines, and those it starts from telling."""
    os.environ.update(NO_SURVEY)
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    """Stop what would leave this machine.

    Raises:
        SecludedError: it would.
    """
    position = _EVENTS.get(event)
    if position is not None and not _is_here(arguments[position]):
        raise SecludedError(EAI_NONAME, f"tests do not reach {arguments[position]!r}")


def _is_here(address: object) -> bool:
    """Tell whether an address, of a machine or of a socket, is on this machine."""
    if isinstance(address, tuple):
        address = address[0]
    if address is None or (isinstance(address, str | bytes) and not address):
        return True
    name = address.decode("latin-1") if isinstance(address, bytes | bytearray) else str(address)
    if name.startswith(("/", "\0")) or name.lower().rstrip(".") == "localhost" or name.lower().endswith(".localhost"):
        return True
    try:
        found = ip_address(name.partition("%")[0].strip("[]"))
    except ValueError:
        try:
            # Other spellings of numbers, such as 127.1, are looked up nowhere either.
            found = ip_address(inet_aton(name))
        except OSError:
            return False
    mapped = getattr(found, "ipv4_mapped", None) or found
    return mapped.is_loopback or mapped.is_unspecified
