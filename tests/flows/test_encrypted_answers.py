"""Clients that are registered for encryption get nothing that others could read."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.userinfo import Answer, Encrypted, Plain, Signed
from konnectd.interfaces import BackendUnavailableError
from tests.support.fakes import claims_of, header_of, opened, run
from tests.support.people import ALICE
from tests.support.provider import Provider, told
from tests.support.requests import ISSUER, MAIL

ENCRYPTED = evolve(
    MAIL, id_token_encrypted_response_alg="RSA-OAEP-256", id_token_encrypted_response_enc="A128CBC-HS256"
)
SECRETIVE = evolve(MAIL, userinfo_encrypted_response_alg="dir", userinfo_encrypted_response_enc="A256GCM")
BOTH = evolve(SECRETIVE, userinfo_signed_response_alg="ES256")


class IdTokenTests(SynchronousTestCase):
    """Encrypted ID tokens."""

    def test_at_both_endpoints(self) -> None:
        """They are signed and then encrypted, in the front channel and at the token endpoint."""
        provider = Provider(ENCRYPTED)
        answer = told(provider.ask(provider.browser_of(ALICE), client_id="mail", response_type="code id_token"))
        response = provider.redeem(answer["code"], ENCRYPTED)

        for token in (answer["id_token"], response.id_token):
            header = header_of(token)
            self.assertEqual((header["alg"], header["enc"], header["cty"]), ("RSA-OAEP-256", "A128CBC-HS256", "JWT"))
            self.assertEqual(claims_of(opened(token))["iss"], ISSUER)

    def test_keys_are_not_to_be_had(self) -> None:
        """Without the client's key there is no answer, rather than one that can be read."""
        provider = Provider(ENCRYPTED)
        code = provider.code(ENCRYPTED)
        provider.encrypter.silent = True

        self.assertRaises(BackendUnavailableError, provider.redeem, code, ENCRYPTED)

    def test_others(self) -> None:
        """A client that is not registered for it gets a signed token that is not wrapped in anything."""
        provider = Provider()
        provider.encrypter.silent = True

        self.assertEqual(claims_of(provider.tokens("openid").id_token)["iss"], ISSUER)


class UserInfoTests(SynchronousTestCase):
    """Encrypted userinfo."""

    def ask(self, provider: Provider) -> Answer:
        """Ask with a token of a whole run."""
        client = run(provider.registry.get("mail")) or MAIL
        return run(provider.userinfo(f"Bearer {provider.tokens('openid email', client).access_token}", None))

    def test_encrypted(self) -> None:
        """A client that wants no signature gets its claims as JSON in an envelope, with issuer and audience."""
        answer = self.ask(Provider(SECRETIVE))
        token = answer.jwe if isinstance(answer, Encrypted) else ""

        self.assertNotIn("cty", header_of(token))
        self.assertIn('"email": "alice@example.org"', opened(token))
        self.assertIn(f'"iss": "{ISSUER}"', opened(token))
        self.assertIn('"aud": "mail"', opened(token))

    def test_signed_and_encrypted(self) -> None:
        """A client that wants both gets a signed token in an envelope."""
        answer = self.ask(Provider(BOTH))
        token = answer.jwe if isinstance(answer, Encrypted) else ""

        self.assertEqual(header_of(token)["cty"], "JWT")
        self.assertEqual(header_of(opened(token))["alg"], "ES256")
        self.assertEqual(claims_of(opened(token))["aud"], "mail")

    def test_neither(self) -> None:
        """All others get what they are registered for."""
        self.assertIsInstance(self.ask(Provider()), Plain)
        self.assertIsInstance(self.ask(Provider(evolve(MAIL, userinfo_signed_response_alg="ES256"))), Signed)

    def test_keys_are_not_to_be_had(self) -> None:
        """Without the client's key there is no answer, rather than one that can be read."""
        provider = Provider(BOTH)
        provider.encrypter.silent = True

        self.assertRaises(BackendUnavailableError, self.ask, provider)
