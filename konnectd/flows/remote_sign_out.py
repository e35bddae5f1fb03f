"""Ending a session from another browser of the same person, and having its clients told."""

from attrs import evolve, frozen

from konnectd.flows.backchannel import BackChannel
from konnectd.flows.parting import Parting
from konnectd.flows.sessions import Sessions
from konnectd.flows.whereabouts import Whereabouts
from konnectd.interfaces import ClientRegistry, Entropy
from konnectd.protocol.end_user import Logon

#: Random bytes of what names a sign-out that no page shows.
FAREWELL_BYTES = 24


@frozen(kw_only=True)
class RemoteSignOut:
    """Ends a session from another browser, and has its clients told."""

    whereabouts: Whereabouts
    sessions: Sessions
    clients: ClientRegistry
    backchannel: BackChannel
    parting: Parting
    entropy: Entropy

    async def __call__(self, logon: Logon, session_id: str) -> bool:
        """End a session of a person, if it is one of theirs, and tell whether it was.

        Args:
            logon: who asks; their own session does not end like this.
            session_id: which session.

        Raises:
            BackendUnavailableError: registry or store did not answer; it can be tried again.

        Spec: OIDC Back-Channel Logout 2.3.
        """
        if session_id == logon.session_id:
            return False
        found = False
        for place, session in await self.whereabouts.listed(logon):
            if session.session_id == session_id:
                ended = evolve(logon, session_id=session_id)
                await self._end(ended)
                await self.whereabouts.drop(logon, place)
                # Whoever asks is signed in, unless they sign out at this very moment.
                self.parting.follow(ended, logon)
                found = True
        return found

    async def _end(self, logon: Logon) -> None:
        """End a session, and begin to tell its clients."""
        farewell_id = self.entropy.token(FAREWELL_BYTES)
        for number, party in enumerate(await self.sessions.end(logon)):
            client = await self.clients.get(party.client_id)
            if client is not None and client.backchannel_logout_uri:
                self.backchannel.tell(client, party, farewell_id, number)
