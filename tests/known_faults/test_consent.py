"""Row 9: what a person has not allowed, no application gets."""

from konnectd.flows.authorize import ToConsent
from konnectd.flows.browser import Browser, Keep
from konnectd.protocol.client import Client
from konnectd.protocol.scope import Scope
from tests.known_faults.test_policy import PolicyCase
from tests.support.assembly import Daemon
from tests.support.fakes import run
from tests.support.people import ALICE, BOB, logon_of
from tests.support.provider import after, told
from tests.support.registering import ON, SelfRegistered
from tests.support.requests import NOTES, PROGRAM, request_of
from tests.support.visitor import Visitor


class Row9ConsentTests(PolicyCase):
    """What a person has not allowed."""

    def decide(self, *, allow: bool = True, chosen: Scope | None = None, **changes: str) -> tuple[str, Browser]:
        """Let Alice answer the consent page of Notes."""
        logon = logon_of(ALICE, self.provider.clock.now())
        state, keep = self.provider.decisions.record(request_of(**changes), logon, allow=allow, chosen=chosen)
        return state, after(self.alice, (keep,))

    def test_row_9_asked(self) -> None:
        """An application that nobody trusts waits until the person was asked."""
        self.assertIsInstance(self.provider.ask(self.alice), ToConsent)

    def test_row_9_no(self) -> None:
        """Who says no has not allowed anything."""
        state, browser = self.decide(allow=False)

        self.assertEqual(told(self.provider.ask(browser, konnect=state))["error"], "access_denied")

    def test_row_9_less(self) -> None:
        """What they left out is not granted."""
        state, browser = self.decide(chosen=Scope.of(["openid"]))
        code = told(self.provider.ask(browser, konnect=state))["code"]

        self.assertEqual(str(self.provider.redeem(code, NOTES).scope), "openid")

    def test_row_9_another_request(self) -> None:
        """What they allowed is not allowed for a request that asks for more, under whatever name."""
        _, browser = self.decide()
        other, keep = self.provider.decisions.record(request_of(state="other"), logon_of(ALICE, 0), allow=True)
        value = next(value for name, value in browser.sealed.items() if name != "KKT")
        moved = after(browser, (Keep(keep.name, value),))

        self.assertIsInstance(self.provider.ask(moved, konnect=other, state="other"), ToConsent)

    def test_row_9_another_person(self) -> None:
        """What one person allowed is not allowed for the next one in the same browser."""
        state, browser = self.decide()
        logon = logon_of(BOB, self.provider.clock.now(), session_id="session-2")
        sealed = self.provider.sealer.seal("KKT", logon.to_json(), self.provider.clock.now() + 60)
        bob = Browser({**browser.sealed, "KKT": sealed})

        self.assertIsInstance(self.provider.ask(bob, konnect=state), ToConsent)

    def test_row_9_once(self) -> None:
        """What they allowed when they were asked each time is allowed once."""
        state, browser = self.decide(prompt="consent")
        self.assertIn("code", told(self.provider.ask(browser, konnect=state, prompt="consent")))

        self.assertIsInstance(self.provider.ask(browser, konnect=state, prompt="consent"), ToConsent)

    def remember(self, client: Client = NOTES, scope: str = "openid profile email") -> None:
        """Let an application have Alice's consent from before."""
        asked = Scope.parse(scope)
        run(self.provider.permits.remember(logon_of(ALICE, 0).sub, client.client_id, asked, asked))

    def test_row_9_more_than_before(self) -> None:
        """What they allowed before settles no request for more."""
        self.remember()
        self.assertIn("code", told(self.provider.ask(self.alice)))

        self.assertIsInstance(self.provider.ask(self.alice, scope="openid profile email groups"), ToConsent)

    def test_row_9_asked_again(self) -> None:
        """Nor a request that wants them to be asked again."""
        self.remember()

        self.assertIsInstance(self.provider.ask(self.alice, prompt="consent"), ToConsent)

    def test_row_9_program(self) -> None:
        """Nor one of a program on somebody's machine, which any other program can pass for."""
        self.remember(PROGRAM)
        answer = self.provider.ask(
            self.alice, client_id="program", redirect_uri="http://127.0.0.1:5555/cb?a=1", scope="openid profile email"
        )

        self.assertIsInstance(answer, ToConsent)

    def test_row_9_scopes_that_are_off(self) -> None:
        """Nobody is granted what can not be granted here."""
        code = told(self.provider.ask(self.alice, client_id="mail", scope="openid none-such"))["code"]

        self.assertEqual(str(self.provider.redeem(code).scope), "openid")

    def test_row_9_offline_without_a_code(self) -> None:
        """Nobody stays signed in by way of an answer that carries tokens itself."""
        answer = told(
            self.provider.ask(
                self.alice, client_id="mail", scope="openid offline_access", response_type="id_token token"
            )
        )

        self.assertEqual(answer["scope"], "openid")

    def test_row_9_dynamic_clients(self) -> None:
        """An application that registered itself is not trusted, whatever it says of itself."""
        daemon = Daemon(ON)
        app = SelfRegistered.begin(daemon, trusted=True, trusted_scopes=["openid"])
        page = app.sign_in(Visitor(daemon))

        self.assertEqual((page.left, page.path.endswith("/consent")), (False, True))
