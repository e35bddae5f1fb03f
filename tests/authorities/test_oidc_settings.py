"""The keys of an entry of the kind ``oidc``."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities._oidc_settings import OidcSettings, read_settings
from konnectd.authority_entry import AuthorityEntry
from konnectd.config import yamlfile
from konnectd.option import ConfigError
from tests.support.files import write

GOOD = "iss: https://sso.corp.example, client_id: konnect"


class SettingsTests(SynchronousTestCase):
    """What an entry says."""

    def read(self, lines: str) -> OidcSettings:
        """Read an entry; faults go to ``self.faults``."""
        faults: list[ConfigError] = []
        table = yamlfile.read(write(self, "r.yaml", f"{{{lines}}}"), "x", faults)
        found = read_settings(table, AuthorityEntry(authority_id="a", name="a", kind="oidc"))
        self.faults = [f"{fault.option}: {fault.problem}" for fault in faults]
        self.left = [item.text for item in table.unknown()]
        return found

    def fault(self, lines: str) -> str:
        """Return the one fault of an entry that is good otherwise."""
        self.read(f"{GOOD}, {lines}")
        (fault,) = self.faults
        return fault

    def test_least(self) -> None:
        """An issuer and our name there are enough."""
        found = self.read(GOOD)

        self.assertEqual(
            (self.faults, found.discovery_uri, found.scopes),
            ([], "https://sso.corp.example/.well-known/openid-configuration", ("openid", "profile")),
        )

    def test_every_key(self) -> None:
        """Every key of Konnect and its successor is known."""
        self.read(
            f"{GOOD}, client_secret: x, discover: yes, scopes: [openid], response_type: code, response_mode: query, "
            "code_challenge_method: S256, metadata_endpoint: 'https://m.example/x', "
            "authorization_endpoint: 'https://a.example', token_endpoint: 'https://a.example/t', "
            "user_info_endpoint: 'https://a.example/u', end_session_endpoint: 'https://a.example/e', "
            "jwks: {keys: [{kty: EC, kid: a}]}"
        )

        self.assertEqual((self.faults, self.left), ([], []))

    def test_path_of_the_issuer(self) -> None:
        """An issuer may have a path, and a slash at its end."""
        found = self.read("iss: 'https://sso.example/realms/a/', client_id: k")

        self.assertEqual(found.discovery_uri, "https://sso.example/realms/a/.well-known/openid-configuration")

    def test_metadata_endpoint(self) -> None:
        """Metadata can be elsewhere."""
        found = self.read(f"{GOOD}, metadata_endpoint: 'https://m.example/x'")

        self.assertEqual(found.discovery_uri, "https://m.example/x")

    def test_fixed(self) -> None:
        """Without discovery nothing is fetched."""
        found = self.read(
            f"{GOOD}, discover: no, authorization_endpoint: 'https://a.example', jwks: {{keys: [{{kty: EC}}]}}"
        )

        self.assertEqual((self.faults, found.discovery_uri, found.jwks), ([], "", '{"keys": [{"kty": "EC"}]}'))

    def test_row_26_missing(self) -> None:
        """What can not be done without is told."""
        self.read("discover: no")

        self.assertEqual(
            [fault.partition(":")[0] for fault in self.faults],
            [
                "iss",
                "authorization_endpoint",
                "jwks",
                "client_id",
            ],
        )

    def test_row_26_no_https(self) -> None:
        """An issuer on another machine has TLS."""
        self.read("iss: 'http://sso.example', client_id: k")

        self.assertEqual(self.faults, ["iss: must begin with https://"])

    def test_this_machine(self) -> None:
        """One on this machine need not."""
        self.read("iss: 'http://127.0.0.1:9000', client_id: k")

        self.assertEqual(self.faults, [])

    def test_user_name_in_an_address(self) -> None:
        """A password has no place in an address."""
        self.assertIn("authorization_endpoint", self.fault("authorization_endpoint: 'https://u:p@a.example'"))

    def test_response_type(self) -> None:
        """Only what a browser can bring here."""
        self.assertEqual(self.fault("response_type: token"), "response_type: must be code or id_token")

    def test_response_mode(self) -> None:
        """A fragment never gets here."""
        self.assertEqual(self.fault("response_mode: fragment"), "response_mode: must be query or form_post")

    def test_row_26_plain(self) -> None:
        """A challenge that everybody can read is none."""
        self.assertIn("must be S256", self.fault("code_challenge_method: plain"))

    def test_no_openid(self) -> None:
        """Without openid there is no ID token."""
        self.assertIn("openid", self.fault("scopes: [profile]"))

    def test_scopes_in_one(self) -> None:
        """Scopes stand one by one."""
        self.assertEqual(self.fault("scopes: [openid, a b]"), "scopes: must be a list of scopes, one each")

    def test_keys(self) -> None:
        """Keys are a key set."""
        self.assertIn("jwks", self.fault("jwks: {a: b}"))

    def test_code_without_an_end(self) -> None:
        """A code needs somebody who takes it."""
        fixed = "discover: no, authorization_endpoint: 'https://a.example', jwks: {keys: [{kty: EC}]}"

        self.assertIn("token_endpoint", self.fault(f"{fixed}, response_type: code"))
