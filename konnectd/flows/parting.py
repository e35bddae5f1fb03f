"""Telling a backend with sessions of its own that a person is signed in nowhere any more.

Nobody waits for it, and nothing depends on it: a session that the backend is not told to end ends there by itself.
"""

from collections.abc import Sequence

from attrs import frozen

from konnectd.flows.sessions import Sessions
from konnectd.flows.whereabouts import Whereabouts
from konnectd.interfaces import Backend, BackendUnavailableError, Background, SessionBackend
from konnectd.protocol.end_user import Logon


@frozen(kw_only=True)
class Parting:
    """Has the backend end what it keeps for people, once they have signed out everywhere."""

    backend: Backend
    whereabouts: Whereabouts
    sessions: Sessions
    background: Background

    def follow(self, *logons: Logon) -> None:
        """Look after people who have just signed out of something, and return at once.

        Args:
            logons: what they signed out of, and what they did it with if that is another one.
        """
        backend = self.backend
        if not logons or not isinstance(backend, SessionBackend):
            return

        async def work() -> None:
            for logon in await self._gone(logons):
                await backend.leave(logon.user_id)

        self.background.after(0, work)

    async def _gone(self, logons: Sequence[Logon]) -> tuple[Logon, ...]:
        """Return one logon of each person who does not go on in any browser; nobody when nobody knows."""
        try:
            # Whoever was in the same browser before has left with them, without having said so.
            before = [other for logon in logons for other in await self.sessions.people_before(logon)]
            known = {logon.sub: logon for logon in (*before, *logons)}
            here = {logon.sub for logon in (*before, *logons) if await self.whereabouts.has_any(logon)}
        except BackendUnavailableError:
            # Whoever goes on would lose more than is gained by ending what nobody uses.
            return ()
        return tuple(logon for sub, logon in known.items() if sub not in here)
