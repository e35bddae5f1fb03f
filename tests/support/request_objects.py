"""Request objects as clients make them, good and bad, and clients whose registration allows them."""

import hmac
import json
from collections.abc import Mapping

from attrs import evolve

from konnectd.jose.keys import PrivateKey
from konnectd.protocol.client import Client
from tests.support.fakes import NOON
from tests.support.forgery import forge, segment
from tests.support.keys import p256_key, rsa_key
from tests.support.requests import CALLBACK, CHALLENGE, ISSUER

#: Where the objects of our clients can be fetched.
OBJECT_URI = "https://notes.example.org/request.jwt"
#: The keys clients sign with; the daemon has others.
CLIENT_KEY = p256_key(7)
CLIENT_RSA_KEY = rsa_key(7)
#: A client of the house that signs its requests.
SIGNING = Client(
    client_id="signing",
    secret="a secret that is long enough to sign with",
    trusted=True,
    redirect_uris=(CALLBACK, "https://notes.example.org/other"),
    jwks={"keys": [CLIENT_KEY.public.to_jwk(), CLIENT_RSA_KEY.public.to_jwk()]},
    request_uris=(OBJECT_URI, f"{OBJECT_URI}#registered"),
)
#: One whose registration says that it does not.
UNSIGNING = evolve(SIGNING, client_id="unsigning", request_object_signing_alg="none")
#: One whose requests count only as far as they are signed.
STRICT = evolve(SIGNING, client_id="strict", require_signed_request_object=True)
#: One whose requests count only when they are pushed.
PUSHING = evolve(SIGNING, client_id="pushing", require_pushed_authorization_requests=True)
#: One that can keep no secret.
PUBLIC = Client(client_id="public", trusted=True, redirect_uris=(CALLBACK,))
OBJECT_CLIENTS = (SIGNING, UNSIGNING, STRICT, PUSHING, PUBLIC)


def contents(client: Client = SIGNING, /, **changes: object) -> dict[str, object]:
    """Return what a good object says, with some members replaced, or left out (None)."""
    good: dict[str, object] = {
        "iss": client.client_id,
        "aud": ISSUER,
        "iat": NOON,
        "exp": NOON + 60,
        "client_id": client.client_id,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "inside",
        "nonce": "nonce-inside",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed(claims: Mapping[str, object], key: PrivateKey = CLIENT_KEY, alg: str = "", **header: object) -> str:
    """Sign an object."""
    return signed_text(json.dumps(claims), key, alg, **header)


def signed_text(claims: str, key: PrivateKey = CLIENT_KEY, alg: str = "", **header: object) -> str:
    """Sign an object that is written already, in whatever way."""
    alg = alg or key.algorithms[0]
    return forge(key, {"alg": alg, "kid": key.kid, **header}, claims.encode(), alg)


def unsigned(claims: Mapping[str, object], alg: str = "none", signature: str = "") -> str:
    """Write an object without a signature."""
    header = segment(json.dumps({"alg": alg}).encode())
    return f"{header}.{segment(json.dumps(claims).encode())}.{signature}"


def hmac_signed(claims: Mapping[str, object], secret: bytes, kid: str | None = None) -> str:
    """Sign an object with a secret."""
    header = {"alg": "HS256", **({"kid": kid} if kid else {})}
    message = f"{segment(json.dumps(header).encode())}.{segment(json.dumps(claims).encode())}"
    return f"{message}.{segment(hmac.digest(secret, message.encode(), 'sha256'))}"
