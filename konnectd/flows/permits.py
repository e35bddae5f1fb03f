"""What people have allowed to clients: remembered, listed, and taken back.

Three kinds of entries: what somebody answered a client, which the authorization endpoint reads; the grants with refresh
tokens a client has from them; and a list of the clients that have either. The first is all that a request may cost.
"""

from attrs import frozen

from konnectd.flows.ring import Place, Ring
from konnectd.interfaces import Clock, Entropy, Store
from konnectd.protocol.account import (
    VERSION,
    ListedClient,
    ListedGrant,
    Permit,
    Remembered,
    listed_key,
    pair_of,
    person_of,
    remembered_key,
)
from konnectd.protocol.claims import Approval
from konnectd.protocol.end_user import public_subject
from konnectd.protocol.grant import REVOKED, revoked_key
from konnectd.protocol.scope import Scope
from konnectd.protocol.session import ended_session_key
from konnectd.protocol.withdrawal import WITHDRAWAL_BYTES, WITHDRAWAL_TTL, withdrawal_key

#: How many clients a person has at most; the one that was there first is forgotten, and asks again.
MOST_CLIENTS = 64
#: How many grants with refresh tokens of one client are listed for a person; older ones go on, and end with the rest.
MOST_GRANTS = 24


@frozen(kw_only=True)
class Permits:
    """Remembers, lists and takes back.

    Attributes:
        consent_life: how long an answer is remembered, in seconds.
        token_life: how long a refresh token lives, in seconds.
    """

    store: Store
    clock: Clock
    entropy: Entropy
    consent_life: int
    token_life: int

    async def recall(self, sub: str, client_id: str) -> Remembered | None:
        """Return what a person has answered a client.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        return Remembered.from_text(await self.store.get(remembered_key(sub, client_id)))

    async def remember(self, sub: str, client_id: str, asked: Scope, granted: Scope) -> None:
        """Keep what a person has just answered a client.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        answer = Remembered(asked=asked, granted=granted, since=self.clock.now())
        earlier = await self.recall(sub, client_id)
        if earlier is not None:
            answer = earlier.followed_by(answer)
        await self.store.put(remembered_key(sub, client_id), answer.to_text(), self.consent_life)
        await self._list(sub, client_id)

    async def note(self, approval: Approval) -> None:
        """Note a grant that is about to get its first refresh token, so that the person can see and revoke it.

        Raises:
            BackendUnavailableError: the store did not answer; then there must be no token either.
        """
        sub, client_id = public_subject(approval.user.subject, approval.provider), approval.client_id
        grant = ListedGrant(
            grant_id=approval.grant_id,
            scope=approval.scope,
            since=self.clock.now(),
            session_id=approval.session_id,
        )
        await self._grants.keep(pair_of(sub, client_id), grant.to_text(), _let_go)
        # Afterwards: whoever revokes in between finds the grant, or what is noted now stays listed.
        await self._list(sub, client_id)

    async def all(self, sub: str) -> tuple[Permit, ...]:
        """Return everything a person has allowed, by client, the latest first.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        listed = await self._listed(sub)
        since = {client.client_id: client.since for _, client in listed}
        found = [await self._permit(sub, client_id, began) for client_id, began in since.items()]
        permits = [permit for permit in found if permit is not None]
        return tuple(sorted(permits, key=lambda permit: (-permit.since, permit.client_id)))

    async def forget(self, sub: str, client_id: str) -> None:
        """Take back everything a person has allowed a client: it is asked about again, its codes and tokens are dead.

        Raises:
            BackendUnavailableError: the store did not answer; it can be tried again.
        """
        await self.store.take(remembered_key(sub, client_id))
        # After that: whoever has still read the answer has read an older mark before it.
        mark, life = self.entropy.token(WITHDRAWAL_BYTES), max(WITHDRAWAL_TTL, self.token_life)
        await self.store.put(withdrawal_key(sub, client_id), mark, life)
        await self._revoke_all(sub, client_id)
        await self._grants.begin_anew(pair_of(sub, client_id))
        for place, client in await self._listed(sub):
            if client.client_id == client_id:
                await self._clients.remove(person_of(sub), place, self._pusher(sub))
        # Last: nobody may think that a client is on the list when it is not.
        await self.store.take(listed_key(sub, client_id))
        # Again: a grant that was noted before the entry was gone counted on that entry.
        await self._revoke_all(sub, client_id)

    @property
    def _clients(self) -> Ring:
        """The list of clients of each person; its entries outlive whatever they stand for."""
        return Ring(store=self.store, kind=f"clients:{VERSION}", size=MOST_CLIENTS, ttl=2 * self._longest)

    @property
    def _grants(self) -> Ring:
        """The list of grants of each person at each client."""
        return Ring(store=self.store, kind=f"grants:{VERSION}", size=MOST_GRANTS, ttl=self.token_life)

    @property
    def _longest(self) -> int:
        """The longest life of anything that is listed, in seconds."""
        return max(self.consent_life, self.token_life)

    async def _list(self, sub: str, client_id: str) -> None:
        """Make sure that a client is on a person's list for as long as what was just made lives."""
        key, now = listed_key(sub, client_id), self.clock.now()
        known = ListedClient.from_text(await self.store.get(key))
        if known is not None and known.until >= now + self._longest:
            return
        since = known.since if known is not None else now
        entry = ListedClient(client_id=client_id, since=since, until=now + 2 * self._longest)
        person, push_out, kept = person_of(sub), self._pusher(sub, client_id), False
        while not kept:
            slot = await self._clients.keep(person, entry.to_text(), push_out)
            await self.store.put(key, entry.at(slot).to_text(), 2 * self._longest)
            # It may have been taken back, or pushed out, between the two.
            kept = await self._clients.holds(person, Place(slot, entry.to_text()))
        if known is not None:
            await self._clients.remove(person, Place(known.slot, known.at(0).to_text()), push_out)

    async def _listed(self, sub: str) -> tuple[tuple[Place, ListedClient], ...]:
        """Return a person's list; a client may be there twice when two of its requests met."""
        places = await self._clients.places(person_of(sub))
        found = [(place, ListedClient.from_text(place.value)) for place in places]
        return tuple((place, client) for place, client in found if client is not None)

    async def _permit(self, sub: str, client_id: str, began: int) -> Permit | None:
        """Return what a client may do; None when all of it has run out."""
        remembered = await self.recall(sub, client_id)
        places = await self._grants.places(pair_of(sub, client_id))
        listed = [grant for place in places if (grant := ListedGrant.from_text(place.value)) is not None]
        grants = [grant for grant in listed if not await self._is_over(grant)]
        if remembered is None and not grants:
            if not await self._grants.overflowed(pair_of(sub, client_id)):
                return None
            # Older ones have left the list, and may live longer than those that are on it.
            grants = listed
        tokens = [token for grant in grants for token in grant.scope]
        scope = Scope.of((*(remembered.granted if remembered is not None else ()), *tokens))
        return Permit(client_id=client_id, since=began, scope=scope)

    async def _is_over(self, grant: ListedGrant) -> bool:
        """Tell whether a grant was revoked, or ended with its session; either may have happened elsewhere."""
        if await self.store.get(revoked_key(grant.grant_id)) == REVOKED:
            return True
        return await self.store.get(ended_session_key(grant.session_id)) is not None

    async def _revoke_all(self, sub: str, client_id: str) -> None:
        """Revoke every grant a client has of a person."""
        owner = pair_of(sub, client_id)
        for place in await self._grants.places(owner):
            await self._revoke(place.value)
            await self._grants.remove(owner, place, _let_go)

    async def _revoke(self, text: str) -> None:
        """Revoke one grant."""
        grant = ListedGrant.from_text(text)
        if grant is not None:
            await self.store.put(revoked_key(grant.grant_id), REVOKED, self.token_life)

    def _pusher(self, sub: str, coming: str = "") -> "_Forgetter":
        """Return what happens to a client that has to leave a person's list, when another one comes or none does."""
        return _Forgetter(self, sub, coming)


async def _let_go(slot: int, text: str) -> None:
    """Let a grant leave the list: its tokens are good until somebody takes back what the client may do."""


@frozen
class _Forgetter:
    """Takes everything back that a client has which is about to leave the list, for nobody could see it there."""

    permits: Permits
    sub: str
    coming: str

    async def __call__(self, slot: int, text: str) -> None:  # noqa: ARG002 - a PushOut gets the place as well
        """Take it back, unless the entry is an old one and the client has another, or is just getting one."""
        entry = ListedClient.from_text(text)
        if entry is None or entry.client_id == self.coming:
            return
        known = ListedClient.from_text(await self.permits.store.get(listed_key(self.sub, entry.client_id)))
        if known is None or known.at(0) == entry:
            await self.permits.forget(self.sub, entry.client_id)
