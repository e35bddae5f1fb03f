"""What the store remembers of grants and tokens that were revoked.

An entry for a grant stands for all its tokens. A single access token has an entry of its own, and then the entry of its
grant says that there are such: whoever shows a token costs one look into the store, and a second one only where
something of the same grant has been revoked before.
"""

from attrs import frozen

from konnectd.interfaces import Clock, Store
from konnectd.protocol.claims import Presented
from konnectd.protocol.grant import REVOKED, TOKENS_REVOKED, revoked_key, revoked_token_key
from konnectd.protocol.token import Lifetimes


@frozen(kw_only=True)
class Revocations:
    """Notes what is revoked, and tells."""

    store: Store
    clock: Clock
    lifetimes: Lifetimes

    async def is_revoked(self, presented: Presented) -> bool:
        """Tell whether a token is revoked, alone or with its grant.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        entry = await self.store.get(revoked_key(presented.family))
        if entry is None:
            return False
        return entry != TOKENS_REVOKED or await self.store.get(revoked_token_key(presented.jti)) is not None

    async def revoke_family(self, presented: Presented) -> None:
        """Revoke a grant with everything that came from it.

        Raises:
            BackendUnavailableError: the store did not answer, so nothing is known to be revoked.
        """
        await self.store.put(revoked_key(presented.family), REVOKED, self._longest)

    async def revoke_token(self, presented: Presented) -> None:
        """Revoke one access token, and nothing else.

        Its own entry comes first: without that the mark at the grant would say nothing. A mark never takes the place
        of an entry that says that everything is revoked.

        Raises:
            BackendUnavailableError: the store did not answer, so nothing is known to be revoked.
        """
        life = presented.expires_at - self.clock.now()
        await self.store.put(revoked_token_key(presented.jti), REVOKED, life)
        await self.store.add(revoked_key(presented.family), TOKENS_REVOKED, self._longest)

    @property
    def _longest(self) -> int:
        """How long a token can live that somebody has today."""
        return max(self.lifetimes.refresh_token, self.lifetimes.access_token)
