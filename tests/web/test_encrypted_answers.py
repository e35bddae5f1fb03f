"""Encrypted ID tokens and userinfo over HTTP, opened as a client's library opens them."""

import json
from typing import Any

from attrs import evolve
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK
from twisted.trial.unittest import SynchronousTestCase

from konnectd.jose.signing import KeyRingVerifier
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import Daemon, ring
from tests.support.requests import ISSUER, MAIL
from tests.support.visitor import Visitor

KEY = JWK.generate(kty="EC", crv="P-256", kid="mail-1", use="enc")
CLIENT = evolve(
    MAIL,
    id_token_encrypted_response_alg="ECDH-ES+A128KW",
    id_token_encrypted_response_enc="A128GCM",
    userinfo_signed_response_alg="ES256",
    userinfo_encrypted_response_alg="ECDH-ES",
    userinfo_encrypted_response_enc="A256GCM",
)


def inside(token: str) -> dict[str, Any]:
    """Open a token with the client's key, and read what we signed in it."""
    envelope = JWE(algs=["ECDH-ES", "ECDH-ES+A128KW", "A128GCM", "A256GCM"])
    envelope.deserialize(token, KEY)
    return dict(KeyRingVerifier(ring()).verify(envelope.payload.decode()) or {})


class EncryptedTests(SynchronousTestCase):
    """A client that is registered for encryption."""

    def test_everything(self) -> None:
        """The client can open its ID token and userinfo, which say the same; they have the media type of a token."""
        client = evolve(CLIENT, jwks={"keys": [json.loads(KEY.export_public())]})
        daemon = Daemon(clients=(client,))
        app = Application(daemon, client)
        tokens = app.tokens(Visitor(daemon), scope="openid email")
        answer = app.userinfo(tokens["access_token"])
        identity, shown = inside(tokens["id_token"]), inside(answer.body.decode())

        self.assertEqual((answer.status, answer.header("Content-Type")), (200, "application/jwt"))
        self.assertEqual((identity["iss"], shown["iss"], shown["aud"]), (ISSUER, ISSUER, "mail"))
        self.assertEqual((identity["sub"], shown["email"]), (shown["sub"], "alice@example.org"))

    def test_fetched_keys(self) -> None:
        """Keys at the client's jwks_uri do as well; while they are not to be had the answer is 503, and no token."""
        client = evolve(CLIENT, jwks_uri="https://notes.example.org/jwks")
        daemon = Daemon(clients=(client,))
        app = Application(daemon, client)
        refused = app.redeem(app.code(Visitor(daemon)))
        daemon.clock.advance(60)
        daemon.web.publish(client.jwks_uri, {"keys": [json.loads(KEY.export_public())]})
        tokens = json_of(app.redeem(app.code(Visitor(daemon))))

        self.assertEqual(error_of(refused), (503, "temporarily_unavailable"))
        self.assertEqual(inside(tokens["id_token"])["iss"], ISSUER)
