"""Asking the stand-in in tests of itself, by hand: no client is needed to look at a server."""

import re
from xml.sax.saxutils import escape

from attrs import frozen

from tests.support.kopano.memory import Line
from tests.support.kopano.server import KopanoServer
from tests.support.kopano.sessions import Peer, Transport

TCP = Peer(transport=Transport.TCP)
TLS = Peer(transport=Transport.TLS)
UNIX = Peer(transport=Transport.UNIX, pid=100, uid=1000)
#: What the captures' clients say that they can do, and the same with answers in one piece.
CHUNKED, PLAIN = 848, 592
_STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")
_CODE = re.compile(r"<(?:er|result)>([0-9]+)</")
_FAULT = re.compile(r"<faultstring>([^<]*)</faultstring>")


@frozen
class Heard:
    """A response.

    Attributes:
        content: as it came.
    """

    content: bytes

    @property
    def status(self) -> int:
        """The status of HTTP; 0 if there is none."""
        match = _STATUS.match(self.content)
        return int(match[1]) if match else 0

    @property
    def text(self) -> str:
        """All of it as text."""
        return self.content.decode("utf-8", "replace")

    @property
    def code(self) -> int | None:
        """What the call came to; None if it does not say."""
        match = _CODE.search(self.text)
        return int(match[1]) if match else None

    @property
    def fault(self) -> str:
        """What is wrong; empty if nothing is."""
        match = _FAULT.search(self.text)
        return match[1] if match else ""

    @property
    def is_chunked(self) -> bool:
        """Say whether it came in chunks."""
        return b"Transfer-Encoding: chunked" in self.content

    def value(self, name: str) -> str | None:
        """Return what stands in the first element of a name; None without one."""
        if f"<{name}/>" in self.text:
            return ""
        match = re.search(f"<{name}>([^<]*)</{name}>", self.text)
        return match[1] if match else None

    @property
    def session(self) -> int:
        """The id of a session in it; 0 for none."""
        return int(self.value("ulSessionId") or 0)


def envelope(call: str, content: str) -> bytes:
    """Write a document."""
    return (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:x="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><e:Body>'
        f'<z:{call} xmlns:z="urn:zarafa">{content}</z:{call}></e:Body></e:Envelope>'
    ).encode()


def values(**given: str | int | None) -> str:
    """Write values; those that are None are left out."""
    return "".join(f"<{name}>{escape(str(each))}</{name}>" for name, each in given.items() if each is not None)


def post(body: bytes, *headers: str) -> bytes:
    """Write a request with a document."""
    lines = "".join(f"{header}\r\n" for header in ("Host: localhost", f"Content-Length: {len(body)}", *headers))
    return f"POST / HTTP/1.1\r\n{lines}\r\n".encode() + body


def ask(server: KopanoServer, peer: Peer, call: str, **given: str | int | None) -> Heard:
    """Ask on a connection of its own."""
    return send(server, peer, post(envelope(call, values(**given))))


def send(server: KopanoServer, peer: Peer, request: bytes) -> Heard:
    """Send bytes on a connection of its own."""
    line = Line(server, peer)
    heard = Heard(line.say(request))
    line.close()
    return heard


def logon(
    server: KopanoServer, peer: Peer, username: str | None, password: str | None, **given: str | int | None
) -> Heard:
    """Ask for a session, as a client does that knows how."""
    usual: dict[str, str | int | None] = {"szImpersonateUser": "", "ulCapabilities": CHUNKED, "ulFlags": 1}
    return ask(server, peer, "logon", szUsername=username, szPassword=password, **(usual | given))


def session_of(server: KopanoServer, peer: Peer = TCP, name: str = "alice", capabilities: int = CHUNKED) -> int:
    """Return a session of somebody, who gives the right password."""
    person = server.people.by_name(name)
    if person is None:
        raise AssertionError("nobody of that name")
    return logon(server, peer, name, person.password, ulCapabilities=capabilities).session
