"""The authorization endpoint, from parameters to answer."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import ToChooser, ToClient, ToConsent, ToSignIn
from konnectd.flows.browser import BROWSER_STATE, LOGON, Browser, Forget
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.errors import UntrustedRequestError
from konnectd.protocol.grant import CODE_TTL, AuthorizationGrant, code_key
from konnectd.protocol.hint import check_hint
from tests.support.fakes import ReadableSigner, SilentStore, run
from tests.support.people import ALICE, BOB, logon_of
from tests.support.provider import Provider, after, told
from tests.support.redirects import without_query
from tests.support.requests import CALLBACK, ISSUER, MAIL, NOTES, request_of, sent
from tests.support.strategies import HOSTILE_URIS

NOBODY = Browser()


class AnswerTests(SynchronousTestCase):
    """What a browser is answered."""

    def setUp(self) -> None:
        """Begin with a provider nobody has used."""
        self.provider = Provider()
        self.alice = self.provider.browser_of(ALICE)

    def test_nobody(self) -> None:
        """Somebody who is not signed in goes to the sign-in page, and no cookie is touched."""
        answer = self.provider.ask(NOBODY)

        self.assertIsInstance(answer, ToSignIn)
        self.assertEqual(answer.cookies if isinstance(answer, ToSignIn) else None, ())

    def test_trusted_client(self) -> None:
        """A trusted client gets its code at once, with the state and the issuer, and nothing else."""
        answer = self.provider.ask(self.alice, client_id="mail")
        pairs = told(answer)

        self.assertEqual(without_query(answer.delivery.location if isinstance(answer, ToClient) else ""), CALLBACK)
        self.assertEqual(set(pairs), {"code", "state", "iss", "session_state"})
        self.assertEqual((pairs["state"], pairs["iss"]), ("state-1", ISSUER))

    def test_code(self) -> None:
        """What is kept for a code is what was asked for and decided, for two minutes, and not under its name."""
        code = self.provider.code(scope="openid profile unheard-of")
        text = run(self.provider.store.get(code_key(code)))
        grant = AuthorizationGrant.from_text(text or "")

        self.assertIsNone(run(self.provider.store.get(code)))
        self.assertEqual(
            (grant.client_id, grant.redirect_uri, str(grant.scope), grant.nonce) if grant else None,
            ("mail", CALLBACK, "openid profile", "nonce-1"),
        )
        self.assertEqual(grant.logon if grant else None, logon_of(ALICE, self.provider.clock.now()))
        self.provider.clock.advance(CODE_TTL)
        self.assertIsNone(run(self.provider.store.get(code_key(code))))

    def test_codes_differ(self) -> None:
        """No two answers carry the same code, and the grant's name does not tell it."""
        codes = [self.provider.code() for _ in range(3)]
        texts = [run(self.provider.store.get(code_key(code))) or "" for code in codes]

        self.assertEqual((len(set(codes)), {len(code) for code in codes}), (3, {65}))
        self.assertFalse([code for code, text in zip(codes, texts, strict=True) if code in text])

    def test_consent(self) -> None:
        """A client that is not trusted waits until the person has been asked."""
        self.assertIsInstance(self.provider.ask(self.alice), ToConsent)

    def test_chooser(self) -> None:
        """Where the account is to be chosen, it is."""
        self.assertIsInstance(self.provider.ask(self.alice, client_id="mail", prompt="select_account"), ToChooser)

    def test_silence(self) -> None:
        """With prompt=none the client is told what would have been asked."""
        cases = ((NOBODY, "login_required"), (self.alice, "consent_required"))

        self.assertEqual(
            [told(self.provider.ask(browser, prompt="none"))["error"] for browser, _ in cases],
            [code for _, code in cases],
        )

    def test_broken_rule(self) -> None:
        """A rule that is broken is told to the client, with its state."""
        answer = told(self.provider.ask(self.alice, scope="profile"))

        self.assertEqual((answer["error"], answer["state"], answer["iss"]), ("invalid_scope", "state-1", ISSUER))


class DoubtTests(SynchronousTestCase):
    """Errors of requests whose address is not proven."""

    def test_no_redirect_before_the_proof(self) -> None:
        """Whatever else is wrong, an unknown client or address is answered by a page and never by a redirect."""
        provider = Provider()
        faults: tuple[dict[str, str | None], ...] = (
            {},
            {"response_type": "token"},
            {"response_type": None},
            {"scope": "profile"},
            {"prompt": "none"},
            {"prompt": "none login"},
            {"request_uri": "https://evil.example/r"},
            {"request": "a.b.c"},
            {"registration": "{}"},
            {"max_age": "x"},
            {"code_challenge": "x"},
            {"id_token_hint": "x"},
            {"error": "access_denied", "error_description": "x"},
        )
        doubts: tuple[dict[str, str | None], ...] = (
            {"client_id": "stranger"},
            {"client_id": None},
            {"redirect_uri": None},
            *(dict[str, str | None](redirect_uri=uri) for uri in HOSTILE_URIS),
        )
        for browser in (NOBODY, provider.browser_of(ALICE)):
            for doubt in doubts:
                for fault in faults:
                    with self.assertRaises(UntrustedRequestError, msg=f"{doubt} {fault}"):
                        provider.ask(browser, **{**fault, **doubt})

    def test_address_of_another_client(self) -> None:
        """A client's address does not serve another client."""
        provider = Provider()

        with self.assertRaises(UntrustedRequestError):
            provider.ask(provider.browser_of(ALICE), client_id="mail", redirect_uri=NOTES.redirect_uris[1])


class PersonTests(SynchronousTestCase):
    """Who the browser's person is, and whether they still are."""

    def setUp(self) -> None:
        """Begin with a provider nobody has used."""
        self.provider = Provider()
        self.alice = self.provider.browser_of(ALICE)

    def test_gone(self) -> None:
        """Who was removed has to sign in, and their session is ended."""
        del self.provider.people.users["alice"]

        answer = self.provider.ask(self.alice, client_id="mail")
        forgotten = answer.cookies if isinstance(answer, ToSignIn) else None
        self.assertEqual(forgotten, (Forget(LOGON), Forget(BROWSER_STATE)))

    def test_gone_in_silence(self) -> None:
        """In a frame the client is told that nobody is signed in."""
        del self.provider.people.users["alice"]

        self.assertEqual(
            told(self.provider.ask(self.alice, client_id="mail", prompt="none"))["error"], "login_required"
        )

    def test_somebody_else_under_the_same_id(self) -> None:
        """An id that was given to somebody else does not let the first one's session in."""
        self.provider.people.users["alice"] = evolve(ALICE, subject="another")

        self.assertIsInstance(self.provider.ask(self.alice, client_id="mail"), ToSignIn)

    def test_session_of_another_backend(self) -> None:
        """A session from before the backend was replaced counts for nothing."""
        logon = logon_of(ALICE, self.provider.clock.now(), provider="identifier-other")
        browser = Browser({LOGON: self.provider.sealer.seal(LOGON, logon.to_json(), self.provider.clock.now() + 60)})

        self.assertIsInstance(self.provider.ask(browser, client_id="mail"), ToSignIn)

    def test_silent_backend(self) -> None:
        """A person is told when the backend does not answer; where nobody looks, the client is."""
        self.provider.people.silent = True

        for prompt in (None, "login", "consent"):
            with self.assertRaises(BackendUnavailableError):
                self.provider.ask(self.alice, client_id="mail", prompt=prompt)
        for prompt in ("none", " none "):
            answer = told(self.provider.ask(self.alice, client_id="mail", prompt=prompt))
            self.assertEqual((answer["error"], answer["state"]), ("temporarily_unavailable", "state-1"))

    def test_silent_store(self) -> None:
        """No code is given out that could not be kept."""
        provider = Provider(store=SilentStore())

        self.assertRaises(BackendUnavailableError, provider.code)
        self.assertEqual(
            told(provider.ask(provider.browser_of(ALICE), client_id="mail", prompt="none"))["error"],
            "temporarily_unavailable",
        )

    def test_silent_registry(self) -> None:
        """Without the registry no address is proven, so nobody is redirected, prompt=none or not."""
        self.provider.registry.silent = True

        for prompt in (None, "none"):
            with self.assertRaises(BackendUnavailableError):
                self.provider.ask(self.alice, prompt=prompt)


class HintTests(SynchronousTestCase):
    """ID tokens that say who is expected."""

    def setUp(self) -> None:
        """Let Alice get her tokens."""
        self.provider = Provider()
        self.tokens = self.provider.tokens("openid offline_access")

    def ask(self, hint: str, who: str = "alice") -> str:
        """Return the error of a silent request with a hint; empty when there is none."""
        browser = self.provider.browser_of({"alice": ALICE, "bob": BOB}[who])
        answer = told(self.provider.ask(browser, client_id="mail", prompt="none", id_token_hint=hint))
        return answer.get("error", "")

    def test_expected(self) -> None:
        """The person of the ID token goes on, somebody else does not; an old ID token will do."""
        self.provider.clock.advance(10**6)

        self.assertEqual([self.ask(self.tokens.id_token, who) for who in ("alice", "bob")], ["", "login_required"])

    def test_raw_subject(self) -> None:
        """An ID token with the raw subject is a hint as good as any."""
        hint = self.provider.tokens("openid konnect/raw_sub").id_token

        self.assertEqual([self.ask(hint, who) for who in ("alice", "bob")], ["", "login_required"])

    def test_other_tokens(self) -> None:
        """No other token is taken for an ID token, nor is a stranger's."""
        claims = self.provider.signer.verify(self.tokens.id_token) or {}
        stranger = run(ReadableSigner(name="stranger").sign(claims))
        hints = (self.tokens.access_token, self.tokens.refresh_token, stranger, "a.b.c", "x")

        self.assertEqual([self.ask(hint) for hint in hints], ["invalid_request"] * len(hints))
        self.assertEqual(check_hint(claims, ISSUER).client_id, "mail")


class LoginPromptTests(SynchronousTestCase):
    """Proving again who one is."""

    def setUp(self) -> None:
        """Sign Alice in a while ago, and let the clock be hers."""
        self.provider = Provider()
        self.browser = self.provider.browser_of(ALICE, ago=100)
        self.request = {"client_id": "mail", "prompt": "login"}

    def sign_in(self, user: str = "alice") -> None:
        """Sign somebody in in the browser."""
        _, keep = self.provider.sign_in.begin({"alice": ALICE, "bob": BOB}[user])
        self.browser = after(self.browser, (keep,))

    def begin(self) -> str:
        """Send the request and return what travels to the sign-in page."""
        answer = self.provider.ask(self.browser, **self.request)
        if not isinstance(answer, ToSignIn):
            raise TypeError(f"nobody has to sign in by {answer}")
        return answer.interaction

    def test_fresh(self) -> None:
        """Who signs in on the page that was asked for is let in, once and not only at that second."""
        interaction = self.begin()
        self.provider.clock.advance(60)
        self.sign_in()
        self.provider.clock.advance(60)

        self.assertIn("code", told(self.provider.ask(self.browser, interaction=interaction, **self.request)))

    def test_not_fresh(self) -> None:
        """Coming back without having signed in is no proof."""
        interaction = self.begin()

        self.assertIsInstance(self.provider.ask(self.browser, interaction=interaction, **self.request), ToSignIn)

    def test_progress_of_another_request(self) -> None:
        """What happened for one request does not count for another."""
        interaction = self.begin()
        self.sign_in()

        self.assertIsInstance(
            self.provider.ask(self.browser, interaction=interaction, state="another", **self.request), ToSignIn
        )

    def test_progress_that_is_none(self) -> None:
        """What we have not sealed, or for another purpose, or long ago, is no progress."""
        interaction = self.begin()
        wrong_purpose = self.browser.sealed[LOGON]
        self.provider.clock.advance(3600)
        self.sign_in()

        for value in ("x", wrong_purpose, interaction):
            answer = self.provider.ask(self.browser, interaction=value, **self.request)
            self.assertIsInstance(answer, ToSignIn, value)

    def test_silent_backend_after_a_fresh_logon(self) -> None:
        """Who was checked a moment ago by signing in for this request is not looked up again."""
        interaction = self.begin()
        self.sign_in()
        self.provider.people.silent = True

        self.assertIn("code", told(self.provider.ask(self.browser, interaction=interaction, **self.request)))

    def test_max_age(self) -> None:
        """A logon that is too old for max_age is asked for again, and counts when it is new."""
        self.request = {"client_id": "mail", "max_age": "99"}
        interaction = self.begin()
        self.provider.clock.advance(1)
        self.sign_in()

        self.assertIn("code", told(self.provider.ask(self.browser, interaction=interaction, **self.request)))

    def test_somebody_else(self) -> None:
        """Where a hint names somebody, another person's fresh logon is told to the client as an error."""
        hint = self.provider.tokens().id_token
        self.request = {"client_id": "mail", "prompt": "login", "id_token_hint": hint}
        interaction = self.begin()
        self.sign_in("bob")

        answer = told(self.provider.ask(self.browser, interaction=interaction, **self.request))
        self.assertEqual(answer["error"], "login_required")


class ChooserTests(SynchronousTestCase):
    """Choosing the account."""

    def test_chosen(self) -> None:
        """Who was chosen goes on; somebody who signs in afterwards is asked anew or is fresh."""
        provider = Provider()
        browser = provider.browser_of(ALICE, ago=10)
        parameters = sent(client_id="mail", prompt="select_account")
        request = request_of(MAIL, prompt="select_account")
        logon = provider.sign_in.find(browser)
        interaction = provider.decisions.chosen(request, parameters, logon) if logon else ""
        chosen = {"client_id": "mail", "prompt": "select_account", "interaction": interaction}

        self.assertIn("code", told(provider.ask(browser, **chosen)))
        self.assertIsInstance(provider.ask(provider.browser_of(BOB, ago=10), **chosen), ToChooser)
