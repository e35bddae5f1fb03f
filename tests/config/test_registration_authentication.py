"""How registered clients prove who they are, and by which keys."""

from konnectd.protocol.vocabulary import AuthMethod
from tests.config.test_registration import RegistrationTestCase

_URIS = "redirect_uris: ['https://a.example']"
_KEYS = "jwks: {keys: [{kty: EC, kid: x}]}"
_SECRET = "secret: 0123456789abcdef0123456789abcdef"


class AuthenticationTests(RegistrationTestCase):
    """Methods, and what each needs."""

    def test_good(self) -> None:
        """Each method goes with what it needs, and keeps the algorithm it is registered for."""
        private = "token_endpoint_auth_method: private_key_jwt"
        secretive = f"{_SECRET}, token_endpoint_auth_method: client_secret_jwt"
        cases = (
            (f"{private}, {_KEYS}", AuthMethod.PRIVATE_KEY_JWT, "", ""),
            (f"{private}, jwks_uri: 'https://a.example/k'", AuthMethod.PRIVATE_KEY_JWT, "", "https://a.example/k"),
            (f"{private}, {_KEYS}, token_endpoint_auth_signing_alg: ES256", AuthMethod.PRIVATE_KEY_JWT, "ES256", ""),
            (f"{private}, {_KEYS}, {_SECRET}", AuthMethod.PRIVATE_KEY_JWT, "", ""),
            (secretive, AuthMethod.SECRET_JWT, "", ""),
            (f"{secretive}, token_endpoint_auth_signing_alg: HS256", AuthMethod.SECRET_JWT, "HS256", ""),
            ("jwks_uri: 'https://a.example:8443/k?v=1'", None, "", "https://a.example:8443/k?v=1"),
        )
        for lines, method, algorithm, jwks_uri in cases:
            client = self.client(f"{_URIS}, {lines}")

            self.assertEqual(
                (client.auth_method, client.token_endpoint_auth_signing_alg, client.jwks_uri),
                (method, algorithm, jwks_uri),
                lines,
            )
            self.assertEqual(client.public, method is None)

    def test_algorithm_of_another_method(self) -> None:
        """For a secret that is sent as it is the algorithm means nothing, but files of Konnect have it."""
        client = self.client(f"{_URIS}, secret: x, token_endpoint_auth_signing_alg: RS256")

        self.assertEqual((client.token_endpoint_auth_signing_alg, self.warnings), ("", []))

    def test_refused(self) -> None:
        """What does not go together is told."""
        private = "token_endpoint_auth_method: private_key_jwt"
        secretive = "token_endpoint_auth_method: client_secret_jwt"
        algorithm = "token_endpoint_auth_signing_alg"
        for lines, problem in (
            (private, "private_key_jwt needs jwks or jwks_uri"),
            (f"{private}, secret: x", "private_key_jwt needs jwks or jwks_uri"),
            (secretive, "client_secret_jwt needs a secret"),
            (f"{secretive}, secret: short", "secret: must have at least 32 bytes, because it signs"),
            (f"{secretive}, {_SECRET}, {algorithm}: HS512", "secret: must have at least 64 bytes, because it signs"),
            (f"{secretive}, {_SECRET}, {algorithm}: RS256", f"{algorithm}: must be one of HS256, HS384, HS512"),
            (f"{private}, {_KEYS}, {algorithm}: HS256", f"{algorithm}: must be one of PS256"),
            (f"{private}, {_KEYS}, {algorithm}: none", f"{algorithm}: must be one of PS256"),
            (f"{_KEYS}, jwks_uri: 'https://a.example/k'", "jwks_uri: does not go together with jwks"),
            ("jwks_uri: 'http://a.example/k'", "jwks_uri: must begin with https://"),
            ("jwks_uri: 'https://u@a.example/k'", "jwks_uri: must begin with https://"),
            ("jwks_uri: 'https://a.example/k#x'", "jwks_uri: must begin with https://"),
            ("jwks_uri: k", "jwks_uri: must begin with https://"),
            ("insecure: yes, jwks_uri: 'http://a.example/k'", "jwks_uri: must begin with https://"),
        ):
            with self.subTest(lines=lines):
                self.assertIn(problem, self.problem(f"{_URIS}, {lines}"))
