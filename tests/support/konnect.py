"""An installation as Kopano Konnect 0.34 leaves it behind: its files, and the tokens and cookies that are still out.

Nothing here is made by the code under test.
"""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

from attrs import frozen
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwcrypto import jwe, jwk

from konnectd.jose.keys import PrivateKey
from tests.support.forgery import forge
from tests.support.keys import rsa_key
from tests.support.migrating import ROOT

DATA = ROOT / "tests" / "data" / "konnect"
SECRET = bytes(range(100, 132))
#: The keys, as the launcher called them; the second one signs.
OLD_KID, KID = "konnect-20200101-cafe", "konnect-20210101-beef"
KEYS: Mapping[str, PrivateKey] = {OLD_KID: rsa_key(7), KID: rsa_key(8)}
YEARS = 94_608_000
#: What the file says when it names the files itself; by default it leaves them out.
NAMED = (
    'signing_private_key = "{0}/konnectd-signing-private-key.pem"\nvalidation_keys_path = {0}/konnectkeys\n'
    "encryption_secret_key = '{0}/konnectd-encryption-secret.key'"
)


def subject(raw: str, provider: str) -> str:
    """Return by which ``sub`` clients have known somebody."""
    digest = blake2b(f"{raw} {provider}".encode(), digest_size=64, key=b"konnect-IDToken-v1").digest()
    return urlsafe_b64encode(digest).decode().rstrip("=") + "@konnect"


@frozen(kw_only=True)
class Installation:
    """The files, in a folder that stands for ``/etc/kopano``."""

    root: Path

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.root / "konnectd.cfg"

    @classmethod
    def make(cls, root: Path, **values: str) -> "Installation":
        """Write everything.

        Args:
            root: an empty folder.
            values: what the configuration says between @ signs; the rest is empty.
        """
        keys = root / "konnectkeys"
        keys.mkdir(mode=0o700)
        for kid, key in KEYS.items():
            _write(keys / f"{kid}.pem", key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (root / "konnectd-signing-private-key.pem").symlink_to(keys / f"{KID}.pem")
        _write(root / "konnectd-encryption-secret.key", SECRET)
        for name in ("identifier-registration.yaml", "identifier-scopes.yaml"):
            _write(root / f"konnectd-{name}", (DATA / name).read_bytes())
        parts = (DATA / "konnectd.cfg").read_text("utf-8").split("@")
        text = "".join(values.get(part, "") if place % 2 else part for place, part in enumerate(parts))
        _write(root / "konnectd.cfg", text.encode())
        return cls(root=root)


def _write(path: Path, content: bytes) -> None:
    """Write a file for nobody else."""
    path.write_bytes(content)
    path.chmod(0o600)


@frozen(kw_only=True)
class Issued:
    """What is still out: tokens about one person for one client.

    Attributes:
        issuer: of the installation.
        client_id: whom they are for.
        raw: who it is for the manager.
        provider: the manager.
        identity: ``kc.identity``.
    """

    issuer: str
    client_id: str
    raw: str
    provider: str
    identity: Mapping[str, object]

    @property
    def sub(self) -> str:
        """By which the client knows the person."""
        return subject(self.raw, self.provider)

    def access_token(self) -> str:
        """Return one that is good for some minutes more."""
        more = {
            "jti": "Jk2VwPZ1Yw1F0N5pX3yFhKk0F2yq0m7_",
            "kc.isAccessToken": True,
            "kc.authorizedScopes": ["profile", "openid", "email"],
            "kc.authorizedClaims": None,
        }
        return self._token(KID, 600, more)

    def refresh_token(self) -> str:
        """Return one of last year, signed by the key before."""
        more = {
            "jti": "X1Jmv0v8eTgqZbK3e7nO2n9mQmF0aX8d",
            "kc.isRefreshToken": True,
            "kc.approvedScopes": ["offline_access", "openid", "email", "profile"],
            "kc.approvedClaims": None,
            "kc.ref": "b4tE7k0yJ2c9m1pQf6sX3wHq8nRZ5aVd0uGLiTYoKxM=",
        }
        return self._token(OLD_KID, YEARS, more, age=300 * 86_400)

    def id_token(self) -> str:
        """Return one that has expired long ago, as clients keep them for signing out."""
        now = int(time.time()) - 86_400
        claims = {
            "iss": self.issuer,
            "sub": self.sub,
            "aud": self.client_id,
            "exp": now + 3600,
            "iat": now,
            "nonce": "n-1",
            "at_hash": "PEaenWxYddN6Q_NT1PiOYQ",
            "sid": "q8nRZ5aVd0uGLiTYoKxMb4tE7k0yJ2c9m1pQf6sX3wH=",
        }
        return _signed(KID, claims, "RS256")

    def _token(self, kid: str, life: int, more: Mapping[str, object], age: int = 60) -> str:
        """Return a token with what they have in common."""
        now = int(time.time()) - age
        claims = {
            "iss": self.issuer,
            "sub": self.sub,
            "aud": self.client_id,
            "exp": now + life,
            "iat": now,
            "kc.identity": self.identity,
            "kc.provider": self.provider,
        }
        return _signed(kid, {**claims, **more})

    def cookies(self) -> str:
        """Return the header of a browser that was signed in: the ticket as JWE, and two that are not looked into."""
        ticket = {
            "iss": self.provider,
            "aud": ["2019012201"],
            "sub": self.raw,
            "iat": int(time.time()) - 60,
            **self.identity,
        }
        key = jwk.JWK(kty="oct", k=urlsafe_b64encode(SECRET).decode().rstrip("="))
        sealed = jwe.JWE(json.dumps(ticket).encode(), json.dumps({"alg": "A256GCMKW", "enc": "A256GCM"}))
        sealed.add_recipient(key)
        values = {"KKT": sealed.serialize(compact=True), "KKCS": "AAAA" * 30, "KKBS": "eS6CWCaPDdKAlo5DVPKahR59"}
        return "; ".join(f"__Secure-{name}={value}" for name, value in values.items())


def _signed(kid: str, claims: Mapping[str, object], alg: str = "PS256") -> str:
    """Sign claims as Konnect did."""
    return forge(KEYS[kid], {"alg": alg, "kid": kid, "typ": "JWT"}, json.dumps(claims).encode(), alg)
