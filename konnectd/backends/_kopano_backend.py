"""What both ways to look people up at a Kopano server have in common: refusals, and that answers fit questions."""

from abc import ABC, abstractmethod

from twisted.logger import Logger

from konnectd.backends._kopano_answers import User
from konnectd.backends._kopano_entry import EntryId
from konnectd.backends._kopano_errors import KopanoError, UnsendableError
from konnectd.backends._kopano_people import end_user
from konnectd.backends._kopano_server import NOBODY, Server
from konnectd.interfaces import LogonAnswer, RefusalReason, Refused
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.scope import EMAIL, GROUPWARE, NUMERIC_ID, PROFILE, RAW_SUBJECT, UNIQUE_ID
from konnectd.vitals import PoolUse

log = Logger()


class BaseBackend(ABC):
    """What both ways have in common."""

    name = "identifier-kc"
    scopes: tuple[str, ...] = (PROFILE, EMAIL, NUMERIC_ID, UNIQUE_ID, RAW_SUBJECT, GROUPWARE)
    claims: tuple[str, ...] = ("name", "family_name", "given_name", "email", "email_verified")

    def __init__(self, server: Server) -> None:
        """Keep the server."""
        self._server = server

    async def probe(self) -> None:
        """Find out whether the server answers, unless it has answered well in the last minutes and since.

        Raises:
            BackendUnavailableError: it does not.
        """
        with self._server.told_outside():
            await self._server.let_in()

    def pools(self) -> tuple[PoolUse, ...]:
        """Return how many calls are under way at this moment."""
        return (self._server.people.use("kopano-people"),)

    async def logon(self, username: str, password: str) -> LogonAnswer:
        """Check a name and a password as a person typed them.

        A server does not say whether there is somebody of that name, so a wrong password is all a refusal can be.

        Raises:
            BackendUnavailableError: the server did not answer, or is not one that looks at passwords.
        """
        if not password:
            return Refused(RefusalReason.EMPTY_PASSWORD)
        try:
            with self._server.told_outside():
                answer = await self._logon(username, password)
        except UnsendableError as error:
            log.debug("Sign-in refused, and the server not asked: {reason}", reason=str(error))
            return Refused(RefusalReason.WRONG_PASSWORD)
        if isinstance(answer, Refused):
            # The name may be a password that somebody typed into the wrong field.
            log.debug("Sign-in of a name that may be nobody's refused: {reason}", reason=answer.reason.value)
        return answer

    @abstractmethod
    async def _logon(self, username: str, password: str) -> LogonAnswer:
        """Check a name and a password.

        Raises:
            UnsendableError: they can not be anybody's.
        """

    @abstractmethod
    async def _find(self, entry_id: EntryId) -> User:
        """Ask about an account."""

    async def find(self, user_id: str) -> EndUser | None:
        """Return a person as they are now; None when they are gone or may not sign in any more.

        Raises:
            SessionLostError: where people have sessions of their own: they have to sign in again first.
            BackendUnavailableError: the server did not answer.
        """
        try:
            entry_id = EntryId.parse(user_id)
        except ValueError:
            return None
        with self._server.told_outside():
            try:
                user = await self._find(entry_id)
            except KopanoError as error:
                if error.code not in NOBODY:
                    raise
                log.debug("{user} is nobody any more: {error}", user=entry_id.subject, error=str(error))
                return None
        return self._person(user, entry_id)

    def _person(self, user: User, entry_id: EntryId) -> EndUser | None:
        """Return the person that was asked for, and nobody else."""
        if user.entry_id != entry_id:
            log.error("Kopano server {server} answers about somebody else than was asked for", server=self._server.name)
            return None
        person = end_user(user)
        if person is None:
            log.info("{user!r} is no account to sign in with", user=user.username)
        return person
