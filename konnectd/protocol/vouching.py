"""The token with which a backend begins a session of its own for somebody who is signed in here.

Who reads it is the server behind the backend. It looks like an access token, because that is what such servers know how
to check, and is worth nothing at our own endpoints: it names no provider and no identity, so nobody stands behind it.
"""

from typing import Final

from konnectd.protocol.claims import IDENTITY, IS_ACCESS_TOKEN
from konnectd.protocol.scope import GROUPWARE, OPENID

#: Whom it is for: no client can be meant, and no server of ours.
AUDIENCE: Final = "konnect"
#: How long it is good for, in seconds: it is made for one request, which is sent at once.
VOUCHING_TTL: Final = 60


def vouching_token(user_id: str, issuer: str, jti: str, now: int) -> dict[str, object]:
    """Return the claims that vouch for a person.

    Args:
        user_id: what the backend finds them by, as it is: the server would not know them by a public subject.
        issuer: who we are.
        jti: another one for each token.
        now: in seconds since the epoch.
    """
    return {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": user_id,
        "iat": now,
        "exp": now + VOUCHING_TTL,
        "jti": jti,
        IS_ACCESS_TOKEN: True,
        "kc.authorizedScopes": [OPENID, GROUPWARE],
        IDENTITY: None,
    }
