"""A refresh token for a fresh access token. Spec: RFC 6749 6; OIDC Core 12."""

from attrs import frozen

from konnectd.interfaces import GrantTools
from konnectd.protocol.claims import Approval, check_refresh_token
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import public_subject
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import revoked_key
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.token import narrow_scope
from konnectd.protocol.vocabulary import ErrorCode


def build(tools: GrantTools) -> "RefreshTokenGrant":
    """Make the grant type."""
    return RefreshTokenGrant(tools)


@frozen
class RefreshTokenGrant:
    """Renews access as long as the person is there and nobody has revoked it."""

    tools: GrantTools
    grant_type: str = "refresh_token"

    async def approve(self, client: Client, parameters: Parameters) -> Approval:
        """Check a refresh token and the person behind it.

        Raises:
            OAuthError: ``invalid_request`` without a token, ``invalid_scope`` for more than was granted, else
                ``invalid_grant``.
            BackendUnavailableError: store or backend did not answer.
        """
        token = parameters.get("refresh_token")
        if token is None:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "refresh_token is missing")
        tools = self.tools
        claims = tools.verifier.verify(token)
        presented = check_refresh_token(claims, tools.issuer, client.client_id, tools.clock.now())
        if presented.grant_id and await tools.store.get(revoked_key(presented.grant_id)) is not None:
            raise OAuthError(ErrorCode.INVALID_GRANT, "the refresh token is revoked")
        scope = narrow_scope(presented.scope, parameters)
        user = await tools.backend.find(presented.user_id) if presented.provider == tools.backend.name else None
        if user is None or public_subject(user.subject, presented.provider) != presented.sub:
            raise OAuthError(ErrorCode.INVALID_GRANT, "the person is not known any more")
        return Approval.again(tools.issuer, presented, user, scope, token)
