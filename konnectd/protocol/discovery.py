"""The provider's metadata: exactly what is switched on, and nothing else.

Spec: OIDC Discovery 3; RFC 8414 2; RFC 9207 3; RFC 7636 in RFC 8414; OIDC RP-Initiated Logout 2.1.
"""

from collections.abc import Iterable

from attrs import frozen

from konnectd.protocol import pkce
from konnectd.protocol.vocabulary import AuthMethod, Prompt, ResponseMode, ResponseType

ALWAYS_KNOWN_CLAIMS = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "amr")


@frozen(kw_only=True)
class Endpoints:
    """Absolute URIs of the endpoints."""

    authorization: str
    token: str
    userinfo: str
    jwks: str
    end_session: str


def metadata(
    *,
    issuer: str,
    endpoints: Endpoints,
    scopes: Iterable[str],
    claims: Iterable[str],
    grant_types: Iterable[str],
    algorithms: Iterable[str],
    ui_locales: Iterable[str] = (),
) -> dict[str, object]:
    """Return the discovery document."""
    signing = list(algorithms)
    return {
        "issuer": issuer,
        "authorization_endpoint": endpoints.authorization,
        "token_endpoint": endpoints.token,
        "userinfo_endpoint": endpoints.userinfo,
        "end_session_endpoint": endpoints.end_session,
        "jwks_uri": endpoints.jwks,
        "scopes_supported": list(dict.fromkeys(scopes)),
        "response_types_supported": [str(kind) for kind in ResponseType],
        "response_modes_supported": [str(mode) for mode in ResponseMode],
        "grant_types_supported": list(grant_types),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": signing,
        "userinfo_signing_alg_values_supported": signing,
        "token_endpoint_auth_methods_supported": [str(method) for method in AuthMethod],
        "code_challenge_methods_supported": [pkce.METHOD],
        "prompt_values_supported": [str(prompt) for prompt in Prompt],
        "claim_types_supported": ["normal"],
        "claims_supported": list(dict.fromkeys([*ALWAYS_KNOWN_CLAIMS, *claims])),
        "ui_locales_supported": list(ui_locales),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
        "authorization_response_iss_parameter_supported": True,
    }
