"""The end-session endpoint."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.browser import BROWSER_STATE, LOGON, Browser, Forget
from konnectd.flows.endsession import Answer, Confirm, Left
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.errors import UntrustedRequestError
from tests.support.fakes import ReadableSigner, claims_of, run
from tests.support.people import ALICE, BOB
from tests.support.provider import Provider, told
from tests.support.requests import BYE, NOTES, form, request_of
from tests.support.strategies import HOSTILE_URIS

#: What a browser forgets that has left.
GONE = (Forget(LOGON), Forget(BROWSER_STATE))


class EndSessionTests(SynchronousTestCase):
    """Leaving."""

    def setUp(self) -> None:
        """Let Alice allow Notes to know her, which gives it an ID token."""
        self.provider = Provider()
        self.browser = self.provider.browser_of(ALICE)
        logon = self.provider.sign_in.find(self.browser)
        if logon is None:
            raise LookupError("nobody is signed in")
        state, keep = self.provider.decisions.record(request_of(scope="openid"), logon, allow=True)
        browser = Browser({**self.browser.sealed, keep.name: keep.value})
        code = told(self.provider.ask(browser, scope="openid", konnect=state))["code"]
        self.tokens = self.provider.redeem(code, NOTES)
        self.hint = self.tokens.id_token

    def leave(self, browser: Browser | None = None, confirmed: bool = False, /, **values: str | None) -> Answer:
        """Ask to leave."""
        browser = self.browser if browser is None else browser
        return run(self.provider.end_session(form(**values), browser, confirmed=confirmed))

    def test_table(self) -> None:
        """Who shows the session's ID token need not be asked; anybody else's request needs the person's word."""
        bob = self.provider.browser_of(BOB)
        later = self.provider.browser_of(ALICE, session_id="session-2")
        gone = GONE
        back: dict[str, str | None] = {"post_logout_redirect_uri": BYE, "state": "s"}
        hinted: dict[str, str | None] = {"id_token_hint": self.hint}
        named: dict[str, str | None] = {"client_id": "notes"}
        cases: tuple[tuple[Browser, dict[str, str | None], Answer | type[Confirm]], ...] = (
            (self.browser, {}, Confirm),
            (self.browser, named, Confirm),
            (self.browser, {**named, **back}, Confirm),
            (self.browser, hinted, Left("", gone)),
            (self.browser, {**hinted, **back}, Left(f"{BYE}?state=s", gone)),
            (self.browser, {**hinted, **named, **back}, Left(f"{BYE}?state=s", gone)),
            (bob, {**hinted, **back}, Confirm),
            (later, {**hinted, **back}, Confirm),
            (Browser(), {}, Left("")),
            (Browser(), {**hinted, **back}, Left(f"{BYE}?state=s")),
            (Browser(), {**named, **back}, Left(f"{BYE}?state=s")),
            (Browser({LOGON: "broken"}), {**hinted, **back}, Left(f"{BYE}?state=s")),
        )
        for browser, values, wanted in cases:
            answer = self.leave(browser, **values)

            if wanted is Confirm:
                self.assertIsInstance(answer, Confirm, values)
            else:
                self.assertEqual(answer, wanted, values)

    def test_confirmed(self) -> None:
        """After the person has said so the session ends, and the browser goes where it was to go."""
        answer = self.leave(self.browser, True, client_id="notes", post_logout_redirect_uri=BYE)

        self.assertEqual(answer, Left(BYE, GONE))

    def test_who_is_asked(self) -> None:
        """The question names the person and the client that asks."""
        answer = self.leave(client_id="notes")

        self.assertEqual(answer, Confirm(self.provider.sign_in.find(self.browser), NOTES))  # type: ignore[arg-type]

    def test_old_hint(self) -> None:
        """An ID token that expired long ago is as good a hint."""
        self.provider.clock.advance(3500)
        old = self.provider.browser_of(ALICE)
        self.provider.clock.advance(3000)

        self.assertEqual(self.leave(old, id_token_hint=self.hint), Left("", GONE))

    def test_refused(self) -> None:
        """A hint that is none, another client's, and an address nobody registered end on a page, signed out or not."""
        claims = claims_of(self.hint)
        stranger = run(ReadableSigner(name="stranger").sign(claims))
        unknown = run(self.provider.signer.sign({**claims, "aud": "stranger"}))
        cases: tuple[dict[str, str | None], ...] = (
            {"id_token_hint": "x"},
            {"id_token_hint": stranger},
            {"id_token_hint": self.tokens.access_token},
            {"id_token_hint": self.hint, "client_id": "mail"},
            {"id_token_hint": unknown, "post_logout_redirect_uri": BYE},
            {"post_logout_redirect_uri": BYE},
            {"post_logout_redirect_uri": BYE, "client_id": "mail"},
            *(dict[str, str | None](post_logout_redirect_uri=uri, client_id="notes") for uri in HOSTILE_URIS if uri),
            *(
                dict[str, str | None](post_logout_redirect_uri=uri, id_token_hint=self.hint)
                for uri in HOSTILE_URIS
                if uri
            ),
        )
        for browser in (self.browser, Browser()):
            for confirmed in (False, True):
                for values in cases:
                    with self.assertRaises(UntrustedRequestError, msg=str(values)):
                        self.leave(browser, confirmed, **values)

    def test_hint_of_a_client_that_is_gone(self) -> None:
        """Its people can still leave."""
        del self.provider.registry.clients["notes"]

        self.assertEqual(self.leave(id_token_hint=self.hint), Left("", GONE))

    def test_silent_registry(self) -> None:
        """When the registry does not answer nobody is told that the address is wrong."""
        self.provider.registry.silent = True

        with self.assertRaises(BackendUnavailableError):
            self.leave(id_token_hint=self.hint)

    def test_reading_only(self) -> None:
        """A page that asks first can read the request without ending anything."""
        request = run(self.provider.end_session.read(form(id_token_hint=self.hint, post_logout_redirect_uri=BYE)))

        self.assertEqual((request.client, request.location), (NOTES, BYE))
