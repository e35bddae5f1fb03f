"""Tests of registered clients."""

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.registration import FileRegistry, load_clients
from konnectd.option import ConfigErrors
from konnectd.protocol.client import Client
from konnectd.protocol.vocabulary import ApplicationType, AuthMethod
from tests.support.fakes import run
from tests.support.files import write

EXAMPLE = Path(__file__).resolve().parents[2] / "etc" / "identifier-registration.yaml"


class RegistrationTestCase(SynchronousTestCase):
    """Reads registrations."""

    def load(self, text: str, *, loopback: bool = False) -> tuple[Client, ...]:
        """Read clients; warnings go to ``self.warnings``, with files called by their last name."""
        self.warnings: list[str] = []
        path = write(self, "r.yaml", text)
        return load_clients(
            path,
            loopback_issuer=loopback,
            warn=lambda text: self.warnings.append(text.replace(str(path.parent) + "/", "")),
        )

    def faults(self, text: str, *, loopback: bool = False) -> list[str]:
        """Return the faults of a registration."""
        error = self.assertRaises(ConfigErrors, self.load, text, loopback=loopback)
        return [f"{Path(fault.source).name}: {fault.option}: {fault.problem}" for fault in error.faults]

    def client(self, lines: str, *, loopback: bool = False) -> Client:
        """Read one client that has some lines more than an id."""
        return self.load(f"clients: [{{id: a, {lines}}}]", loopback=loopback)[0]

    def problem(self, lines: str, *, loopback: bool = False) -> str:
        """Return the one fault of a client that has some lines more than an id."""
        (fault,) = self.faults(f"clients: [{{id: a, {lines}}}]", loopback=loopback)
        return fault.removeprefix("r.yaml:1: client a: ")


class ClientTests(RegistrationTestCase):
    """Every key of Konnect's files."""

    def test_all_keys(self) -> None:
        """A client has what its entry says, and nothing is warned of."""
        (client,) = self.load(
            """
clients:
  - id: webapp
    secret: 0123
    name: Our application
    uri: https://app.example.com/#top
    trusted: yes
    trusted_scopes: [openid, email]
    application_type: web
    redirect_uris:
      - https://app.example.com/cb
      - https://app.example.com/cb?x=1
    post_logout_redirect_uris: [https://app.example.com/]
    origins: [https://app.example.com, https://other.example.com:8443]
    grant_types: [authorization_code]
    contacts: [admin@example.com]
    jwks: {keys: [{kty: EC, kid: x}]}
    request_object_signing_alg: ES256
    id_token_signed_response_alg: ES256
    userinfo_signed_response_alg: RS256
    token_endpoint_auth_method: client_secret_post
    token_endpoint_auth_signing_alg: RS256
"""
        )

        self.assertEqual(
            client,
            Client(
                client_id="webapp",
                secret="0123",
                name="Our application",
                uri="https://app.example.com/#top",
                trusted=True,
                trusted_scopes=("openid", "email"),
                redirect_uris=("https://app.example.com/cb", "https://app.example.com/cb?x=1"),
                post_logout_redirect_uris=("https://app.example.com/",),
                origins=("https://app.example.com", "https://other.example.com:8443"),
                grant_types=("authorization_code",),
                contacts=("admin@example.com",),
                jwks={"keys": [{"kty": "EC", "kid": "x"}]},
                request_object_signing_alg="ES256",
                id_token_signed_response_alg="ES256",
                userinfo_signed_response_alg="RS256",
                auth_method=AuthMethod.POST,
            ),
        )
        self.assertEqual(self.warnings, [])

    def test_defaults(self) -> None:
        """A client of the web is public, not trusted, and its scripts run where its first redirect URI is."""
        client = self.client("redirect_uris: ['https://APP.example.com:443/cb', 'https://b.example/']")

        self.assertEqual((client.public, client.trusted, client.trusted_scopes), (True, False, None))
        self.assertEqual((client.application_type, client.auth_method), (ApplicationType.WEB, None))
        self.assertEqual(client.origins, ("https://app.example.com",))

    def test_example(self) -> None:
        """The file that is delivered is right, and so are the entries in its comments."""
        text = EXAMPLE.read_text(encoding="utf-8")
        entries = re.sub("(?m)^#(?! [^ ])", "", text[text.index("clients:") :])
        clients = self.load(entries)

        self.assertEqual(self.load(text), ())
        self.assertEqual([client.client_id for client in clients], ["webapp", "single-page-app", "desktop"])
        self.assertEqual(self.warnings, [])

    def test_no_clients(self) -> None:
        """A file may be empty, and its lists too."""
        self.assertEqual([self.load(text) for text in ("", "clients:\n", "clients: []\nauthorities: []\n")], [()] * 3)
        self.assertEqual(self.warnings, [])

    def test_native(self) -> None:
        """A native client has http on its own machine, schemes of its own, and https."""
        uris = (
            "['http://127.0.0.1/cb', 'http://[::1]/', 'http://localhost', 'x-app-action:oauth', 'app://x', 'https://x']"
        )
        client = self.client(f"application_type: native, redirect_uris: {uris}")
        local = self.client(f"application_type: native, redirect_uris: {uris}, origins: ['http://localhost:3000']")

        self.assertEqual((len(client.redirect_uris), client.origins), (6, ()))
        self.assertEqual(local.origins, ("http://localhost:3000",))

    def test_http(self) -> None:
        """Clients that say so may have http, and all may when the issuer itself is on this machine."""
        uris = "redirect_uris: ['http://app.example.com/cb']"

        self.assertTrue(self.client(f"insecure: yes, {uris}").insecure)
        self.assertFalse(self.client(uris, loopback=True).insecure)


class RefusalTests(RegistrationTestCase):
    """What is wrong stops the start, with its line."""

    def test_redirect_uris(self) -> None:
        """Looseness of each kind is refused."""
        for kind, uri, problem in (
            ("web", "https://*.example.com/cb", "has a wildcard"),
            ("web", "https://app.example.com/*", "has a wildcard"),
            ("web", "https://app.example.com/cb#x", "must not have a fragment"),
            ("web", "https://user@app.example.com/cb", "is not a plain absolute URI"),
            ("web", "/cb", "is not a plain absolute URI"),
            ("web", "https:///cb", "is not a plain absolute URI"),
            ("web", "javascript:alert(1)", "is not a plain absolute URI"),
            ("web", "http://app.example.com/cb", "must begin with https://"),
            ("web", "http://localhost/cb", "must begin with https://"),
            ("web", "app:/cb", "must begin with https://"),
            ("native", "http://app.example.com/cb", "only http://localhost"),
            ("native", "http://localhost.example.com/", "only http://localhost"),
            ("native", "data:text/html,x", "is not a plain absolute URI"),
            ("native", "app:", "has nothing after its scheme"),
        ):
            with self.subTest(uri=uri):
                for key in ("redirect_uris", "post_logout_redirect_uris"):
                    also = "" if key == "redirect_uris" else "redirect_uris: ['https://a.example'], "
                    found = self.problem(f"application_type: {kind}, {also}{key}: ['{uri}']")

                    self.assertTrue(found.startswith(f"{key}: {uri} "), found)
                    self.assertIn(problem, found)

    def test_required(self) -> None:
        """A client without redirect URIs could be sent nowhere, insecure or not."""
        self.assertIn("redirect_uris: is required", self.problem("insecure: yes"))
        self.assertIn("redirect_uris: is required", self.problem("redirect_uris: "))

    def test_single_keys(self) -> None:
        """Each key that can be wrong."""
        for lines, problem in (
            ("application_type: mobile", "application_type: must be web or native"),
            ("uri: 'javascript:alert(1)'", "uri: must be an http or https URL"),
            ("trusted: maybe", "trusted: must be yes or no"),
            ("trusted_scopes: ['a b']", "trusted_scopes: must be a scope"),
            ("id_token_signed_response_alg: none", "id_token_signed_response_alg: must be one of PS256"),
            ("id_token_signed_response_alg: HS256", "id_token_signed_response_alg: must be one of PS256"),
            ("userinfo_signed_response_alg: XX", "userinfo_signed_response_alg: must be one of PS256"),
            ("request_object_signing_alg: XX", "request_object_signing_alg: must be one of PS256"),
            ("token_endpoint_auth_method: tls_client_auth", "token_endpoint_auth_method: must be one of client"),
            ("token_endpoint_auth_method: client_secret_basic", "client_secret_basic needs a secret"),
            ("secret: x, token_endpoint_auth_method: none", "none does not go with a secret"),
            ("origins: ['*']", "origins: * must be as browsers send it"),
            ("origins: ['https://a.example/']", "origins: https://a.example/ must be as browsers send it"),
            ("origins: ['https://A.example']", "origins: https://A.example must be as browsers send it"),
            ("origins: ['https://a.example:443']", "must be as browsers send it"),
            ("origins: ['http://a.example']", "must begin with https://"),
            ("origins: ['http://localhost']", "must begin with https://"),
            ("jwks: [x]", "jwks: must have keys, a list"),
            ("jwks: {keys: x}", "jwks: must have keys, a list"),
            ("jwks: {keys: [{kid: x}]}", "jwks: each key must have a kty"),
            ("jwks: {keys: [{kty: {}}]}", "jwks: each key must have a kty"),
        ):
            with self.subTest(lines=lines):
                self.assertIn(problem, self.problem(f"redirect_uris: ['https://a.example'], {lines}"))

    def test_ids(self) -> None:
        """Each client has an id of its own that fits into a request."""
        found = self.faults(
            """clients:
  - redirect_uris: [https://a.example]
  - id: "ä"
    redirect_uris: [https://a.example]
  - id: a
    redirect_uris: [https://a.example]
  - id: a
    redirect_uris: [https://b.example]
  - redirect_uris: [https://a.example]
"""
        )

        self.assertEqual(
            found,
            [
                "r.yaml:2: client without id: id: is required",
                "r.yaml:3: client ä: id: must be at most 255 printable ASCII characters",
                "r.yaml:7: client a: id: another client has this id already",
                "r.yaml:9: client without id: id: is required",
            ],
        )

    def test_all_at_once(self) -> None:
        """Every fault of every client is told, each list item with its own line."""
        found = self.faults(
            """clients:
  - id: a
    redirect_uris:
      - https://a.example
      - http://a.example
  - id: b
    trusted: 5
clients2:
"""
        )

        self.assertEqual(
            [fault.split(": ")[:3] for fault in found],
            [
                ["r.yaml:5", "client a", "redirect_uris"],
                ["r.yaml:6", "client b", "redirect_uris"],
                ["r.yaml:7", "client b", "trusted"],
            ],
        )

    def test_secret_is_not_told(self) -> None:
        """A fault and the representation of a client leave the secret out."""
        self.assertNotIn(
            "hunter2", self.problem("secret: hunter2, token_endpoint_auth_method: none, redirect_uris: ['https://a']")
        )
        self.assertNotIn("hunter2", repr(self.client("secret: hunter2, redirect_uris: ['https://a']")))


class WarningTests(RegistrationTestCase):
    """What has no effect is told."""

    def test_unknown_keys(self) -> None:
        """A typing error does not pass unseen."""
        self.load("clients:\n  - id: a\n    redirect_uris: [https://a]\n    truste: yes\nclient: x\n")

        self.assertEqual(
            self.warnings,
            [
                "r.yaml:4: client a: truste: is not known and has no effect",
                "r.yaml:5: client: is not known and has no effect",
            ],
        )

    def test_private_key(self) -> None:
        """A client's private key does not belong here."""
        self.client("redirect_uris: ['https://a'], jwks: {keys: [{kty: RSA, d: x}]}")

        self.assertIn("has a private key", self.warnings[0])


class RegistryTests(SynchronousTestCase):
    """The registry finds clients by id."""

    def test_get(self) -> None:
        """A client is found by its whole id only."""
        client = Client(client_id="a")
        registry = FileRegistry((client,))

        self.assertEqual((run(registry.get("a")), run(registry.get("A"))), (client, None))
