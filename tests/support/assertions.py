"""Signed proofs of clients, made without the code under test."""

import hmac
import json
from collections.abc import Mapping
from hashlib import sha256

from konnectd.jose.keys import PrivateKey
from konnectd.protocol.client import Client
from konnectd.protocol.vocabulary import AuthMethod
from tests.support.fakes import NOON
from tests.support.forgery import forge, segment
from tests.support.keys import p256_key, rsa_key
from tests.support.requests import CALLBACK, ISSUER

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Long enough to sign with.
LONG_SECRET = "keys-of-the-house-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJK"

#: A client that signs with a key which stands in its registration.
KEYED = Client(
    client_id="keyed",
    trusted=True,
    redirect_uris=(CALLBACK,),
    jwks={"keys": [p256_key().public.to_jwk(), rsa_key().public.to_jwk()]},
    auth_method=AuthMethod.PRIVATE_KEY_JWT,
)
#: A client that publishes its keys.
PUBLISHING = Client(
    client_id="publishing",
    trusted=True,
    redirect_uris=(CALLBACK,),
    jwks_uri="https://publishing.example.org/keys",
    auth_method=AuthMethod.PRIVATE_KEY_JWT,
)
#: A client that signs with its secret.
SECRETIVE = Client(
    client_id="secretive",
    secret=LONG_SECRET,
    trusted=True,
    redirect_uris=(CALLBACK,),
    auth_method=AuthMethod.SECRET_JWT,
)


def claims_for(client: Client, /, **changes: object) -> dict[str, object]:
    """Return what a good proof says, with some changes; None leaves a claim out."""
    good: dict[str, object] = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": ISSUER,
        "jti": "jti-1",
        "iat": NOON,
        "exp": NOON + 60,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def keyed(client: Client = KEYED, key: PrivateKey | None = None, /, alg: object = "", **changes: object) -> str:
    """Return a proof that is signed with a key, by the first algorithm that fits it unless another one is named."""
    signing = key or p256_key()
    header = {"alg": alg or signing.algorithms[0], "kid": signing.kid}
    return forge(signing, header, json.dumps(claims_for(client, **changes)).encode(), str(alg))


def by_secret(client: Client = SECRETIVE, /, **changes: object) -> str:
    """Return a proof that is signed with the client's secret."""
    return mac(client.secret, {"alg": "HS256"}, claims_for(client, **changes))


def mac(secret: str, header: Mapping[str, object], claims: Mapping[str, object]) -> str:
    """Return a token that is signed with a secret, by SHA-256 whatever its header says."""
    signed = f"{segment(json.dumps(header).encode())}.{segment(json.dumps(claims).encode())}"
    return f"{signed}.{segment(hmac.digest(secret.encode(), signed.encode(), sha256))}"
