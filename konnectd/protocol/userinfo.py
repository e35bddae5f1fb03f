"""The userinfo request and what it returns.

Spec: OIDC Core 5.3 and 5.4; RFC 6750 2 and 3.
"""

from collections.abc import Iterable, Mapping

from konnectd.protocol.claims import Presented
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.errors import BearerTokenError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import EMAIL, GROUPS, NUMERIC_ID, OPENID, PROFILE, RAW_SUBJECT, UNIQUE_ID
from konnectd.protocol.vocabulary import ErrorCode

#: The claims that `claims` may show for each scope.
_NAMES: Mapping[str, tuple[str, ...]] = {
    PROFILE: ("name", "family_name", "given_name", "preferred_username"),
    EMAIL: ("email", "email_verified"),
    GROUPS: ("groups",),
    NUMERIC_ID: ("id", "username"),
    UNIQUE_ID: ("kc.uuid",),
}


def bearer_token(authorization: str, form: Parameters | None) -> str:
    """Return the access token of a request.

    Args:
        authorization: the header's value; empty for none.
        form: the posted form, when there was one.

    Raises:
        BearerTokenError: there is none, it is malformed, or it was sent in two ways.

    Spec: RFC 6750 2.1, 2.2 and 3.1. The token in the query (2.3) is not taken: it would end up in logs.
    """
    posted = form.get("access_token") if form is not None else None
    scheme, _, token = authorization.partition(" ")
    if authorization and scheme.lower() == "bearer":
        if posted is not None:
            raise BearerTokenError(ErrorCode.INVALID_REQUEST, "the access token was sent in two ways")
        token = token.strip()
        if not token or " " in token:
            raise BearerTokenError(ErrorCode.INVALID_REQUEST, "the Authorization header is malformed")
        return token
    if posted is not None:
        return posted
    raise BearerTokenError(ErrorCode.INVALID_REQUEST, "no access token was sent", bare=True)


def check_scope(presented: Presented) -> None:
    """Check that a token is good for userinfo at all.

    Raises:
        BearerTokenError: ``insufficient_scope``.

    Spec: OIDC Core 5.3; RFC 6750 3.1.
    """
    if OPENID not in presented.scope:
        raise BearerTokenError(ErrorCode.INSUFFICIENT_SCOPE, "the access token was not granted openid")


def claims(presented: Presented, user: EndUser) -> dict[str, object]:
    """Return what a token's scope lets its bearer see; what is not known is absent, not empty.

    Spec: OIDC Core 5.1, 5.3.2 and 5.4.
    """
    scope = presented.scope
    members: dict[str, object] = {"sub": user.subject if RAW_SUBJECT in scope else presented.sub}
    if PROFILE in scope:
        members.update(
            _known(
                name=user.name,
                family_name=user.family_name,
                given_name=user.given_name,
                preferred_username=user.username,
            )
        )
    if EMAIL in scope and user.email:
        members.update(email=user.email, email_verified=user.email_verified)
    if GROUPS in scope and user.groups:
        members["groups"] = list(user.groups)
    if NUMERIC_ID in scope:
        members.update(_known(id=user.numeric_id or 0, username=user.username))
    if UNIQUE_ID in scope:
        members.update(_known(**{"kc.uuid": user.unique_id}))
    return members


def claim_names(scopes: Iterable[str], of_backend: Iterable[str]) -> tuple[str, ...]:
    """Return the claims that somebody can be shown, for the metadata.

    Args:
        scopes: those that can be granted.
        of_backend: what the backend can fill; what hangs on a scope that can not be granted is left out.

    Spec: OIDC Discovery 3 (``claims_supported``).
    """
    bound = {name for names in _NAMES.values() for name in names}
    seen = [name for scope in scopes for name in _NAMES.get(scope, ())]
    return tuple(dict.fromkeys([*seen, *(name for name in of_backend if name not in bound)]))


def _known(**members: object) -> dict[str, object]:
    """Leave out what is empty."""
    return {name: value for name, value in members.items() if value}
