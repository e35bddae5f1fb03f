"""Tests of private keys written as JSON Web Keys."""

import json

from jwcrypto.jwk import JWK
from twisted.trial.unittest import SynchronousTestCase

from konnectd.jose.export import to_private_jwk
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
