"""A relying party built on Authlib signs people of a real directory in, and joserfc believes what we sign."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc.errors import JoseError
from twisted.trial.unittest import SynchronousTestCase

from tests.real import slapd
from tests.real.authlib_client import SCOPE, OAuthError, RelyingParty, SignedIn
from tests.real.installation import Directory, provider
from tests.real.person import Page, Person
from tests.support.files import folder

#: Nobody listens there: the address a browser is sent to is given to the client by hand.
CALLBACK, GOODBYE = "http://127.0.0.1:9/callback", "http://127.0.0.1:9/goodbye"
#: Authlib does not encode what it sends by the basic scheme, as RFC 6749 2.3.1 asks; in a form anything can be sent.
SECRETS = {"basic": "secret-of_letters.and~signs", "post": "a secret with a space, a + and 100 %"}
ALICE = {"username": "alice", "password": "wonderland"}
METHODS = ("PS256", "RS256", "ES256", "ES384", "ES512", "EdDSA")
ALICE_CLAIMS = {
    "name": "Alice",
    "given_name": "Alice",
    "family_name": "Alice",
    "preferred_username": "alice",
    "email": "alice@example.org",
    "email_verified": False,
    "groups": ["Inner, Circle", "readers"],
}


def client(client_id: str, **more: object) -> Mapping[str, object]:
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
    client("public"),
    client("basic", secret=SECRETS["basic"]),
    client("post", secret=SECRETS["post"], token_endpoint_auth_method="client_secret_post"),
    client("stranger", name="A stranger", trusted=False),
)


class Case(SynchronousTestCase):
    """A directory, a provider, and a person who has been nowhere yet."""

    skip = slapd.SKIP

    def setUp(self) -> None:
        """Start everything."""
        self.directory = self.enterContext(Directory.start())
        self.provider = self.enterContext(provider(folder(self), CLIENTS, self.directory.by_ldaps()))
        self.person = Person(CALLBACK, GOODBYE)

    def party(self, client_id: str = "basic", *, scope: str = SCOPE) -> RelyingParty:
        """Return a client as it is registered."""
        method = "client_secret_post" if client_id == "post" else ""
        return RelyingParty(self.provider.url(), client_id, CALLBACK, SECRETS.get(client_id, ""), method, scope)

    def go(self, party: RelyingParty, **parameters: str) -> Page:
        """Send the person to the provider."""
        return self.person.open(party.begin(**parameters), typed=True)

    def sign_in(self, party: RelyingParty, **words: str) -> SignedIn:
        """Have somebody sign in, and the client take its tokens; alice unless told otherwise."""
        self.go(party)
        return party.finish(self.person.submit(**(words or ALICE)).url)

    def assert_refused(self, error: str, call: Any, *arguments: Any, **more: Any) -> None:  # noqa: ANN401 - any call
        """Check that the provider answers with an error of OAuth."""
        with self.assertRaises(OAuthError) as caught:
            call(*arguments, **more)

        self.assertEqual(caught.exception.error, error)


class SignInTests(Case):
    """The code flow of each kind of client."""

    def test_kinds_of_clients(self) -> None:
        """Clients with a secret, sent either way, and without one get to know who it is; PKCE protects them all."""
        for client_id in ("basic", "post", "public"):
            party = self.party(client_id)
            self.person = Person(CALLBACK)
            page = self.go(party)
            challenge = parse_qs(urlsplit(page.hops[-1]).query)["code_challenge_method"]
            signed_in = party.finish(self.person.submit(**ALICE).url)
            user = party.user(signed_in)
            with self.subTest(client_id=client_id):
                self.assertEqual(challenge, ["S256"])
                self.assertEqual(signed_in.claims["aud"], client_id)
                self.assertEqual(user, {"sub": signed_in.claims["sub"], **ALICE_CLAIMS})

    def test_id_token(self) -> None:
        """It names issuer, session and way of signing in, and is bound to the request and to the access token."""
        signed_in = self.sign_in(self.party())
        claims = signed_in.claims

        self.assertEqual((claims["iss"], claims["amr"]), (self.provider.url(), ["pwd"]))
        self.assertLessEqual({"nonce", "at_hash", "auth_time", "sid", "exp", "iat"}, set(claims))
        self.assertEqual(signed_in.tokens["scope"], SCOPE)

    def test_checks_are_made(self) -> None:
        """The client does check: it refuses the same ID token with another nonce or beside another access token."""
        party = self.party()
        tokens = self.sign_in(party).tokens
        for wrong, nonce in ((tokens, "another"), ({**tokens, "access_token": "another"}, "")):
            with self.assertRaises(JoseError):
                party.check(wrong, nonce)

    def test_scope_decides(self) -> None:
        """Who asks for less is told less."""
        party = self.party(scope="openid email")
        signed_in = self.sign_in(party)

        self.assertEqual(set(party.user(signed_in)), {"sub", "email", "email_verified"})
        self.assertNotIn("refresh_token", signed_in.tokens)

    def test_consent(self) -> None:
        """A client that is not trusted gets nothing from who denies, and all it asked for from who allows."""
        party = self.party("stranger")
        self.go(party)
        asked = self.person.submit(**ALICE)
        denied = self.person.submit(deny="1")
        self.go(party)
        allowed = self.person.submit(allow="1")

        self.assertIn("A stranger asks for access", asked.text)
        self.assert_refused("access_denied", party.finish, denied.url)
        self.assertEqual(party.user(party.finish(allowed.url))["groups"], ALICE_CLAIMS["groups"])

    def test_without_pages(self) -> None:
        """A client that wants no page gets a code for who is signed in, and else an error."""
        party = self.party()
        before = self.go(party, prompt="none")
        sub = self.sign_in(party).claims["sub"]
        after = self.go(party, prompt="none")

        self.assert_refused("login_required", party.finish, before.url)
        self.assertEqual(party.finish(after.url).claims["sub"], sub)

    def test_same_person_for_every_client(self) -> None:
        """Two clients know one person by one name."""
        first = self.sign_in(self.party("basic")).claims["sub"]
        other = self.party("public")

        self.assertEqual(other.finish(self.go(other).url).claims["sub"], first)


class CodeTests(Case):
    """What a stolen code is worth."""

    def code(self, party: RelyingParty) -> str:
        """Sign alice in and return the address she was sent back to."""
        self.go(party)
        return self.person.submit(**ALICE).url

    def test_needs_the_verifier(self) -> None:
        """Without the verifier of its challenge a code is worth nothing."""
        for client_id in ("public", "basic"):
            party = self.party(client_id)
            self.person = Person(CALLBACK)
            with self.subTest(client_id=client_id):
                self.assert_refused("invalid_grant", party.finish, self.code(party), code_verifier="x" * 43)

    def test_needs_the_secret(self) -> None:
        """Nor without the client's secret."""
        party = RelyingParty(self.provider.url(), "basic", CALLBACK, "guessed")

        self.assert_refused("invalid_client", party.finish, self.code(party))

    def test_works_once(self) -> None:
        """A code that is shown twice takes everything back that it gave."""
        party = self.party()
        address = self.code(party)
        signed_in = party.finish(address)

        self.assert_refused("invalid_grant", party.finish, address)
        self.assert_refused("invalid_grant", party.refresh, signed_in)
        self.assertEqual(party.user_answer(signed_in).status_code, 401)


class RefreshTests(Case):
    """Access that goes on while nobody looks, as long as the person is there."""

    def test_refresh(self) -> None:
        """A refresh token gives new tokens for the same person, and the old grant's session in the ID token."""
        for client_id in ("basic", "public"):
            party = self.party(client_id)
            self.person = Person(CALLBACK)
            signed_in = self.sign_in(party)
            tokens = party.refresh(signed_in)
            claims = party.check(tokens)
            with self.subTest(client_id=client_id):
                self.assertNotEqual(tokens["access_token"], signed_in.access_token)
                for name in ("iss", "sub", "aud", "auth_time", "sid"):
                    self.assertEqual(claims[name], signed_in.claims[name])
                self.assertEqual(party.user(SignedIn(tokens=tokens, claims=claims))["name"], "Alice")

    def test_less(self) -> None:
        """A client may ask for less than it was granted, and not for more."""
        party = self.party()
        signed_in = self.sign_in(party)
        tokens = party.refresh(signed_in, scope="openid email")

        self.assertEqual(set(party.user(SignedIn(tokens=tokens, claims={}))), {"sub", "email", "email_verified"})
        self.assert_refused("invalid_scope", party.refresh, signed_in, scope="openid konnect/uuid")

    def test_changes_are_seen(self) -> None:
        """What changes in the directory is seen with the old token and at the next refresh."""
        party = self.party()
        signed_in = self.sign_in(party, username="bob", password="builder")
        self.directory.change("bob", "mail: robert@example.org")
        tokens = party.refresh(signed_in)

        self.assertEqual(party.user(signed_in)["email"], "robert@example.org")
        self.assertEqual(party.user(SignedIn(tokens=tokens, claims={}))["email"], "robert@example.org")


class GoneTests(Case):
    """People who are removed, disabled or locked out while a client has tokens for them."""

    def assert_out(self, party: RelyingParty, signed_in: SignedIn, **words: str) -> None:
        """Check that there is no refreshed token, no claim, no new code, and no way to sign in."""
        silent = self.go(party, prompt="none")
        self.go(party)
        refused = self.person.submit(**words)

        self.assert_refused("invalid_grant", party.refresh, signed_in)
        self.assertEqual(party.user_answer(signed_in).status_code, 401)
        self.assert_refused("login_required", party.finish, silent.url)
        self.assertEqual((refused.status, refused.title), (200, "Sign in"))
        self.assertFalse(self.person.holds("KKT"))

    def test_deleted(self) -> None:
        """Who is removed from the directory is out."""
        party = self.party()
        self.directory.add("brief", "candle")
        signed_in = self.sign_in(party, username="brief", password="candle")
        self.directory.delete("brief")

        self.assert_out(party, signed_in, username="brief", password="candle")

    def test_disabled(self) -> None:
        """So is who is disabled as Active Directory does it, until they are enabled again."""
        party = self.party()
        signed_in = self.sign_in(party, username="windows", password="gates")
        self.directory.change("windows", "userAccountControl: 514")

        self.assert_out(party, signed_in, username="windows", password="gates")
        self.directory.change("windows", "userAccountControl: 512")
        self.assertEqual(party.check(party.refresh(signed_in))["sub"], signed_in.claims["sub"])

    def test_locked(self) -> None:
        """So is whom an administrator has locked by the password policy."""
        party = self.party()
        signed_in = self.sign_in(party)
        self.directory.change("alice", "pwdAccountLockedTime: 000001010000Z")

        self.assert_out(party, signed_in, **ALICE)

    def test_somebody_else_with_the_same_name(self) -> None:
        """Who gets the name of somebody who has left does not get their tokens: their entry is another one."""
        party = self.party()
        self.directory.add("brief", "candle")
        signed_in = self.sign_in(party, username="brief", password="candle")
        self.directory.delete("brief")
        self.directory.add("brief", "another", parent="ou=elsewhere")

        self.assert_refused("invalid_grant", party.refresh, signed_in)
        self.person = Person(CALLBACK)
        other = self.sign_in(party, username="brief", password="another")
        self.assertNotEqual(other.claims["sub"], signed_in.claims["sub"])


class DirectoryTests(Case):
    """What the directory has to do, and what happens when it does not."""

    def test_cost(self) -> None:
        """From the form to the code it is one search and one bind, and no new connection."""
        self.sign_in(self.party())
        for _ in range(3):
            self.person = Person(CALLBACK)
            self.go(self.party())
            before = self.directory.server.counters()
            page = self.person.submit(**ALICE)
            after = self.directory.server.counters()

            self.assertIn("code=", page.url)
            cost = {name: after[name] - before[name] for name in after}
            self.assertEqual(cost, {"search": 1, "bind": 1, "connect": 0})

    def test_outage(self) -> None:
        """While it is gone nobody loses a session: clients are told to come again later."""
        party = self.party()
        signed_in = self.sign_in(party)
        self.directory.server.stop()
        answer = party.user_answer(signed_in)
        with self.assertRaises(OSError) as caught:
            party.refresh(signed_in)
        refused: Any = caught.exception
        silent = self.go(party, prompt="none")
        self.directory.server.start()

        self.assertEqual((answer.status_code, refused.response.status_code), (503, 503))
        self.assertEqual(refused.response.json()["error"], "temporarily_unavailable")
        self.assert_refused("temporarily_unavailable", party.finish, silent.url)
        self.assertTrue(self.person.holds("KKT"))


class SignOutTests(Case):
    """Leaving from the application."""

    def test_sign_out(self) -> None:
        """The client's address to sign out ends the session without a question, and leads back with the state."""
        party = self.party()
        url = party.sign_out_url(self.sign_in(party), GOODBYE)
        page = self.person.open(url, typed=True)
        after = self.go(party, prompt="none")

        self.assertEqual(parse_qs(urlsplit(page.url).query)["state"], parse_qs(urlsplit(url).query)["state"])
        self.assertTrue(page.url.startswith(GOODBYE))
        self.assert_refused("login_required", party.finish, after.url)


class MethodTests(SynchronousTestCase):
    """Signatures of every method, checked by somebody else's code against our published keys."""

    skip = slapd.SKIP

    def tearDown(self) -> None:
        """Let the client's warning be: for RFC 9864 EdDSA has two names by now, and everybody knows the old one."""
        self.flushWarnings()

    def test_every_method(self) -> None:
        """Whatever the daemon signs with, ID, access and refresh tokens and signed claims are accepted."""
        directory = self.enterContext(Directory.start())
        for method in METHODS:
            clients = [client("public", userinfo_signed_response_alg=method)]
            with provider(folder(self), clients, directory.by_ldaps(), method=method) as running:
                party = RelyingParty(running.url(), "public", CALLBACK)
                person = Person(CALLBACK)
                person.open(party.begin(), typed=True)
                signed_in = party.finish(person.submit(**ALICE).url)
                answer = party.user_answer(signed_in)
                with self.subTest(method=method):
                    self.assertIn(method, party.metadata["id_token_signing_alg_values_supported"])
                    for name in ("id_token", "access_token", "refresh_token"):
                        claims = party.verify(signed_in.tokens[name], method)
                        self.assertEqual(claims["sub"], signed_in.claims["sub"], name)
                    self.assertEqual(answer.headers["Content-Type"], "application/jwt")
                    user = party.verify(answer.text, method)
                    expected = {**ALICE_CLAIMS, "iss": running.url(), "aud": "public", "sub": signed_in.claims["sub"]}
                    self.assertEqual(user, expected)

    def test_method_of_a_client(self) -> None:
        """A client that is registered for another method gets its ID tokens signed by it."""
        directory = self.enterContext(Directory.start())
        more = [method for method in METHODS if method not in {"PS256", "RS256"}]
        clients = [client(method, id_token_signed_response_alg=method) for method in more]
        running = self.enterContext(provider(folder(self), clients, directory.by_ldaps(), more_methods=more))
        person = Person(CALLBACK)
        person.open(RelyingParty(running.url(), more[0], CALLBACK).begin(), typed=True)
        person.submit(**ALICE)
        for method in more:
            party = RelyingParty(running.url(), method, CALLBACK)
            signed_in = party.finish(person.open(party.begin(), typed=True).url)
            with self.subTest(method=method):
                self.assertEqual(party.verify(signed_in.tokens["id_token"], method)["aud"], method)
