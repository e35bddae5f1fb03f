"""The session of the service: there is one, it is kept alive, and when it is lost there soon is another one.

It begins when it is first needed, and is used before it would end. A new one is begun at once when the server does not
know it any more, and every few seconds while that fails. That there is no answer says nothing about a session.

Whoever needs the session while it is begun waits for that, but not for long; while the server is known to be down
nobody waits.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from twisted.logger import Logger

from konnectd.backends._kopano_answers import SessionId
from konnectd.backends._kopano_client import ServiceClient
from konnectd.backends._kopano_dial import Reactor
from konnectd.backends._kopano_errors import Code, KopanoError, KopanoFaultError
from konnectd.backends._kopano_flight import Flight
from konnectd.backends._kopano_server import Server
from konnectd.backends._kopano_sessions import GOODBYE
from konnectd.interfaces import BackendUnavailableError

#: How long after a failed attempt the next one is made, in seconds.
PAUSE = 5.0
#: How long anybody waits for a session, in seconds.
PATIENCE = 5.0

_TROUBLE = (KopanoError, KopanoFaultError, BackendUnavailableError)

Answer = TypeVar("Answer")

log = Logger()


class ServiceSession:
    """One session of the service's account, whichever it is just now."""

    def __init__(
        self,
        reactor: Reactor,
        client: ServiceClient,
        server: Server,
        interval: float,
    ) -> None:
        """Begin nothing yet.

        Args:
            reactor: for time.
            client: makes the calls.
            server: is told about each session that begins, or ends too early.
            interval: how long the session may go without use, in seconds.
        """
        self._reactor = reactor
        self._client = client
        self._server = server
        self._interval = interval
        self._session: SessionId | None = None
        self._used_at = 0.0
        self._flight: Flight[SessionId] | None = None
        self._timer: Any = None
        self._complaint = ""
        self._closed = False

    async def begin(self) -> None:
        """Sign in, unless that has been done; when it fails it is tried again later, whatever the caller does.

        Raises:
            KopanoError: the server does not let the service in.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer.
        """
        if self._session is None:
            await self._logon_flight().wait()

    async def ask(self, call: Callable[[SessionId], Awaitable[Answer]]) -> Answer:
        """Make a call in the session; once more in a new one when the server does not know the session any more.

        Raises:
            KopanoError: the server refuses.
            KopanoFaultError: the server did not make sense of the request.
            BackendUnavailableError: there is no answer, or no session.
        """
        session = await self._current()
        try:
            return await self._use(session, call)
        except KopanoError as error:
            if error.code != Code.KCERR_END_OF_SESSION:
                raise
        self._lose(session)
        session = await self._current()
        try:
            return await self._use(session, call)
        except KopanoError as error:
            if error.code == Code.KCERR_END_OF_SESSION:
                self._lose(session)
            raise

    async def close(self) -> None:
        """Sign out, within some seconds, and stop. It never fails."""
        self._closed = True
        self._stop_timer()
        if self._flight is not None:
            self._flight.cancel()
        session, self._session = self._session, None
        if session is None:
            return
        try:
            await Flight(self._client.logoff(session)).wait(self._reactor, GOODBYE)
        except _TROUBLE as error:
            log.debug("The session of the service was not ended: {error}", error=str(error))

    async def _use(self, session: SessionId, call: Callable[[SessionId], Awaitable[Answer]]) -> Answer:
        """Make a call, and know that the session was used by it."""
        answer = await call(session)
        self._used(session)
        return answer

    def _used(self, session: SessionId) -> None:
        """Note that the server has just seen a session."""
        if session is self._session:
            self._used_at = self._reactor.seconds()

    async def _current(self) -> SessionId:
        """Return the session, if need be when it has begun.

        Raises:
            BackendUnavailableError: there is none, and will not be for a while.
        """
        if self._session is not None:
            return self._session
        resting = self._timer is not None
        if self._closed or resting:
            raise BackendUnavailableError(f"there is no session of the service: {self._complaint or 'it is ended'}")
        try:
            return await self._logon_flight().wait(self._reactor, PATIENCE)
        except (KopanoError, KopanoFaultError) as error:
            raise BackendUnavailableError(f"there is no session of the service: {error}") from error

    def _logon_flight(self) -> Flight[SessionId]:
        """Begin to sign in, unless that is under way."""
        if self._flight is None or self._flight.landed:
            self._stop_timer()
            self._flight = Flight(self._logon())
        return self._flight

    async def _logon(self) -> SessionId:
        """Sign in."""
        try:
            answer = await self._client.logon()
        except _TROUBLE as error:
            self._fail(error)
            raise
        if self._complaint:
            log.info("Kopano server {server} lets the service in again", server=self._server.name)
        self._complaint = ""
        self._session, self._used_at = answer.session, self._reactor.seconds()
        self._server.meet(answer)
        self._plan(self._interval)
        return answer.session

    def _fail(self, error: Exception) -> None:
        """Say what is wrong, unless it is what was wrong before, and plan to try again."""
        complaint = str(error)
        if complaint != self._complaint and not self._closed:
            log.warn(
                "Kopano server {server} does not let the service in, nobody can sign in: {error}",
                server=self._server.name,
                error=complaint,
            )
        self._complaint = complaint
        self._plan(PAUSE)

    def _lose(self, session: SessionId) -> None:
        """Begin anew after a session was lost, unless somebody else has noticed it before."""
        if session is not self._session:
            return
        self._session = None
        self._stop_timer()
        # It is kept alive, so the server was started anew.
        self._server.doubt()
        log.info(
            "Kopano server {server} has ended the session of the service; there will be another",
            server=self._server.name,
        )
        if not self._closed:
            self._logon_flight()

    def _plan(self, seconds: float) -> None:
        """Look after the session later."""
        self._stop_timer()
        if not self._closed:
            self._timer = self._reactor.callLater(seconds, self._look)

    def _look(self) -> None:
        """Begin a session, or see that the one there is does not end."""
        self._timer = None
        session = self._session
        if session is None:
            self._logon_flight()
            return
        left = self._used_at + self._interval - self._reactor.seconds()
        if left > 0:
            self._plan(left)
        else:
            Flight(self._keep_alive(session))

    async def _keep_alive(self, session: SessionId) -> None:
        """Use the session."""
        try:
            await self._client.keep_alive(session)
        except KopanoError as error:
            if error.code == Code.KCERR_END_OF_SESSION:
                self._lose(session)
            else:
                self._delay(session, error)
        except (KopanoFaultError, BackendUnavailableError) as error:
            self._delay(session, error)
        else:
            self._used(session)
            if session is self._session:
                self._plan(self._interval)

    def _delay(self, session: SessionId, error: Exception) -> None:
        """Try again soon: that there was no answer does not mean that the session has ended."""
        log.debug("The session of the service was not refreshed: {error}", error=str(error))
        if session is self._session:
            self._plan(PAUSE)

    def _stop_timer(self) -> None:
        """Plan nothing any more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
