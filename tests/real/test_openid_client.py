"""A relying party built on openid-client of npm, a certified one, takes everything that it checks."""

import base64
from typing import Any

from attrs import field, frozen
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from twisted.trial.unittest import SynchronousTestCase

from tests.real import node, slapd
from tests.real.installation import Directory, provider
from tests.real.node import FOLDER, Conversation, RefusedError, conversation
from tests.real.person import Person
from tests.support.files import folder
from tests.support.keys import rsa_key

CALLBACK, GOODBYE = "http://127.0.0.1:9/callback", "http://127.0.0.1:9/goodbye"
SCOPE = "openid profile email offline_access"
SECRET = "letters-and-digits-0123456789-long-enough-to-sign"
KEY = rsa_key()
PKCS8 = KEY.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
ALICE = {"username": "alice", "password": "wonderland"}
METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt")


def client(client_id: str, **more: object) -> dict[str, object]:
    """Return the registration of a trusted client on this machine."""
    return {
        "id": client_id,
        "trusted": True,
        "application_type": "native",
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [GOODBYE],
        **more,
    }


CLIENTS = (
    client("none"),
    *(client(method, secret=SECRET, token_endpoint_auth_method=method) for method in METHODS[:3]),
    client("private_key_jwt", token_endpoint_auth_method="private_key_jwt", jwks={"keys": [KEY.public.to_jwk()]}),
)


@frozen(kw_only=True)
class SignedIn:
    """What a client has after somebody signed in.

    Attributes:
        tokens: the token response.
        claims: of the ID token, which the library has checked.
    """

    tokens: dict[str, Any] = field(repr=False)
    claims: dict[str, Any]


class Case(SynchronousTestCase):
    """A directory, a provider, a client, and a person who has been nowhere yet."""

    skip = slapd.SKIP or node.SKIP or node.package_missing("openid-client")

    def setUp(self) -> None:
        """Start everything."""
        directory = self.enterContext(Directory.start())
        self.provider = self.enterContext(provider(folder(self), CLIENTS, directory.by_ldaps()))
        self.person = Person(CALLBACK, GOODBYE)
        self.party: Conversation = self.enterContext(conversation(FOLDER / "openid_client.mjs"))

    def discover(self, method: str = "client_secret_basic", response_type: str = "code") -> dict[str, Any]:
        """Have the client read the metadata, and be the one that is registered for a method."""
        found: dict[str, Any] = self.party.ask(
            "discover",
            issuer=self.provider.url(),
            client_id=method,
            method=method,
            response_type=response_type,
            secret=SECRET,
            pkcs8=base64.b64encode(PKCS8).decode(),
            kid=KEY.public.kid,
            metadata={"id_token_signed_response_alg": "PS256"},
        )
        return found

    def begin(self, **parameters: object) -> dict[str, str]:
        """Have it build the address where a browser is sent to."""
        begun: dict[str, str] = self.party.ask("begin", redirect_uri=CALLBACK, scope=SCOPE, **parameters)
        return begun

    def go(self, begun: dict[str, str]) -> str:
        """Go there, sign in if asked, and return the address that the client would be opened at."""
        page = self.person.open(begun["url"], typed=True)
        return page.url if page.url.startswith(CALLBACK) else self.person.submit(**ALICE).url

    def sign_in(self, **parameters: object) -> SignedIn:
        """Have alice sign in, and the client take its tokens."""
        begun = self.begin(**parameters)
        return SignedIn(**self.party.ask("finish", address=self.go(begun), state=begun["state"]))

    def user(self, signed_in: SignedIn) -> dict[str, Any]:
        """Have it ask who somebody is."""
        token, sub = signed_in.tokens["access_token"], signed_in.claims["sub"]
        found: dict[str, Any] = self.party.ask("user", access_token=token, sub=sub)
        return found

    def assert_refused(self, error: str, call: str, **words: object) -> None:
        """Check that something ends with an error of OAuth."""
        with self.assertRaises(RefusedError) as caught:
            self.party.ask(call, **words)

        self.assertEqual(caught.exception.error, error)


class CodeTests(Case):
    """The code flow with PKCE."""

    def test_every_authentication(self) -> None:
        """Public or by secret, signed secret or key: a code is redeemed, userinfo read and a token refreshed."""
        for method in ("none", *METHODS):
            metadata = self.discover(method)
            signed_in = self.sign_in()
            refreshed = self.party.ask("refresh", refresh_token=signed_in.tokens["refresh_token"])
            user = self.user(signed_in)
            with self.subTest(method=method):
                self.assertIn(method, metadata["token_endpoint_auth_methods_supported"])
                self.assertEqual((signed_in.claims["aud"], signed_in.claims["iss"]), (method, self.provider.url()))
                self.assertEqual((user["name"], user["email"]), ("Alice", "alice@example.org"))
                self.assertNotEqual(refreshed["tokens"]["access_token"], signed_in.tokens["access_token"])
                self.assertEqual(refreshed["claims"]["sub"], signed_in.claims["sub"])

    def test_pushed(self) -> None:
        """A request that is pushed first leaves nothing of itself in the address, and leads to tokens as well."""
        for method in METHODS:
            self.discover(method)
            begun = self.begin(push=True)
            tokens = self.party.ask("finish", address=self.go(begun), state=begun["state"])
            with self.subTest(method=method):
                self.assertIn("request_uri=", begun["url"])
                self.assertNotIn("scope=", begun["url"])
                self.assertEqual(tokens["claims"]["aud"], method)

    def test_refused(self) -> None:
        """A code is nothing without its verifier, and nothing when it is shown again."""
        self.discover()
        begun = self.begin()
        address = self.go(begun)

        wrong = "w" * 43
        self.assert_refused("invalid_grant", "finish", address=address, state=begun["state"], verifier=wrong)
        self.assert_refused("invalid_grant", "finish", address=address, state=begun["state"])

    def test_silent(self) -> None:
        """Who is signed in is not asked again; who is not is not asked either when the client forbids it."""
        self.discover()
        begun = self.begin(prompt="none")
        self.assert_refused("login_required", "finish", address=self.go(begun), state=begun["state"])
        first = self.sign_in()
        again = self.sign_in(prompt="none")

        for name in ("sub", "sid", "auth_time"):
            self.assertEqual(again.claims[name], first.claims[name])


class OtherFlowTests(Case):
    """Answers with an ID token in them."""

    def test_hybrid(self) -> None:
        """With code and ID token the library finds c_hash, nonce and both signatures right."""
        self.discover(response_type="code id_token")
        signed_in = self.sign_in(response_type="code id_token")

        self.assertEqual(self.user(signed_in)["preferred_username"], "alice")

    def test_implicit(self) -> None:
        """With an ID token alone it finds the signature and the nonce right."""
        self.discover(response_type="id_token")
        begun = self.begin(response_type="id_token")
        claims = self.party.ask("finish_implicit", address=self.go(begun), state=begun["state"])

        self.assertEqual((claims["iss"], claims["aud"]), (self.provider.url(), "client_secret_basic"))


class TokenTests(Case):
    """What becomes of tokens."""

    def test_given_back(self) -> None:
        """A token that is alive is told to be; given back, it is not any more, and refreshes nothing."""
        self.discover()
        tokens = self.sign_in().tokens
        alive = self.party.ask("introspect", token=tokens["access_token"])
        self.party.ask("revoke", token=tokens["refresh_token"])
        dead = self.party.ask("introspect", token=tokens["refresh_token"])

        self.assertEqual((alive["active"], alive["client_id"]), (True, "client_secret_basic"))
        self.assertEqual(dead, {"active": False})
        self.assert_refused("invalid_grant", "refresh", refresh_token=tokens["refresh_token"])

    def test_sign_out(self) -> None:
        """The client's address to sign out leads back to it, and the session is over."""
        self.discover()
        id_token = self.sign_in().tokens["id_token"]
        url = self.party.ask("sign_out_url", post_logout_redirect_uri=GOODBYE, id_token_hint=id_token)
        page = self.person.open(url, typed=True)
        begun = self.begin(prompt="none")

        self.assertTrue(page.url.startswith(GOODBYE))
        self.assert_refused("login_required", "finish", address=self.go(begun), state=begun["state"])
