"""A house whose every secret is marked: clients, keys, and what the operator wrote down."""

from collections.abc import Mapping
from typing import Any

import yaml

from tests.support.assertions import LONG_SECRET
from tests.support.keys import p256_key, rsa_key
from tests.support.marks import Marks, mark
from tests.support.request_objects import CLIENT_KEY, CLIENT_RSA_KEY
from tests.support.requests import BYE, CALLBACK, VERIFIER

PASSWORD, WRONG, MISPLACED = mark("right password"), mark("wrong password"), mark("password in the field of the name")
INITIAL_TOKEN = mark("initial access token")
#: What clients make up, and what they say about people.
STATE, NONCE, HINT, PASSTHRU = mark("state"), mark("nonce"), mark("login hint"), mark("passthru")
#: Exactly as long as they have to be.
ENCRYPTION_SECRET, PAIRWISE_SALT = (
    mark("encryption")[:29].encode() + b"+/\xff",
    mark("pairwise")[:29].encode() + b"~\xfe?",
)
HOUSE_SECRET, ASKING_SECRET, ROBOT_SECRET = mark("secret of house"), mark("secret of asking"), mark("secret of robot")
SECRETIVE_SECRET = LONG_SECRET
_KEYS = {"keys": [CLIENT_KEY.public.to_jwk(), CLIENT_RSA_KEY.public.to_jwk()]}
_SITE = CALLBACK.removesuffix("/cb")
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"

#: As they stand in the file of clients.
CLIENTS: list[dict[str, Any]] = [
    {
        "id": "house",
        "secret": HOUSE_SECRET,
        "trusted": True,
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [BYE],
        "backchannel_logout_uri": f"{_SITE}/told?key={mark('key in an address')}",
        "frontchannel_logout_uri": f"{_SITE}/frame?key={mark('key in an address')}",
        "jwks": _KEYS,
    },
    {
        "id": "asking",
        "secret": ASKING_SECRET,
        "name": "Asking",
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [BYE],
        "subject_type": "pairwise",
    },
    {
        "id": "secretive",
        "secret": SECRETIVE_SECRET,
        "trusted": True,
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "client_secret_jwt",
    },
    {
        "id": "keyed",
        "trusted": True,
        "redirect_uris": [CALLBACK],
        "jwks": _KEYS,
        "token_endpoint_auth_method": "private_key_jwt",
    },
    {"id": "tv", "name": "Living room TV", "grant_types": [DEVICE]},
    {
        "id": "robot",
        "secret": ROBOT_SECRET,
        "scopes": ["api"],
        "grant_types": ["client_credentials"],
        "introspection": True,
    },
]


def clients_file(clients: list[dict[str, Any]] | None = None) -> str:
    """Return the file of clients."""
    return yaml.safe_dump({"clients": CLIENTS if clients is None else clients})


def house_marks() -> Marks:
    """Return all secrets that there are before anybody comes."""
    found = Marks()
    told: Mapping[str, tuple[str | bytes, ...]] = {
        "password": (PASSWORD, WRONG),
        "password in the field of the name": (MISPLACED,),
        "client secret": (HOUSE_SECRET, ASKING_SECRET, ROBOT_SECRET, SECRETIVE_SECRET),
        "initial access token": (INITIAL_TOKEN,),
        "encryption secret": (ENCRYPTION_SECRET,),
        "pairwise salt": (PAIRWISE_SALT,),
        "state": (STATE,),
        "nonce": (NONCE,),
        "code_verifier": (VERIFIER,),
        "login_hint": (HINT,),
        "passthru": (PASSTHRU,),
        "key in an address": (mark("key in an address"),),
    }
    for kind, secrets in told.items():
        found.add(kind, *secrets)
    for key in (p256_key(), rsa_key()):
        found.add_key("signing key", key)
    for key in (CLIENT_KEY, CLIENT_RSA_KEY):
        found.add_key("client's key", key)
    return found
