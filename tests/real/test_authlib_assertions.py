"""A relying party built on Authlib proves who it is by signatures of Authlib's own making."""

import json
from typing import Any

from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from twisted.trial.unittest import SynchronousTestCase

from tests.real import slapd
from tests.real.authlib_client import SCOPE, OAuthError, RelyingParty
from tests.real.installation import Directory, provider
from tests.real.person import Person
from tests.real.test_authlib import ALICE, CALLBACK, client
from tests.real.test_fetch import answer
from tests.real.tls_server import TlsServer
from tests.support.files import folder
from tests.support.keys import rsa_key

SECRET = "letters-and-digits-0123456789-long-enough-to-sign"
KEY = rsa_key().key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
#: Where the client publishes its keys in these tests; no client may have an address there otherwise.
HERE = ("--fetch-allow=127.0.0.0/8", "--fetch-allow=::1")
KEYS = {"keys": [rsa_key().public.to_jwk()]}


class AssertionTests(SynchronousTestCase):
    """Clients that sign who they are."""

    skip = slapd.SKIP

    def setUp(self) -> None:
        """Start a provider, and the server where one of its clients publishes its keys."""
        directory = self.enterContext(Directory.start())
        self.server = TlsServer(directory.server.folder)
        self.addCleanup(self.server.stop)
        self.server.answer = answer(json.dumps(KEYS).encode())
        self.clients = (
            client("secret", secret=SECRET, token_endpoint_auth_method="client_secret_jwt"),
            client("key", jwks=KEYS, token_endpoint_auth_method="private_key_jwt"),
            client(
                "published",
                jwks_uri=f"https://localhost:{self.server.port}/keys",
                token_endpoint_auth_method="private_key_jwt",
                token_endpoint_auth_signing_alg="RS256",
            ),
        )
        # The certificate is checked like any other, so the authority has to be known.
        self.variables = {**directory.by_ldaps(), "SSL_CERT_FILE": str(directory.server.ca_file)}

    def start(self, *words: str) -> None:
        """Start the provider."""
        self.provider = self.enterContext(provider(folder(self), self.clients, self.variables, *words))

    def party(self, client_id: str, method: str, secret: str, proof: Any) -> RelyingParty:  # noqa: ANN401 - Authlib's
        """Return a client that signs."""
        return RelyingParty(self.provider.url(), client_id, CALLBACK, secret, method, SCOPE, proof)

    def test_sign_in_and_refresh(self) -> None:
        """With secret, registered key or published key: a code is redeemed, and a token refreshed, by a new proof."""
        self.start(*HERE)
        for client_id, method, secret, proof in (
            ("secret", "client_secret_jwt", SECRET, ClientSecretJWT()),
            ("key", "private_key_jwt", KEY, PrivateKeyJWT()),
            ("published", "private_key_jwt", KEY, PrivateKeyJWT()),
        ):
            party = self.party(client_id, method, secret, proof)
            person = Person(CALLBACK)
            person.open(party.begin(), typed=True)
            signed_in = party.finish(person.submit(**ALICE).url)
            tokens = party.refresh(signed_in)
            with self.subTest(client_id=client_id):
                self.assertEqual(signed_in.claims["aud"], client_id)
                self.assertEqual(party.check(tokens)["sub"], signed_in.claims["sub"])
                self.assertIn(method, party.metadata["token_endpoint_auth_methods_supported"])
        self.assertEqual(len(self.server.asked), 1)

    def test_refused(self) -> None:
        """A key or a secret of somebody else's, and a method that is not registered, get nothing."""
        self.start()
        other = rsa_key(2).key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        for client_id, method, secret, proof in (
            ("secret", "client_secret_jwt", SECRET[::-1], ClientSecretJWT()),
            ("key", "private_key_jwt", other, PrivateKeyJWT()),
            ("secret", "private_key_jwt", KEY, PrivateKeyJWT()),
            ("secret", "client_secret_post", SECRET, None),
        ):
            party = self.party(client_id, method, secret, proof)
            person = Person(CALLBACK)
            person.open(party.begin(), typed=True)
            address = person.submit(**ALICE).url
            with self.subTest(client_id=client_id, method=method), self.assertRaises(OAuthError) as caught:
                party.finish(address)

            self.assertEqual(caught.exception.error, "invalid_client")

    def test_row_16_keys_inside(self) -> None:
        """Keys on the daemon's own machine are not fetched unless the operator says so. Security history, row 16."""
        self.start()
        party = self.party("published", "private_key_jwt", KEY, PrivateKeyJWT())
        person = Person(CALLBACK)
        person.open(party.begin(), typed=True)
        address = person.submit(**ALICE).url
        with self.assertRaises(OSError) as caught:
            party.finish(address)
        refused: Any = caught.exception

        self.assertEqual((refused.response.status_code, self.server.asked), (503, []))
