"""The userinfo request and what it returns.

Spec: OIDC Core 5.3 and 5.4; RFC 6750 2 and 3.
"""

from konnectd.protocol.claims import Presented
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.errors import BearerTokenError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import OPENID, RAW_SUBJECT
from konnectd.protocol.scope_claims import named_claims, scope_claims
from konnectd.protocol.vocabulary import ErrorCode


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
    """Return what a token lets its bearer see, by its scope and claim by claim; what is not known is absent, not empty.

    Spec: OIDC Core 5.1, 5.3.2, 5.4 and 5.5.
    """
    raw = RAW_SUBJECT in presented.scope and not presented.concealed
    subject = user.subject if raw else presented.sub
    members = {"sub": subject, **scope_claims(presented.scope, user)}
    if presented.claims.userinfo:
        members.update(named_claims(presented.claims.userinfo, user))
    return members
