"""People who are looked up in the session of a service, whose account may see everybody."""

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from konnectd.backends._kopano_answers import User
from konnectd.backends._kopano_backend import BaseBackend
from konnectd.backends._kopano_blame import blaming
from konnectd.backends._kopano_client import ServiceClient
from konnectd.backends._kopano_dial import Reactor
from konnectd.backends._kopano_entry import EntryId
from konnectd.backends._kopano_errors import Code, KopanoError, KopanoFaultError, UnsendableError
from konnectd.backends._kopano_logons import PasswordCheck, ServiceAccount
from konnectd.backends._kopano_server import NOBODY, Server
from konnectd.backends._kopano_service import ServiceSession
from konnectd.backends._kopano_settings import Settings
from konnectd.backends._kopano_soap import check_name
from konnectd.interfaces import BackendUnavailableError, LogonAnswer, RefusalReason, Refused
from konnectd.option import ConfigError, ConfigErrors
from konnectd.protocol.end_user import EndUser
from konnectd.vitals import PoolUse

log = Logger()


class KopanoServiceBackend(BaseBackend):
    """People who are looked up in the session of a service."""

    def __init__(self, settings: Settings, reactor: Reactor, server: Server, account: ServiceAccount) -> None:
        """Prepare; no connection is made before there is something to ask.

        Args:
            settings: of the server.
            reactor: for time and the network.
            server: the server.
            account: of the service.
        """
        super().__init__(server)
        self._account = account
        self._proved = settings.certificate is not None
        self._client = ServiceClient(
            reactor,
            settings.address,
            account,
            trust=settings.trust,
            certificate=settings.certificate,
            timeout=settings.timeout,
        )
        self._service = ServiceSession(reactor, self._client, server, settings.usable_for)

    async def check(self) -> None:
        """Try whether the server looks at people's passwords, and lets the service in.

        Raises:
            ConfigErrors: it does not.
            BackendUnavailableError: it did not answer.
        """
        await self._server.check()
        with blaming(), self._server.told_outside():
            try:
                await self._service.begin()
            except KopanoError as error:
                if error.code != Code.KCERR_LOGON_FAILED:
                    raise
                raise ConfigErrors([self._refused(error)]) from error
        log.info(
            "Kopano server {server} is asked in a session of {account}",
            server=self._server.name,
            account=self._account.username,
        )

    def _refused(self, error: KopanoError) -> ConfigError:
        """Say what may be wrong when the service is not let in."""
        hints = "name or password is wrong, or the account is not active"
        if not self._account.password:
            hints = "the server trusts neither the user this daemon runs as (local_admin_users) nor a certificate"
        if self._proved:
            hints = "the server does not know the key of kc_client_certificate (sslkeys_path)"
        return ConfigError(
            "kc_server_username",
            f"Kopano server {self._server.name} does not let {self._account.username} in: {hints}; {error}",
        )

    async def find_by_username(self, username: str) -> EndUser | None:
        """Return the person a name means, for those whose sign-in somebody else has vouched for.

        Raises:
            BackendUnavailableError: the server did not answer.
        """
        with self._server.told_outside():
            entry_id = await self._resolve(username)
        return None if entry_id is None else await self.find(str(entry_id))

    def pools(self) -> tuple[PoolUse, ...]:
        """Return how many calls are under way at this moment."""
        return (*super().pools(), self._client.use("kopano-service"))

    async def close(self) -> None:
        """Sign out, and let go of connections."""
        await self._service.close()
        await self._client.close()
        await self._server.close()

    async def _logon(self, username: str, password: str) -> LogonAnswer:
        """Try a password, and look the name up meanwhile."""
        try:
            check_name(username)
        except UnsendableError:
            return Refused(RefusalReason.UNKNOWN_USER)
        check = PasswordCheck(username, password)
        await self._server.let_in()
        resolving = Deferred.fromCoroutine(self._resolve(username))
        try:
            right = await self._is_right(check)
            try:
                entry_id = await resolving
            except (KopanoError, KopanoFaultError, BackendUnavailableError):
                if right:
                    raise
                return Refused(RefusalReason.WRONG_PASSWORD)
        finally:
            resolving.addErrback(lambda _: None)
            resolving.cancel()
        if entry_id is None:
            return Refused(RefusalReason.UNKNOWN_USER)
        if not right:
            return Refused(RefusalReason.WRONG_PASSWORD, principal=entry_id.subject)
        person = self._person(await self._find(entry_id), entry_id)
        return Refused(RefusalReason.DISABLED, principal=entry_id.subject) if person is None else person

    async def _is_right(self, check: PasswordCheck) -> bool:
        """Tell whether a password is right."""
        try:
            await self._server.people.check_password(check)
        except KopanoError as error:
            if error.code != Code.KCERR_LOGON_FAILED:
                raise
            return False
        return True

    async def _resolve(self, username: str) -> EntryId | None:
        """Return whom a name means; None for nobody, and for who is no person."""
        try:
            found = await self._service.ask(lambda session: self._client.resolve_username(session, username))
        except UnsendableError:
            return None
        except KopanoError as error:
            if error.code not in NOBODY:
                raise
            return None
        return found.entry_id

    async def _find(self, entry_id: EntryId) -> User:
        """Ask about an account in the session of the service."""
        return await self._service.ask(lambda session: self._client.get_user(session, entry_id))
