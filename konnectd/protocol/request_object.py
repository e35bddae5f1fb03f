"""Request objects: authorization requests that a client has written down and signed.

What is inside wins over what stands beside it, because only the client can have written it; nothing is believed before
the signature has been checked, which is not done here. Where the signed text comes from (the request itself, an address
of the client, or the client's own push) makes no difference to the rules.

Spec: OIDC Core 6; RFC 9101 4, 5, 6 and 10.
"""

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping

from konnectd.jsontext import read_strictly
from konnectd.protocol.authorize import INTERNAL_PARAMETERS
from konnectd.protocol.claims import LEEWAY
from konnectd.protocol.client import Client, is_plain_uri
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters, is_text
from konnectd.protocol.response_type import parse as parse_response_type
from konnectd.protocol.vocabulary import ErrorCode

REQUEST = "request"
REQUEST_URI = "request_uri"
#: What our pages carry in place of an object that has been checked; no client's business.
SEALED_REQUEST = "sealed_request"
#: The word for an object that nobody signed; good only for clients whose registration says it.
UNSIGNED = "none"
#: Longest request object, in characters.
LONGEST_REQUEST_OBJECT = 16 * 1024
#: Longest ``request_uri``, in characters. Spec: OIDC Core 6.2.
LONGEST_REQUEST_URI = 512

#: What a token says about itself, which is no parameter of a request. Spec: RFC 7519 4.1; RFC 9101 4.
_ENVELOPE = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
#: Parameters that must not be of a type we do not understand: passing over one would change what was signed.
_TEXTS = frozenset(
    {
        "client_id",
        "response_type",
        "response_mode",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "prompt",
        "display",
        "ui_locales",
        "claims_locales",
        "id_token_hint",
        "login_hint",
        "acr_values",
        "code_challenge",
        "code_challenge_method",
        "resource",
        "max_age",
        "claims",
        "registration",
    }
)
#: Parameters that are JSON themselves, and stand in an object as they are. Spec: OIDC Core 6.1.
_JSON = frozenset({"claims", "registration"})


def locate(client: Client, request_uri: str) -> str:
    """Return the address where a request object is, when the client registered it.

    The fragment is for whoever keeps copies, which we do not, and never part of what is fetched.

    Raises:
        OAuthError: it is not one of the client's.

    Spec: OIDC Core 6.2; OIDC Registration 2 (``request_uris``); RFC 9101 10.4.1.
    """
    address = request_uri.partition("#")[0]
    if len(request_uri) > LONGEST_REQUEST_URI or not is_plain_uri(address):
        raise OAuthError(ErrorCode.INVALID_REQUEST_URI, "request_uri is not a plain absolute URI")
    if request_uri not in client.request_uris and address not in client.request_uris:
        raise OAuthError(ErrorCode.INVALID_REQUEST_URI, "request_uri is not registered for this client")
    return address


def read_unsigned(token: str) -> Mapping[str, object] | None:
    """Return the claims of an object that says it is not signed; None when it is anything else.

    Spec: RFC 7519 6.1; RFC 7515 4.1.11 (``crit`` is not understood, so it is refused).
    """
    parts = token.split(".")
    if len(token) > LONGEST_REQUEST_OBJECT or len(parts) != 3 or parts[2]:
        return None
    header, claims = _read(parts[0]), _read(parts[1])
    if header is None or header.get("alg") != UNSIGNED or "crit" in header:
        return None
    return claims


def _read(segment: str) -> Mapping[str, object] | None:
    """Read one segment of a token: a JSON object whose members are distinct."""
    try:
        value = read_strictly(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode("utf-8"))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def overlay(
    client: Client, issuer: str, parameters: Parameters, claims: Mapping[str, object], *, alone: bool = False
) -> Parameters:
    """Lay what a client signed over what was sent beside it.

    Args:
        client: who was asked for in the request itself.
        issuer: for whom the object must be, if it says.
        parameters: what was sent.
        claims: what the object says; its signature has been checked.
        alone: nothing counts but what is inside, apart from what our own pages add.

    Raises:
        OAuthError: the object is not good, or contradicts what stands beside it.

    Spec: OIDC Core 6.1; RFC 9101 5 and 6.3.
    """
    _check_envelope(client, issuer, claims)
    inside = written(claims)
    _check_same(client, parameters, inside)
    kept = {
        name: value
        for name, value in parameters.items()
        if name in INTERNAL_PARAMETERS or (not alone and name not in {REQUEST, REQUEST_URI})
    }
    return Parameters({**kept, **inside, "client_id": client.client_id})


def check_times(claims: Mapping[str, object], now: int) -> None:
    """Check when an object counts, with a minute for clocks that disagree.

    Raises:
        OAuthError: not at this moment.

    Spec: RFC 7519 4.1.4 to 4.1.6; RFC 9101 10.8.
    """
    if now >= _moment(claims, "exp", now + 1) + LEEWAY:
        raise refusal("the request object has expired")
    if _moment(claims, "nbf", now) > now + LEEWAY or _moment(claims, "iat", now) > now + LEEWAY:
        raise refusal("the request object is not valid yet")


def refusal(description: str) -> OAuthError:
    """Return the error for an object that is not good. Spec: OIDC Core 3.1.2.6; RFC 9101 7."""
    return OAuthError(ErrorCode.INVALID_REQUEST_OBJECT, description)


def _moment(claims: Mapping[str, object], name: str, default: int) -> float:
    """Return a time in an object."""
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise refusal(f"{name} of the request object must be a number")
    return value


def _check_envelope(client: Client, issuer: str, claims: Mapping[str, object]) -> None:
    """Check from whom and for whom an object is. Spec: OIDC Core 6.1; RFC 9101 4 and 10.8."""
    if claims.get("iss", client.client_id) != client.client_id:
        raise refusal("iss of the request object must be the client_id")
    audience = claims.get("aud", issuer)
    if issuer not in (audience if isinstance(audience, list) else [audience]):
        raise refusal("aud of the request object must be the issuer")
    # What proves who a client is has its name as subject, and must not do for a request as well.
    if claims.get("sub") == client.client_id:
        raise refusal("sub of the request object must not be the client_id")
    if REQUEST in claims or REQUEST_URI in claims:
        raise refusal("a request object must not refer to another one")


def _check_same(client: Client, parameters: Parameters, inside: Mapping[str, str]) -> None:
    """Refuse an object that contradicts what every server without request objects would go by.

    Spec: OIDC Core 6.1 (``client_id`` and ``response_type``); RFC 9101 5.
    """
    if inside.get("client_id", client.client_id) != client.client_id:
        raise refusal("client_id of the request object must be that of the request")
    outside = parameters.get("response_type")
    asked = inside.get("response_type", outside)
    if outside is not None and asked != outside and _differ(outside, asked or ""):
        raise refusal("response_type of the request object must be that of the request")


def _differ(one: str, other: str) -> bool:
    """Tell whether two response types are not the same one in another order."""
    known = parse_response_type(one)
    return known is None or known != parse_response_type(other)


def written(claims: Mapping[str, object]) -> dict[str, str]:
    """Return the parameters in an object, each as it would have been sent.

    What our own pages add to a request is none of them: it would be a client that says what a person did.

    Raises:
        OAuthError: one of them can not be read.
    """
    inside = {}
    for name, value in claims.items():
        if name in _ENVELOPE or name in INTERNAL_PARAMETERS:
            continue
        text = _text(name, value)
        if text:
            inside[name] = text
    return inside


def _text(name: str, value: object) -> str:
    """Write one member as a parameter; empty for none, and for members of nobody's whose type says nothing to us."""
    if isinstance(value, str):
        if not is_text(value) or not is_text(name):
            raise refusal("the request object has characters that no parameter has")
        return value
    if value is None or name not in _TEXTS:
        return ""
    if name == "max_age" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if name in _JSON and isinstance(value, dict):
        return _json(value)
    raise refusal(f"{name} of the request object is of a wrong type")


def _json(value: Mapping[str, object]) -> str:
    """Write an object as a parameter."""
    try:
        return json.dumps(value, separators=(",", ":"))
    except RecursionError:
        raise refusal("the request object is nested too deeply") from None
