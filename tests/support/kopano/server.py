"""The server: it listens, answers, remembers what it was asked, and fails when told to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.ssl import CertificateOptions

from tests.support.kopano import answers, framing
from tests.support.kopano.address_book import CrashError
from tests.support.kopano.calls import Calls
from tests.support.kopano.connection import Connection
from tests.support.kopano.documents import Element
from tests.support.kopano.framing import Received
from tests.support.kopano.people import People
from tests.support.kopano.requests import Call, FaultError, read_call
from tests.support.kopano.sessions import Peer, Sessions, Transport
from tests.support.kopano.settings import Settings
from tests.support.kopano.troubles import Refuse, Trouble, Troubles
from tests.support.kopano.untyped import Untyped

#: Anybody may connect to the socket, as with the real server.
_SOCKET_MODE = 0o666
_MOST_WAITING = 50


@frozen(kw_only=True)
class Asked:
    """A call, as the server saw it.

    Attributes:
        call: its name.
        transport: how it came.
        certificate: a client certificate was shown on the connection, good or not.
        username: the name in it, if it has one.
        flags: of a logon; None for other calls.
        session: the id in it; 0 for none.
        values: everything in it.
        code: what it came to; None for a fault or no answer.
        fault: the text of the fault, if it came to one.
    """

    call: str
    transport: Transport
    certificate: bool
    username: str | None
    flags: int | None
    session: int = field(repr=False)
    values: dict[str, Any] = field(repr=False)
    code: int | None
    fault: str = ""


class _Connections(Factory):
    """Makes connections of one kind."""

    noisy = False

    def __init__(self, server: "KopanoServer", kind: Transport) -> None:
        """Belong to a server."""
        self._server = server
        self._kind = kind

    def buildProtocol(self, addr: Untyped) -> Connection:
        """Make one."""
        return Connection(self._server, self._kind)


class KopanoServer:
    """A stand-in for a groupware server.

    Attributes:
        reactor: for its sockets and timers.
        people: who has an account.
        settings: how it is set up.
        sessions: those that are alive.
        troubles: what goes wrong.
        asked: all calls there have been.
        faults: the texts of all faults it has answered.
        connections: those that are open.
        count: how many connections there have been.
    """

    def __init__(
        self,
        reactor: Untyped,
        *,
        people: People | None = None,
        settings: Settings | None = None,
        seconds: Callable[[], float] | None = None,
        seed: int | None = None,
    ) -> None:
        """Be ready; it listens nowhere yet.

        Args:
            reactor: what runs it; a `Clock` will do as long as it listens nowhere.
            people: who has an account; without it those of the captures.
            settings: without it those of a fresh installation.
            seconds: the time that sessions live by; without it the reactor's.
            seed: makes session ids repeatable.
        """
        self.reactor = reactor
        self.people = people or People()
        self.settings = settings or Settings()
        self.sessions = Sessions(seconds or reactor.seconds, seed)
        self.troubles = Troubles()
        self.asked: list[Asked] = []
        self.faults: list[str] = []
        self.connections: set[Connection] = set()
        self.count = 0
        self._calls = Calls(self.people, self.sessions, self.settings)
        self._listen_again: list[Callable[[], Untyped]] = []
        self._ports: list[Untyped] = []
        self._empty: Deferred[None] | None = None

    def listen_unix(self, path: Path) -> None:
        """Listen on a unix socket; one that a crash has left behind is replaced."""
        factory = _Connections(self, Transport.UNIX)

        def listen() -> Untyped:
            """Listen."""
            if path.is_socket():
                path.unlink()
            return self.reactor.listenUNIX(str(path), factory, _MOST_WAITING, _SOCKET_MODE)

        self._listen(listen)

    def listen_tcp(self, port: int = 0, host: str = "127.0.0.1") -> int:
        """Listen without TLS and return the port."""
        return self._listen_at(port, host, _Connections(self, Transport.TCP), None)

    def listen_tls(self, options: CertificateOptions, port: int = 0, host: str = "127.0.0.1") -> int:
        """Listen with TLS and return the port."""
        return self._listen_at(port, host, _Connections(self, Transport.TLS), options)

    async def stop_listening(self) -> None:
        """Let nobody connect any more; those who are connected stay."""
        ports, self._ports = self._ports, []
        for port in ports:
            stopped = port.stopListening()
            if stopped is not None:
                await stopped

    def listen_again(self) -> None:
        """Listen again where it has listened before."""
        self._ports = [listen() for listen in self._listen_again]

    async def drop_all(self) -> None:
        """End all connections, and wait until they are gone."""
        if not self.connections:
            return
        self._empty = Deferred()
        for connection in tuple(self.connections):
            connection.crash()
        await self._empty

    async def stop(self) -> None:
        """End for good: nothing of it is left in the reactor."""
        await self.stop_listening()
        self._listen_again = []
        await self.drop_all()

    def restart(self) -> None:
        """Forget all sessions, as the real one does when it is started anew."""
        self.sessions.forget_all()

    def calls_of(self, name: str) -> list[Asked]:
        """Return the calls of a name there have been."""
        return [asked for asked in self.asked if asked.call == name]

    def connected(self, connection: Connection) -> None:
        """Know that a connection is there."""
        self.connections.add(connection)
        self.count += 1

    def disconnected(self, connection: Connection) -> None:
        """Know that a connection is gone."""
        self.connections.discard(connection)
        if self._empty is not None and not self.connections:
            empty, self._empty = self._empty, None
            empty.callback(None)

    def receive(self, received: Received, connection: Connection) -> None:
        """Answer a request."""
        if received.method in framing.PROBES:
            connection.say(self._response(framing.OK, b"", received), received, None, 0)
        elif received.method != "POST":
            self._refuse(framing.METHOD_NOT_ALLOWED, f"HTTP {received.method} method not implemented", connection)
        elif received.root is None:
            self._refuse(framing.SERVER_ERROR, received.fault, connection)
        else:
            self._receive_document(received.root, received, connection)

    def _receive_document(self, root: Element, received: Received, connection: Connection) -> None:
        """Answer a document."""
        try:
            call = read_call(root)
        except FaultError as error:
            self._refuse(framing.SERVER_ERROR, str(error), connection)
            return
        self._receive_call(call, received, connection)

    def _receive_call(self, call: Call, received: Received, connection: Connection) -> None:
        """Answer a call."""
        peer, trouble, delay = connection.peer(), self.troubles.take(call.name), self.troubles.delay_of(call.name)
        try:
            if isinstance(trouble, Refuse):
                answer = self._calls.refuse(call, peer, trouble.code)
            else:
                answer = self._calls.answer(call, peer)
        except FaultError as error:
            self._remember(call, peer, None, str(error))
            self._refuse(framing.SERVER_ERROR, str(error), connection, trouble, delay)
        except CrashError as error:
            self._remember(call, peer, None, f"crash: {error}")
            connection.crash()
        else:
            self._remember(call, peer, answer.code)
            content = self._response(framing.OK, answer.to_bytes(), received, chunked=answer.chunked)
            connection.say(content, received, trouble, delay)

    def _remember(self, call: Call, peer: Peer, code: int | None, fault: str = "") -> None:
        """Keep what was asked."""
        values = dict(call.values)
        self.asked.append(
            Asked(
                call=call.name,
                transport=peer.transport,
                certificate=peer.public_key is not None,
                username=values.get("szUsername", values.get("lpszUsername")),
                flags=values["ulFlags"] if call.name == "logon" else None,
                session=values.get("ulSessionId") or 0,
                values=values,
                code=code,
                fault=fault,
            )
        )

    def _refuse(
        self, status: str, text: str, connection: Connection, trouble: Trouble | None = None, delay: float = 0
    ) -> None:
        """Answer with a fault, and end the connection."""
        self.faults.append(text)
        received = Received(method="POST", keeps_alive=False)
        connection.say(self._response(status, answers.fault(text), received), received, trouble, delay)

    def _response(self, status: str, body: bytes, received: Received, *, chunked: bool = False) -> bytes:
        """Write a response."""
        return framing.response(status, body, keeps_alive=received.keeps_alive, chunked=chunked)

    def _listen(self, listen: Callable[[], Untyped]) -> Untyped:
        """Listen, and know how to do so again."""
        port = listen()
        self._ports.append(port)
        self._listen_again.append(listen)
        return port

    def _listen_at(self, port: int, host: str, factory: _Connections, options: CertificateOptions | None) -> int:
        """Listen at a port, which stays the same when it listens again."""
        chosen = [port]

        def listen() -> Untyped:
            """Listen."""
            if options is None:
                listening: Untyped = self.reactor.listenTCP(chosen[0], factory, _MOST_WAITING, host)
            else:
                listening = self.reactor.listenSSL(chosen[0], factory, options, _MOST_WAITING, host)
            return listening

        address: Untyped = self._listen(listen).getHost()
        chosen[0] = address.port
        return chosen[0]
