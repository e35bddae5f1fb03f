"""Vouching for somebody who is signed in here, towards a backend that keeps a session of its own for them."""

from attrs import frozen

from konnectd.interfaces import Clock, Entropy, Signer
from konnectd.protocol.vouching import vouching_token

#: Random bytes of a ``jti``.
TOKEN_ID_BYTES = 24


@frozen(kw_only=True)
class Vouching:
    """Makes vouching tokens. It is a `konnectd.interfaces.Vouch`."""

    issuer: str
    signer: Signer
    clock: Clock
    entropy: Entropy

    async def __call__(self, user_id: str) -> str:
        """Return a token for the person whom a backend finds by an id; who they are is the backend's word."""
        jti = self.entropy.token(TOKEN_ID_BYTES)
        return await self.signer.sign(vouching_token(user_id, self.issuer, jti, self.clock.now()))
