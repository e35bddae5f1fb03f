"""One connection to a directory: ldaptor's client, hardened.

What ldaptor leaves open is closed here: each operation has a deadline and can be canceled, what is received is limited
in size, a message that is no LDAP ends the connection instead of raising into the reactor, a notice of disconnection is
obeyed, truncated searches are told apart from complete ones, and StartTLS neither succeeds before the handshake nor
accepts anything that was sent in the clear after it was agreed. Its values are those of `_ldap_answers`; nothing else
in the backend meets ldaptor's messages, which have no types.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from attrs import define, field
from ldaptor.protocols import pureldap
from ldaptor.protocols.ldap.ldapclient import LDAPClient
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from konnectd.backends import _ldap_faults as faults
from konnectd.backends._ldap_answers import (
    PASSWORD_POLICY_CONTROL,
    BindAnswer,
    Entry,
    SearchAnswer,
    SearchRequest,
    read_policy,
)
from konnectd.backends._ldap_tls import describe_end
from konnectd.backends._ldap_wire import EntryMessage, Untyped, take_message

#: Twisted's reactor or a clock that stands for it: `callLater` and `seconds`. Its interfaces have no types.
Reactor: TypeAlias = Any

#: How long the other side may take to agree that a connection ends, in seconds.
_PARTING = 2

_LAST_MESSAGE_ID = (1 << 31) - 1


@define(eq=False)
class _Operation:
    """A request that waits for its answer.

    Attributes:
        doing: what it is, for messages.
        ends_with: the kind of message that ends it.
        answered: fires with that message and its controls.
        started_at: when it was sent.
        fatal: the connection is of no use when no answer comes.
        limit: how many entries are taken.
    """

    doing: str
    ends_with: Untyped
    answered: Deferred[tuple[Untyped, Untyped]]
    started_at: float
    fatal: bool
    limit: int = 0
    timer: Untyped = None
    entries: list[Entry] = field(factory=list)
    references: int = 0
    cut_off: bool = False


@implementer(IHandshakeListener)
class Connection(LDAPClient):
    """One connection, on which any number of searches or one bind may be under way.

    Attributes:
        server: what it is connected to, for messages.
        lost: called once with the connection when it has ended.
        spoiled: the server has lost track of who we are or what it does; another connection may do better.
    """

    def __init__(self, reactor: Reactor, server: str, timeout: float) -> None:
        """Prepare a connection whose operations take at most some seconds each."""
        super().__init__()
        self.server = server
        self.spoiled = False
        self.lost: Callable[[Connection], None] = lambda _: None
        self._reactor = reactor
        self._timeout = timeout
        self._received = bytearray()
        self._heard_at = 0.0
        self._last_id = 0
        self._secure_only = False
        self._ending: faults.LdapError | None = None
        self._handshake: Deferred[None] | None = None
        self._farewells: list[Deferred[None]] = []

    @property
    def usable(self) -> bool:
        """Something may be sent."""
        return bool(self.connected) and self._ending is None

    # Operations

    async def search(self, request: SearchRequest) -> SearchAnswer:
        """Search and return whatever the server answered.

        Raises:
            LdapError: there was no answer.
        """
        message = pureldap.LDAPSearchRequest(
            baseObject=request.base,
            scope=int(request.scope),
            derefAliases=pureldap.LDAP_DEREF_neverDerefAliases,
            sizeLimit=request.size_limit,
            timeLimit=max(1, int(self._timeout)),
            filter=request.filter,
            attributes=request.attributes,
        )
        operation = self._ask(message, "search", pureldap.LDAPSearchResultDone, fatal=False, limit=request.size_limit)
        done, _ = await operation.answered
        return SearchAnswer(
            entries=tuple(operation.entries),
            code=done.resultCode,
            text=_text(done.errorMessage),
            references=operation.references,
            cut_off=operation.cut_off,
        )

    async def bind(self, dn: str, password: str) -> BindAnswer:
        """Bind with a password and return whatever the server answered.

        Raises:
            LdapError: there was no answer; the connection has ended, because its identity is not known.
            ValueError: the password is empty or has a NUL, which some servers take for no password at all and let in.

        Spec: RFC 4513 5.1.2 (unauthenticated bind).
        """
        if not password or "\0" in password:
            raise ValueError("a bind needs a password")
        message = pureldap.LDAPBindRequest(dn=dn, auth=password.encode())
        controls = [(PASSWORD_POLICY_CONTROL, None, None)]
        operation = self._ask(message, "bind", pureldap.LDAPBindResponse, fatal=True, controls=controls)
        response, answers = await operation.answered
        policy = next((value for kind, _, value in answers or () if kind == PASSWORD_POLICY_CONTROL and value), b"")
        fault, grace = read_policy(policy)
        return BindAnswer(
            code=response.resultCode, text=_text(response.errorMessage), policy_fault=fault, grace_logons=grace
        )

    async def agree_on_tls(self) -> None:
        """Ask for StartTLS; `secure` has to follow at once.

        Raises:
            StartTlsRefusedError: the server does not want it.
            LdapError: there was no answer, or something was sent in the clear behind it.

        Spec: RFC 4511 4.14.
        """
        message = pureldap.LDAPStartTLSRequest()
        operation = self._ask(message, "StartTLS", pureldap.LDAPExtendedResponse, fatal=True)
        response, _ = await operation.answered
        if response.resultCode != faults.SUCCESS:
            shown = faults.code_name(response.resultCode)
            raise faults.StartTlsRefusedError(
                f"{self.server} refused StartTLS: {shown} {_text(response.errorMessage)!r}"
            )

    async def secure(self, options: Untyped) -> None:
        """Begin TLS and wait until the server has proved who it is.

        Raises:
            UntrustedServerError: it has not.
            LdapError: the handshake did not come to an end.
        """
        self._check_usable()
        self._secure_only = False
        handshake: Deferred[None] = Deferred(lambda _: self._end(faults.LostError(f"{self.server}: TLS given up")))
        self._handshake = handshake
        timer = self._reactor.callLater(self._timeout, self._end, faults.SilentError(f"{self.server}: no TLS in time"))
        try:
            self.transport.startTLS(options)
            await handshake
        finally:
            if timer.active():
                timer.cancel()

    def handshakeCompleted(self) -> None:  # noqa: N802 - Twisted's
        """Know that certificate and name were found good. Called by Twisted."""
        waiting, self._handshake = self._handshake, None
        if waiting is not None:
            waiting.callback(None)

    def abort(self) -> None:
        """End the connection without taking leave."""
        self._end(faults.LostError(f"{self.server}: connection given up"))

    async def close(self) -> None:
        """Take leave of the server and wait until the connection has ended."""
        if not self.connected:
            return
        farewell: Deferred[None] = Deferred()
        self._farewells.append(farewell)
        timer = self._reactor.callLater(_PARTING, self.transport.abortConnection)
        if self.usable:
            self._tell(pureldap.LDAPUnbindRequest())
            self._ending = faults.LostError(f"{self.server}: connection closed by us")
            self.transport.loseConnection()
        await farewell
        if timer.active():
            timer.cancel()

    # Events

    def connectionMade(self) -> None:
        """Begin. Called by Twisted."""
        super().connectionMade()
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)

    def dataReceived(self, data: bytes) -> None:
        """Take bytes. Called by Twisted."""
        # What arrives between the answer to StartTLS and the handshake came from whoever sits in between, and would be
        # taken for the server's word once TLS is on.
        if self._secure_only:
            self._end(faults.ProtocolError(f"{self.server} sent something in the clear after agreeing to StartTLS"))
            return
        self._heard_at = self._reactor.seconds()
        self._received += data
        while self._ending is None and self._take_message():
            pass

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fail whatever waits. Called by Twisted."""
        self.connected = 0
        securing, heard = self._handshake is not None, self._heard_at > 0
        self._ending = self._ending or describe_end(self.server, reason, securing=securing, heard=heard)
        # Whoever owns the connection learns it first: what is failed next may ask for another one at once.
        self.lost(self)
        for message_id in tuple(self.onwire):
            self._forget(message_id).answered.errback(self._ending)
        waiting, self._handshake = self._handshake, None
        if waiting is not None:
            waiting.errback(self._ending)
        farewells, self._farewells = self._farewells, []
        for farewell in farewells:
            farewell.callback(None)

    def handle(self, msg: Untyped) -> None:
        """Bring a message to the operation that waits for it; one that nobody waits for was abandoned."""
        if msg.id == 0:
            said = _text(getattr(msg.value, "errorMessage", b""))
            self._end(faults.LostError(f"{self.server} announced the end of the connection: {said!r}"))
            return
        operation = self.onwire.get(msg.id)
        if operation is None:
            return
        match msg.value:
            case EntryMessage():
                self._take_entry(msg.id, operation, msg.value)
            case pureldap.LDAPSearchResultReference():
                operation.references += 1
            case operation.ends_with():
                self._finish(msg, operation)
            case pureldap.LDAPResult():
                self._end(faults.ProtocolError(f"{self.server} answered a {operation.doing} with something else"))

    # Inside

    def _ask(
        self, message: Untyped, doing: str, ends_with: Untyped, *, fatal: bool, limit: int = 0, controls: Untyped = None
    ) -> _Operation:
        """Send a request and return what waits for its answer.

        Raises:
            LostError: the connection has ended.
        """
        self._check_usable()
        message_id = self._next_id()
        operation = _Operation(
            doing=doing,
            ends_with=ends_with,
            answered=Deferred(lambda _: self._give_up(message_id)),
            started_at=self._reactor.seconds(),
            fatal=fatal,
            limit=limit,
        )
        operation.timer = self._reactor.callLater(self._timeout, self._expire, message_id)
        self.onwire[message_id] = operation
        self.transport.write(pureldap.LDAPMessage(message, controls=controls, id=message_id).toWire())
        return operation

    def _check_usable(self) -> None:
        """Refuse to send on a connection that has ended or is about to."""
        if not self.usable:
            raise self._ending or faults.LostError(f"{self.server}: not connected")

    def _take_message(self) -> bool:
        """Handle the first complete message, if there is one."""
        try:
            message = take_message(self._received)
        except ValueError as error:
            self._end(faults.ProtocolError(f"{self.server} sent what is no LDAP: {error}"))
            return False
        if message is None:
            return False
        self.handle(message)
        return True

    def _take_entry(self, message_id: int, operation: _Operation, message: Untyped) -> None:
        """Keep an entry unless there are more than was asked for, which a server should not send."""
        if operation.limit and len(operation.entries) >= operation.limit:
            operation.cut_off = True
            self._abandon(message_id)
            answer = pureldap.LDAPSearchResultDone(resultCode=faults.SIZE_LIMIT_EXCEEDED, errorMessage=b"")
            self._forget(message_id).answered.callback((answer, None))
            return
        try:
            operation.entries.append(Entry.build(message.objectName, message.attributes))
        except ValueError as error:
            self._end(faults.ProtocolError(f"{self.server} sent an entry that can not be read: {error}"))

    def _finish(self, message: Untyped, operation: _Operation) -> None:
        """Hand an answer over."""
        if isinstance(message.value, pureldap.LDAPExtendedResponse):
            if self._received:
                self._end(faults.ProtocolError(f"{self.server} sent something in the clear behind its StartTLS answer"))
                return
            self._secure_only = message.value.resultCode == faults.SUCCESS
        answered = self._forget(message.id).answered
        if message.value.resultCode in faults.SPOILING and not operation.fatal:
            self.spoiled = True
            shown = f"{faults.code_name(message.value.resultCode)} {_text(message.value.errorMessage)!r}"
            answered.errback(faults.LostError(f"{self.server} answered a {operation.doing} with {shown}"))
            return
        answered.callback((message.value, message.controls))

    def _forget(self, message_id: int) -> _Operation:
        """Take an operation from those that wait."""
        operation: _Operation = self.onwire.pop(message_id)
        if operation.timer.active():
            operation.timer.cancel()
        return operation

    def _expire(self, message_id: int) -> None:
        """Fail an operation whose time is up, and the connection when nothing at all was heard since it began."""
        operation = self._forget(message_id)
        error = faults.SilentError(f"{self.server} did not answer a {operation.doing} within {self._timeout:g} seconds")
        if operation.fatal or self._heard_at < operation.started_at:
            self._end(error)
        else:
            self._abandon(message_id)
        operation.answered.errback(error)

    def _give_up(self, message_id: int) -> None:
        """Forget an operation that nobody waits for any more."""
        operation = self._forget(message_id)
        if operation.fatal:
            self._end(faults.LostError(f"{self.server}: {operation.doing} canceled"))
        else:
            self._abandon(message_id)

    def _abandon(self, message_id: int) -> None:
        """Tell the server that an answer is not wanted any more."""
        if self.usable:
            self._tell(pureldap.LDAPAbandonRequest(id=message_id))

    def _tell(self, message: Untyped) -> None:
        """Send what is not answered."""
        self.transport.write(pureldap.LDAPMessage(message, id=self._next_id()).toWire())

    def _next_id(self) -> int:
        """Return the id of the next message; ldaptor's own counter is shared by all connections."""
        self._last_id = self._last_id % _LAST_MESSAGE_ID + 1
        return self._last_id

    def _end(self, error: faults.LdapError) -> None:
        """End the connection at once, for a reason."""
        if self._ending is None:
            self._ending = error
        if self.connected:
            self.transport.abortConnection()


def _text(said: bytes | str) -> str:
    """Return what a server said, as text of limited length."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return text.rstrip("\0")[:500]
