"""Apache with mod_oauth2 of Debian lets access tokens of ours in, by their signature and by asking about them."""

import urllib.error
import urllib.request
from urllib.parse import urlencode

from twisted.trial.unittest import SynchronousTestCase

from tests.real import resource_server, slapd
from tests.real.apache_server import read_environment
from tests.real.authlib_client import RelyingParty, SignedIn
from tests.real.installation import Directory, provider
from tests.real.person import Person
from tests.real.test_authlib import ALICE, CALLBACK, client
from tests.support.files import folder

PATIENCE = 20


class ResourceServerTests(SynchronousTestCase):
    """Pages for who has a token."""

    skip = slapd.SKIP or resource_server.SKIP

    def setUp(self) -> None:
        """Start everything."""
        directory = self.enterContext(Directory.start())
        clients = [client("public"), client("profile", access_token_format="at+jwt"), resource_server.CLIENT]
        self.provider = self.enterContext(provider(folder(self), clients, directory.by_ldaps()))
        self.metadata = RelyingParty(self.provider.url(), "public", CALLBACK).metadata
        self.server = self.enterContext(resource_server.resource_server(self.metadata))

    def sign_in(self, client_id: str = "public") -> SignedIn:
        """Have alice sign in to a client."""
        party = RelyingParty(self.provider.url(), client_id, CALLBACK)
        person = Person(CALLBACK)
        person.open(party.begin(), typed=True)
        return party.finish(person.submit(**ALICE).url)

    def show(self, path: str, token: str) -> tuple[int, dict[str, str]]:
        """Ask for a page with a token; return the status, and what the application got to know."""
        asked = urllib.request.Request(
            self.server.place.url(f"{path}/"), headers={"Authorization": f"Bearer {token}"} if token else {}
        )
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
                return answer.status, read_environment(answer.read().decode())
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, {}

    def revoke(self, token: str) -> None:
        """Have the public client give a token back."""
        body = urlencode({"token": token, "client_id": "public"}).encode()
        with urllib.request.urlopen(str(self.metadata["revocation_endpoint"]), body, timeout=PATIENCE):
            pass

    def test_let_in(self) -> None:
        """Tokens of both formats are let in either way, and the application gets to know whose they are.

        Each way has a token of its own: the module keeps what it knows of a token for all ways, and a token says less
        of itself than the provider says of it.
        """
        for client_id in ("public", "profile"):
            for path in ("/signed", "/asked"):
                signed_in = self.sign_in(client_id)
                status, known = self.show(path, signed_in.access_token)
                with self.subTest(client_id=client_id, path=path):
                    self.assertEqual(status, 200)
                    self.assertEqual(known["REMOTE_USER"], signed_in.claims["sub"])
                    self.assertEqual(known["OAUTH2_CLAIM_iss"], self.provider.url())

    def test_kept_out(self) -> None:
        """Nothing, a token that was changed, and one of another provider get nobody in."""
        token = self.sign_in().access_token
        head, body, signature = token.split(".")
        changed = f"{head}.{body}.{signature[::-1]}"
        for path in ("/signed", "/asked"):
            for wrong in ("", changed, "nonsense"):
                with self.subTest(path=path, wrong=wrong[:8]):
                    self.assertEqual(self.show(path, wrong)[0], 401)

    def test_given_back(self) -> None:
        """A token that was given back is not let in by who asks."""
        token = self.sign_in().access_token
        self.revoke(token)

        self.assertEqual(self.show("/asked", token)[0], 401)

    def test_other_tokens(self) -> None:
        """ID tokens and refresh tokens, signed by the same key, are nothing to come in with."""
        for path in ("/signed", "/asked"):
            tokens = self.sign_in().tokens
            for name, status in {"access_token": 200, "id_token": 401, "refresh_token": 401}.items():
                with self.subTest(path=path, name=name):
                    self.assertEqual(self.show(path, tokens[name])[0], status)

    def test_client(self) -> None:
        """A page for the tokens of one client is closed to those of another."""
        self.assertEqual(self.show("/public", self.sign_in("public").access_token)[0], 200)
        self.assertEqual(self.show("/public", self.sign_in("profile").access_token)[0], 401)
