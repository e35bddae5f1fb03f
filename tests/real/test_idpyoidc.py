"""A relying party built on idpyoidc, the living successor of pyoidc, signs people of a real directory in."""

from twisted.trial.unittest import SynchronousTestCase

from tests.real import slapd
from tests.real.idpyoidc_client import RelyingParty, SignedIn
from tests.real.installation import METHOD, Directory, provider
from tests.real.person import Person
from tests.real.test_authlib import ALICE, CALLBACK, client
from tests.support.files import folder

SECRET = "secret-of-letters"


class SignInTests(SynchronousTestCase):
    """The code flow and the hybrid flow."""

    skip = slapd.SKIP

    def setUp(self) -> None:
        """Start everything."""
        directory = self.enterContext(Directory.start())
        clients = [client("idpyoidc", secret=SECRET)]
        self.provider = self.enterContext(provider(folder(self), clients, directory.by_ldaps()))
        self.person = Person(CALLBACK)

    def party(self, response_type: str) -> RelyingParty:
        """Return a client that asks for a response type."""
        return RelyingParty(self.provider.url(), "idpyoidc", SECRET, CALLBACK, response_type, METHOD)

    def sign_in(self, party: RelyingParty, *scope: str) -> SignedIn:
        """Have alice sign in, and allow what is asked for when she is asked."""
        self.person.open(party.begin(*scope), typed=True)
        page = self.person.submit(**ALICE)
        if not page.url.startswith(CALLBACK):
            page = self.person.submit(allow="1")
        self.assertTrue(page.url.startswith(CALLBACK), f"{page.status} {page.hops} {page.body[-3000:]!r}")
        return party.finish(page.url)

    def test_code(self) -> None:
        """A code is redeemed with PKCE, the ID token is found right, and userinfo tells who it is."""
        signed_in = self.sign_in(self.party("code"))

        self.assertEqual((signed_in.claims["iss"], signed_in.claims["aud"]), (self.provider.url(), ["idpyoidc"]))
        self.assertEqual((signed_in.user["name"], signed_in.user["email"]), ("Alice", "alice@example.org"))

    def test_refresh(self) -> None:
        """Its refresh token gets another access token, for the same person."""
        party = self.party("code")
        signed_in = self.sign_in(party)
        renewed = party.refresh(signed_in)

        self.assertNotEqual(renewed, signed_in.access_token)
        self.assertEqual(party.user(signed_in, renewed), signed_in.user)

    def test_hybrid(self) -> None:
        """With code and ID token it finds nonce, c_hash and both signatures right."""
        signed_in = self.sign_in(self.party("code id_token"), "openid", "profile")

        self.assertEqual(signed_in.claims["sub"], signed_in.user["sub"])
        self.assertEqual(signed_in.user["preferred_username"], "alice")
