"""The token endpoint: who is the client, what is it granted, and the tokens for it."""

from collections.abc import Mapping
from typing import assert_never

from attrs import frozen

from konnectd.flows.client_authentication import ClientAuthentication
from konnectd.flows.mint import Mint
from konnectd.flows.permits import Permits
from konnectd.interfaces import Grant
from konnectd.protocol.claims import Approval
from konnectd.protocol.client import Client
from konnectd.protocol.client_grant import ClientApproval
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import OFFLINE_ACCESS, OPENID
from konnectd.protocol.token import TokenResponse
from konnectd.protocol.vocabulary import ErrorCode


@frozen(kw_only=True)
class Token:
    """The token endpoint."""

    authenticate: ClientAuthentication
    grants: Mapping[str, Grant]
    mint: Mint
    permits: Permits

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
        client = await self.authenticate(authorization, parameters)
        grant_type = parameters.get("grant_type")
        if grant_type is None:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "grant_type is missing")
        grant = self.grants.get(grant_type)
        if grant is None:
            raise OAuthError(ErrorCode.UNSUPPORTED_GRANT_TYPE, "grant_type is not supported")
        approval = await grant.approve(client, parameters)
        match approval:
            case Approval():
                return await self._issue(client, approval)
            case ClientApproval(scope=scope):
                token, life = await self.mint.client_token(approval, client), self.mint.lifetimes.access_token
                return TokenResponse(access_token=token, expires_in=life, scope=scope, client_id=client.client_id)
            case _:
                assert_never(approval)

    async def _issue(self, client: Client, approval: Approval) -> TokenResponse:
        """Make the tokens."""
        mint = self.mint
        access = await mint.access_token(approval, client)
        identity = await mint.id_token(approval, client, access=access) if OPENID in approval.scope else ""
        refresh = approval.refresh_token
        if not refresh and OFFLINE_ACCESS in approval.scope:
            await self.permits.note(approval)
            refresh = await mint.refresh_token(approval)
        return TokenResponse(
            access_token=access,
            id_token=identity,
            refresh_token=refresh,
            expires_in=mint.lifetimes.access_token,
            scope=approval.scope,
            client_id=client.client_id,
        )
