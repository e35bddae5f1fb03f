"""What a client's entry says about its tokens."""

from konnectd.protocol.vocabulary import AccessTokenFormat
from tests.config.test_registration import RegistrationTestCase

CB = "redirect_uris: [https://a.example/cb]"


class TokenEntryTests(RegistrationTestCase):
    """Keys about tokens."""

    def test_all(self) -> None:
        """Everything can be said, and nothing is warned of."""
        client = self.client(
            f"{CB}, secret: s, grant_types: [authorization_code, client_credentials], scopes: [read, write], "
            "resources: ['https://files.example/', 'urn:x:y', 'urn:x:y'], introspection: yes, "
            "access_token_format: at+jwt"
        )

        self.assertEqual((client.scopes, client.introspection), (("read", "write"), True))
        self.assertEqual(client.resources, ("https://files.example/", "urn:x:y"))
        self.assertEqual((client.access_token_format, self.warnings), (AccessTokenFormat.PROFILE, []))

    def test_nothing(self) -> None:
        """Without any a client is as it always was."""
        client = self.client(CB)

        self.assertEqual((client.scopes, client.resources, client.introspection), ((), (), False))
        self.assertEqual(client.access_token_format, AccessTokenFormat.KONNECT)

    def test_without_redirect_uris(self) -> None:
        """A client that sends nobody here needs no address."""
        for lines in ("grant_types: [client_credentials], secret: s", "introspection: yes, secret: s"):
            self.assertEqual(self.client(lines).redirect_uris, ())
        for lines in ("grant_types: [authorization_code, client_credentials], secret: s", "secret: s"):
            self.assertIn("redirect_uris", self.problem(lines))

    def test_wrong(self) -> None:
        """Whatever is wrong is a fault of the key."""
        for lines, key in (
            ("scopes: ['a b']", "scopes"),
            ("resources: [files]", "resources"),
            ("resources: ['https://a.example/#x']", "resources"),
            ("access_token_format: opaque", "access_token_format"),
            ("introspection: yes", "introspection"),
            ("grant_types: [authorization_code, client_credentials]", "grant_types"),
        ):
            self.assertTrue(self.problem(f"{CB}, {lines}").startswith(f"{key}: "), lines)
