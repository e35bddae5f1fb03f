"""Tokens for an approval: the same at every endpoint that gives some out."""

from attrs import frozen

from konnectd.interfaces import Clock, Encrypter, Entropy, Signer
from konnectd.protocol import claims, client_grant
from konnectd.protocol.claims import Approval
from konnectd.protocol.client import Client
from konnectd.protocol.client_grant import ClientApproval
from konnectd.protocol.id_token import id_token
from konnectd.protocol.token import Lifetimes
from konnectd.protocol.vocabulary import AccessTokenFormat
from konnectd.protocol.wrapping import Wrapping

#: Random bytes of a ``jti``.
TOKEN_ID_BYTES = 24
#: The ``typ`` of access tokens that say all that RFC 9068 asks for.
PROFILE_TYPE = "at+jwt"


@frozen(kw_only=True)
class Mint:
    """Makes tokens."""

    signer: Signer
    encrypter: Encrypter
    clock: Clock
    entropy: Entropy
    lifetimes: Lifetimes

    async def access_token(self, approval: Approval, client: Client) -> str:
        """Make an access token."""
        jti = self.entropy.token(TOKEN_ID_BYTES)
        profile = client.access_token_format is AccessTokenFormat.PROFILE
        content = claims.access_token(approval, jti, self.clock.now(), self.lifetimes, profile=profile)
        return await self.signer.sign(content, self._algorithm(client), PROFILE_TYPE if profile else "JWT")

    async def client_token(self, approval: ClientApproval, client: Client) -> str:
        """Make an access token with no person behind it. Spec: RFC 9068 2."""
        jti = self.entropy.token(TOKEN_ID_BYTES)
        content = client_grant.access_token(approval, jti, self.clock.now(), self.lifetimes)
        return await self.signer.sign(content, self._algorithm(client), PROFILE_TYPE)

    async def id_token(self, approval: Approval, client: Client, *, access: str = "", code: str = "") -> str:
        """Make an ID token: signed, and then encrypted for a client that is registered so.

        Args:
            approval: who signed in, and what the client may see of them.
            client: who it is for.
            access: the access token that goes with it; empty for none.
            code: the code that goes with it; empty for none.

        Raises:
            BackendUnavailableError: the client's keys are not to be had.

        Spec: OIDC Core 2 and 10.2 (signed, then encrypted).
        """
        algorithm = self._algorithm(client)
        content = id_token(
            approval,
            self.clock.now(),
            self.lifetimes,
            algorithm=algorithm,
            access=access,
            code=code,
            full=client.scope_claims_in_id_token,
        )
        signed = await self.signer.sign(content, algorithm)
        if not client.id_token_encrypted_response_alg:
            return signed
        wrapping = Wrapping(
            alg=client.id_token_encrypted_response_alg, enc=client.id_token_encrypted_response_enc, nested=True
        )
        return await self.encrypter.encrypt(client, signed, wrapping)

    async def refresh_token(self, approval: Approval) -> str:
        """Make a refresh token."""
        jti = self.entropy.token(TOKEN_ID_BYTES)
        return await self.signer.sign(claims.refresh_token(approval, jti, self.clock.now(), self.lifetimes))

    def _algorithm(self, client: Client) -> str:
        """Return the algorithm a client's tokens are signed by. Spec: OIDC Registration 2."""
        wanted = client.id_token_signed_response_alg
        return wanted if wanted in self.signer.algorithms else self.signer.algorithms[0]
