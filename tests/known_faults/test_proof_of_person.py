"""Row 10: a fresh token is no fresh proof of who somebody is, and one proof does not do for another."""

import json

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import Answer, ToChooser, ToClient, ToSignIn
from konnectd.flows.browser import LOGON, Browser
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.logons import LOGON_TTL
from konnectd.protocol.progress import PROGRESS_TTL, Progress
from tests.support.devices import BOX, TV, Devices
from tests.support.fakes import ReadableSigner, claims_of, run
from tests.support.people import ALICE, BOB, logon_of
from tests.support.provider import Provider, after, told
from tests.support.request_objects import SIGNING, contents, signed
from tests.support.requests import MAIL, NOTES, form, request_of

WEAK = "urn:example:weak"
STRONG = "urn:example:hardware"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"


class ProofCase(SynchronousTestCase):
    """Alice, who signed in a while ago."""

    def setUp(self) -> None:
        """Sign her in."""
        self.provider = Provider(MAIL, NOTES, SIGNING, TV, BOX)
        self.browser = self.provider.browser_of(ALICE, ago=100)

    def ask(self, **changes: str | None) -> Answer:
        """Let an application of the house ask for her."""
        return self.provider.ask(self.browser, **{"client_id": "mail", **changes})

    def begin(self, **changes: str | None) -> str:
        """Send a request, and return what travels to the sign-in page."""
        answer = self.ask(**changes)
        if not isinstance(answer, ToSignIn):
            raise TypeError(f"nobody has to sign in by {answer}")
        return answer.interaction

    def sign_in(self, user: EndUser = ALICE) -> None:
        """Sign somebody in in the browser."""
        _, keep = self.provider.sign_in.begin(user)
        self.browser = after(self.browser, (keep,))

    def assert_signs_in(self, **changes: str | None) -> None:
        """Check that somebody has to sign in for a request."""
        self.assertIsInstance(self.ask(**changes), ToSignIn, str(changes))

    def error(self, **changes: str | None) -> str:
        """Return the error that the client is told; empty for none."""
        answer = self.ask(**changes)
        return told(answer).get("error", "") if isinstance(answer, ToClient) else f"{type(answer).__name__}"


class Row10TokenTests(ProofCase):
    """Tokens, which prove nothing about the moment."""

    def test_row_10_refreshed(self) -> None:
        """A refreshed ID token says when the person signed in, not when the token was made."""
        first = self.provider.tokens("openid offline_access")
        self.provider.clock.advance(1000)
        again = claims_of(self.provider.refresh(first.refresh_token).id_token)

        self.assertEqual(again["auth_time"], claims_of(first.id_token)["auth_time"])
        self.assertEqual(again["amr"], claims_of(first.id_token)["amr"])

    def test_row_10_device(self) -> None:
        """Tokens of a device say when its person signed in, not when they typed the code."""
        devices = Devices(self.provider)
        codes = devices.start()
        devices.decide(codes)
        claims = claims_of(devices.poll(codes).id_token)

        self.assertEqual(claims["auth_time"], self.provider.clock.now() - 100)

    def test_row_10_hint(self) -> None:
        """An ID token that is fresh makes no sign-in fresh."""
        hint = self.provider.tokens().id_token

        self.assert_signs_in(prompt="login", id_token_hint=hint)

    def test_row_10_hint_of_other_kinds(self) -> None:
        """No other token is taken for an ID token, nor is one that somebody else made."""
        tokens = self.provider.tokens("openid offline_access")
        job = form(client_id="mail", client_secret=MAIL.secret, grant_type="client_credentials")
        self.provider.registry.clients["mail"] = evolve(MAIL, grant_types=("client_credentials",), scopes=("openid",))
        stranger = run(ReadableSigner(name="stranger").sign(claims_of(tokens.id_token)))
        other = run(self.provider.signer.sign({**claims_of(tokens.id_token), "iss": "https://other.example"}))
        of_client = run(self.provider.token("", job)).access_token
        logout = run(self.provider.signer.sign({**claims_of(tokens.id_token), "events": {}}))

        for token in (tokens.access_token, tokens.refresh_token, stranger, other, of_client, logout):
            self.assertEqual(self.error(id_token_hint=token, prompt="none"), "invalid_request")


class Row10RequestTests(ProofCase):
    """Requests that want a proof."""

    def test_row_10_login(self) -> None:
        """Whoever is asked for the password has to type it, however lately they did."""
        self.browser = self.provider.browser_of(ALICE, ago=0)

        self.assert_signs_in(prompt="login")

    def test_row_10_max_age(self) -> None:
        """A sign-in that is too old for the client does not do."""
        self.assert_signs_in(max_age="99")
        self.assertIsInstance(self.ask(max_age="100"), ToClient)

    def test_row_10_max_age_of_nothing(self) -> None:
        """A client that wants one of this moment gets none of the moment before."""
        self.browser = self.provider.browser_of(ALICE, ago=0)

        self.assert_signs_in(max_age="0")

    def test_row_10_max_age_of_the_client(self) -> None:
        """What a client is registered with counts where its request says nothing."""
        self.provider.registry.clients["mail"] = evolve(MAIL, default_max_age=99)

        self.assert_signs_in()

    def test_row_10_in_silence(self) -> None:
        """Where nobody can be asked, the client is told."""
        self.assertEqual(self.error(max_age="99", prompt="none"), "login_required")

    def test_row_10_a_day(self) -> None:
        """No sign-in is older than a day, whatever the browser keeps."""
        browser = self.provider.browser_of(ALICE, ago=LOGON_TTL)
        answer = told(self.provider.ask(browser, client_id="mail", prompt="none"))

        self.assertEqual(answer["error"], "login_required")

    def test_row_10_consent_is_no_proof(self) -> None:
        """Who has agreed has not typed a password."""
        self.assert_signs_in(client_id="notes", prompt="login consent", konnect="x")

    def progress(self, **changes: str) -> Progress:
        """Return what is noted when a request begins."""
        return self.provider.pending.begin(request_of(MAIL, **changes), self.provider.sign_in.find(self.browser))

    def test_row_10_account(self) -> None:
        """Who chooses an account that is signed in has not typed a password."""
        chosen = evolve(self.progress(prompt="login"), account=logon_of(ALICE, 0).sub)

        self.assert_signs_in(prompt="login", interaction=self.provider.pending.seal(chosen))

    def test_row_10_which_account(self) -> None:
        """A choice of one account is none of another one."""
        chosen = evolve(self.progress(prompt="select_account"), account=logon_of(BOB, 0).sub)
        answer = self.ask(prompt="select_account", interaction=self.provider.pending.seal(chosen))

        self.assertIsInstance(answer, ToChooser)


class Row10ProgressTests(ProofCase):
    """A proof that was made for a request: it is noted, sealed, what the request had seen before."""

    def test_row_10_nothing_happened(self) -> None:
        """Coming back without having signed in is no proof."""
        self.assert_signs_in(prompt="login", interaction=self.begin(prompt="login"))

    def test_row_10_earlier(self) -> None:
        """A sign-in of another session from before the request began is none that was made for it."""
        interaction = self.begin(prompt="login")
        logon = logon_of(ALICE, self.provider.clock.now() - 1, session_id="another")
        sealed = self.provider.sealer.seal(LOGON, logon.to_json(), self.provider.clock.now() + 60)
        self.browser = Browser({LOGON: sealed})

        self.assert_signs_in(prompt="login", interaction=interaction)

    def test_row_10_same_session(self) -> None:
        """Nor is one of the session that was there before, whatever the clocks say."""
        self.browser = self.provider.browser_of(ALICE, ago=0)

        self.assert_signs_in(prompt="login", interaction=self.begin(prompt="login"))

    def test_row_10_another_request(self) -> None:
        """Nor is one that was made for another request."""
        interaction = self.begin(prompt="login")
        self.sign_in()

        self.assert_signs_in(prompt="login", state="another", interaction=interaction)

    def test_row_10_made_up(self) -> None:
        """Nobody but us says what has happened; and nothing else that we sealed says so."""
        interaction = self.begin(prompt="login")
        progress = self.provider.sealer.open("interaction", interaction, 0) or {}
        other = self.provider.sealer.seal("another purpose", progress, self.provider.clock.now() + 60)
        self.sign_in()

        for made_up in (other, "x", self.browser.sealed[LOGON]):
            self.assert_signs_in(prompt="login", interaction=made_up)

    def test_row_10_long_ago(self) -> None:
        """What has happened for a request is forgotten after an hour."""
        interaction = self.begin(prompt="login")
        self.sign_in()
        self.provider.clock.advance(PROGRESS_TTL)

        self.assert_signs_in(prompt="login", interaction=interaction)

    def test_row_10_inside_an_object(self) -> None:
        """A client does not say what a person did, in an object that it signed."""
        inside = contents(prompt="login", interaction="planted", konnect="planted")
        answer = self.ask(client_id=SIGNING.client_id, request=signed(inside))
        carried = dict(answer.request.items()) if isinstance(answer, ToSignIn) else {"not": "a page"}

        self.assertNotIn("planted", repr(carried))
        self.assertIsInstance(answer, ToSignIn)

    def test_row_10_pushed(self) -> None:
        """Nor in a request that it pushed."""
        values = {"client_secret": NOTES.secret, "interaction": "planted", "konnect": "planted"}
        good = {"redirect_uri": "https://notes.example.org/cb", "response_type": "code", "scope": "openid"}
        reference = run(self.provider.push("", form(client_id="notes", **good, **values))).request_uri
        kept = run(self.provider.pending.arrive(form(client_id="notes", request_uri=reference)))

        self.assertNotIn("planted", [value for _, value in kept.parameters.items()])


class Row10PersonTests(ProofCase):
    """Whose proof it is, and what kind."""

    def test_row_10_somebody_else(self) -> None:
        """A proof of somebody else is none of the person that the client means."""
        hint = self.provider.tokens().id_token
        interaction = self.begin(prompt="login", id_token_hint=hint)
        self.sign_in(BOB)

        self.assertEqual(self.error(prompt="login", id_token_hint=hint, interaction=interaction), "login_required")

    def test_row_10_claimed_subject(self) -> None:
        """Nor of the person that it names by subject."""
        claims = json.dumps({"id_token": {"sub": {"value": "somebody else"}}})

        self.assertEqual(self.error(claims=claims, prompt="none"), "login_required")

    def test_row_10_context(self) -> None:
        """A client that needs more than a password is told that there is no more."""
        claims = json.dumps({"id_token": {"acr": {"essential": True, "values": [STRONG]}}})

        self.assertEqual(self.error(claims=claims), "unmet_authentication_requirements")

    def test_row_10_context_of_this_sign_in(self) -> None:
        """A sign-in without a password is none by password, old or new."""
        claims = json.dumps({"id_token": {"acr": {"essential": True, "values": [PASSWORD]}}})
        logon = evolve(logon_of(ALICE, self.provider.clock.now()), amr=(WEAK,))
        sealed = self.provider.sealer.seal(LOGON, logon.to_json(), self.provider.clock.now() + 60)
        self.browser = Browser({LOGON: sealed})

        self.assert_signs_in(claims=claims)

    def test_row_10_context_is_honest(self) -> None:
        """What a token says about how somebody signed in is how they did."""
        logon = evolve(logon_of(ALICE, self.provider.clock.now()), amr=(WEAK,))
        sealed = self.provider.sealer.seal(LOGON, logon.to_json(), self.provider.clock.now() + 60)
        answer = told(self.provider.ask(Browser({LOGON: sealed}), client_id="mail"))

        self.assertNotIn("acr", claims_of(self.provider.redeem(answer["code"]).id_token))

    def test_row_10_claims_that_can_not_be_read(self) -> None:
        """A condition that can not be read does not pass for none."""
        for claims in ("{", "[]", '{"id_token": {"acr": 1}, "id_token": {}}'):
            self.assertEqual(self.error(claims=claims), "invalid_request", claims)
