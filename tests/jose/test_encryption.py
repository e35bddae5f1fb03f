"""What only one client can read: by which key, which secret, and which keys are none."""

import json
from hashlib import sha256, sha384, sha512
from typing import Any

from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK
from twisted.trial.unittest import SynchronousTestCase

from konnectd.base64url import b64url
from konnectd.interfaces import BackendUnavailableError
from konnectd.jose.client_keys import FRESH, PAUSE, USABLE, RegisteredKeys
from konnectd.jose.encryption import ALGORITHMS, CONTENT_ALGORITHMS, ClientEncrypter, find_key, needs_secret
from konnectd.protocol.client import Client
from konnectd.protocol.wrapping import Wrapping
from tests.support.fakes import FixedClock, run
from tests.support.web_of_clients import WebOfClients

SECRET = "a secret as long as it should be, 1234"
#: One key of each kind that keys can be wrapped with or agreed with.
KEYS = (
    JWK.generate(kty="RSA", size=2048, kid="rsa-1", use="enc"),
    JWK.generate(kty="EC", crv="P-256", kid="p256-1"),
    JWK.generate(kty="EC", crv="P-384", kid="p384-1"),
    JWK.generate(kty="EC", crv="P-521", kid="p521-1"),
    JWK.generate(kty="OKP", crv="X25519", kid="x25519-1"),
)
RSA, P256 = KEYS[0], KEYS[1]
#: How many bytes of key each way to encrypt content takes. Spec: RFC 7518 5.1.
SIZES = {"A128CBC-HS256": 32, "A256CBC-HS512": 64, "A128GCM": 16, "A256GCM": 32}
CONTENT = "eyJ.a-signed-token.\u00fc"


def public(key: JWK, **members: object) -> dict[str, Any]:
    """Return the public part of a key, with some members replaced, or left out (None)."""
    found = {**json.loads(key.export_public()), **members}
    return {name: value for name, value in found.items() if value is not None}


def jwks(*members: object) -> dict[str, object]:
    """Return a key set."""
    return {"keys": list(members)}


class EncrypterCase(SynchronousTestCase):
    """Encrypts for clients."""

    def setUp(self) -> None:
        """Begin with nothing fetched."""
        self.clock = FixedClock()
        self.web = WebOfClients()
        self.encrypter = ClientEncrypter(RegisteredKeys(self.web, self.clock))

    def encrypt(self, client: Client, alg: str, enc: str = "A128GCM", *, nested: bool = True) -> str:
        """Encrypt for a client."""
        return run(self.encrypter.encrypt(client, CONTENT, Wrapping(alg=alg, enc=enc, nested=nested)))

    def opened(self, token: str, key: JWK) -> tuple[str, dict[str, Any]]:
        """Return content and header of a token; an error when the key does not open it."""
        found = JWE(algs=[*ALGORITHMS, *CONTENT_ALGORITHMS])
        found.deserialize(token, key)
        return found.payload.decode(), found.jose_header


class PublicKeyTests(EncrypterCase):
    """Encryption with a key the client registered."""

    def test_every_way(self) -> None:
        """Every way that metadata names can be opened with the private key, and says which key that is."""
        for alg in (alg for alg in ALGORITHMS if not needs_secret(alg)):
            for key in (key for key in KEYS if (key["kty"] == "RSA") == alg.startswith("RSA")):
                client = Client(client_id="c", jwks=jwks(public(key)))
                for enc in CONTENT_ALGORITHMS:
                    content, header = self.opened(self.encrypt(client, alg, enc), key)
                    self.assertEqual((content, header["kid"], header["cty"]), (CONTENT, key["kid"], "JWT"))
                    self.assertEqual((header["alg"], header["enc"]), (alg, enc))

    def test_never_twice_the_same(self) -> None:
        """The same content is encrypted differently each time."""
        client = Client(client_id="c", jwks=jwks(public(P256)))

        self.assertEqual(len({self.encrypt(client, "ECDH-ES") for _ in range(8)}), 8)

    def test_plain_claims(self) -> None:
        """What is no token inside is not said to be one; nothing is ever compressed."""
        client = Client(client_id="c", jwks=jwks(public(P256)))
        _, header = self.opened(self.encrypt(client, "ECDH-ES", nested=False), P256)

        self.assertEqual(set(header), {"alg", "enc", "typ", "kid", "epk"})

    def test_private_part(self) -> None:
        """A client that registered its private key as well gets what its public key opens, and none of it is sent."""
        client = Client(client_id="c", jwks=jwks(json.loads(P256.export_private())))
        content, header = self.opened(self.encrypt(client, "ECDH-ES+A256KW"), P256)

        self.assertEqual((content, set(header["epk"])), (CONTENT, {"kty", "crv", "x", "y"}))

    def test_no_key(self) -> None:
        """Without a key that fits, nothing is sent rather than something that others can read."""
        for keys in (None, jwks(), jwks(public(P256)), {"keys": "none"}, {}):
            client = Client(client_id="c", jwks=keys)
            self.assertRaises(BackendUnavailableError, self.encrypt, client, "RSA-OAEP-256")

    def test_fetched(self) -> None:
        """Keys at a jwks_uri are fetched, kept for a while, and fetched again when they are old."""
        client = Client(client_id="c", jwks_uri="https://c.example/jwks")
        self.assertRaises(BackendUnavailableError, self.encrypt, client, "ECDH-ES")
        self.clock.advance(PAUSE)
        self.web.publish(client.jwks_uri, jwks(public(P256)))
        for _ in range(3):
            self.assertEqual(self.opened(self.encrypt(client, "ECDH-ES"), P256)[0], CONTENT)
        self.assertEqual(len(self.web.asked), 2)
        self.web.publish(client.jwks_uri, jwks(public(KEYS[2])))
        self.clock.advance(FRESH)

        self.assertEqual(self.opened(self.encrypt(client, "ECDH-ES"), KEYS[2])[0], CONTENT)

    def test_fetched_once_and_then_silent(self) -> None:
        """While a client's site is silent its last keys are good for some time, and then no more."""
        client = Client(client_id="c", jwks_uri="https://c.example/jwks")
        self.web.publish(client.jwks_uri, jwks(public(P256)))
        self.encrypt(client, "ECDH-ES")
        self.web.pages.clear()
        self.clock.advance(FRESH)

        self.assertEqual(self.opened(self.encrypt(client, "ECDH-ES"), P256)[0], CONTENT)
        self.clock.advance(USABLE)
        self.assertRaises(BackendUnavailableError, self.encrypt, client, "ECDH-ES")


class SecretTests(EncrypterCase):
    """Encryption with a key that is made of the client's secret. Spec: OIDC Core 10.2."""

    def derived(self, size: int) -> JWK:
        """Return the key a client makes, by the letter of the specification."""
        hashing = sha256 if size <= 32 else sha384 if size <= 48 else sha512
        key = hashing(SECRET.encode()).digest()[:size]
        return JWK.from_json(json.dumps({"kty": "oct", "k": b64url(key)}))

    def test_every_way(self) -> None:
        """The client opens it with the key it makes of its secret; no key id is named."""
        client = Client(client_id="c", secret=SECRET)
        for enc, size in SIZES.items():
            for alg, wrapping_size in (("A128KW", 16), ("A256KW", 32), ("dir", size)):
                content, header = self.opened(self.encrypt(client, alg, enc), self.derived(wrapping_size))
                self.assertEqual((content, "kid" in header), (CONTENT, False), f"{alg} {enc}")

    def test_no_secret(self) -> None:
        """Nothing is encrypted with the key that everybody can make of no secret."""
        self.assertRaises(BackendUnavailableError, self.encrypt, Client(client_id="c"), "dir")


class FindKeyTests(SynchronousTestCase):
    """Which of a client's keys is taken."""

    def found(self, *members: object, algorithm: str = "RSA-OAEP") -> str | None:
        """Return the id of the key that is taken."""
        key = find_key(members, algorithm)
        return None if key is None else str(key["kid"])

    def test_preference(self) -> None:
        """One that says it is for encryption goes before one that does not say."""
        silent, meant = public(RSA, kid="a", use=None), public(RSA, kid="b")

        self.assertEqual(self.found(silent, meant), "b")
        self.assertEqual(self.found(silent), "a")

    def test_only_the_public_part(self) -> None:
        """Nobody holds on to a private key that a client registered by mistake."""
        key = find_key([json.loads(RSA.export_private())], "RSA-OAEP")

        self.assertIs(key is not None and key.has_private, False)

    def test_unfit(self) -> None:
        """A key for signatures, for another algorithm or use, of another kind, broken or weak is none."""
        weak = JWK.generate(kty="RSA", size=1024, kid="weak")
        unfit: tuple[object, ...] = (
            public(RSA, use="sig"),
            public(RSA, alg="RSA-OAEP-256"),
            public(RSA, alg="RSA1_5"),
            public(RSA, key_ops=["verify"]),
            public(RSA, n="AAAA", e="AQAB"),
            public(RSA, n=7),
            public(RSA, e=None),
            public(P256),
            public(weak),
            {"kty": "oct", "k": "c2VjcmV0"},
            {"kty": "RSA"},
            {},
            None,
            "RSA",
            [public(RSA)],
            {"kty": []},
            public(RSA, key_ops=[[]]),
            public(RSA, use={}),
        )
        for member in unfit:
            self.assertIsNone(self.found(member), member)
        self.assertEqual(self.found(*unfit, public(RSA, key_ops=["wrapKey"])), "rsa-1")

    def test_key_that_can_not_be_used(self) -> None:
        """A key that can be read and then encrypts nothing is the client's fault, and not one of ours."""
        even, nowhere = b64url(b"\xfe" * 256), {"kty": "OKP", "crv": "X25519", "x": b64url(bytes(32))}
        encrypter = ClientEncrypter(RegisteredKeys(WebOfClients(), FixedClock()))
        for key, alg in ((public(RSA, n=even), "RSA-OAEP"), (nowhere, "ECDH-ES")):
            client = Client(client_id="app", jwks=jwks(key))
            with self.assertRaises(BackendUnavailableError):
                run(encrypter.encrypt(client, CONTENT, Wrapping(alg=alg, enc="A128GCM", nested=True)))

    def test_points_off_the_curve(self) -> None:
        """A point that is not on its curve, or a curve nobody agrees keys on, is none."""
        for member in (public(P256, y=public(P256)["x"]), public(P256, crv="secp256k1"), public(P256, crv="P-384")):
            self.assertIsNone(self.found(member, algorithm="ECDH-ES"))
