"""Where a person is signed in: noted at sign-in, and shown to them.

A logon is a sealed value in a browser, which nobody can take away from it. So that a session is over is a fact in the
store, which is asked for where the logon is used to answer a client.
"""

from collections.abc import Mapping

from attrs import field, frozen

from konnectd.flows.ring import Place, Ring
from konnectd.interfaces import Store
from konnectd.protocol.account import VERSION, ListedSession, person_of
from konnectd.protocol.end_user import Logon
from konnectd.protocol.logons import Stay
from konnectd.protocol.session import earlier_session_key, ended_session_key

#: How many sessions of a person are listed at most. An older one goes on, but is not shown any more: an account that
#: many people share must not sign one of them out for each who comes.
MOST_SESSIONS = 32


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
        # A session from before there was a list is not on it.
        own = found.get(logon.session_id) or ListedSession(
            session_id=logon.session_id, started_at=logon.auth_time, kept=self.stay.keeps(logon)
        )
        others = [session for session in await self._going_on(found) if session.session_id != logon.session_id]
        return (own, *sorted(others, key=lambda session: -session.started_at))

    async def has_any(self, logon: Logon) -> bool:
        """Tell whether a person is signed in anywhere, be it with a logon of theirs or in another browser.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        if not await self._is_over(logon.session_id):
            return True
        return bool(await self._going_on({session.session_id: session for _, session in await self.listed(logon)}))

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

    async def _going_on(self, found: Mapping[str, ListedSession]) -> tuple[ListedSession, ...]:
        """Return those of a person's sessions that were neither ended nor replaced."""
        # Who signs in again takes the place of their earlier session in the same browser.
        replaced = {await self.store.get(earlier_session_key(session_id)) for session_id in found}
        return tuple(
            [session for key, session in found.items() if key not in replaced and not await self._is_over(key)]
        )

    def _ring(self, ttl: int) -> Ring:
        """Return the list of sessions of each person; what is added to it stays for some seconds."""
        return Ring(store=self.store, kind=f"sessions:{VERSION}", size=MOST_SESSIONS, ttl=ttl)

    async def _is_over(self, session_id: str) -> bool:
        """Tell whether a session was ended."""
        return await self.store.get(ended_session_key(session_id)) is not None


async def _let_go(slot: int, text: str) -> None:
    """Do nothing: a session that leaves the list goes on."""
