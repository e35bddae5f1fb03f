"""The token endpoint: who is the client, what is it granted, and the tokens for it."""

from collections.abc import Mapping

from attrs import frozen

from konnectd.interfaces import ClientRegistry, Clock, Entropy, Grant, Signer
from konnectd.protocol import claims
from konnectd.protocol.claims import Approval
from konnectd.protocol.client import Client
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import OFFLINE_ACCESS, OPENID
from konnectd.protocol.token import Credentials, Lifetimes, TokenResponse
from konnectd.protocol.vocabulary import ErrorCode

#: Random bytes of a ``jti``.
TOKEN_ID_BYTES = 24


@frozen(kw_only=True)
class Token:
    """The token endpoint."""

    clients: ClientRegistry
    grants: Mapping[str, Grant]
    signer: Signer
    clock: Clock
    entropy: Entropy
    lifetimes: Lifetimes

    async def __call__(self, authorization: str, parameters: Parameters) -> TokenResponse:
        """Answer a token request.

        Args:
            authorization: the ``Authorization`` header; empty for none.
            parameters: the posted form.

        Raises:
            OAuthError: the request is refused.
            BackendUnavailableError: something behind us did not answer.

        Spec: RFC 6749 3.2, 5.1 and 5.2; OIDC Core 3.1.3.
        """
        credentials = Credentials.parse(authorization, parameters)
        client = credentials.authenticate(await self.clients.get(credentials.client_id))
        grant_type = parameters.get("grant_type")
        if grant_type is None:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "grant_type is missing")
        grant = self.grants.get(grant_type)
        if grant is None:
            raise OAuthError(ErrorCode.UNSUPPORTED_GRANT_TYPE, "grant_type is not supported")
        return await self._issue(client, await grant.approve(client, parameters))

    async def _issue(self, client: Client, approval: Approval) -> TokenResponse:
        """Make the tokens."""
        now = self.clock.now()
        algorithm = self._algorithm(client)
        access = await self.signer.sign(
            claims.access_token(approval, self.entropy.token(TOKEN_ID_BYTES), now, self.lifetimes), algorithm
        )
        identity = ""
        if OPENID in approval.scope:
            identity = await self.signer.sign(
                claims.id_token(approval, access, algorithm, now, self.lifetimes), algorithm
            )
        refresh = approval.refresh_token
        if not refresh and OFFLINE_ACCESS in approval.scope:
            refresh = await self.signer.sign(
                claims.refresh_token(approval, self.entropy.token(TOKEN_ID_BYTES), now, self.lifetimes)
            )
        return TokenResponse(
            access_token=access,
            id_token=identity,
            refresh_token=refresh,
            expires_in=self.lifetimes.access_token,
            scope=approval.scope,
        )

    def _algorithm(self, client: Client) -> str:
        """Return the algorithm a client's tokens are signed by. Spec: OIDC Registration 2."""
        wanted = client.id_token_signed_response_alg
        return wanted if wanted in self.signer.algorithms else self.signer.algorithms[0]
