"""People who have a session of their own each at the server, begun by their password or by a token of ours."""

from twisted.logger import Logger

from konnectd.backends._kopano_answers import SessionId, User
from konnectd.backends._kopano_backend import BaseBackend
from konnectd.backends._kopano_dial import Reactor
from konnectd.backends._kopano_entry import EntryId
from konnectd.backends._kopano_errors import Code, KopanoError
from konnectd.backends._kopano_logons import PersonLogon, TokenLogon
from konnectd.backends._kopano_people import end_user
from konnectd.backends._kopano_server import Server
from konnectd.backends._kopano_sessions import MOST_SESSIONS, Sessions
from konnectd.backends._kopano_settings import Settings
from konnectd.interfaces import (
    BackendUnavailableError,
    LogonAnswer,
    RefusalReason,
    Refused,
    SessionLostError,
    Vouch,
)

log = Logger()


class KopanoBackend(BaseBackend):
    """People who have a session of their own each."""

    def __init__(self, settings: Settings, reactor: Reactor, server: Server, most: int = MOST_SESSIONS) -> None:
        """Prepare; no connection is made before there is something to ask.

        Args:
            settings: of the server.
            reactor: for time.
            server: the server.
            most: how many sessions are kept.
        """
        super().__init__(server)
        self.longest_access_token: int | None = settings.usable_for
        self._sessions = Sessions(reactor, server.people, settings.usable_for, most)
        self._vouch: Vouch | None = None
        self._told = False

    def rely_on(self, vouch: Vouch) -> None:
        """Take what makes tokens: before the first request, and again when other keys sign."""
        self._vouch = vouch

    async def check(self) -> None:
        """Try whether the server looks at passwords.

        Raises:
            ConfigErrors: it does not.
            BackendUnavailableError: it did not answer.
        """
        await self._server.check()
        log.info(
            "Kopano server {server} is asked in a session of each person's own; access tokens live {longest} seconds "
            "at most",
            server=self._server.name,
            longest=self.longest_access_token,
        )

    async def leave(self, user_id: str) -> None:
        """End the session of somebody who has signed out everywhere; nobody waits for the server."""
        try:
            self._sessions.leave(EntryId.parse(user_id).subject)
        except ValueError:
            return

    async def close(self) -> None:
        """End all sessions, within some seconds, and let go of connections."""
        await self._sessions.close()
        await self._server.close()

    async def _logon(self, username: str, password: str) -> LogonAnswer:
        """Begin a session of a person, and ask whose it is."""
        logon = PersonLogon(username, password)
        await self._server.let_in()
        try:
            answer = await self._server.people.logon(logon)
        except KopanoError as error:
            if error.code != Code.KCERR_LOGON_FAILED:
                raise
            return Refused(RefusalReason.WRONG_PASSWORD)
        self._server.meet(answer)
        kept = False
        try:
            person = end_user(await self._server.people.own_user(answer))
            if person is None:
                return Refused(RefusalReason.DISABLED)
            self._sessions.keep(person.subject, answer.session)
            kept = True
        finally:
            if not kept:
                self._sessions.end(answer.session)
        log.debug("{user!r} has a session at the Kopano server, by password", user=person.username)
        return person

    async def _find(self, entry_id: EntryId) -> User:
        """Ask about an account in the session of its person; once more in a new one when it has ended."""
        subject = entry_id.subject
        session = self._sessions.find(subject)
        if session is not None:
            try:
                return await self._ask(session, entry_id)
            except KopanoError as error:
                if error.code != Code.KCERR_END_OF_SESSION:
                    raise
            log.debug("The session of {subject} at the Kopano server has ended", subject=subject)
            # Somebody else may have noticed before, and begun another one.
            session = self._sessions.find(subject)
        if session is None:
            session = await self._sessions.renew(subject, lambda: self._vouched(entry_id))
        return await self._ask(session, entry_id)

    async def _ask(self, session: SessionId, entry_id: EntryId) -> User:
        """Ask about an account in a session of its person, and forget the session when it has ended."""
        subject = entry_id.subject
        try:
            user = await self._server.people.get_user(session, entry_id)
        except KopanoError as error:
            if error.code == Code.KCERR_END_OF_SESSION and self._sessions.forget(subject, session):
                self._server.doubt()
            raise
        self._sessions.used(subject, session)
        return user

    async def _vouched(self, entry_id: EntryId) -> SessionId:
        """Begin a session of a person by a token of ours.

        Raises:
            SessionLostError: the server does not take it.
            BackendUnavailableError: the server does not say.
        """
        if self._vouch is None:
            raise SessionLostError("a session at the Kopano server has ended, and nobody vouches for people here")
        token = await self._vouch(str(entry_id))
        try:
            answer = await self._server.people.logon_by_token(TokenLogon(token, entry_id))
        except KopanoError as error:
            if error.code != Code.KCERR_LOGON_FAILED:
                # Not as it is: codes that mean "nobody" are about a question, and this was none.
                raise BackendUnavailableError(f"Kopano server {self._server.name}: {error}") from error
            self._tell_what_is_needed(entry_id.subject)
            raise SessionLostError("a session at the Kopano server has ended, and it takes no token") from error
        self._told = False
        self._server.meet(answer)
        log.debug("{subject} has a session at the Kopano server, by token", subject=entry_id.subject)
        return answer.session

    def _tell_what_is_needed(self, subject: str) -> None:
        """Say what the server needs to take tokens, once until it takes one."""
        if self._told:
            log.debug("Kopano server {server} took no token for {subject}", server=self._server.name, subject=subject)
            return
        self._told = True
        log.warn(
            "Kopano server {server} took no token of this daemon for {subject}. Unless that account is not active, "
            "people have to sign in again when their session there has ended: it needs enable_sso = yes, support for "
            "kcoidc, kcoidc_issuer_identifier with the issuer of this daemon, and a way to that address",
            server=self._server.name,
            subject=subject,
        )
