"""How much and how long: the limits of the HTTP server."""

from attrs import frozen


@frozen(kw_only=True)
class Limits:
    """What one peer can take of the server at most.

    Attributes:
        body_bytes: the largest request body.
        header_bytes: the largest request head: request line and all headers.
        read_seconds: from the first byte of a request to its last.
        idle_seconds: how long a connection without a request is kept, and how long a peer may take to read an answer.
        handling_seconds: how long the answer to one request may take before the server says that it takes too long.
        connections: how many connections are open at the same time.
    """

    body_bytes: int = 64 * 1024
    header_bytes: int = 16 * 1024
    read_seconds: float = 15.0
    idle_seconds: float = 60.0
    handling_seconds: float = 60.0
    connections: int = 900
