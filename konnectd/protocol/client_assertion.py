"""Signed proofs of clients: how one is found in a request, what it must say, and how long it is remembered.

Whether it is signed by the client is for `konnectd.interfaces.ClientKeys` to say.

An assertion calls us by the issuer, by the token endpoint, or by the endpoint it is sent to. The first two count
everywhere, as most libraries know no other name; the last one counts nowhere else, so that a client which names it is
sure that its proof opens nothing but that.

Spec: RFC 7521 4.2; RFC 7523 2.2 and 3; RFC 9126 2; OIDC Core 9.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Collection, Mapping
from hashlib import sha256

from attrs import frozen

from konnectd.protocol.client import Client
from konnectd.protocol.client_authentication import Credentials, wrong_credentials
from konnectd.protocol.errors import InvalidClientError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import AuthMethod

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Longest assertion that is read, in characters.
LONGEST_ASSERTION = 16 * 1024
LONGEST_JTI = 512
#: How far ahead an assertion may end, in seconds. It is remembered as long, so nobody can fill the store with proofs
#: of the far future. Most libraries take a minute; Authlib takes an hour.
LONGEST_LIFE = 3600
#: By how much a client's clock may be wrong, in seconds.
LEEWAY = 60

#: Signed with the client's secret: how many bytes of it each needs at least. Spec: RFC 7518 3.2.
SECRET_ALGORITHMS: Mapping[str, int] = {"HS256": 32, "HS384": 48, "HS512": 64}
#: Signed with a private key of the client.
KEY_ALGORITHMS = ("PS256", "PS384", "PS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA")
ALGORITHMS: Mapping[AuthMethod, tuple[str, ...]] = {
    AuthMethod.SECRET_JWT: tuple(SECRET_ALGORITHMS),
    AuthMethod.PRIVATE_KEY_JWT: KEY_ALGORITHMS,
}
#: Every algorithm an assertion may be signed by.
SIGNING_ALGORITHMS = (*KEY_ALGORITHMS, *SECRET_ALGORITHMS)


@frozen(kw_only=True)
class Spent:
    """What must be remembered of an assertion, so that it works once.

    Attributes:
        place: its key in the store.
        seconds: how long; after that the assertion has ended.
    """

    place: str
    seconds: int


def find_assertion(parameters: Parameters, method: AuthMethod) -> Credentials | None:
    """Return the assertion in a request when it is one of a method: with a secret, or with a private key.

    What is read here is not proven yet; it only says whose keys to look at.

    Raises:
        InvalidClientError: there is an assertion, but of another type, or it can not be read.

    Spec: RFC 7521 4.2; RFC 7523 2.2.
    """
    assertion = parameters.get("client_assertion")
    if assertion is None and "client_assertion_type" not in parameters:
        return None
    if assertion is None or parameters.get("client_assertion_type") != ASSERTION_TYPE:
        raise InvalidClientError("client_assertion must come with the client_assertion_type for JWT")
    header, claims = _unproven(assertion)
    algorithm, client_id = header.get("alg"), claims.get("sub")
    if not isinstance(algorithm, str) or not isinstance(client_id, str) or not client_id:
        raise InvalidClientError("client_assertion must have an alg and a sub")
    if parameters.get("client_id") not in {None, client_id}:
        raise InvalidClientError("client_id is not the one in client_assertion")
    by_secret = algorithm in SECRET_ALGORITHMS
    if by_secret is not (method is AuthMethod.SECRET_JWT):
        return None
    return Credentials(client_id=client_id, assertion=assertion, method=method)


def allowed_algorithms(client: Client, method: AuthMethod) -> tuple[str, ...]:
    """Return the algorithms a client may sign by: the one it registered, or all of the method; never ``none``.

    Spec: OIDC Registration 2 (``token_endpoint_auth_signing_alg``).
    """
    known = ALGORITHMS[method]
    registered = client.token_endpoint_auth_signing_alg
    return tuple(algorithm for algorithm in known if algorithm == registered) if registered else known


def audiences(issuer: str, token_endpoint: str, endpoint: str) -> frozenset[str]:
    """Return the names by which an assertion that is sent to an endpoint may call us.

    Args:
        issuer: the issuer identifier.
        token_endpoint: the address of the token endpoint.
        endpoint: the address of the endpoint.

    Spec: RFC 9126 2, for every endpoint where clients prove who they are; RFC 7523 3 (3.); OIDC Core 9.
    """
    return frozenset({issuer, token_endpoint, endpoint})


def check_assertion(claims: Mapping[str, object] | None, client: Client, names: Collection[str], now: int) -> Spent:
    """Check what an assertion says and return what must be remembered of it.

    Args:
        claims: None when the client's signature does not fit.
        client: who sent it.
        names: ourselves, as `audiences` has it.
        now: the time.

    Raises:
        InvalidClientError: it proves nothing, or not to us, or not now.

    Spec: RFC 7523 3; OIDC Core 9 (``jti`` is required).
    """
    if claims is None or claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise wrong_credentials()
    _check_audience(claims.get("aud"), names)
    ends = _check_times(claims, now)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti or len(jti) > LONGEST_JTI:
        raise InvalidClientError("client_assertion must have a jti")
    return Spent(place=_spent_key(client.client_id, jti), seconds=ends + LEEWAY - now)


def _check_audience(audience: object, names: Collection[str]) -> None:
    """Check that an assertion is for us: the whole of one of our names, alone or in a list."""
    named = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(name, str) and name in names for name in named):
        raise InvalidClientError("aud of client_assertion must be the issuer, the token endpoint or this endpoint")


def _check_times(claims: Mapping[str, object], now: int) -> int:
    """Check that an assertion is good now, and return when it ends."""
    ends = _seconds(claims, "exp")
    made, begins = _seconds(claims, "iat"), _seconds(claims, "nbf")
    if ends is None:
        raise InvalidClientError("client_assertion must have an exp")
    if ends + LEEWAY <= now:
        raise InvalidClientError("client_assertion has expired")
    if ends > now + LONGEST_LIFE + LEEWAY:
        raise InvalidClientError("exp of client_assertion is too far ahead")
    if max(made or 0, begins or 0) > now + LEEWAY:
        raise InvalidClientError("client_assertion is not valid yet")
    return ends


def _seconds(claims: Mapping[str, object], name: str) -> int | None:
    """Return a time, rounded down; None when it is not there. Spec: RFC 7519 2 (NumericDate)."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise InvalidClientError(f"{name} of client_assertion must be a time")
    return int(value)


def _spent_key(client_id: str, jti: str) -> str:
    """Return under which key an assertion is remembered; ids are a client's own, so no two clients collide."""
    return "client_assertion:" + sha256(json.dumps([client_id, jti]).encode()).hexdigest()


def _unproven(assertion: str) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Read header and claims of a signed token without checking anything."""
    segments = assertion.split(".", 3)
    if len(segments) != 3 or len(assertion) > LONGEST_ASSERTION or not assertion.isascii():
        raise InvalidClientError("client_assertion must be a signed JWT")
    return _object(segments[0]), _object(segments[1])


def _object(segment: str) -> Mapping[str, object]:
    """Read a JSON object."""
    try:
        value: object = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, RecursionError):
        raise InvalidClientError("client_assertion can not be read") from None
    if not isinstance(value, dict):
        raise InvalidClientError("client_assertion can not be read")
    return value
