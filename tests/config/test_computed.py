"""What follows from the settings: paths, pages, names of cookies."""

import attrs

from tests.config.cases import ISS, SettingsTestCase


class ComputedTests(SettingsTestCase):
    """What follows from the settings."""

    def test_paths(self) -> None:
        """The base path stands before everything but what is always at the root."""
        paths = self.load("--iss=https://id.example.com/sub", "--uri-base-path=/sub", "ldap").paths

        self.assertEqual(
            attrs.asdict(paths),
            {
                "health_check": "/health-check",
                "discovery": "/.well-known/openid-configuration",
                "oauth_metadata": "/.well-known/oauth-authorization-server",
                "jwks": "/sub/konnect/v1/jwks.json",
                "token": "/sub/konnect/v1/token",
                "userinfo": "/sub/konnect/v1/userinfo",
                "register": "/sub/konnect/v1/register",
                "revoke": "/sub/konnect/v1/revoke",
                "introspect": "/sub/konnect/v1/introspect",
                "authorize": "/sub/signin/v1/identifier/_/authorize",
                "par": "/sub/konnect/v1/par",
                "device_authorization": "/sub/konnect/v1/device_authorization",
                "endsession": "/sub/signin/v1/identifier/_/endsession",
                "session": "/sub/konnect/v1/session/",
                "check_session": "/sub/konnect/v1/session/check-session.html",
                "identifier": "/sub/signin/v1/identifier",
                "pages": "/sub/signin/v1/",
                "inner": "/sub/signin/v1/identifier/_/",
                "chooseaccount": "/sub/signin/v1/chooseaccount",
                "consent": "/sub/signin/v1/consent",
                "welcome": "/sub/signin/v1/welcome",
                "goodbye": "/sub/signin/v1/goodbye",
                "device": "/sub/signin/v1/device",
                "language": "/sub/signin/v1/language",
                "client_logo": "/sub/signin/v1/client-logo",
                "static": "/sub/signin/v1/static/",
            },
        )

    def test_pages(self) -> None:
        """Pages stand below the base path unless they are named."""
        found = self.load(ISS, "--uri-base-path=/x", "--sign-in-uri=https://login.example.com/", "ldap")

        self.assertEqual(
            (found.sign_in_uri, found.signed_out_uri), ("https://login.example.com/", "/x/signin/v1/goodbye")
        )

    def test_origin(self) -> None:
        """The issuer's origin is as browsers write it."""
        for iss, origin in (
            ("https://ID.example.com/sub", "https://id.example.com"),
            ("https://id.example.com:443", "https://id.example.com"),
            ("https://id.example.com:8443/", "https://id.example.com:8443"),
            ("http://[::1]:8777", "http://[::1]:8777"),
            ("http://localhost:80", "http://localhost"),
        ):
            with self.subTest(iss=iss):
                self.assertEqual(self.load(f"--iss={iss}", "ldap").origin, origin)

    def test_secure_cookies(self) -> None:
        """Only an issuer on this very machine may have cookies without TLS."""
        self.assertTrue(self.load(ISS, "ldap").secure_cookies)
        self.assertFalse(self.load("--iss=http://localhost:8777", "ldap").secure_cookies)
