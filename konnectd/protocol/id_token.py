"""The claim set of an ID token: who signed in, when and how, for one client.

How one of them is believed when it comes back as a hint is in `konnectd.protocol.claims`.
"""

from konnectd.protocol.authentication_context import context_of
from konnectd.protocol.claims import Approval, left_half_hash, session_claims
from konnectd.protocol.scope import RAW_SUBJECT
from konnectd.protocol.scope_claims import named_claims, scope_claims
from konnectd.protocol.token import Lifetimes


def id_token(
    approval: Approval,
    now: int,
    lifetimes: Lifetimes,
    *,
    algorithm: str,
    access: str = "",
    code: str = "",
    full: bool = False,
) -> dict[str, object]:
    """Return the claims of an ID token.

    Without an access token there is no userinfo to ask, so the scope's claims are in it. What the token itself says
    is written last: no claim about a person can stand in its place.

    Args:
        algorithm: what it will be signed by.
        access: the access token that goes with it; empty for none.
        code: the code that goes with it in an authorization response; empty for none.
        full: the scope's claims are in it in any case.

    Spec: OIDC Core 2, 3.1.3.6, 3.2.2.10, 3.3.2.11, 5.4 and 5.5.
    """
    omitted = (access or code) and not full
    raw = RAW_SUBJECT in approval.scope and not approval.concealed
    claims: dict[str, object] = {} if omitted else scope_claims(approval.scope, approval.user)
    if approval.claims.id_token:
        claims.update(named_claims(approval.claims.id_token, approval.user))
    claims.update(
        {
            "iss": approval.issuer,
            "sub": approval.user.subject if raw else approval.sub,
            "aud": approval.client_id,
            "azp": approval.client_id,
            "exp": now + lifetimes.id_token,
            "iat": now,
            **session_claims(approval),
        }
    )
    context = context_of(approval.amr)
    if context:
        claims["acr"] = context
    if access:
        claims["at_hash"] = left_half_hash(access, algorithm)
    if code:
        claims["c_hash"] = left_half_hash(code, algorithm)
    if approval.nonce:
        claims["nonce"] = approval.nonce
    return claims
