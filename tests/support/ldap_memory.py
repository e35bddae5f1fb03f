"""A directory in memory, reached without a network: entries, passwords, and every way to misbehave.

It speaks real LDAP through ldaptor's reader, and delivers bytes at once, so that nothing has to wait for it. What slapd
really does is tested in ``tests/real``.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from attrs import define, field
from ldaptor.protocols import pureldap
from ldaptor.protocols.ldap.ldapserver import BaseLDAPServer
from twisted.internet import error as net
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.ssl import VerificationError
from twisted.python.failure import Failure

from konnectd.backends._ldap_dial import Server

Attributes = Mapping[str, Iterable[bytes | str]]

#: What belongs to ldaptor or Twisted and has no type.
Untyped: TypeAlias = Any

PASSWORD_POLICY = b"1.3.6.1.4.1.42.2.27.8.5.1"

_ADDRESS = IPv4Address("TCP", "127.0.0.1", 389)


@define(eq=False)
class Directory:
    """What a server has and does; tests change it as they go.

    Attributes:
        entries: attributes by DN.
        passwords: by DN; whoever has one may bind.
        down: connections are refused.
        silent: requests of these kinds get no answer; ``*`` stands for all.
        holding: answers to requests of these kinds are held back until `release`.
        codes: a result code and a text for requests of these kinds instead of the true answer.
        policy: value of the password policy control in the answer to a bind.
        forged: bytes sent behind the answer to StartTLS, in the clear.
        good_certificate: the handshake succeeds.
        requests: kind and main argument of all requests.
        connections: how many there have been.
    """

    entries: dict[str, dict[str, tuple[bytes, ...]]] = field(factory=dict)
    passwords: dict[str, str] = field(factory=dict)
    down: bool = False
    silent: set[str] = field(factory=set)
    holding: set[str] = field(factory=set)
    codes: dict[str, tuple[int, str]] = field(factory=dict)
    policy: bytes = b""
    forged: bytes = b""
    good_certificate: bool = True
    requests: list[tuple[str, Any]] = field(factory=list)
    connections: int = 0
    servers: list["_MemoryServer"] = field(factory=list)
    _held: list[Callable[[], None]] = field(factory=list)

    def add(self, dn: str, attributes: Attributes, password: str = "") -> None:
        """Add or replace an entry."""
        self.entries[dn] = {
            name: tuple(value.encode() if isinstance(value, str) else value for value in values)
            for name, values in attributes.items()
        }
        if password:
            self.passwords[dn] = password

    def kinds(self) -> list[str]:
        """Return the kinds of all requests so far."""
        return [kind for kind, _ in self.requests]

    def arguments(self, kind: str) -> list[Any]:
        """Return the main arguments of all requests of a kind."""
        return [argument for found, argument in self.requests if found == kind]

    def hold(self, answer: Callable[[], None]) -> None:
        """Keep an answer for later."""
        self._held.append(answer)

    def release(self) -> None:
        """Give all answers that were held back, and hold none any more."""
        self.holding = set()
        held, self._held = self._held, []
        for answer in held:
            answer()

    def drop_all(self) -> None:
        """Close all connections."""
        for server in tuple(self.servers):
            server.transport.loseConnection()

    def send_all(self, content: bytes) -> None:
        """Send something on all connections that nobody asked for."""
        for server in tuple(self.servers):
            server.transport.write(content)


class MemoryEndpoint:
    """The way to a directory in memory."""

    def __init__(self, directory: Directory) -> None:
        """Lead to a directory."""
        self._directory = directory

    def connect(self, factory: Untyped) -> Deferred[Any]:
        """Connect, or fail as a machine does on which nothing listens."""
        if self._directory.down:
            return fail(net.ConnectionRefusedError())
        self._directory.connections += 1
        client, server = factory.buildProtocol(_ADDRESS), _MemoryServer(self._directory)
        ours, theirs = MemoryTransport(client, self._directory), MemoryTransport(server, self._directory)
        ours.peer, theirs.peer = theirs, ours
        server.makeConnection(theirs)
        client.makeConnection(ours)
        return succeed(client)


def to_directories(directories: Mapping[str, Directory]) -> Callable[[Server], MemoryEndpoint]:
    """Return what finds the way to a server by its host name."""
    return lambda server: MemoryEndpoint(directories[server.host])


class MemoryTransport:
    """One end of a connection; what is written arrives at once, but never inside another delivery."""

    def __init__(self, protocol: Untyped, directory: Directory) -> None:
        """Belong to a protocol."""
        self.peer: MemoryTransport | None = None
        self.is_open = True
        self._protocol = protocol
        self._directory = directory
        self._events: deque[Callable[[], None]] = deque()
        self._delivering = False

    def write(self, content: bytes) -> None:
        """Deliver bytes to the other end."""
        if self.is_open and self.peer is not None:
            self.peer.deliver(lambda peer: peer.dataReceived(content))

    def loseConnection(self) -> None:
        """End the connection for both."""
        self._lose(net.ConnectionDone())

    def abortConnection(self) -> None:
        """End the connection for both, rudely."""
        self._lose(net.ConnectionAborted())

    def startTLS(self, options: Untyped) -> None:  # noqa: N802 - Twisted's
        """Pretend a handshake."""
        if self._directory.good_certificate:
            self.deliver(lambda protocol: protocol.handshakeCompleted())
        else:
            self._lose(VerificationError([]))

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802 - Twisted's
        """Do nothing."""

    def setTcpKeepAlive(self, enabled: bool) -> None:  # noqa: N802 - Twisted's
        """Do nothing."""

    def deliver(self, event: Callable[[Any], None]) -> None:
        """Let something happen to the protocol, after what is happening to it now."""
        self._events.append(lambda: event(self._protocol))
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._events:
                self._events.popleft()()
        finally:
            self._delivering = False

    def _lose(self, error: Exception) -> None:
        """Tell both ends, once each."""
        for end, reason in ((self, error), (self.peer, net.ConnectionDone())):
            if end is not None and end.is_open:
                end.is_open = False
                end.deliver(lambda protocol, reason=reason: protocol.connectionLost(Failure(reason)))


class _MemoryServer(BaseLDAPServer):
    """Answers requests from a directory."""

    def __init__(self, directory: Directory) -> None:
        """Serve a directory."""
        super().__init__()
        self._directory = directory

    def connectionMade(self) -> None:
        """Be known."""
        super().connectionMade()
        self._directory.servers.append(self)

    def connectionLost(self, reason: Untyped = None) -> None:
        """Be forgotten."""
        super().connectionLost()
        self._directory.servers.remove(self)

    def handle(self, msg: Untyped) -> None:
        """Answer one request."""
        request = msg.value
        kind, argument = _describe(request)
        self._directory.requests.append((kind, argument))
        if self._directory.silent & {kind, "*"}:
            return
        if kind in self._directory.holding:
            self._directory.hold(lambda: self._answer(kind, msg.id, request))
        else:
            self._answer(kind, msg.id, request)

    def _answer(self, kind: str, message_id: int, request: Untyped) -> None:
        """Answer a request of a kind."""
        match kind:
            case "bind":
                self._bind(message_id, request)
            case "search":
                self._search(message_id, request)
            case "starttls":
                self._start_tls(message_id)

    def _bind(self, message_id: int, request: Untyped) -> None:
        """Check a password."""
        good = self._directory.passwords.get(request.dn.decode()) == request.auth.decode()
        code, text = self._directory.codes.get("bind", (0 if good else 49, ""))
        controls = [(PASSWORD_POLICY, None, self._directory.policy)] if self._directory.policy else None
        answer = pureldap.LDAPBindResponse(resultCode=code, errorMessage=text)
        self._send(message_id, answer, controls)

    def _search(self, message_id: int, request: Untyped) -> None:
        """Return what a filter matches."""
        code, text = self._directory.codes.get("search", (0, ""))
        base = request.baseObject.decode()
        if base and not any(_is_below(dn, base) for dn in self._directory.entries):
            code = code or 32
        found = [] if code else [dn for dn in self._directory.entries if self._matches(dn, base, request)]
        wanted = [name.decode().lower() for name in request.attributes]
        for dn in found[: request.sizeLimit or None]:
            shown = [(name, values) for name, values in self._directory.entries[dn].items() if name.lower() in wanted]
            self._send(message_id, pureldap.LDAPSearchResultEntry(dn, shown))
        if request.sizeLimit and len(found) > request.sizeLimit:
            code = 4
        self._send(message_id, pureldap.LDAPSearchResultDone(resultCode=code, errorMessage=text))

    def _matches(self, dn: str, base: str, request: Untyped) -> bool:
        """Tell whether a search finds an entry."""
        in_scope = dn.lower() == base.lower() if request.scope == 0 else _is_below(dn, base)
        return in_scope and _evaluate(request.filter, self._directory.entries[dn])

    def _start_tls(self, message_id: int) -> None:
        """Agree to TLS or not."""
        code, text = self._directory.codes.get("starttls", (0, ""))
        message = pureldap.LDAPMessage(pureldap.LDAPExtendedResponse(resultCode=code, errorMessage=text), id=message_id)
        self.transport.write(message.toWire() + self._directory.forged)

    def _send(self, message_id: int, answer: Untyped, controls: Untyped = None) -> None:
        """Send one message."""
        self.transport.write(pureldap.LDAPMessage(answer, controls=controls, id=message_id).toWire())


def _describe(request: Untyped) -> tuple[str, Any]:
    """Return the kind and the main argument of a request."""
    match request:
        case pureldap.LDAPBindRequest():
            return "bind", (request.dn.decode(), request.auth.decode())
        case pureldap.LDAPSearchRequest():
            return "search", request
        case pureldap.LDAPUnbindRequest():
            return "unbind", None
        case pureldap.LDAPAbandonRequest():
            return "abandon", request.value
        case _:
            return "starttls", None


def _is_below(dn: str, base: str) -> bool:
    """Tell whether an entry is the base or below it."""
    return dn.lower() == base.lower() or dn.lower().endswith("," + base.lower())


def _evaluate(condition: Untyped, attributes: Mapping[str, tuple[bytes, ...]]) -> bool:
    """Tell whether an entry matches, comparing as directories do: without case and outer blanks."""
    match condition:
        case pureldap.LDAPFilter_and():
            return all(_evaluate(part, attributes) for part in condition)
        case pureldap.LDAPFilter_or():
            return any(_evaluate(part, attributes) for part in condition)
        case pureldap.LDAPFilter_not():
            return not _evaluate(condition.value, attributes)
        case pureldap.LDAPFilter_present():
            return condition.value.lower() == b"objectclass" or bool(_values(attributes, condition.value))
        case pureldap.LDAPFilter_equalityMatch():
            wanted = _plain(condition.assertionValue.value)
            return wanted in {_plain(value) for value in _values(attributes, condition.attributeDesc.value)}
        case pureldap.LDAPFilter_extensibleMatch():
            wanted = _plain(condition.matchValue.value)
            return wanted in {_plain(value) for value in _values(attributes, condition.type.value)}
    raise AssertionError(f"the directory in memory does not know {condition!r}")


def _values(attributes: Mapping[str, tuple[bytes, ...]], name: bytes) -> tuple[bytes, ...]:
    """Return the values of an attribute."""
    wanted = name.decode().lower()
    return next((values for key, values in attributes.items() if key.lower() == wanted), ())


def _plain(value: bytes) -> bytes:
    """Return a value as it is compared."""
    return value.decode("utf-8", "replace").strip().lower().encode()
