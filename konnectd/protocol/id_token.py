"""The claim set of an ID token: who signed in, when and how, for one client.

How one of them is believed when it comes back as a hint is in `konnectd.protocol.claims`.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256, sha384, sha512
from typing import Any

from konnectd.base64url import b64url
from konnectd.protocol.authentication_context import context_of
from konnectd.protocol.claims import Approval, session_claims
from konnectd.protocol.guest import GUEST
from konnectd.protocol.scope import RAW_SUBJECT
from konnectd.protocol.scope_claims import named_claims, scope_claims
from konnectd.protocol.token import Lifetimes

_HASHES: Mapping[str, Callable[[bytes], Any]] = {"256": sha256, "384": sha384, "512": sha512}


def left_half_hash(text: str, algorithm: str) -> str:
    """Return the ``at_hash`` of a token, or the ``c_hash`` of a code, for an ID token signed by an algorithm.

    Spec: OIDC Core 3.1.3.6; RFC 8032 for EdDSA, whose hash is SHA-512.
    """
    digest = _HASHES.get(algorithm[-3:], sha512)(text.encode("ascii")).digest()
    return b64url(digest[: len(digest) // 2])


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
    if approval.guest is not None:
        claims[GUEST] = approval.guest.guest_id
    if access:
        claims["at_hash"] = left_half_hash(access, algorithm)
    if code:
        claims["c_hash"] = left_half_hash(code, algorithm)
    if approval.nonce:
        claims["nonce"] = approval.nonce
    return claims
