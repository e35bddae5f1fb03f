"""The demo application treats the provider as a stranger: what is not proven is not believed."""

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from konnectd.demo.errors import SignInError, Trouble
from konnectd.demo.messages import Reply
from konnectd.demo.relying_party import ATTEMPT_TTL, MOST_ATTEMPTS
from konnectd.protocol.parameters import Parameters, parse_form
from tests.demo.fake_provider import METADATA, OTHER_RING, FakeProvider, Visit
from tests.support.fakes import NOON, run


class BeginTests(SynchronousTestCase):
    """How a sign-in begins."""

    def setUp(self) -> None:
        """Make an application."""
        self.visit = Visit()

    def begin(self) -> dict[str, str]:
        """Begin, and return what the browser is sent to the provider with."""
        attempt = run(self.visit.party.begin("browser-1"))
        return dict(parse_form(attempt.authorization_uri.partition("?")[2]))

    def test_the_question_has_what_it_needs(self) -> None:
        """The request asks for a code, with PKCE, state and nonce."""
        asked = self.begin()

        self.assertEqual((asked["response_type"], asked["code_challenge_method"]), ("code", "S256"))
        self.assertTrue({"state", "nonce", "code_challenge", "redirect_uri"} <= asked.keys())

    def test_nothing_random_is_used_twice(self) -> None:
        """Two sign-ins have no random value in common, and one has three different ones."""
        names = ("state", "nonce", "code_challenge")
        first, second = self.begin(), self.begin()

        self.assertEqual(len({asked[name] for asked in (first, second) for name in names}), 6)

    def test_only_known_scopes_are_asked_for(self) -> None:
        """What the provider does not know is not asked for."""
        self.assertEqual(self.begin()["scope"], "openid profile offline_access")

    def test_another_issuer_is_refused(self) -> None:
        """Metadata of somebody else is not taken, wherever it was found."""
        self.visit.provider.metadata = {"issuer": "https://evil.example"}

        error = self.assertRaises(SignInError, self.begin)

        self.assertEqual(error.trouble, Trouble.NONSENSE)

    def test_an_endpoint_without_tls_is_refused(self) -> None:
        """A provider with TLS has no endpoint without it."""
        for name in ("token_endpoint", "authorization_endpoint", "jwks_uri", "userinfo_endpoint"):
            self.visit.provider.metadata = {name: "http://id.example.com/x"}

            error = self.assertRaises(SignInError, self.begin)

            self.assertIn(name, error.description)

    def test_a_script_is_no_endpoint(self) -> None:
        """No browser is sent to an address that runs in it, or that two readers split in two ways."""
        for address in ("javascript:alert(1)", "https://id.example.com@evil.example/", "https://a\\b/", "https://a/\n"):
            self.visit.provider.metadata = {"authorization_endpoint": address}

            self.assertRaises(SignInError, self.begin)


class AnswerTests(SynchronousTestCase):
    """Which answers are taken."""

    def setUp(self) -> None:
        """Make an application."""
        self.visit = Visit()

    def refused(self, answer: Parameters, browser: str = Visit.browser) -> SignInError:
        """Return why an answer is refused."""
        return self.assertRaises(SignInError, run, self.visit.party.finish(answer, browser))

    def test_the_right_answer_signs_in(self) -> None:
        """The person of the ID token is signed in."""
        signed_in = run(self.visit.party.finish(self.visit.answer(), Visit.browser))

        self.assertEqual(signed_in.id_token.sub, "person-1")

    def test_each_answer_counts_once(self) -> None:
        """An address that is opened again does nothing, not even at the provider."""
        answer = self.visit.answer()
        run(self.visit.party.finish(answer, Visit.browser))
        asked = len(self.visit.provider.calls)

        error = self.refused(answer)

        self.assertEqual((error.trouble, len(self.visit.provider.calls)), (Trouble.UNKNOWN_ANSWER, asked))

    def test_another_browser_gets_nothing(self) -> None:
        """Whoever is lured to somebody else's answer is not signed in as them."""
        error = self.refused(self.visit.answer(), "browser-2")

        self.assertEqual(error.trouble, Trouble.UNKNOWN_ANSWER)

    def test_an_unknown_state_is_refused(self) -> None:
        """An answer nobody asked for is thrown away."""
        self.assertEqual(self.refused(self.visit.answer(state="other")).trouble, Trouble.UNKNOWN_ANSWER)

    def test_an_answer_without_state_is_refused(self) -> None:
        """An answer that names no question belongs to none."""
        self.assertEqual(self.refused(self.visit.answer(state="")).trouble, Trouble.UNKNOWN_ANSWER)

    def test_a_late_answer_is_refused(self) -> None:
        """A sign-in that takes too long is over."""
        answer = self.visit.answer()
        self.visit.clock.advance(ATTEMPT_TTL)

        self.assertEqual(self.refused(answer).trouble, Trouble.UNKNOWN_ANSWER)

    def test_the_oldest_sign_ins_make_room(self) -> None:
        """However many are begun, memory does not grow, and the newest one works."""
        first = self.visit.answer()
        for _ in range(MOST_ATTEMPTS):
            last = self.visit.answer()

        self.assertEqual(self.refused(first).trouble, Trouble.UNKNOWN_ANSWER)
        self.assertEqual(run(self.visit.party.finish(last, Visit.browser)).id_token.sub, "person-1")

    def test_an_answer_of_another_provider_is_refused(self) -> None:
        """The issuer in the answer is the one that was asked; a provider that names itself always does."""
        for iss in ("https://evil.example", ""):
            self.assertEqual(self.refused(self.visit.answer(iss=iss)).trouble, Trouble.UNKNOWN_ANSWER)

    def test_a_refusal_says_why(self) -> None:
        """The provider's error reaches the person."""
        error = self.refused(self.visit.answer(code="", error="access_denied", error_description="no"))

        self.assertEqual((error.trouble, error.code, error.description), (Trouble.REFUSED, "access_denied", "no"))

    def test_neither_code_nor_error_is_nonsense(self) -> None:
        """An answer that says nothing is not taken for anything."""
        self.assertEqual(self.refused(self.visit.answer(code="")).trouble, Trouble.NONSENSE)

    def test_the_code_goes_with_its_verifier(self) -> None:
        """What redeems the code is the secret behind this very challenge."""
        run(self.visit.party.finish(self.visit.answer(), Visit.browser))
        form = dict(next(call for call in self.visit.provider.calls if call.form).form)

        self.assertEqual((form["code"], len(form["code_verifier"])), ("code-1", 64))

    def test_a_refused_code_says_why(self) -> None:
        """An error of the token endpoint reaches the person."""
        self.visit.provider.refusal = (400, {"error": "invalid_grant", "error_description": "spent"})

        error = self.refused(self.visit.answer())

        self.assertEqual((error.code, error.description), ("invalid_grant", "spent"))

    def test_a_silent_provider_is_told(self) -> None:
        """An endpoint that does not answer ends the sign-in."""
        for name in ("token_endpoint", "jwks_uri", "userinfo_endpoint"):
            self.visit.provider.silent = {str(METADATA[name])}

            self.assertEqual(self.refused(self.visit.answer()).trouble, Trouble.UNREACHABLE)


#: What can be wrong with a token response, and what the person is told.
LIES: dict[str, tuple[Callable[[FakeProvider], object], Trouble]] = {
    "another key": (lambda provider: setattr(provider, "ring", OTHER_RING), Trouble.NOT_BELIEVED),
    "another issuer": (lambda provider: provider.claims.update(iss="https://evil.example"), Trouble.NOT_BELIEVED),
    "another audience": (lambda provider: provider.claims.update(aud="other"), Trouble.NOT_BELIEVED),
    "another nonce": (lambda provider: provider.claims.update(nonce="other"), Trouble.NOT_BELIEVED),
    "no nonce": (lambda provider: provider.claims.update(nonce=None), Trouble.NOT_BELIEVED),
    "expired": (lambda provider: provider.claims.update(exp=NOON - 61), Trouble.NOT_BELIEVED),
    "another access token": (lambda provider: provider.token_response.update(access_token="x"), Trouble.NOT_BELIEVED),
    "no ID token": (lambda provider: provider.token_response.update(id_token=None), Trouble.NOT_BELIEVED),
    "no signature": (lambda provider: provider.token_response.update(id_token="e30.e30."), Trouble.NOT_BELIEVED),
    "unannounced algorithm": (
        lambda provider: provider.metadata.update(id_token_signing_alg_values_supported=["RS256"]),
        Trouble.NOT_BELIEVED,
    ),
    "no access token": (lambda provider: provider.token_response.update(access_token=None), Trouble.NONSENSE),
    "another kind of token": (lambda provider: provider.token_response.update(token_type="mac"), Trouble.NONSENSE),
    "a line break in a token": (
        lambda provider: provider.token_response.update(access_token="a\r\nX: y"),
        Trouble.NONSENSE,
    ),
    "somebody else's userinfo": (
        lambda provider: setattr(provider, "userinfo", Reply(status=200, text='{"sub":"person-2"}')),
        Trouble.NONSENSE,
    ),
    "userinfo about nobody": (
        lambda provider: setattr(provider, "userinfo", Reply(status=200, text="<html>")),
        Trouble.NONSENSE,
    ),
}


class LieTests(SynchronousTestCase):
    """A provider that lies signs nobody in."""

    def test_lies(self) -> None:
        """Each kind of lie is found and told as what it is."""
        found = {}
        for name, (lie, _) in LIES.items():
            visit = Visit()
            answer = visit.answer()
            lie(visit.provider)
            if name == "unannounced algorithm":
                answer = visit.answer()
            try:
                run(visit.party.finish(answer, Visit.browser))
            except SignInError as error:
                found[name] = error.trouble

        self.assertEqual(found, {name: trouble for name, (_, trouble) in LIES.items()})


class LaterTests(SynchronousTestCase):
    """What somebody who is signed in can do."""

    def setUp(self) -> None:
        """Sign somebody in."""
        self.visit = Visit()
        self.signed_in = run(self.visit.party.finish(self.visit.answer(), Visit.browser))

    def test_userinfo_again_shows_what_it_is_now(self) -> None:
        """The newest answer is shown."""
        self.visit.provider.userinfo = Reply(status=200, text='{"sub":"person-1","name":"Alice Hargreaves"}')

        signed_in = run(self.visit.party.ask_userinfo(self.signed_in))

        self.assertEqual(signed_in.userinfo.reply.members["name"], "Alice Hargreaves")

    def test_a_refused_token_is_shown(self) -> None:
        """An access token that has expired is no end of the demo, but something to see."""
        self.visit.provider.userinfo = Reply(status=401, text='{"error":"invalid_token"}')

        self.assertEqual(run(self.visit.party.ask_userinfo(self.signed_in)).userinfo.reply.status, 401)

    def test_refreshing_replaces_the_tokens(self) -> None:
        """The new tokens count, and a refresh token that was not replaced stays good."""
        self.visit.provider.token_response = {"access_token": "access-2", "refresh_token": None}
        self.visit.provider.claims = {"nonce": None, "at_hash": None}

        signed_in = run(self.visit.party.refresh(self.signed_in))

        self.assertEqual((signed_in.tokens.access_token, signed_in.tokens.refresh_token), ("access-2", "refresh-1"))
        self.assertIsNotNone(signed_in.new_id_token)

    def test_a_refresh_need_not_bring_an_id_token(self) -> None:
        """Without a new ID token the first one stays."""
        self.visit.provider.token_response = {"id_token": None}

        signed_in = run(self.visit.party.refresh(self.signed_in))

        self.assertEqual(signed_in.latest_id_token, self.signed_in.id_token)

    def test_a_refresh_is_about_the_same_person(self) -> None:
        """A provider that mixes people up is not believed."""
        self.visit.provider.claims = {"sub": "person-2"}

        error = self.assertRaises(SignInError, run, self.visit.party.refresh(self.signed_in))

        self.assertEqual(error.trouble, Trouble.NOT_BELIEVED)

    def test_a_refused_refresh_is_shown(self) -> None:
        """A refusal is something to see; the old tokens stay."""
        self.visit.provider.refusal = (400, {"error": "invalid_grant"})

        signed_in = run(self.visit.party.refresh(self.signed_in))

        self.assertIsNotNone(signed_in.refreshed)
        self.assertEqual(signed_in.tokens, self.signed_in.tokens)

    def test_secrets_are_not_shown_in_tracebacks(self) -> None:
        """What is printed of a session has no token, code or verifier in it."""
        shown = repr(self.signed_in)
        secrets = ("access-1", "refresh-1", "code-1", self.signed_in.attempt.ticket.code_verifier)

        self.assertEqual([secret for secret in secrets if secret in shown], [])
