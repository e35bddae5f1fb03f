"""The provider's metadata says what there is, and nothing else."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.jose.keys import METHODS
from konnectd.protocol import authentication_context
from konnectd.protocol.discovery import Endpoints, metadata
from tests.support.requests import ISSUER

ENDPOINTS = Endpoints(
    authorization=f"{ISSUER}/a",
    token=f"{ISSUER}/t",
    userinfo=f"{ISSUER}/u",
    jwks=f"{ISSUER}/j",
    end_session=f"{ISSUER}/e",
)


def metadata_of(endpoints: Endpoints) -> dict[str, object]:
    """Return the metadata of a provider with some endpoints."""
    return metadata(
        issuer=ISSUER,
        endpoints=endpoints,
        scopes=["openid", "email", "openid"],
        claims=["email", "sub"],
        response_types=("code", "id_token"),
        response_modes=("fragment", "query"),
        grant_types=("authorization_code",),
        algorithms=("ES256", "PS256"),
        ui_locales=("en", "de"),
    )


class MetadataTests(SynchronousTestCase):
    """The discovery document."""

    def setUp(self) -> None:
        """Make one."""
        self.document = metadata_of(ENDPOINTS)

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
            [self.document[f"{name}_supported"] for name in names],
            [["code", "id_token"], ["fragment", "query"], ["S256"], ["public"]],
        )
        self.assertIs(self.document["authorization_response_iss_parameter_supported"], True)
        self.assertEqual(
            self.document["token_endpoint_auth_methods_supported"],
            ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"],
        )

    def test_how_proofs_are_signed(self) -> None:
        """Proofs of clients may be signed by every algorithm but none, and each endpoint that takes them says so."""
        elsewhere = evolve(ENDPOINTS, revocation=f"{ISSUER}/r", introspection=f"{ISSUER}/i")
        documents = (self.document, metadata_of(elsewhere))
        found = [
            {name: value for name, value in document.items() if name.endswith("auth_signing_alg_values_supported")}
            for document in documents
        ]

        self.assertEqual(
            [sorted(name.partition("_")[0] for name in members) for members in found],
            [
                ["token"],
                ["introspection", "revocation", "token"],
            ],
        )
        for value in found[1].values():
            self.assertEqual(value, [*METHODS, "HS256", "HS384", "HS512"])

    def test_claims(self) -> None:
        """Claims can be asked for one by one, the one context there is is named; what can not be encrypted is not."""
        encrypted = {name for name in self.document if "_encryption_" in name}

        self.assertIs(self.document["claims_parameter_supported"], True)
        self.assertEqual(self.document["acr_values_supported"], list(authentication_context.SUPPORTED))
        self.assertEqual(self.document["display_values_supported"], ["page"])
        self.assertEqual(encrypted, set())

    def test_encryption(self) -> None:
        """Ways of encryption are named for ID tokens and userinfo alike."""
        document = metadata(
            issuer=ISSUER,
            endpoints=ENDPOINTS,
            scopes=(),
            claims=(),
            response_types=(),
            response_modes=(),
            grant_types=(),
            algorithms=(),
            key_algorithms=("ECDH-ES", "dir"),
            content_algorithms=("A128GCM",),
        )
        found = {name: value for name, value in document.items() if "_encryption_" in name}

        self.assertEqual(
            found,
            {
                "id_token_encryption_alg_values_supported": ["ECDH-ES", "dir"],
                "id_token_encryption_enc_values_supported": ["A128GCM"],
                "userinfo_encryption_alg_values_supported": ["ECDH-ES", "dir"],
                "userinfo_encryption_enc_values_supported": ["A128GCM"],
            },
        )

    def test_how_requests_come(self) -> None:
        """Objects may be signed by what is listed, addresses are registered first, and pushing is an endpoint."""
        document = metadata(
            issuer=ISSUER,
            endpoints=evolve(ENDPOINTS, pushed_authorization_request=f"{ISSUER}/par"),
            scopes=(),
            claims=(),
            response_types=(),
            response_modes=(),
            grant_types=(),
            algorithms=(),
            request_object_algorithms=("RS256", "HS256"),
            require_pushed=True,
        )
        on = ("request_parameter_supported", "request_uri_parameter_supported", "require_request_uri_registration")

        self.assertEqual([document[name] for name in on], [True] * len(on))
        self.assertEqual(document["request_object_signing_alg_values_supported"], ["RS256", "HS256"])
        self.assertEqual(document["pushed_authorization_request_endpoint"], f"{ISSUER}/par")
        self.assertIs(document["require_pushed_authorization_requests"], True)

    def test_what_there_is_not(self) -> None:
        """What would be on by default is said to be off, and what does not exist is not named."""
        off = ("request_parameter", "request_uri_parameter")

        self.assertEqual([self.document[f"{name}_supported"] for name in off], [False] * len(off))
        self.assertFalse({"registration_endpoint", "check_session_iframe", "revocation_endpoint"} & set(self.document))
