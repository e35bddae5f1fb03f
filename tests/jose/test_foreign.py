"""Which tokens of others are believed, against every trick that has worked on somebody."""

import hmac
import json
from collections.abc import Mapping
from hashlib import sha256

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from twisted.trial.unittest import SynchronousTestCase

from konnectd.base64url import b64url
from konnectd.jose.foreign import ForeignTokenError, verify_foreign
from konnectd.jose.keys import KeyRing, PrivateKey, generate
from konnectd.jose.signing import LONGEST_TOKEN, KeyRingSigner
from tests.support.fakes import run

METHODS = ("PS256", "RS256", "ES256", "ES384", "ES512", "EdDSA")
KEY = generate("ES256", "one")
CLAIMS: Mapping[str, object] = {"sub": "person-1", "n": 1}


def sign(key: PrivateKey, method: str, claims: Mapping[str, object] = CLAIMS) -> str:
    """Return a token signed by a key."""
    return run(KeyRingSigner(KeyRing((key,), method=method)).sign(claims, method))


def key_set(*keys: PrivateKey, **changes: object) -> dict[str, object]:
    """Return a key set, with members laid over each key."""
    members = ({**key.public.to_jwk(), **changes} for key in keys)
    return {"keys": [{name: value for name, value in key.items() if value is not None} for key in members]}


def segment(value: object) -> str:
    """Return a segment of a token."""
    return b64url(json.dumps(value).encode())


class GoodTests(SynchronousTestCase):
    """What is believed."""

    def test_every_method(self) -> None:
        """Whatever method the issuer announces and uses, its token is read."""
        for method in METHODS:
            key = generate(method, "key")
            token = verify_foreign(sign(key, method), key_set(key), METHODS)

            self.assertEqual((token.algorithm, token.claims), (method, CLAIMS))

    def test_the_key_is_found_by_its_name(self) -> None:
        """Among several keys the named one counts."""
        keys = key_set(generate("ES256", "two"), KEY)

        self.assertEqual(verify_foreign(sign(KEY, "ES256"), keys, METHODS).claims, CLAIMS)


class RefusalTests(SynchronousTestCase):
    """What is not."""

    def refuse(
        self, token: str, keys: Mapping[str, object] | None = None, algorithms: tuple[str, ...] = METHODS
    ) -> None:
        """Fail when a token is believed."""
        self.assertRaises(ForeignTokenError, verify_foreign, token, keys or key_set(KEY), algorithms)

    def test_another_key_of_the_same_name(self) -> None:
        """A name proves nothing."""
        self.refuse(sign(generate("ES256", "one"), "ES256"))

    def test_a_key_that_is_not_published(self) -> None:
        """Whoever signed it, it was not the issuer."""
        self.refuse(sign(generate("ES256", "two"), "ES256"))

    def test_row_26_two_keys_of_one_name(self) -> None:
        """It is not tried out which of them fits."""
        keys = key_set(KEY, generate("ES256", "one"))
        error = self.assertRaises(ForeignTokenError, verify_foreign, sign(KEY, "ES256"), keys, METHODS)

        self.assertIn("no key of that name", str(error))

    def test_row_26_a_key_for_something_else(self) -> None:
        """A key for encryption signs nothing, and is not even tried."""
        keys = key_set(KEY, use="enc")
        error = self.assertRaises(ForeignTokenError, verify_foreign, sign(KEY, "ES256"), keys, METHODS)

        self.assertIn("no key of that name", str(error))

    def test_a_method_that_is_not_announced(self) -> None:
        """The issuer says how it signs; a token does not."""
        self.refuse(sign(KEY, "ES256"), algorithms=("PS256",))

    def test_no_signature(self) -> None:
        """None is no method, however it is written, even if somebody announces it."""
        for alg in ("none", "None", "NONE"):
            self.refuse(f"{segment({'alg': alg})}.{segment(CLAIMS)}.", algorithms=(*METHODS, alg))

    def test_a_public_key_as_a_secret(self) -> None:
        """Everybody has the public key, so nothing is signed by it."""
        public = KEY.public.key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        signed = f"{segment({'alg': 'HS256', 'kid': 'one'})}.{segment(CLAIMS)}"
        signature = b64url(hmac.new(public, signed.encode(), sha256).digest())
        self.refuse(f"{signed}.{signature}", algorithms=(*METHODS, "HS256"))

    def test_a_secret_that_is_published(self) -> None:
        """A shared secret in a key set is one that everybody has."""
        secret = b"s" * 32
        signed = f"{segment({'alg': 'HS256', 'kid': 'one'})}.{segment(CLAIMS)}"
        signature = b64url(hmac.new(secret, signed.encode(), sha256).digest())
        keys = {"keys": [{"kty": "oct", "kid": "one", "k": b64url(secret)}]}
        self.refuse(f"{signed}.{signature}", keys, (*METHODS, "HS256"))

    def test_a_key_in_the_header(self) -> None:
        """A key that a token brings along proves nothing about its issuer."""
        own = generate("ES256", "one")
        signed = sign(own, "ES256").split(".")
        header = {"alg": "ES256", "kid": "one", "jwk": own.public.to_jwk()}
        self.refuse(".".join((segment(header), *signed[1:])))

    def test_changed_claims(self) -> None:
        """A letter that is changed afterwards is noticed."""
        header, _, signature = sign(KEY, "ES256").split(".")
        self.refuse(f"{header}.{segment({'sub': 'person-2'})}.{signature}")

    def test_row_26_what_is_no_set_of_claims(self) -> None:
        """A list is no statement about anybody, and a repeated claim says two things."""
        for payload in (b"[]", b"{", b'{"sub":"a","sub":"b"}', b"\xff"):
            signed = f"{segment({'alg': 'ES256', 'kid': 'one'})}.{b64url(payload)}"
            self.refuse(f"{signed}.{b64url(_raw(signed))}")

    def test_nonsense(self) -> None:
        """Text that is no token, and key sets that are none."""
        for token in ("", "a.b.c", "..", "a.b", "\N{SNOWMAN}.a.b", "a" * LONGEST_TOKEN + ".b.c"):
            self.refuse(token)
        broken: tuple[Mapping[str, object], ...] = ({"keys": "x"}, {"keys": [1]}, {"keys": [{}]}, {"other": 1})
        for keys in broken:
            self.refuse(sign(KEY, "ES256"), keys)


def _raw(signed: str) -> bytes:
    """Return the signature of any text, as a token has it."""
    key = KEY.key
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the key of these tests has a curve")
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
