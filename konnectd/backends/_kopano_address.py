"""Where a Kopano server listens: ``http://``, ``https://`` or ``file://``, as operators have always written it."""

import re
from enum import StrEnum
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from attrs import frozen

#: Longest path of a unix socket, in bytes: what Linux has room for, less the NUL at the end.
LONGEST_PATH = 107

_EXAMPLES = "http://host:236, https://host:237 or file:///run/kopano/server.sock"
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
#: A name as hosts have them, or an address; what is in brackets has been looked at by the standard library.
_HOST = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}\.?|[0-9a-f:.]*:[0-9a-f:.]*")


class Kind(StrEnum):
    """How a server is spoken to; the words are the schemes of its address."""

    TCP = "http"
    TLS = "https"
    UNIX = "file"


_PORTS = {Kind.TCP: 80, Kind.TLS: 443, Kind.UNIX: 0}


@frozen(kw_only=True)
class Address:
    """Where a server listens.

    Attributes:
        host: a name or an address; nothing for a unix socket.
        port: nothing for a unix socket.
        path: what stands after the port, which servers do not look at, or the file of a unix socket.
    """

    kind: Kind
    host: str = ""
    port: int = 0
    path: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address. Without a port it is that of the scheme, as for every other URL.

        Raises:
            ValueError: it is none of the three kinds, or has what none of them has.
        """
        try:
            parts = urlsplit(text)
            kind, port = Kind(parts.scheme), parts.port
        except ValueError as error:
            raise ValueError(f"must look like {_EXAMPLES}") from error
        if parts.query or parts.fragment or "?" in text or "#" in text:
            raise ValueError("must not have a query or a fragment")
        if kind is Kind.UNIX:
            return cls(kind=kind, path=_socket_path(parts))
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not have a name or a password; these have settings of their own")
        if not _HOST.fullmatch(parts.hostname or "") or port == 0 or _UNPRINTABLE.search(text):
            raise ValueError(
                f"must have a host of letters, digits and hyphens; a port is 1 to 65535. As in {_EXAMPLES}"
            )
        return cls(kind=kind, host=parts.hostname or "", port=port or _PORTS[kind], path=parts.path or "/")

    def __str__(self) -> str:
        """Write it as operators do."""
        if self.kind is Kind.UNIX:
            return f"file://{self.path}"
        return f"{self.kind}://{self.authority}{'' if self.path == '/' else self.path}"

    @property
    def authority(self) -> str:
        """Host and port; a unix socket is spoken to as if it were a host."""
        if self.kind is Kind.UNIX:
            return "localhost"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """What requests are made to, by a client that knows otherwise where to connect."""
        return "http://localhost/" if self.kind is Kind.UNIX else f"http://localhost{self.path}"


def _socket_path(parts: SplitResult) -> str:
    """Return the path of a unix socket.

    Raises:
        ValueError: it is none.
    """
    path = unquote(parts.path, errors="surrogateescape")
    # With two slashes instead of three the first folder would be taken for a host, and another file be meant.
    if parts.netloc not in {"", "localhost"} or not path.startswith("/") or "\0" in path:
        raise ValueError("must have three slashes and a path, as in file:///run/kopano/server.sock")
    if len(path.encode(errors="surrogateescape")) > LONGEST_PATH:
        raise ValueError(f"must have a path of at most {LONGEST_PATH} bytes")
    return path
