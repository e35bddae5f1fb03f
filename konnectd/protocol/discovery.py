"""The provider's metadata: exactly what is switched on, and nothing else.

Spec: OIDC Discovery 3; RFC 8414 2; RFC 9207 3; RFC 7636 in RFC 8414; OIDC RP-Initiated Logout 2.1.
"""

from collections.abc import Iterable

from attrs import frozen

from konnectd.protocol import authentication_context, pkce
from konnectd.protocol.client_assertion import SIGNING_ALGORITHMS
from konnectd.protocol.vocabulary import AuthMethod, Prompt

#: How long others may keep metadata and keys without asking again, in seconds.
DOCUMENT_MAX_AGE = 300

ALWAYS_KNOWN_CLAIMS = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "amr", "acr", "azp")


@frozen(kw_only=True)
class Endpoints:
    """Absolute URIs of the endpoints."""

    authorization: str
    token: str
    userinfo: str
    jwks: str
    end_session: str
    check_session: str = ""
    revocation: str = ""
    introspection: str = ""
    pushed_authorization_request: str = ""
    registration: str = ""
    device_authorization: str = ""


def metadata(
    *,
    issuer: str,
    endpoints: Endpoints,
    scopes: Iterable[str],
    claims: Iterable[str],
    response_types: Iterable[str],
    response_modes: Iterable[str],
    grant_types: Iterable[str],
    algorithms: Iterable[str],
    subject_types: Iterable[str] = ("public",),
    request_object_algorithms: Iterable[str] = (),
    require_pushed: bool = False,
    key_algorithms: Iterable[str] = (),
    content_algorithms: Iterable[str] = (),
    ui_locales: Iterable[str] = (),
) -> dict[str, object]:
    """Return the discovery document."""
    signing = list(algorithms)
    return {
        "issuer": issuer,
        **_places(endpoints),
        "scopes_supported": list(dict.fromkeys(scopes)),
        "response_types_supported": list(response_types),
        "response_modes_supported": list(response_modes),
        "grant_types_supported": list(grant_types),
        "subject_types_supported": list(subject_types),
        "id_token_signing_alg_values_supported": signing,
        "userinfo_signing_alg_values_supported": signing,
        **_proofs(endpoints),
        "code_challenge_methods_supported": [pkce.METHOD],
        **_people(claims, ui_locales),
        **_encryption(list(key_algorithms), list(content_algorithms)),
        **_leaving(endpoints),
        **_about_tokens(endpoints),
        **_requests(endpoints.pushed_authorization_request, list(request_object_algorithms), require_pushed),
        "authorization_response_iss_parameter_supported": True,
    }


def _places(endpoints: Endpoints) -> dict[str, object]:
    """Return where the endpoints are that every client needs."""
    found: dict[str, object] = {
        "authorization_endpoint": endpoints.authorization,
        "token_endpoint": endpoints.token,
        "userinfo_endpoint": endpoints.userinfo,
        "end_session_endpoint": endpoints.end_session,
        "jwks_uri": endpoints.jwks,
    }
    if endpoints.registration:
        found["registration_endpoint"] = endpoints.registration
    if endpoints.device_authorization:
        found["device_authorization_endpoint"] = endpoints.device_authorization
    return found


def _people(claims: Iterable[str], ui_locales: Iterable[str]) -> dict[str, object]:
    """Return how people can be asked, and what can be told of them. Spec: OIDC Discovery 3."""
    return {
        "prompt_values_supported": [str(prompt) for prompt in Prompt],
        "display_values_supported": ["page"],
        "ui_locales_supported": list(ui_locales),
        "acr_values_supported": list(authentication_context.SUPPORTED),
        "claim_types_supported": ["normal"],
        "claims_supported": list(dict.fromkeys([*ALWAYS_KNOWN_CLAIMS, *claims])),
        "claims_parameter_supported": True,
    }


def _proofs(endpoints: Endpoints) -> dict[str, object]:
    """Return how clients prove who they are.

    Spec: OIDC Discovery 3; RFC 8414 2 (algorithms must be there when proofs are signed).
    """
    found: dict[str, object] = {"token_endpoint_auth_methods_supported": [str(method) for method in AuthMethod]}
    places = {"token": True, "revocation": endpoints.revocation, "introspection": endpoints.introspection}
    for name, is_there in places.items():
        if is_there:
            found[f"{name}_endpoint_auth_signing_alg_values_supported"] = list(SIGNING_ALGORITHMS)
    return found


def _leaving(endpoints: Endpoints) -> dict[str, object]:
    """Return how clients learn that a session is over, or another one.

    Spec: OIDC Session Management 3.3; OIDC Front-Channel Logout 3; OIDC Back-Channel Logout 2.1.
    """
    told = ("frontchannel_logout", "frontchannel_logout_session", "backchannel_logout", "backchannel_logout_session")
    found: dict[str, object] = {f"{name}_supported": True for name in told}
    if endpoints.check_session:
        found["check_session_iframe"] = endpoints.check_session
    return found


def _encryption(algorithms: list[str], content: list[str]) -> dict[str, object]:
    """Return how tokens and claims can be encrypted. Spec: OIDC Discovery 3."""
    if not algorithms:
        return {}
    return {
        "id_token_encryption_alg_values_supported": algorithms,
        "id_token_encryption_enc_values_supported": content,
        "userinfo_encryption_alg_values_supported": algorithms,
        "userinfo_encryption_enc_values_supported": content,
    }


def _about_tokens(endpoints: Endpoints) -> dict[str, object]:
    """Return where clients give tokens back and servers ask about them; who asks has to prove who it is.

    Spec: RFC 8414 2.
    """
    methods = [str(method) for method in AuthMethod]
    found: dict[str, object] = {}
    if endpoints.revocation:
        found["revocation_endpoint"] = endpoints.revocation
        found["revocation_endpoint_auth_methods_supported"] = methods
    if endpoints.introspection:
        proofs = [method for method in methods if method != AuthMethod.NONE]
        found["introspection_endpoint"] = endpoints.introspection
        found["introspection_endpoint_auth_methods_supported"] = proofs
    return found


def _requests(par: str, algorithms: list[str], required: bool) -> dict[str, object]:  # noqa: FBT001 - of two callers
    """Return in which ways a request may come.

    ``none`` is never among the algorithms: it is for those clients only whose registration says it.

    Spec: OIDC Discovery 3 (``request_uri_parameter_supported`` is true unless it is denied); RFC 9101 10.5; RFC 9126 5.
    """
    found: dict[str, object] = {
        "request_parameter_supported": bool(algorithms),
        "request_uri_parameter_supported": bool(algorithms),
        "require_request_uri_registration": bool(algorithms),
    }
    if algorithms:
        found["request_object_signing_alg_values_supported"] = algorithms
    if par:
        found["pushed_authorization_request_endpoint"] = par
        found["require_pushed_authorization_requests"] = required
    return found
