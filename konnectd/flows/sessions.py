"""Who takes part in a session: which clients are in it and are told when it is over, and what it looks like to them.

A session costs nothing here until a client takes part that wants to be told.
"""

from attrs import field, frozen

from konnectd.flows.browser import BROWSER_STATE
from konnectd.flows.sign_in import MOST_OPENED
from konnectd.interfaces import Entropy, Sealer, Store
from konnectd.protocol.authorize import Pairs, ReturnAddress
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import Logon
from konnectd.protocol.logons import Stay
from konnectd.protocol.scope import RAW_SUBJECT, Scope
from konnectd.protocol.session import (
    MOST_EARLIER,
    MOST_PARTIES,
    SALT_BYTES,
    Earlier,
    Party,
    earlier_session_key,
    ended_session_key,
    known_party_key,
    party_count_key,
    party_key,
    salt_for,
    session_state,
    wants_notice,
    web_origin,
)


@frozen(kw_only=True)
class Sessions:
    """Keeps the clients of sessions, and shows clients what their session looks like.

    Attributes:
        memory: how long it has to be known that a session was ended, in seconds: as long as anything of it may live.
        stay: how long sessions may go on.
    """

    store: Store
    sealer: Sealer
    entropy: Entropy
    memory: int
    stay: Stay = field(factory=Stay)
    _states: dict[str, str] = field(factory=dict, init=False, repr=False, eq=False)

    def browser_state(self, logon: Logon | None) -> str:
        """Return the word a browser keeps for a session; empty for nobody. It can not be told from the ``sid``."""
        if logon is None:
            return ""
        state = self._states.get(logon.session_id)
        if state is None:
            if len(self._states) >= MOST_OPENED:
                self._states.clear()
            state = self._states[logon.session_id] = self.sealer.tag(BROWSER_STATE, logon.session_id)
        return state

    def visible(self, address: ReturnAddress, logon: Logon | None) -> Pairs:
        """Return what an answer says about the session; nothing for applications that have no origin.

        Spec: OIDC Session Management 2.
        """
        origin = web_origin(address.redirect_uri)
        if not origin:
            return ()
        client_id = address.client.client_id
        salt = salt_for(client_id, origin, self.entropy.token(SALT_BYTES))
        return (("session_state", session_state(client_id, origin, self.browser_state(logon), salt)),)

    async def begin(self, logon: Logon, earlier: Logon | None) -> None:
        """Note which session was in the browser before: whoever signs out leaves that one, too.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        if earlier is not None:
            text = Earlier.of(earlier, logon).to_text()
            await self.store.put(earlier_session_key(logon.session_id), text, self.stay.life(logon))

    async def join(self, client: Client, logon: Logon, scope: Scope) -> None:
        """Note that a client takes part in a session, when it wants to be told about its end.

        What says that a client is on the list is written last: whatever fails, a client that got an answer is on it.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        if not wants_notice(client):
            return
        known = known_party_key(logon.session_id, client.client_id)
        if await self.store.get(known) is not None:
            return
        sid = client.sid_of(logon.session_id)
        party = Party(client_id=client.client_id, sub=_sub(client, logon, scope), session_id=sid)
        life = self.stay.life(logon)
        number = await self.store.increment(party_count_key(logon.session_id), life)
        await self.store.put(party_key(logon.session_id, number), party.to_text(), life)
        await self.store.put(known, "1", life)

    async def end(self, logon: Logon) -> tuple[Party, ...]:
        """End a session and those that were in the browser before it; return who took part.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        found: dict[Party, None] = {}
        ended: set[str] = set()
        session_id: str | None = logon.session_id
        while session_id is not None and session_id not in ended and len(ended) < MOST_EARLIER:
            await self.store.put(ended_session_key(session_id), "1", self.memory)
            found.update(dict.fromkeys(await self._parties(session_id)))
            ended.add(session_id)
            earlier = await self._earlier(session_id)
            session_id = earlier.session_id if earlier is not None else None
        return tuple(found)

    async def people_before(self, logon: Logon) -> tuple[Logon, ...]:
        """Return who else was in the browser before a session, whose sessions end with it.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        found: list[Logon] = []
        earlier = await self._earlier(logon.session_id)
        for _ in range(MOST_EARLIER):
            if earlier is None:
                break
            if earlier.logon is not None:
                found.append(earlier.logon)
            earlier = await self._earlier(earlier.session_id)
        return tuple(found)

    async def _earlier(self, session_id: str) -> Earlier | None:
        """Return what was in the browser before a session began there; None for nothing."""
        text = await self.store.get(earlier_session_key(session_id))
        return Earlier.from_text(text) if text is not None else None

    async def _parties(self, session_id: str) -> tuple[Party, ...]:
        """Return who takes part in a session.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        count = int(await self.store.get(party_count_key(session_id)) or "0")
        texts = [
            await self.store.get(party_key(session_id, number)) for number in range(1, min(count, MOST_PARTIES) + 1)
        ]
        parties = (Party.from_text(text) for text in texts if text is not None)
        return tuple(party for party in parties if party is not None)


def _sub(client: Client, logon: Logon, scope: Scope) -> str:
    """Return who a client knows a person as."""
    if client.pairwise is None and RAW_SUBJECT in scope:
        return logon.subject
    return client.sub_of(logon.subject, logon.provider)
