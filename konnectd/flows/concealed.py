"""Tokens of clients with pairwise subjects: who they are about is for nobody to read but us.

Tokens are signed, not encrypted, so a client can read in them what the backend is asked with when they come back, and
that is the same for all clients. `Concealing` seals it on the way out, `Revealing` opens it on the way in, and nobody
in between has to know.
"""

from collections.abc import Awaitable, Mapping

from attrs import frozen

from konnectd.interfaces import Clock, Sealer, Signer, Verifier
from konnectd.protocol.claims import ACCOUNT, IDENTITY

#: Purpose under which identities are sealed.
PURPOSE = "identity"
#: The one member of an identity that is sealed.
SEALED = "kc.sealed"


@frozen
class Concealing:
    """A `konnectd.interfaces.Signer` that seals identities which say an account of their own."""

    signer: Signer
    sealer: Sealer

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The ``alg`` values there is a key for, the default one first."""
        return self.signer.algorithms

    def sign(self, claims: Mapping[str, object], algorithm: str | None = None, typ: str = "JWT") -> Awaitable[str]:
        """Return a compact JWS."""
        identity, expires_at = claims.get(IDENTITY), claims.get("exp")
        if isinstance(identity, dict) and ACCOUNT in identity and isinstance(expires_at, int):
            claims = {**claims, IDENTITY: {SEALED: self.sealer.seal(PURPOSE, identity, expires_at)}}
        return self.signer.sign(claims, algorithm, typ)


@frozen
class Revealing:
    """A `konnectd.interfaces.Verifier` that opens what `Concealing` has sealed."""

    verifier: Verifier
    sealer: Sealer
    clock: Clock

    def verify(self, token: str) -> Mapping[str, object] | None:
        """Return the claims when one of our keys signed them; what can not be opened stays as it is."""
        claims = self.verifier.verify(token)
        if claims is None:
            return None
        identity = claims.get(IDENTITY)
        if not isinstance(identity, dict) or SEALED not in identity:
            return claims
        opened = self.sealer.open(PURPOSE, str(identity[SEALED]), self.clock.now())
        return claims if opened is None else {**claims, IDENTITY: opened}
