"""The provider's metadata says what there is, and nothing else."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.discovery import Endpoints, metadata
from tests.support.requests import ISSUER

ENDPOINTS = Endpoints(
    authorization=f"{ISSUER}/a",
    token=f"{ISSUER}/t",
    userinfo=f"{ISSUER}/u",
    jwks=f"{ISSUER}/j",
    end_session=f"{ISSUER}/e",
)


class MetadataTests(SynchronousTestCase):
    """The discovery document."""

    def setUp(self) -> None:
        """Make one."""
        self.document = metadata(
            issuer=ISSUER,
            endpoints=ENDPOINTS,
            scopes=["openid", "email", "openid"],
            claims=["email", "sub"],
            grant_types=("authorization_code",),
            algorithms=("ES256", "PS256"),
            ui_locales=("en", "de"),
        )

    def test_where_things_are(self) -> None:
        """Every endpoint is named under the specification's name."""
        named = {
            name: value for name, value in self.document.items() if name.endswith(("endpoint", "jwks_uri", "issuer"))
        }

        self.assertEqual(
            named,
            {
                "issuer": ISSUER,
                "authorization_endpoint": f"{ISSUER}/a",
                "token_endpoint": f"{ISSUER}/t",
                "userinfo_endpoint": f"{ISSUER}/u",
                "jwks_uri": f"{ISSUER}/j",
                "end_session_endpoint": f"{ISSUER}/e",
            },
        )

    def test_what_there_is(self) -> None:
        """What is switched on is listed once, in its order."""
        names = ("scopes", "grant_types", "id_token_signing_alg_values", "userinfo_signing_alg_values", "ui_locales")

        self.assertEqual(
            [self.document[f"{name}_supported"] for name in names],
            [["openid", "email"], ["authorization_code"], ["ES256", "PS256"], ["ES256", "PS256"], ["en", "de"]],
        )
        claims = self.document["claims_supported"]
        self.assertEqual(claims, list(dict.fromkeys(claims)) if isinstance(claims, list) else None)
        self.assertTrue({"sub", "email", "auth_time"} <= set(claims if isinstance(claims, list) else ()))

    def test_what_is_always_so(self) -> None:
        """Code, query and S256 are what there is of their kind, and the answer names its issuer."""
        names = ("response_types", "response_modes", "code_challenge_methods", "subject_types")

        self.assertEqual(
            [self.document[f"{name}_supported"] for name in names], [["code"], ["query"], ["S256"], ["public"]]
        )
        self.assertIs(self.document["authorization_response_iss_parameter_supported"], True)
        self.assertEqual(
            self.document["token_endpoint_auth_methods_supported"],
            ["client_secret_basic", "client_secret_post", "none"],
        )

    def test_what_there_is_not(self) -> None:
        """What would be on by default is said to be off, and what does not exist is not named."""
        off = ("claims_parameter", "request_parameter", "request_uri_parameter")

        self.assertEqual([self.document[f"{name}_supported"] for name in off], [False, False, False])
        self.assertFalse({"registration_endpoint", "check_session_iframe", "revocation_endpoint"} & set(self.document))
