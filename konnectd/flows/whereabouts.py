"""Where a person is signed in: noted at sign-in, shown to them, and ended from another browser.

A logon is a sealed value in a browser, which nobody can take away from it. So that a session is over is a fact in the
store, which is asked for where the logon is used to answer a client.
"""

from attrs import evolve, field, frozen

from konnectd.flows.backchannel import BackChannel
from konnectd.flows.ring import Place, Ring
from konnectd.flows.sessions import Sessions
from konnectd.interfaces import ClientRegistry, Entropy, Store
from konnectd.protocol.account import VERSION, ListedSession, person_of
from konnectd.protocol.end_user import Logon
from konnectd.protocol.logons import Stay
from konnectd.protocol.session import earlier_session_key, ended_session_key

#: How many sessions of a person are listed at most. An older one goes on, but is not shown any more: an account that
#: many people share must not sign one of them out for each who comes.
MOST_SESSIONS = 32
#: Random bytes of what names a sign-out that no page shows.
FAREWELL_BYTES = 24


@frozen(kw_only=True)
class Whereabouts:
    """Notes and lists sessions.

    Attributes:
        stay: how long they may go on.
    """

    store: Store
    stay: Stay = field(factory=Stay)

    async def note(self, logon: Logon, browser: str = "", system: str = "") -> None:
        """Note that somebody has signed in.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        session = ListedSession(
            session_id=logon.session_id,
            started_at=logon.auth_time,
            browser=browser,
            system=system,
            kept=self.stay.keeps(logon),
        )
        await self._ring(self.stay.life(logon)).keep(person_of(logon.sub), session.to_text(), _let_go)

    async def all(self, logon: Logon) -> tuple[ListedSession, ...]:
        """Return the sessions of a person: the one that asks first, then the latest.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        found = {session.session_id: session for _, session in await self.listed(logon)}
        # Who signs in again takes the place of their earlier session in the same browser.
        replaced = {await self.store.get(earlier_session_key(session_id)) for session_id in found}
        mine = found.pop(logon.session_id, None)
        # A session from before there was a list is not on it.
        own = mine or ListedSession(
            session_id=logon.session_id, started_at=logon.auth_time, kept=self.stay.keeps(logon)
        )
        others = [session for key, session in found.items() if key not in replaced and not await self._is_over(key)]
        return (own, *sorted(others, key=lambda session: -session.started_at))

    async def listed(self, logon: Logon) -> tuple[tuple[Place, ListedSession], ...]:
        """Return a person's list as it is.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        places = await self._ring(self.stay.longest).places(person_of(logon.sub))
        found = [(place, ListedSession.from_text(place.value)) for place in places]
        return tuple((place, session) for place, session in found if session is not None)

    async def drop(self, logon: Logon, place: Place) -> None:
        """Take a session off a person's list.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        await self._ring(self.stay.longest).remove(person_of(logon.sub), place, _let_go)

    def _ring(self, ttl: int) -> Ring:
        """Return the list of sessions of each person; what is added to it stays for some seconds."""
        return Ring(store=self.store, kind=f"sessions:{VERSION}", size=MOST_SESSIONS, ttl=ttl)

    async def _is_over(self, session_id: str) -> bool:
        """Tell whether a session was ended."""
        return await self.store.get(ended_session_key(session_id)) is not None


@frozen(kw_only=True)
class RemoteSignOut:
    """Ends a session from another browser, and has its clients told."""

    whereabouts: Whereabouts
    sessions: Sessions
    clients: ClientRegistry
    backchannel: BackChannel
    entropy: Entropy

    async def __call__(self, logon: Logon, session_id: str) -> None:
        """End a session of a person, if it is one of theirs.

        Args:
            logon: who asks; their own session does not end like this.
            session_id: which session.

        Raises:
            BackendUnavailableError: registry or store did not answer; it can be tried again.

        Spec: OIDC Back-Channel Logout 2.3.
        """
        if session_id == logon.session_id:
            return
        for place, session in await self.whereabouts.listed(logon):
            if session.session_id == session_id:
                await self._end(evolve(logon, session_id=session_id))
                await self.whereabouts.drop(logon, place)

    async def _end(self, logon: Logon) -> None:
        """End a session, and begin to tell its clients."""
        farewell_id = self.entropy.token(FAREWELL_BYTES)
        for number, party in enumerate(await self.sessions.end(logon)):
            client = await self.clients.get(party.client_id)
            if client is not None and client.backchannel_logout_uri:
                self.backchannel.tell(client, party, farewell_id, number)


async def _let_go(slot: int, text: str) -> None:
    """Do nothing: a session that leaves the list goes on."""
