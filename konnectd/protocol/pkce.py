"""Proof Key for Code Exchange: what binds a code to the one who asked for it.

Only ``S256`` exists here: ``plain`` proves nothing to somebody who can read the authorization request.

Spec: RFC 7636; RFC 9700 2.1.1.
"""

import hmac
import re
from hashlib import sha256

from konnectd.base64url import b64url
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.vocabulary import ErrorCode

METHOD = "S256"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def parse_challenge(challenge: str | None, method: str | None, *, required: bool) -> str:
    """Return the challenge of an authorization request, or the empty string where none is needed and none was sent.

    Raises:
        OAuthError: ``invalid_request``: it is missing, malformed, or of another method.

    Spec: RFC 7636 4.3 and 4.4.1.
    """
    if challenge is None:
        if method is not None:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "code_challenge_method without code_challenge")
        if required:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "code_challenge is required of this client (PKCE, S256)")
        return ""
    if method != METHOD:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "code_challenge_method must be S256")
    if _CHALLENGE.fullmatch(challenge) is None:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "code_challenge is not a SHA-256 digest in base64url")
    return challenge


def check_verifier(challenge: str, verifier: str | None) -> None:
    """Check that whoever redeems a code also asked for it.

    A verifier without a challenge is refused as well: it means that somebody took the challenge out of the request.

    Raises:
        OAuthError: ``invalid_grant``: they do not belong together; ``invalid_request``: the verifier is malformed.

    Spec: RFC 7636 4.6; RFC 9700 4.8.2.
    """
    if not challenge and verifier is None:
        return
    if not challenge or verifier is None:
        raise OAuthError(ErrorCode.INVALID_GRANT, "code_verifier and code_challenge must be sent both or not at all")
    if _VERIFIER.fullmatch(verifier) is None:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "code_verifier must be 43 to 128 unreserved characters")
    digest = b64url(sha256(verifier.encode("ascii")).digest())
    if not hmac.compare_digest(digest, challenge):
        raise OAuthError(ErrorCode.INVALID_GRANT, "code_verifier does not fit code_challenge")
