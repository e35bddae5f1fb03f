"""A load of requests on kept-alive connections: all are sent, then all are answered, and again.

That way a server always finds several requests waiting, as it does when it is busy, however slow this end is.
"""

import socket
from collections.abc import Iterator, Sequence
from itertools import islice

from attrs import frozen

CONNECTIONS = 32
_TIMEOUT = 30.0


@frozen
class Answer:
    """One answer, as far as a measure looks at it."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: bytes) -> bytes:
        """Return a header's value; empty when it is not there."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name:
                return value.strip()
        return b""


class Load:
    """Connections to one server."""

    def __init__(self, port: int, connections: int = CONNECTIONS) -> None:
        """Open them all."""
        self._sockets = [socket.create_connection(("127.0.0.1", port), _TIMEOUT) for _ in range(connections)]
        for connection in self._sockets:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self, requests: Iterator[bytes]) -> Iterator[Answer]:
        """Send requests as they come, and yield their answers in the same order."""
        while batch := list(islice(requests, len(self._sockets))):
            for connection, request in zip(self._sockets, batch, strict=False):
                connection.sendall(request)
            for connection, _ in zip(self._sockets, batch, strict=False):
                yield _read(connection)

    def close(self) -> None:
        """Close them all."""
        for connection in self._sockets:
            connection.close()


def _read(connection: socket.socket) -> Answer:
    """Read one answer.

    Raises:
        ConnectionError: the server hung up.
    """
    content = b""
    while (end := content.find(b"\r\n\r\n")) < 0:
        content += _more(connection)
    head, body = content[:end], content[end + 4 :]
    answer = Answer(int(head[9:12]), head, b"")
    length = int(answer.header(b"content-length") or 0)
    while len(body) < length:
        body += _more(connection)
    return Answer(answer.status, head, body)


def _more(connection: socket.socket) -> bytes:
    """Receive something.

    Raises:
        ConnectionError: the server hung up.
    """
    received = connection.recv(65536)
    if not received:
        raise ConnectionError("the server hung up")
    return received


def get(path: str, *headers: str) -> bytes:
    """Write a GET request."""
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", "")).encode()


def post(path: str, body: str, *headers: str) -> bytes:
    """Write a POST request of a form."""
    lines: Sequence[str] = (
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        *headers,
        "",
        body,
    )
    return "\r\n".join(lines).encode()
