"""Keys written as JSON Web Keys."""

import json

from jwcrypto.jwk import JWK
from twisted.trial.unittest import SynchronousTestCase

from konnectd.jose.jwk import from_jwk
from konnectd.jose.keys import PrivateKey, PublicKey
from tests.support.keys import full_ring, p256_key, rsa_key


def written(key: PrivateKey, *, private: bool = True, **members: object) -> str:
    """Write a key as another library does."""
    jwk = JWK.from_pyca(key.key)
    known = json.loads(jwk.export_private() if private else jwk.export_public())
    known.pop("kid", None)
    return json.dumps({**known, **members})


class ReadTests(SynchronousTestCase):
    """Documents that are keys."""

    def test_private(self) -> None:
        """A private key of each kind is read with the id it has."""
        for key in full_ring().signing:
            self.assertEqual(from_jwk(written(key, kid=key.kid, use="sig")), key)

    def test_public(self) -> None:
        """A public key of each kind is read as a key that can not sign."""
        for key in full_ring().signing:
            self.assertEqual(from_jwk(written(key, private=False, kid=key.kid, alg=key.algorithms[-1])), key.public)

    def test_key_id(self) -> None:
        """A key has its own id, else the one of its file, else its thumbprint."""
        ids = [
            from_jwk(written(p256_key(), kid="own"), "file").kid,
            from_jwk(written(p256_key()), "file").kid,
            from_jwk(written(p256_key(), kid=""), "").kid,
        ]

        self.assertEqual(ids, ["own", "file", p256_key().thumbprint])

    def test_what_we_show_is_readable(self) -> None:
        """The keys of our own key set can be read back."""
        for jwk in full_ring().jwks()["keys"]:
            key = from_jwk(json.dumps(jwk))
            self.assertIsInstance(key, PublicKey)
            self.assertEqual(key.kid, jwk["kid"])


class RefusalTests(SynchronousTestCase):
    """Documents that are no keys for us; what is wrong is said in words."""

    def check(self, text: str, words: str) -> None:
        """Check that a document is refused with words."""
        with self.assertRaisesRegex(ValueError, words):
            from_jwk(text)

    def test_no_json(self) -> None:
        """What is not a JSON object is no key."""
        for text in ("", "{", "-----BEGIN PRIVATE KEY-----", "\ud800"):
            self.check(text, "")
        self.check("{\n,", "no JSON document: line 2")
        self.check("[]", "is a JSON object")
        self.check("[" * 100_000, "not that deep")

    def test_key_set(self) -> None:
        """A whole set is not one key."""
        self.check(json.dumps(full_ring().jwks()), "a set of keys")

    def test_symmetric(self) -> None:
        """A shared secret signs nothing here."""
        self.check('{"kty":"oct","k":"c2VjcmV0"}', "kind that is not supported")

    def test_encryption_key(self) -> None:
        """A key for encryption is not used for signatures."""
        self.check(written(rsa_key(), use="enc"), "not meant for signatures")
        self.check(written(rsa_key(), alg="RSA-OAEP"), "alg does not fit it")
        self.check(written(p256_key(), alg="ES384"), "alg does not fit it; it can do ES256")

    def test_key_operations(self) -> None:
        """A key whose operations leave signing out does not sign."""
        self.check(written(p256_key(), key_ops=["verify"]), "can not be used")

    def test_nothing_is_computed(self) -> None:
        """A document that tells a library to make a key of some size is none, and nobody waits for that."""
        for kind in ({"kty": "RSA", "size": 16384}, {"kty": "EC", "crv": "P-256"}, {"kty": "OKP", "crv": "Ed25519"}):
            with self.assertRaises(ValueError):
                from_jwk(json.dumps({**kind, "generate": kind["kty"]}))

    def test_weak(self) -> None:
        """A weak key is refused in this form too."""
        self.check(JWK.generate(kty="RSA", size=1024).export_private(), "at least 2048 bits")

    def test_foreign_curves(self) -> None:
        """Curves without an algorithm of ours are refused."""
        for kty, curve in (("EC", "secp256k1"), ("OKP", "Ed448"), ("OKP", "X25519")):
            self.check(JWK.generate(kty=kty, crv=curve).export_private(), "")

    def test_damaged(self) -> None:
        """A key with a member missing or made of the wrong stuff is refused, not a fault of ours."""
        for change in ({"x": None}, {"x": "!"}, {"x": 5}, {"d": ""}, {"crv": "P-999"}, {"y": "AAAA"}, {"kid": 5}):
            members = {**json.loads(written(p256_key())), **change}
            if change == {"kid": 5}:
                self.assertEqual(from_jwk(json.dumps(members)).kid, "5")
            else:
                self.check(json.dumps(members), "")
