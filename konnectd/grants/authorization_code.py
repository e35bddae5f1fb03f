"""A code for tokens. Spec: RFC 6749 4.1.3; OIDC Core 3.1.3."""

from attrs import frozen

from konnectd.interfaces import GrantTools
from konnectd.protocol.claims import Approval
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import AuthorizationGrant, code_key, revoked_key
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.resource import narrow_resources
from konnectd.protocol.tagged_code import CODE, check_code
from konnectd.protocol.token import check_code_grant
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.protocol.withdrawal import check_not_taken_back, keys_before_redeeming


def build(tools: GrantTools) -> "AuthorizationCodeGrant":
    """Make the grant type."""
    return AuthorizationCodeGrant(tools)


@frozen
class AuthorizationCodeGrant:
    """Redeems each code once."""

    tools: GrantTools
    grant_type: str = "authorization_code"

    async def approve(self, client: Client, parameters: Parameters) -> Approval:
        """Redeem a code.

        The code is spent even when a later check refuses the request, so that guessing gets no second try; it is not
        spent when the backend does not answer, so that the client may try again.

        Raises:
            OAuthError: ``invalid_request`` without a code, else ``invalid_grant``.
            BackendUnavailableError: store or backend did not answer.
        """
        code = parameters.get("code")
        if code is None:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "code is missing")
        check_code(code, client.client_id, CODE, self.tools.sealer.tag)
        text = await self.tools.store.get(code_key(code))
        grant = AuthorizationGrant.from_text(text) if text is not None else None
        if grant is None:
            raise await self._replayed(code)
        try:
            user = await self._redeem(grant, client, parameters)
            resources = narrow_resources(grant.resources, parameters, client)
        except OAuthError:
            await self.tools.store.take(code_key(code))
            raise
        if await self.tools.store.take(code_key(code)) is None:
            raise await self._replayed(code)
        return Approval.of(self.tools.issuer, grant, user, client, resources)

    async def _redeem(self, grant: AuthorizationGrant, client: Client, parameters: Parameters) -> EndUser:
        """Return the person behind a grant when the client may have it.

        Raises:
            OAuthError: it may not, or the person is gone, or has taken it back.
            BackendUnavailableError: store or backend did not answer.
        """
        check_code_grant(grant, client, parameters)
        guest = grant.logon.guest
        user = EndUser.of_guest(guest) if guest is not None else await self.tools.backend.find(grant.logon.user_id)
        if user is None or user.subject != grant.logon.subject:
            raise OAuthError(ErrorCode.INVALID_GRANT, "the person is not known any more")
        # Last: the backend may have taken seconds, in which it was taken back.
        check_not_taken_back(grant, *await self.tools.store.get_each(*keys_before_redeeming(grant)))
        return user

    async def _replayed(self, code: str) -> OAuthError:
        """Revoke whatever a code had given out that is not there any more. Spec: RFC 6749 4.1.2."""
        grant_id = self.tools.sealer.tag("grant", code)
        lives = self.tools.lifetimes
        await self.tools.store.put(revoked_key(grant_id), "1", max(lives.refresh_token, lives.access_token))
        return OAuthError(ErrorCode.INVALID_GRANT, "the code has been used or has expired")
