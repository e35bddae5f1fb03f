"""What a client's entry may say about claims and encryption."""

import json

from jwcrypto.jwk import JWK

from tests.config.test_registration import RegistrationTestCase

RSA = json.loads(JWK.generate(kty="RSA", size=2048, kid="r").export_public())
URIS = "redirect_uris: ['https://a.example/cb']"
KEYS = f"jwks: {json.dumps({'keys': [RSA]})}"


class ClaimsTests(RegistrationTestCase):
    """Claims and encryption of a client."""

    def told(self, lines: str) -> str:
        """Return the one fault of an entry."""
        return self.problem(f"{URIS}, {lines}")

    def test_defaults(self) -> None:
        """Without a word nothing is encrypted, and claims of scopes are at userinfo."""
        client = self.client(URIS)

        self.assertFalse(client.scope_claims_in_id_token)
        self.assertEqual((client.id_token_encrypted_response_alg, client.userinfo_encrypted_response_alg), ("", ""))

    def test_everything(self) -> None:
        """Each key goes where it belongs; without enc the specification's default counts."""
        client = self.client(
            f"{URIS}, {KEYS}, secret: s, scope_claims_in_id_token: yes, id_token_encrypted_response_alg: RSA-OAEP-256, "
            "userinfo_encrypted_response_alg: dir, userinfo_encrypted_response_enc: A256GCM"
        )

        self.assertTrue(client.scope_claims_in_id_token)
        self.assertEqual(
            (client.id_token_encrypted_response_alg, client.id_token_encrypted_response_enc),
            ("RSA-OAEP-256", "A128CBC-HS256"),
        )
        self.assertEqual(
            (client.userinfo_encrypted_response_alg, client.userinfo_encrypted_response_enc), ("dir", "A256GCM")
        )
        self.assertEqual(self.warnings, [])

    def test_fetched_keys(self) -> None:
        """Keys may stand at a jwks_uri, where they are looked for when they are needed."""
        client = self.client(f"{URIS}, jwks_uri: 'https://a.example/jwks', id_token_encrypted_response_alg: ECDH-ES")

        self.assertEqual(client.id_token_encrypted_response_alg, "ECDH-ES")

    def test_faults(self) -> None:
        """What could not work, or would not be safe, stops the start."""
        for what in ("id_token", "userinfo"):
            alg, enc = f"{what}_encrypted_response_alg", f"{what}_encrypted_response_enc"
            for lines, problem in (
                (f"{KEYS}, {alg}: RSA1_5", f"{alg}: must be one of RSA-OAEP"),
                (f"{KEYS}, {alg}: none", f"{alg}: must be one of RSA-OAEP"),
                (f"{KEYS}, {alg}: RSA-OAEP, {enc}: A128CBC", f"{enc}: must be one of A128CBC-HS256"),
                (f"{KEYS}, {enc}: A128GCM", f"{enc}: does not go without {alg}"),
                (f"{KEYS}, {alg}: ECDH-ES", f"{alg}: no key in jwks fits ECDH-ES"),
                (f"{alg}: RSA-OAEP", f"{alg}: RSA-OAEP needs a key, in jwks or at a jwks_uri"),
                (f"{KEYS}, {alg}: dir", f"{alg}: dir needs a secret"),
                (f"{KEYS}, {alg}: A128KW", f"{alg}: A128KW needs a secret"),
            ):
                self.assertIn(problem, self.told(lines), lines)
