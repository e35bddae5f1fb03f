"""A daemon that runs as a process, asked as the one in memory is, so that the same life can be lived with it."""

import socket
import time
from typing import Any

from konnectd.world import SystemClock
from tests.real.daemon import PATIENCE
from tests.real.daemon import Daemon as Running
from tests.support.assembly import settings_of
from tests.support.connection import Heard, parse_answers
from tests.support.fakes import People
from tests.support.marked_life import ListeningDaemon
from tests.support.marks import Marks

_END = b"\r\n\r\n"


class ReachedDaemon(ListeningDaemon):
    """A process that is listened to."""

    def __init__(self, running: Running, marks: Marks, passwords: dict[str, str]) -> None:
        """Reach it.

        Args:
            running: the process.
            marks: all secrets there are so far.
            passwords: of people, by name.
        """
        clock: Any = SystemClock()
        self.marks, self.told = marks, []
        self.clock = clock
        self.settings = settings_of(issuer=running.url())
        self.people = People(passwords=passwords)
        self._port = running.port

    def connect(self) -> Any:  # noqa: ANN401 - does what a connection in memory does
        """Connect."""
        return _Peer(self._port)


class _Peer:
    """One connection for one request."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)

    def ask(self, request: bytes) -> Heard:
        """Send a request and return its answer.

        Raises:
            AssertionError: it takes too long, or is none.
        """
        self._socket.sendall(request.replace(_END, b"\r\nConnection: close" + _END, 1))
        content, give_up = b"", time.monotonic() + PATIENCE
        while piece := self._socket.recv(65536):
            content += piece
            if time.monotonic() > give_up:
                raise AssertionError("the answer does not end")
        (answer,) = parse_answers(content)
        return answer

    def hang_up(self) -> None:
        """Leave."""
        self._socket.close()
