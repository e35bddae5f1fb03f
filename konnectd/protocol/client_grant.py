"""Tokens for a client itself, with no person behind them.

They are no tokens of Konnect's form on purpose: Kopano's token library takes ``sub`` for a user id where a token has no
identity, so a client whose id is somebody's user id would be that person. They say what kind they are by a claim of
their own, and nothing that wants a person's token, or an ID token, takes them.

Spec: RFC 6749 4.4; RFC 9068 2.2 and 5.
"""

from collections.abc import Mapping

from attrs import frozen

from konnectd.protocol.claims import IS_CLIENT_TOKEN, Presented, in_time
from konnectd.protocol.client import Client
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.resource import audience, parse_resources
from konnectd.protocol.scope import Scope
from konnectd.protocol.token import Lifetimes
from konnectd.protocol.vocabulary import ErrorCode

GRANT_TYPE = "client_credentials"


@frozen(kw_only=True)
class ClientApproval:
    """What a client gets for itself."""

    issuer: str
    client_id: str
    scope: Scope
    resources: tuple[str, ...] = ()


def approve(issuer: str, client: Client, parameters: Parameters) -> ClientApproval:
    """Say what an authenticated client gets for itself.

    Raises:
        OAuthError: ``unauthorized_client``: it can keep no secret, or is not registered for this; ``invalid_scope``;
            ``invalid_target``.

    Spec: RFC 6749 4.4 (confidential clients only), 4.4.2 and 5.2; RFC 8707 2.2.
    """
    if client.public or GRANT_TYPE not in client.grant_types:
        raise OAuthError(ErrorCode.UNAUTHORIZED_CLIENT, "the client is not registered for this grant_type")
    allowed = Scope.of(client.scopes)
    scope = Scope.parse(parameters.text("scope")) if "scope" in parameters else allowed
    if not allowed.covers(scope):
        raise OAuthError(ErrorCode.INVALID_SCOPE, "scope must be part of what the client is registered for")
    return ClientApproval(
        issuer=issuer, client_id=client.client_id, scope=scope, resources=parse_resources(parameters, client)
    )


def access_token(approval: ClientApproval, jti: str, now: int, lifetimes: Lifetimes) -> dict[str, object]:
    """Return the claims of an access token. Spec: RFC 9068 2.2."""
    return {
        "iss": approval.issuer,
        "sub": approval.client_id,
        "aud": audience(approval.resources, approval.client_id),
        "exp": now + lifetimes.access_token,
        "iat": now,
        "jti": jti,
        "client_id": approval.client_id,
        "scope": str(approval.scope),
        IS_CLIENT_TOKEN: True,
    }


def find_client_token(claims: Mapping[str, object] | None, issuer: str, now: int) -> Presented | None:
    """Return a token of this kind that is alive; None for anything else.

    Args:
        claims: None when the signature was not ours.
    """
    if claims is None or claims.get(IS_CLIENT_TOKEN) is not True or not in_time(claims, issuer, now):
        return None
    match claims:
        case {"client_id": str(client_id), "scope": str(scope), "jti": str(jti), "exp": int(expires_at)}:
            aimed_at = claims.get("aud")
        case _:
            return None
    return Presented(
        client_id=client_id,
        sub=client_id,
        scope=Scope.of(scope.split()),
        grant_id="",
        user_id="",
        provider="",
        jti=jti,
        expires_at=expires_at,
        audience=tuple(str(part) for part in aimed_at) if isinstance(aimed_at, list) else (str(aimed_at),),
    )
