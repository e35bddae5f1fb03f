"""Sessions: who is at the other end, what a session is bound to, and when it ends."""

import random
from collections import deque
from collections.abc import Callable
from enum import StrEnum

from attrs import define, field, frozen

from tests.support.kopano import codes

#: How long a session lives that nobody uses, in seconds.
IDLE_LIMIT = 300.0


class Transport(StrEnum):
    """How a connection was made."""

    TCP = "tcp"
    TLS = "tls"
    UNIX = "unix"


@frozen(kw_only=True)
class Peer:
    """The other end of a connection.

    Attributes:
        transport: how it came.
        address: from where; of no meaning on a unix socket.
        pid: its process; only on a unix socket.
        uid: as whom that runs; only on a unix socket.
        public_key: of the certificate it showed, as DER; None without a certificate.
    """

    transport: Transport
    address: str = "127.0.0.1"
    pid: int = 0
    uid: int | None = None
    public_key: bytes | None = field(default=None, repr=False)

    @property
    def source(self) -> str:
        """What its sessions are bound to."""
        return f"pid {self.pid}" if self.transport is Transport.UNIX else f"address {self.address}"


@define(eq=False, kw_only=True)
class Session:
    """A session.

    Attributes:
        number: its id.
        person: whose it is, by number.
        source: where it may be used from.
        capabilities: the client's.
        used_at: when it was last used, in seconds.
    """

    number: int = field(repr=False)
    person: int
    source: str
    capabilities: int
    used_at: float

    @property
    def is_chunked(self) -> bool:
        """Say whether its answers are chunked."""
        return bool(self.capabilities & codes.CAPABILITY_ENHANCED_ICS)


class Sessions:
    """All sessions.

    Attributes:
        seconds: the time; any clock will do.
        idle_limit: how long a session lives that nobody uses, in seconds.
        next_numbers: the ids of the next sessions, for whoever has to know them before; chance after that.
    """

    def __init__(self, seconds: Callable[[], float], seed: int | None = None) -> None:
        """Have none.

        Args:
            seconds: the time.
            seed: makes the ids repeatable.
        """
        self.seconds = seconds
        self.idle_limit = IDLE_LIMIT
        self.next_numbers: deque[int] = deque()
        self._random = random.Random(seed)
        self._sessions: dict[int, Session] = {}

    def __len__(self) -> int:
        return sum(self._is_alive(session) for session in self._sessions.values())

    def new_number(self, capabilities: int) -> int:
        """Return an id that nobody has."""
        if self.next_numbers:
            return self.next_numbers.popleft()
        bits = 64 if capabilities & codes.CAPABILITY_LARGE_SESSION_ID else 32
        number = 0
        while number == 0 or number in self._sessions:
            number = self._random.getrandbits(bits)
        return number

    def begin(self, person: int, peer: Peer, capabilities: int) -> int:
        """Begin a session and return its id."""
        number = self.new_number(capabilities)
        self._sessions[number] = Session(
            number=number, person=person, source=peer.source, capabilities=capabilities, used_at=self.seconds()
        )
        return number

    def use(self, number: int, peer: Peer) -> Session | None:
        """Return a session that is alive, if it is used from where it was made; it lives on from now."""
        session = self._sessions.get(number)
        if session is None or not self._is_alive(session) or session.source != peer.source:
            return None
        session.used_at = self.seconds()
        return session

    def end(self, number: int) -> None:
        """Forget a session."""
        self._sessions.pop(number, None)

    def _is_alive(self, session: Session) -> bool:
        """Say whether it was used lately."""
        return self.seconds() - session.used_at <= self.idle_limit

    def forget_all(self) -> None:
        """Forget everything, as a restart does."""
        self._sessions.clear()
