"""Asking a Kopano server: the two clients that the backend needs, each of which can do what the other must not.

**How to use them.** Make an address with `Address.parse`, which raises `ValueError` with words for the operator, then::

    people = PeopleClient(reactor, address, trust=trust, timeout=10)
    await people.looks_at_passwords(PasswordProbe(account, chance))       # must be true
    await people.check_password(PasswordCheck("alice", "secret"))         # right, or KopanoError; there is no session
    answer = await people.logon(PersonLogon("alice", "secret"))           # answer.session is alice's own
    user = await people.own_user(answer)                                  # alice, by the name the server has for her
    answer = await people.logon_by_token(TokenLogon(token, entry_id))     # the same, without a password

    service = ServiceClient(reactor, address, account, trust=trust, certificate=certificate, timeout=10)
    answer = await service.logon()                                        # answer.session is the service's
    found = await service.resolve_username(answer.session, "alice")       # found.entry_id, found.entry_id.subject
    user = await service.get_user(answer.session, found.entry_id)         # names, mail address, properties
    await service.keep_alive(answer.session)                              # before session_timeout has passed
    await service.logoff(answer.session)
    await service.close()

Calls in a session are the same on both clients, and a session is good on both: servers bind it to the address of the
machine or, over a unix socket, to the process. So a session must not be kept in a store, and no connection be made
before a daemon has forked; clients connect with the first call.

**What they can not do.** A server lets in whoever is named, whatever the password, when a connection shows it a client
certificate that it knows, or comes from a local administrator over a unix socket. So:

* `PeopleClient` takes no certificate, and every logon it makes forbids the server to look at the uid.
* `ServiceClient` may have a certificate. Its only logon is that of the one account it was made for.
* A call of the wrong kind is a `TypeError`, whatever a type checker was told.

A pool and a TLS context belong to one client. `PeopleClient.looks_at_passwords` tries a password that nobody has on the
service's account; a daemon to which it says no must not start.

**What comes of a call.** The answer, or

* `KopanoError` with the server's number: `Code.KCERR_LOGON_FAILED` for a wrong password as for an unknown name,
  `Code.KCERR_NOT_FOUND` for nobody, `Code.KCERR_END_OF_SESSION` for a session that has ended.
* `KopanoFaultError`: server and client do not understand each other. Trying again does not help.
* `BackendUnavailableError`: no answer before the deadline, or none that can be read. Trying again later may help.
* `CancelledError`: whoever awaited it has been cancelled. The connection has ended.

Texts of all of them are for the log and hold nothing secret. `UnsendableError` is raised where a call is made, by
`PersonLogon` and its like, when a name or a password can not be anybody's; for a person that is a wrong password.

Proxies that the environment names are not asked; `_kopano_dial` says why. An address without a port means 80 or 443, as
in any other URL, and not the ports that these servers usually have, 236 and 237.

Importing this module imports treq and lxml, so only what was told to use this backend does.
"""

from konnectd.backends._kopano_address import Address, Kind
from konnectd.backends._kopano_answers import (
    BookAnswer,
    LogonAnswer,
    PasswordAnswer,
    ResolveAnswer,
    SessionId,
    User,
)
from konnectd.backends._kopano_dial import Reactor
from konnectd.backends._kopano_entry import EntryId
from konnectd.backends._kopano_errors import Code, KopanoError
from konnectd.backends._kopano_exchange import Line
from konnectd.backends._kopano_logons import (
    OwnUser,
    PasswordCheck,
    PasswordProbe,
    PersonLogon,
    ServiceAccount,
    ServiceLogon,
    TokenLogon,
)
from konnectd.backends._kopano_soap import (
    SYSTEM,
    BookName,
    GetUser,
    Logoff,
    ResolveNames,
    ResolveUsername,
)
from konnectd.backends._kopano_tls import ClientCertificate, ServerTrust, TlsOptions, client_options
from konnectd.vitals import PoolUse

#: How long a call may take, in seconds, where nobody says otherwise.
SECONDS = 10.0

_IN_SESSION: tuple[type, ...] = (Logoff, ResolveUsername, GetUser, ResolveNames)


class _SessionClient:
    """What can be asked in a session. Every coroutine raises what the module says."""

    def __init__(self, line: Line) -> None:
        """Keep the way to the server."""
        self._line = line

    async def logoff(self, session: SessionId) -> None:
        """End a session.

        Raises:
            KopanoError: the server does not know it.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer.
        """
        await self._line.ask(Logoff(session))

    async def resolve_username(self, session: SessionId, username: str) -> ResolveAnswer:
        """Find an account by its login name, in any case of letters.

        Raises:
            UnsendableError: it can not be the name of anybody.
            KopanoError: there is none with this name, or no such session.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer.
        """
        return await self._line.ask(ResolveUsername(session, username))

    async def keep_alive(self, session: SessionId) -> None:
        """Use a session, so that it does not end for being idle.

        Raises:
            KopanoError: it has ended.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer, which says nothing about the session.
        """
        await self._line.ask(ResolveUsername(session, SYSTEM))

    async def get_user(self, session: SessionId, entry_id: EntryId) -> User:
        """Return an account as it is now. Whether it is the one that was asked for, the caller compares.

        Raises:
            KopanoError: there is none with this id, or no such session.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer.
        """
        return await self._line.ask(GetUser(session, entry_id))

    async def resolve_names(
        self, session: SessionId, names: tuple[BookName, ...], *, exact: bool = False
    ) -> BookAnswer:
        """Look names up in the address book, by their beginning or exactly.

        Raises:
            UnsendableError: there are none, or too many.
            KopanoError: there is no such session.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer.
        """
        return await self._line.ask(ResolveNames(session, names, exact))

    def use(self, name: str) -> PoolUse:
        """Return how many calls are under way at this moment."""
        return self._line.use(name)

    async def close(self) -> None:
        """End all connections, and fail what still waits. No session ends by that."""
        await self._line.close()


class PeopleClient(_SessionClient):
    """Checks what people prove who they are with, over connections that prove nothing themselves."""

    def __init__(
        self, reactor: Reactor, address: Address, *, trust: ServerTrust | None = None, timeout: float = SECONDS
    ) -> None:
        """Connect to nobody yet.

        Args:
            reactor: Twisted's.
            address: where the server listens.
            trust: which server is believed over TLS; None for the authorities of the system.
            timeout: the deadline of each call, in seconds.
        """
        kinds = (PersonLogon, OwnUser, PasswordCheck, PasswordProbe, TokenLogon, *_IN_SESSION)
        super().__init__(Line(reactor, address, _tls(address, trust, None), timeout=timeout, kinds=kinds))

    async def check_password(self, check: PasswordCheck) -> PasswordAnswer:
        """Find out whether a password is right, and begin no session.

        Raises:
            KopanoError: it is not, or nobody has this name, or the account is not for signing in.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer.
        """
        return await self._line.ask(check)

    async def looks_at_passwords(self, probe: PasswordProbe) -> bool:
        """Tell whether the server refuses a password that nobody has, as it must.

        Raises:
            KopanoError: the server refuses for another reason than the password.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer.
        """
        try:
            await self._line.ask(probe)
        except KopanoError as error:
            if error.code != Code.KCERR_LOGON_FAILED:
                raise
            return True
        return False

    async def logon(self, logon: PersonLogon) -> LogonAnswer:
        """Begin a session of a person.

        Raises:
            KopanoError: the password is wrong, or nobody has this name, or the account is not for signing in.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer.
        """
        return await self._line.ask(logon)

    async def own_user(self, logon: LogonAnswer) -> User:
        """Return the account of whom a logon has just let in.

        Raises:
            KopanoError: there is no such session.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer.
        """
        return await self._line.ask(OwnUser(logon))

    async def logon_by_token(self, logon: TokenLogon) -> LogonAnswer:
        """Begin a session of a person for whom we have made a token.

        Raises:
            KopanoError: the server does not take the token, for whatever reason.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer.
        """
        return await self._line.ask(logon)


class ServiceClient(_SessionClient):
    """Signs in as one account, that of the service, and as nobody else."""

    def __init__(
        self,
        reactor: Reactor,
        address: Address,
        account: ServiceAccount,
        *,
        trust: ServerTrust | None = None,
        certificate: ClientCertificate | None = None,
        timeout: float = SECONDS,
    ) -> None:
        """Connect to nobody yet.

        Args:
            reactor: Twisted's.
            address: where the server listens.
            account: who the service is.
            trust: which server is believed over TLS; None for the authorities of the system.
            certificate: what the server is shown over TLS.
            timeout: the deadline of each call, in seconds.

        Raises:
            ValueError: there is a certificate, and the address has no TLS to show it with.
        """
        kinds = (ServiceLogon, *_IN_SESSION)
        super().__init__(Line(reactor, address, _tls(address, trust, certificate), timeout=timeout, kinds=kinds))
        self._logon = ServiceLogon(account)

    async def logon(self) -> LogonAnswer:
        """Begin a session of the service. It is not tried twice: the caller knows when to try again.

        Raises:
            KopanoError: the server does not let the service in.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer.
        """
        return await self._line.ask(self._logon)


def _tls(address: Address, trust: ServerTrust | None, certificate: ClientCertificate | None) -> TlsOptions | None:
    """Return how TLS begins with a server; None where it does not.

    Raises:
        ValueError: there is a certificate, and no TLS to show it with.
    """
    if address.kind is Kind.TLS:
        return client_options(address.host, trust or ServerTrust(), certificate)
    if certificate is not None:
        raise ValueError(f"{address}: a client certificate is of use with https only")
    return None
