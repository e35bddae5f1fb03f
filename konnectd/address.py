"""Where to listen, as operators write it.

An address is ``host:port``, ``[v6]:port``, ``unix:/path`` (also ``unix:/path:mode=660``) or any endpoint description of
Twisted, such as ``systemd:domain=INET:index=0``. Listening is `konnectd.listener`.
"""

import re

from attrs import field, frozen

_HOST_AND_PORT = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<four>[A-Za-z0-9.\-]*)):(?P<port>[0-9]{1,5})\Z"
)
_UNIX = re.compile(r"unix:(?P<path>/[^:]+)(?::mode=(?P<mode>[0-7]{3,4}))?\Z")
#: ``tcp:8777`` is Twisted's way to name a port, not a host.
_NOT_HOSTS = frozenset({"tcp", "ssl"})
_HIGHEST_PORT = 65535
DEFAULT_MODE = 0o660


@frozen(kw_only=True)
class Address:
    """One place to listen at.

    Attributes:
        text: as the operator wrote it.
        host: empty for all interfaces.
        port: 0 to let the system choose; -1 if it is not TCP.
        path: of a unix socket.
        mode: permissions of a unix socket.
    """

    text: str
    host: str = ""
    port: int = -1
    path: str = ""
    mode: int = field(default=DEFAULT_MODE, repr=oct)

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read an address.

        Raises:
            ValueError: it is none, in words for an operator.
        """
        text = text.strip()
        if (match := _UNIX.match(text)) is not None:
            return cls(text=text, path=match["path"], mode=int(match["mode"], 8) if match["mode"] else DEFAULT_MODE)
        match = _HOST_AND_PORT.match(text)
        if match is not None and match["four"] not in _NOT_HOSTS:
            if int(match["port"]) > _HIGHEST_PORT:
                raise ValueError("the port must be at most 65535")
            return cls(text=text, host=match["six"] or match["four"], port=int(match["port"]))
        if text.startswith("unix:") and not text.startswith(("unix:/", "unix:address=/")):
            raise ValueError("a unix socket needs an absolute path")
        if re.match(r"[a-z][a-z0-9]*:.", text) is None:
            raise ValueError("must be host:port, [address]:port, unix:/path or an endpoint such as systemd:index=0")
        return cls(text=text)
