"""Tests of what a client may register: what it need not say, what it may say, and what is refused."""

from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.client_metadata import MEMBERS, Offer
from konnectd.protocol.device import GRANT_TYPE as DEVICE_CODE
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.registration import (
    Metadata,
)
from konnectd.protocol.vocabulary import ErrorCode
from tests.support.registrations import CB, KEYS, OFFER, parse

URI, METADATA = ErrorCode.INVALID_REDIRECT_URI, ErrorCode.INVALID_CLIENT_METADATA


class OfferTests(SynchronousTestCase):
    """What clients may choose from."""

    def test_from_metadata(self) -> None:
        """It is what the provider's metadata lists, without tokens that no person is behind, and without devices."""
        metadata = {
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "client_credentials", DEVICE_CODE],
            "token_endpoint_auth_methods_supported": ("none",),
            "id_token_signing_alg_values_supported": ["RS256"],
            "id_token_encryption_enc_values_supported": "A256GCM",
            "subject_types_supported": ["public", "pairwise"],
        }

        self.assertEqual(
            Offer.of(metadata, http=True),
            Offer(
                response_types=("code",),
                grant_types=("authorization_code",),
                auth_methods=("none",),
                signing=("RS256",),
                subject_types=("public", "pairwise"),
                http=True,
            ),
        )


class DefaultTests(SynchronousTestCase):
    """What a client does not have to say. Spec: OIDC Registration 2."""

    def test_defaults(self) -> None:
        """A redirect URI is enough, and the answer says what was made of the rest."""
        self.assertEqual(
            dict(parse().members),
            {
                "redirect_uris": [CB],
                "response_types": ["code"],
                "grant_types": ["authorization_code"],
                "application_type": "web",
                "subject_type": "public",
                "id_token_signed_response_alg": "RS256",
                "token_endpoint_auth_method": "client_secret_basic",
            },
        )

    def test_no_rs256(self) -> None:
        """Where there is no RSA key, the default is what there is."""
        metadata = parse(evolve(OFFER, signing=("ES256",)))

        self.assertEqual(metadata.text("id_token_signed_response_alg"), "ES256")

    def test_grants_of_response_types(self) -> None:
        """Who only says response types gets the grant types that go with them."""
        for response_types, grants in (
            (["code"], ["authorization_code"]),
            (["id_token"], ["implicit"]),
            (["token id_token"], ["implicit"]),
            (["id_token code"], ["authorization_code", "implicit"]),
            (["code token"], ["authorization_code", "implicit"]),
            (["code", "id_token"], ["authorization_code", "implicit"]),
        ):
            with self.subTest(response_types=response_types):
                self.assertEqual(list(parse(response_types=response_types).texts("grant_types")), grants)

    def test_null_and_unknown(self) -> None:
        """What is null was not said, and what nobody knows is passed over. Spec: RFC 7591 2."""
        self.assertEqual(parse(client_name=None, scope="a b", software_id="x", x={"y": 1}), parse())

    def test_order_of_words(self) -> None:
        """Response types are sets: the answer has them as metadata does."""
        metadata = parse(response_types=["token code id_token", "id_token code token", "code"])

        self.assertEqual(metadata.texts("response_types"), ("code id_token token", "code"))

    def test_encryption(self) -> None:
        """Who says how keys are wrapped gets the usual content encryption."""
        metadata = parse(id_token_encrypted_response_alg="RSA-OAEP", jwks=KEYS)

        self.assertEqual(metadata.text("id_token_encrypted_response_enc"), "A128CBC-HS256")

    def test_other_encryption(self) -> None:
        """Where the usual content encryption is not on, the first one is."""
        offer = evolve(OFFER, content_encryption=("A256GCM",))
        metadata = parse(offer, userinfo_encrypted_response_alg="RSA-OAEP", jwks_uri="https://app.example/keys")

        self.assertEqual(metadata.text("userinfo_encrypted_response_enc"), "A256GCM")

    def test_grants_that_are_off(self) -> None:
        """Of grant types, those that are on are registered."""
        metadata = parse(grant_types=["authorization_code", "refresh_token", "password", "client_credentials"])

        self.assertEqual(metadata.texts("grant_types"), ("authorization_code", "refresh_token"))


class GoodTests(SynchronousTestCase):
    """What clients register."""

    def test_everything(self) -> None:
        """Every member there is can be registered, and is answered as it was said."""
        said: dict[str, Any] = {
            "redirect_uris": [CB, "https://app.example/cb?x=1"],
            "response_types": ["code", "id_token"],
            "grant_types": ["authorization_code", "implicit", "refresh_token"],
            "application_type": "web",
            "contacts": ["dev@app.example"],
            "client_name": "Our Äpp",
            "client_uri": "http://app.example/",
            "logo_uri": "https://app.example/logo.png",
            "policy_uri": "https://app.example/policy",
            "tos_uri": "https://app.example/tos",
            "jwks": KEYS,
            "sector_identifier_uri": "https://app.example/uris",
            "subject_type": "pairwise",
            "id_token_signed_response_alg": "ES256",
            "id_token_encrypted_response_alg": "RSA-OAEP",
            "id_token_encrypted_response_enc": "A256GCM",
            "userinfo_signed_response_alg": "RS256",
            "userinfo_encrypted_response_alg": "RSA-OAEP",
            "userinfo_encrypted_response_enc": "A256GCM",
            "request_object_signing_alg": "RS256",
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "RS256",
            "default_max_age": 0,
            "require_auth_time": True,
            "initiate_login_uri": "https://app.example/login",
            "request_uris": ["https://app.example/request#1"],
            "require_pushed_authorization_requests": False,
            "post_logout_redirect_uris": ["https://app.example/bye"],
            "frontchannel_logout_uri": "https://app.example/out",
            "frontchannel_logout_session_required": True,
            "backchannel_logout_uri": "https://other.example/out",
            "backchannel_logout_session_required": True,
        }
        without_uri = {"jwks_uri"}

        self.assertEqual(dict(Metadata.parse(said, OFFER).members), said)
        self.assertEqual({member.name for member in MEMBERS}, set(said) | without_uri)

    def test_native(self) -> None:
        """An application on somebody's machine has schemes and loopback addresses."""
        uris = ["org.example.app:/cb", "http://127.0.0.1/cb", "http://localhost/cb"]
        metadata = parse(redirect_uris=uris, application_type="native", token_endpoint_auth_method="none")

        self.assertEqual(list(metadata.texts("redirect_uris")), uris)
        self.assertFalse(metadata.needs_secret)

    def test_who_keeps_a_secret(self) -> None:
        """A secret must be readable where something is done with it, and nowhere else."""
        for members, keeps in (
            ({}, False),
            ({"token_endpoint_auth_method": "client_secret_jwt"}, True),
            ({"request_object_signing_alg": "HS256"}, True),
            ({"id_token_encrypted_response_alg": "A128KW"}, True),
            ({"userinfo_encrypted_response_alg": "RSA-OAEP", "jwks": KEYS}, False),
            ({"token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS}, False),
        ):
            with self.subTest(members=members):
                self.assertIs(parse(**members).keeps_secret, keeps)

    def test_http(self) -> None:
        """Where the provider itself is http on this machine, clients may be so too."""
        offer = evolve(OFFER, http=True)
        metadata = parse(offer, redirect_uris=["http://localhost:5000/cb"], response_types=["id_token"])

        self.assertEqual(metadata.texts("redirect_uris"), ("http://localhost:5000/cb",))


class HostileTests(SynchronousTestCase):
    """What is refused, and by which name. Spec: OIDC Registration 3.3; RFC 7591 3.2.2."""

    def refuse(self, code: ErrorCode, said: object, offer: Offer = OFFER) -> None:
        """Check that metadata is refused with a code, in words that may stand in any answer."""
        with self.subTest(said=str(said)[:120]):
            error = self.assertRaises(OAuthError, Metadata.parse, said, offer)
            self.assertEqual(error.code, code)
            self.assertTrue(error.description.isascii() and not set('"\\') & set(error.description))

    def test_redirect_uris(self) -> None:
        """Without an address that is the client's own there is no client."""
        for uris in (
            None,
            [],
            "https://app.example/cb",
            ["/cb"],
            ["http://app.example/cb"],
            ["https://app.example/cb#"],
            ["https://app.example/*"],
            ["https://u@app.example/cb"],
            ["javascript:alert(1)"],
            ["com.example:/cb"],
            [1],
            [None],
            [[CB]],
            [CB, ""],
            [CB, "https://app.example/\n"],
            [f"https://app.example/{number}" for number in range(21)],
        ):
            self.refuse(URI, {"redirect_uris": uris})

    def test_loopback(self) -> None:
        """No web client sends tokens to somebody's own machine."""
        uris = ["https://localhost/cb"]
        self.refuse(URI, {"redirect_uris": uris, "response_types": ["id_token"]})

        self.assertEqual(parse(redirect_uris=uris).texts("redirect_uris"), tuple(uris))

    def test_native(self) -> None:
        """A native client has no http address but its own."""
        for uri in ("http://app.example/cb", "http://localhost.evil.example/", "data:text/html,x"):
            self.refuse(URI, {"redirect_uris": [uri], "application_type": "native"})

    def test_schemes(self) -> None:
        """A program that nobody has looked at has a scheme of its own domain, and starts no other program."""
        for uri in ("app:/cb", "mailto:alice@example.org", "tel:112", "ms-settings:about", "localhost:/cb"):
            self.refuse(URI, {"redirect_uris": [uri], "application_type": "native"})
            members = {"application_type": "native", "post_logout_redirect_uris": [uri]}
            self.refuse(METADATA, {"redirect_uris": [CB], **members})

    def test_never_asked_without_tls(self) -> None:
        """Where our own address has no TLS, what browsers open may go without as well, but nothing that we ask."""
        offer = evolve(OFFER, http=True)
        front = parse(offer, redirect_uris=["http://app.example/cb"], frontchannel_logout_uri="http://app.example/out")

        self.assertEqual(front.text("frontchannel_logout_uri"), "http://app.example/out")
        self.refuse(METADATA, {"redirect_uris": [CB], "backchannel_logout_uri": "http://app.example/out"}, offer)

    def test_no_metadata(self) -> None:
        """What is no object is nobody."""
        for said in (None, [], "x", 1, [{"redirect_uris": [CB]}]):
            self.refuse(METADATA, said)

    def test_members(self) -> None:
        """Each member that is wrong refuses all of it: no client believes it has what it asked for."""
        private = {"keys": [{**KEYS["keys"][0], "d": "secret"}]}
        wrong: tuple[dict[str, object], ...] = (
            {"response_types": []},
            {"response_types": ["token"]},
            {"response_types": ["code code"]},
            {"response_types": ["code", "foo"]},
            {"response_types": "code"},
            {"grant_types": ["authorization_code"], "response_types": ["id_token"]},
            {"grant_types": ["implicit"], "response_types": ["code"]},
            {"grant_types": []},
            {"grant_types": "authorization_code"},
            {"application_type": "desktop"},
            {"application_type": 1},
            {"contacts": "me"},
            {"contacts": [""]},
            {"client_name": 7},
            {"client_name": "a\nb"},
            {"client_name": "x" * 201},
            {"client_uri": "javascript:alert(1)"},
            {"logo_uri": "data:image/png;base64,AAAA"},
            {"policy_uri": ["https://app.example/"]},
            {"tos_uri": "https://u:p@app.example/"},
            {"jwks_uri": "http://app.example/keys"},
            {"jwks": {}},
            {"jwks": {"keys": []}},
            {"jwks": {"keys": [7]}},
            {"jwks": {"keys": [{"kty": []}]}},
            {"jwks": {"keys": [{"kty": "RSA", "n": {}, "e": "AQAB"}]}},
            {"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}},
            {"jwks": private},
            {"jwks": KEYS, "jwks_uri": "https://app.example/keys"},
            {"sector_identifier_uri": "http://app.example/uris"},
            {"subject_type": "ephemeral"},
            {"subject_type": "pairwise", "redirect_uris": [CB, "https://other.example/cb"]},
            {"id_token_signed_response_alg": "none"},
            {"id_token_signed_response_alg": "HS256"},
            {"id_token_signed_response_alg": "PS256"},
            {"userinfo_signed_response_alg": "none"},
            {"id_token_encrypted_response_alg": "RSA1_5", "jwks": KEYS},
            {"id_token_encrypted_response_alg": "RSA-OAEP"},
            {"id_token_encrypted_response_alg": "A128KW", "token_endpoint_auth_method": "none"},
            {"id_token_encrypted_response_enc": "A256GCM"},
            {"userinfo_encrypted_response_enc": "A256GCM", "jwks": KEYS},
            {"request_object_signing_alg": "ES999"},
            {"request_object_signing_alg": "HS256", "token_endpoint_auth_method": "none"},
            {"token_endpoint_auth_method": "tls_client_auth"},
            {"token_endpoint_auth_method": "private_key_jwt"},
            {"token_endpoint_auth_signing_alg": "none"},
            {"token_endpoint_auth_signing_alg": "RS256"},
            {"token_endpoint_auth_signing_alg": "HS256"},
            {"token_endpoint_auth_signing_alg": "HS256", "token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS},
            {"default_max_age": -1},
            {"default_max_age": True},
            {"default_max_age": "60"},
            {"default_max_age": 1.5},
            {"default_max_age": 10**12},
            {"require_auth_time": "true"},
            {"initiate_login_uri": "http://app.example/login"},
            {"initiate_login_uri": "javascript:alert(1)"},
            {"request_uris": ["http://app.example/r"]},
            {"request_uris": "https://app.example/r"},
            {"post_logout_redirect_uris": ["http://app.example/bye"]},
            {"post_logout_redirect_uris": ["javascript:alert(1)"]},
            {"frontchannel_logout_uri": "https://other.example/out"},
            {"frontchannel_logout_uri": "http://app.example/out"},
            {"frontchannel_logout_session_required": 1},
            {"backchannel_logout_uri": "http://app.example/out"},
        )
        for members in wrong:
            self.refuse(METADATA, {"redirect_uris": [CB], **members})

    def test_what_is_off(self) -> None:
        """What the provider does not do can not be registered."""
        bare = Offer(
            response_types=("code",),
            grant_types=("authorization_code",),
            auth_methods=("none",),
            signing=("RS256",),
        )
        for members in (
            {"response_types": ["id_token"]},
            {"subject_type": "pairwise"},
            {"request_object_signing_alg": "RS256"},
            {"id_token_encrypted_response_alg": "RSA-OAEP", "jwks": KEYS},
            {"token_endpoint_auth_method": "client_secret_post"},
        ):
            self.refuse(METADATA, {"redirect_uris": [CB], "token_endpoint_auth_method": "none", **members}, bare)

    @settings(deadline=None, max_examples=200)
    @given(
        said=st.dictionaries(
            st.sampled_from([member.name for member in MEMBERS]),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.text(max_size=20)
                | st.sampled_from([CB, "code", "RS256"]),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                max_leaves=6,
            ),
        )
    )
    def test_any_metadata(self, said: dict[str, object]) -> None:
        """Whatever is said, it is registered as something that is read again as the same, or refused by a rule."""
        try:
            metadata = Metadata.parse(said, OFFER)
        except OAuthError:
            return

        self.assertEqual(Metadata.parse(dict(metadata.members), OFFER), metadata)
