"""Real exchanges with a real server, byte for byte, and the way to have them again with the stand-in."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

from attrs import field, frozen
from twisted.internet.task import Clock

from tests.support.kopano.memory import Line
from tests.support.kopano.server import KopanoServer
from tests.support.kopano.sessions import Peer, Transport
from tests.support.kopano.settings import Settings
from tests.support.kopano.sso import PREFIX, Issuer

FOLDER = Path(__file__).parent.parent.parent / "data" / "kopano"
#: The key of the certificate that the server of the captures trusted, and that of another one.
TRUSTED_KEY, OTHER_KEY = b"client", b"client2"
_ROW = re.compile(r"^\| ([\w-]+) \| (\w+)(?: cert=(\w+))?(?: \(tapped\))? \| HTTP/1\.1 (\d{3}) [^|]*\| ([^|]*) \|")
_SESSION = re.compile(rb"<ulSessionId>([1-9][0-9]*)</ulSessionId>")
_INPUT = re.compile(rb"<lpInput>([^<]+)</lpInput>")
#: The process that spoke over the unix socket, as root; the server ran as somebody else.
_CLIENT_PID, _SERVER_UID = 4711, 999


@frozen(kw_only=True)
class Capture:
    """One exchange.

    Attributes:
        name: of its files.
        peer: how the request came.
        status: of HTTP.
        result: what the index says that it came to.
    """

    name: str
    peer: Peer
    status: int
    result: str

    @property
    def request(self) -> bytes:
        """What was written to the socket."""
        return (FOLDER / f"{self.name}.request.http").read_bytes()

    @property
    def response(self) -> bytes:
        """What was read from it."""
        return (FOLDER / f"{self.name}.response.http").read_bytes()

    @property
    def new_session(self) -> int:
        """The id that was given in the answer; 0 for none."""
        match = _SESSION.search(self.response)
        return int(match[1]) if match else 0

    @property
    def token(self) -> str:
        """The token in the request; empty for none."""
        match = _INPUT.search(self.request)
        given = base64.b64decode(match[1]) if match else b""
        return given.removeprefix(PREFIX).decode()


def captures() -> tuple[Capture, ...]:
    """Return all exchanges in the order in which they were had, since sessions live from one to the next."""
    return tuple(_read_index())


def _read_index() -> Iterator[Capture]:
    """Read the table of all exchanges."""
    for line in (FOLDER / "README.md").read_text("utf-8").splitlines():
        match = _ROW.match(line)
        if match:
            transport = Transport(match[2])
            key = match[3].encode() if match[3] else None
            pid, uid = (_CLIENT_PID, 0) if transport is Transport.UNIX else (0, None)
            peer = Peer(transport=transport, pid=pid, uid=uid, public_key=key)
            yield Capture(name=match[1], peer=peer, status=int(match[4]), result=match[5])


@frozen(kw_only=True)
class Preparation:
    """What is told to the stand-in before the exchanges.

    Attributes:
        sessions: it gives the ids of the captures.
        tokens: tokens are taken as good whose issuer is gone.
    """

    sessions: bool = True
    tokens: frozenset[str] = field(factory=frozenset, repr=False)


def replay(preparation: Preparation) -> dict[str, bytes]:
    """Have all exchanges with one server, and return its responses by name."""
    clock = Clock()
    issuer = Issuer(keys={"keys": []}, taken_as_good=set(preparation.tokens))
    settings = Settings(trusted_keys={TRUSTED_KEY}, issuer=issuer, own_uid=_SERVER_UID)
    server = KopanoServer(clock, settings=settings, seed=1)
    heard = {}
    for capture in captures():
        server.sessions.next_numbers.clear()
        if preparation.sessions and capture.new_session:
            server.sessions.next_numbers.append(capture.new_session)
        line = Line(server, capture.peer)
        heard[capture.name] = line.say(capture.request)
        line.close()
    return heard
