"""A refresh token for a fresh access token, and for the next refresh token.

What decides between requests that show one token at the same time is the store: the first to note that it is spent
also notes its successor, and everybody else is given that one, as long as the grace lasts. Every check that a sign-in
passed is made again before anything is spent: whether the person is still there, and whether the client may still have
what it was granted.

Spec: RFC 6749 6; OIDC Core 12; RFC 9700 4.14.
"""

from attrs import evolve, frozen

from konnectd.interfaces import GrantTools
from konnectd.protocol.claims import Approval, Presented, check_refresh_token, refresh_token
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import REVOKED, TOKENS_REVOKED, revoked_key
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.refresh import (
    REMEMBERED,
    SUCCESSOR,
    family_key,
    is_spent,
    reused,
    spent_key,
    successor_claims,
    successor_of,
)
from konnectd.protocol.resource import narrow_resources
from konnectd.protocol.scope import OFFLINE_ACCESS, Scope
from konnectd.protocol.session import ended_session_key
from konnectd.protocol.token import narrow_scope
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.protocol.withdrawal import is_taken_back, withdrawal_key

#: Random bytes of a ``jti``.
TOKEN_ID_BYTES = 24


def build(tools: GrantTools) -> "RefreshTokenGrant":
    """Make the grant type."""
    return RefreshTokenGrant(tools)


@frozen
class RefreshTokenGrant:
    """Renews access as long as the person is there and nobody has revoked it."""

    tools: GrantTools
    grant_type: str = "refresh_token"

    async def approve(self, client: Client, parameters: Parameters) -> Approval:
        """Check a refresh token and the person behind it, and spend it for its successor.

        Raises:
            OAuthError: ``invalid_request`` without a token, ``invalid_scope`` and ``invalid_target`` for more than was
                granted, else ``invalid_grant``.
            BackendUnavailableError: store or backend did not answer.
        """
        token = parameters.get("refresh_token")
        if token is None:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "refresh_token is missing")
        tools = self.tools
        claims = tools.verifier.verify(token)
        presented = check_refresh_token(claims, tools.issuer, client.client_id, tools.clock.now())
        family, session_id = presented.family, presented.session_id
        mark_key = withdrawal_key(presented.account, presented.client_id)
        keys = (revoked_key(family), ended_session_key(session_id), mark_key, family_key(family))
        revoked, ended, mark, first_unspent = await tools.store.get_each(*keys)
        _check_alive(revoked, ended)
        if is_taken_back(presented.withdrawal, mark):
            raise OAuthError(ErrorCode.INVALID_GRANT, "the person has taken it back")
        successor = await self._recall(presented) if is_spent(presented, first_unspent) else ""
        scope = narrow_scope(self._granted(presented), parameters)
        resources = narrow_resources(presented.resources, parameters, client)
        user = await self._find_user(presented, client)
        if not successor:
            successor = await self._spend(presented, Approval.again(tools.issuer, presented, user, presented.scope))
        approval = Approval.again(tools.issuer, presented, user, scope)
        return evolve(approval, resources=resources, refresh_token=successor)

    def _granted(self, presented: Presented) -> Scope:
        """Return what is left of what was granted: what can not be granted any more is not renewed either.

        Raises:
            OAuthError: ``invalid_grant``: nothing may be renewed any more.
        """
        scope = presented.scope.keep(self.tools.scopes) if self.tools.scopes else presented.scope
        if OFFLINE_ACCESS not in scope:
            raise OAuthError(ErrorCode.INVALID_GRANT, "offline_access is not granted any more")
        return scope

    async def _find_user(self, presented: Presented, client: Client) -> EndUser:
        """Return the person behind a token as they are now.

        Raises:
            OAuthError: ``invalid_grant``: they are gone, or somebody else.
        """
        backend = self.tools.backend
        user = await backend.find(presented.user_id) if presented.provider == backend.name else None
        if user is None or client.sub_of(user.subject, presented.provider) != presented.sub:
            raise OAuthError(ErrorCode.INVALID_GRANT, "the person is not known any more")
        return user

    async def _spend(self, presented: Presented, approval: Approval) -> str:
        """Make the successor and spend the token for it, or return the one that somebody else was quicker with.

        Raises:
            OAuthError: ``invalid_grant``: somebody else was quicker, and too long ago.
        """
        tools, now = self.tools, self.tools.clock.now()
        claims = refresh_token(approval, tools.entropy.token(TOKEN_ID_BYTES), now, tools.lifetimes)
        successor = await tools.signer.sign(claims)
        sealed = tools.sealer.seal(SUCCESSOR, successor_claims(successor), now + tools.refresh_token_grace)
        life = presented.expires_at - now
        if not await tools.store.add(spent_key(presented), sealed, min(life, REMEMBERED)):
            return await self._recall(presented)
        await tools.store.put(family_key(presented.family), str(approval.generation), life)
        return successor

    async def _recall(self, presented: Presented) -> str:
        """Return the successor of a token that was spent a moment ago, and end the family of one spent before that.

        Raises:
            OAuthError: ``invalid_grant``: the token came back.
        """
        tools = self.tools
        sealed = await tools.store.get(spent_key(presented))
        claims = tools.sealer.open(SUCCESSOR, sealed, tools.clock.now()) if sealed is not None else None
        successor = successor_of(claims)
        if not successor:
            longest = max(tools.lifetimes.refresh_token, tools.lifetimes.access_token)
            await tools.store.put(revoked_key(presented.family), REVOKED, longest)
            raise reused()
        return successor


def _check_alive(revoked: str | None, ended: str | None) -> None:
    """Refuse a token whose family was revoked, or whose session was ended.

    Args:
        revoked: what the store has of the family.
        ended: what the store has of the end of the session; nothing when the token belongs to none.

    Raises:
        OAuthError: ``invalid_grant``.
    """
    if revoked not in {None, TOKENS_REVOKED}:
        raise OAuthError(ErrorCode.INVALID_GRANT, "the refresh token is revoked")
    if ended is not None:
        raise OAuthError(ErrorCode.INVALID_GRANT, "the person has signed out")
