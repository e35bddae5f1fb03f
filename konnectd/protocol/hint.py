"""An ID token of ours that comes back, as a hint at who is meant.

Spec: OIDC Core 3.1.2.1 (``id_token_hint``); OIDC RP-Initiated Logout 2.
"""

from collections.abc import Mapping

from attrs import frozen

from konnectd.protocol.claims import IS_ACCESS_TOKEN, IS_CLIENT_TOKEN, IS_REFRESH_TOKEN
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.vocabulary import ErrorCode

#: What a logout token has, and no ID token. Spec: OIDC Back-Channel Logout 2.4.
_EVENTS = "events"


@frozen(kw_only=True)
class Hint:
    """What an ID token of ours says when it comes back as ``id_token_hint``."""

    sub: str
    client_id: str
    session_id: str = ""


def check_hint(claims: Mapping[str, object] | None, issuer: str) -> Hint:
    """Read an ``id_token_hint`` whose signature was ours; it may have expired.

    Raises:
        OAuthError: ``invalid_request``: it is not an ID token of ours.

    Spec: OIDC Core 3.1.2.1 (``id_token_hint``); OIDC RP-Initiated Logout 2; RFC 8725 3.11.
    """
    if claims is not None and not {IS_ACCESS_TOKEN, IS_REFRESH_TOKEN, IS_CLIENT_TOKEN, _EVENTS} & claims.keys():
        match claims:
            case {"iss": str(iss), "sub": str(sub), "aud": str(client_id), "exp": int(), "iat": int()} if iss == issuer:
                session_id = claims.get("sid")
                return Hint(sub=sub, client_id=client_id, session_id=session_id if isinstance(session_id, str) else "")
    raise OAuthError(ErrorCode.INVALID_REQUEST, "id_token_hint is not an ID token of this provider")
