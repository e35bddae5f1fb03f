"""The sessions that this process has with the server for people who are signed in here: at most one for each.

They are in memory and nowhere else: over a unix socket the server binds a session to the process that began it, and
over a network to its address, so nobody else could use them. Nothing keeps them alive; one that is used lives on, and
one that has ended is begun anew with a token, once for all who need it at that moment.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from attrs import define
from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from konnectd.backends._kopano_answers import SessionId
from konnectd.backends._kopano_client import PeopleClient
from konnectd.backends._kopano_dial import Reactor
from konnectd.backends._kopano_errors import KopanoError, KopanoFaultError
from konnectd.backends._kopano_flight import Flight
from konnectd.interfaces import BackendUnavailableError

#: Most sessions that are kept; of more, those that were not used for the longest time are ended.
MOST_SESSIONS = 10_000
#: How long ending all sessions may take, in seconds.
GOODBYE = 5.0

log = Logger()


@define
class _Kept:
    """A session, and when the server has seen it last."""

    session: SessionId
    used_at: float


class Sessions:
    """Keeps sessions by the subject of whom they are for."""

    def __init__(self, reactor: Reactor, client: PeopleClient, usable_for: float, most: int = MOST_SESSIONS) -> None:
        """Have none.

        Args:
            reactor: for time.
            client: ends them.
            usable_for: how long after its use a session is expected to last, in seconds.
            most: how many are kept.
        """
        self._reactor = reactor
        self._client = client
        self._most = most
        self._usable_for = usable_for
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._flights: dict[str, Flight[SessionId]] = {}
        self._ending: set[Deferred[None]] = set()
        self._closed = False

    def find(self, subject: str) -> SessionId | None:
        """Return the session of somebody."""
        kept = self._kept.get(subject)
        if kept is None:
            return None
        self._kept.move_to_end(subject)
        return kept.session

    def keep(self, subject: str, session: SessionId) -> None:
        """Keep a session; one that is replaced by it ends, and so do those that are too many."""
        if self._closed:
            self.end(session)
            return
        self.leave(subject)
        self._kept[subject] = _Kept(session, self._reactor.seconds())
        while len(self._kept) > self._most:
            self.end(self._kept.popitem(last=False)[1].session)

    def used(self, subject: str, session: SessionId) -> None:
        """Note that the server has just seen a session."""
        kept = self._kept.get(subject)
        if kept is not None and kept.session is session:
            kept.used_at = self._reactor.seconds()

    def forget(self, subject: str, session: SessionId) -> bool:
        """Forget a session that the server has ended, unless there is another one by now.

        Returns:
            Whether it has ended before its time, as when the server was started anew.
        """
        kept = self._kept.get(subject)
        if kept is None or kept.session is not session:
            return False
        del self._kept[subject]
        ended_after: float = self._reactor.seconds() - kept.used_at
        return ended_after < self._usable_for

    async def renew(self, subject: str, begin: Callable[[], Awaitable[SessionId]]) -> SessionId:
        """Return a new session of somebody; all who ask for one meanwhile get the same.

        Args:
            subject: whose.
            begin: begins it.

        Raises:
            Exception: what ``begin`` raises.
        """
        flight = self._flights.get(subject)
        if flight is None:
            flight = Flight(self._renew(subject, begin))
            if not flight.landed:
                self._flights[subject] = flight
        return await flight.wait()

    def leave(self, subject: str) -> None:
        """End the session of somebody, if there is one, while nobody waits for it."""
        kept = self._kept.pop(subject, None)
        if kept is not None:
            self.end(kept.session)

    def end(self, session: SessionId) -> None:
        """End a session while nobody waits for it."""
        ending = Deferred.fromCoroutine(self._logoff(session))
        if not ending.called:
            self._ending.add(ending)
            ending.addBoth(lambda _: self._ending.discard(ending))

    async def close(self) -> None:
        """End all sessions, within some seconds. It never fails."""
        self._closed = True
        for flight in tuple(self._flights.values()):
            flight.cancel()
        while self._kept:
            self.end(self._kept.popitem()[1].session)
        if not self._ending:
            return
        all_ended = DeferredList([_follow(ending) for ending in self._ending], consumeErrors=True)
        left_over: list[object] = []
        all_ended.addTimeout(GOODBYE, self._reactor, lambda *_: left_over.extend(self._ending))
        await all_ended
        if left_over:
            log.info("{count} sessions were left to the Kopano server to end", count=len(left_over))

    async def _renew(self, subject: str, begin: Callable[[], Awaitable[SessionId]]) -> SessionId:
        """Begin a session, and keep it unless somebody has signed in meanwhile."""
        try:
            session = await begin()
        finally:
            self._flights.pop(subject, None)
        newer = self.find(subject)
        if newer is not None:
            self.end(session)
            return newer
        self.keep(subject, session)
        return session

    async def _logoff(self, session: SessionId) -> None:
        """End a session; one that has ended already is as good, and all others end by themselves."""
        try:
            await self._client.logoff(session)
        except (KopanoError, KopanoFaultError, BackendUnavailableError) as error:
            log.debug("A session was not ended: {error}", error=str(error))
        else:
            log.debug("A session was ended")


def _follow(ending: "Deferred[None]") -> "Deferred[None]":
    """Return something that ends when a session has, and can be given up without it."""
    following: Deferred[None] = Deferred()
    ending.addBoth(lambda _: None if following.called else following.callback(None))
    return following
