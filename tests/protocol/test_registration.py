"""Tests of how a registration is written into a client's id, and told from everything else we sign."""

import json

from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.client_secret import SecretDigest
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.registration import (
    Registered,
    check_sector_document,
    is_registration_token,
    registration_token_claims,
)
from konnectd.protocol.vocabulary import ErrorCode
from tests.support.registrations import CB, KEYS, parse
from tests.support.requests import ISSUER

METADATA = ErrorCode.INVALID_CLIENT_METADATA


class SectorDocumentTests(SynchronousTestCase):
    """Who belongs to a sector. Spec: OIDC Core 8.1."""

    def test_documents(self) -> None:
        """All redirect URIs must be in the list, or anybody could learn what the sector calls people."""
        metadata = parse(redirect_uris=[CB, "https://other.example/cb"])
        for document, good in (
            ([CB, "https://other.example/cb"], True),
            ([CB, "https://other.example/cb", "https://third.example/"], True),
            ([CB], False),
            ([], False),
            ([CB, "https://other.example/cb/"], False),
            ({CB: 1, "https://other.example/cb": 2}, False),
            (None, False),
            (f"{CB} https://other.example/cb", False),
        ):
            with self.subTest(document=document):
                if good:
                    check_sector_document(document, metadata)
                else:
                    error = self.assertRaises(OAuthError, check_sector_document, document, metadata)
                    self.assertEqual(error.code, METADATA)


class WrittenTests(SynchronousTestCase):
    """What stands in a client's id."""

    def test_read_again(self) -> None:
        """What was written is read as the same, through JSON too."""
        for registered in (
            Registered(metadata=parse(), issued_at=1),
            Registered(metadata=parse(client_name="A"), issued_at=2, secret=SecretDigest("A", "d" * 86)),
            Registered(
                metadata=parse(client_name="B", token_endpoint_auth_method="client_secret_post"),
                issued_at=3,
                secret=SecretDigest("A", "d" * 86),
                secret_expires_at=99,
            ),
            Registered(
                metadata=parse(token_endpoint_auth_method="client_secret_jwt"), issued_at=4, sealed_secret="sealed"
            ),
            Registered(
                metadata=parse(response_types=["id_token"], token_endpoint_auth_method="none", jwks=KEYS), issued_at=5
            ),
        ):
            with self.subTest(issued_at=registered.issued_at):
                claims = json.loads(json.dumps(registered.to_claims()))
                self.assertEqual(Registered.from_claims(claims), registered)

    def test_konnect(self) -> None:
        """An id of Konnect is read: any response type, and an end for all of it."""
        claims = {
            "sub": "d" * 86,
            "iat": 1,
            "exp": 100,
            "name": "My App",
            "uri": "https://app.example",
            "grant_types": ["authorization_code"],
            "application_type": "web",
            "redirect_uris": [CB],
            "id_token_signed_response_alg": "RS256",
            "token_endpoint_auth_method": "client_secret_basic",
        }
        registered = Registered.from_claims(claims)

        if registered is None:
            self.fail("not read")
        self.assertEqual(registered.secret, SecretDigest("My App", "d" * 86))
        self.assertEqual((registered.expires_at, registered.secret_expires_at), (100, 0))
        self.assertNotIn("response_types", registered.metadata.members)
        self.assertEqual(registered.metadata.text("client_name"), "My App")

    def test_public_client_of_konnect(self) -> None:
        """A client that registered there without authentication has it now."""
        claims = {"sub": "d" * 86, "iat": 1, "redirect_uris": [CB], "token_endpoint_auth_method": "none"}
        registered = Registered.from_claims(claims)

        self.assertIsNone(registered.secret if registered is not None else "not read")

    def test_other_tokens(self) -> None:
        """No other token of ours is a client. Spec: RFC 8725 3.11."""
        client = {"sub": "d" * 86, "iat": 1, "redirect_uris": [CB]}
        for claims in (
            {},
            {"iss": ISSUER, "sub": "s", "aud": "notes", "exp": 9, "iat": 1},
            {**client, "iss": ISSUER},
            {**client, "aud": "notes"},
            {**client, "nonce": "n"},
            {**client, "kc.isAccessToken": True},
            {**client, "kc.isClientRegistration": "yes"},
            {"iat": 1, "redirect_uris": [CB]},
            {"sub": "d", "iat": 1},
            {"kc.isClientRegistration": True, "iat": 1},
            {"kc.isClientRegistration": True, "iat": "1", "redirect_uris": [CB]},
            registration_token_claims("dyn.x", ISSUER, 1),
        ):
            with self.subTest(claims=claims):
                self.assertIsNone(Registered.from_claims(claims))

    def test_registration_token(self) -> None:
        """The token that manages a client is for this client, of this provider, and no other token is one."""
        claims = registration_token_claims("dyn.x", ISSUER, 1)
        self.assertTrue(is_registration_token(claims, "dyn.x", ISSUER))

        for other in (
            None,
            {**claims, "iss": "https://other.example"},
            {**claims, "kc.isRegistrationToken": 1},
            {name: value for name, value in claims.items() if name != "kc.isRegistrationToken"},
        ):
            with self.subTest(claims=other):
                self.assertFalse(is_registration_token(other, "dyn.x", ISSUER))
        self.assertFalse(is_registration_token(claims, "dyn.y", ISSUER))
