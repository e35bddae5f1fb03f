"""Tests of keys that are written down."""

import json

from jwcrypto.jwk import JWK
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.keys import parse_pem
from konnectd.jose.export import to_private_jwk, to_private_pem, to_public_pem
from konnectd.jose.jwk import from_jwk
from konnectd.jose.keys import PrivateKey
from tests.support.keys import ed25519_key, p256_key, p384_key, p521_key, rsa_key


class ExportTests(SynchronousTestCase):
    """A private key survives being written."""

    def test_every_kind(self) -> None:
        """Read again it is the same private key, for us and for another library."""
        for key in (rsa_key(), p256_key(), p384_key(), p521_key(), ed25519_key()):
            with self.subTest(kid=key.kid):
                text = json.dumps(to_private_jwk(key))
                again = from_jwk(text)
                foreign = JWK.from_json(text)

                self.assertIsInstance(again, PrivateKey)
                self.assertEqual((again.kid, again.thumbprint), (key.kid, key.thumbprint))
                self.assertEqual((foreign.has_private, foreign.thumbprint()), (True, key.thumbprint))

    def test_pem(self) -> None:
        """As PEM too, and its public half alone is the public key."""
        for key in (rsa_key(), p256_key(), p384_key(), p521_key(), ed25519_key()):
            with self.subTest(kid=key.kid):
                again, public = parse_pem(to_private_pem(key), key.kid), parse_pem(to_public_pem(key.public), key.kid)

                self.assertEqual((isinstance(again, PrivateKey), again.thumbprint), (True, key.thumbprint))
                self.assertEqual(public, key.public)
