"""A person of whom the backend says nothing before they sign in again: they do so, and everybody else waits for it."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import Answer, ToChooser, ToClient, ToSignIn
from konnectd.flows.browser import BESIDE, LOGON, Browser
from konnectd.flows.identifier_api import Entered, Greeted, Nobody
from konnectd.flows.logon import LogonForm, SignedIn
from konnectd.interfaces import BackendUnavailableError, SessionLostError
from konnectd.protocol.authorize import INTERACTION
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.identifier_api import Hello, LogonAttempt
from tests.support.devices import TV, Devices
from tests.support.fakes import run
from tests.support.people import ALICE, BOB, PASSWORDS, logon_of
from tests.support.provider import Provider, after, told
from tests.support.requests import MAIL, NOTES, form
from tests.support.session_people import SessionPeople


class LostCase(SynchronousTestCase):
    """Alice, who has been signed in for a while."""

    def setUp(self) -> None:
        """Put a provider over a backend with sessions of its own."""
        self.people = SessionPeople(ALICE, BOB, passwords=PASSWORDS)
        self.provider = Provider(MAIL, NOTES, TV, backend=self.people)
        self.browser = self.provider.browser_of(ALICE, ago=100)

    def lose(self) -> None:
        """Let the backend lose its session with Alice."""
        self.people.lost.add(ALICE.user_id)

    def find_again(self) -> None:
        """Let the backend have one again."""
        self.people.lost.clear()

    def arrive(self, **changes: str | None) -> Answer:
        """Send the browser to the authorization endpoint, for Mail."""
        return self.provider.ask(self.browser, client_id="mail", **changes)


class StillThereTests(LostCase):
    """Is somebody signed in?"""

    def test_lost(self) -> None:
        """Not when they have to sign in again."""
        self.lose()

        self.assertFalse(run(self.provider.sign_in.still_there(logon_of(ALICE, 0))))

    def test_backend_silent(self) -> None:
        """A backend that does not answer at all says nothing about that."""
        self.people.silent = True

        with self.assertRaises(BackendUnavailableError):
            run(self.provider.sign_in.still_there(logon_of(ALICE, 0)))

    def test_present(self) -> None:
        """Pages that need a person find nobody, and find them again when the backend does."""
        found = []
        for lost in ((), (ALICE.user_id,), ()):
            self.people.lost = set(lost)
            found.append(run(self.provider.sign_in.present(self.browser)))

        self.assertEqual(found, [self.provider.sign_in.find(self.browser), None, found[0]])


class AuthorizeTests(LostCase):
    """The authorization endpoint. Spec: OIDC Core 3.1.2.1 and 3.1.2.6."""

    def test_person(self) -> None:
        """A person gets the sign-in page."""
        self.lose()

        self.assertIsInstance(self.arrive(), ToSignIn)

    def test_without_a_page(self) -> None:
        """Where there may be no page the application is told."""
        self.lose()

        self.assertEqual(told(self.arrive(prompt="none"))["error"], "login_required")

    def test_found_again(self) -> None:
        """The browser keeps its logon, so nobody has to sign in when the backend can do without."""
        self.lose()
        for answer in (self.arrive(), self.arrive(prompt="none")):
            self.browser = after(self.browser, answer.cookies)
        self.find_again()

        self.assertIn("code", told(self.arrive(prompt="none")))

    def test_nothing_for_the_browser(self) -> None:
        """Until then it is told nothing: what scripts of applications watch does not change either."""
        self.lose()

        self.assertEqual((self.arrive().cookies, self.arrive(prompt="none").cookies), ((), ()))

    def test_gone(self) -> None:
        """A browser forgets the logon of who is gone for good."""
        self.people.users = {}

        self.assertNotIn(LOGON, after(self.browser, self.arrive().cookies).sealed)

    def test_sign_in_again(self) -> None:
        """Who signs in goes on to the application, and their earlier session ends with the new one."""
        self.lose()
        page = self.arrive()
        outcome = run(self.provider.logon(LogonForm(username="alice", password="wonderland", kept=self.browser)))
        if not isinstance(page, ToSignIn) or not isinstance(outcome, SignedIn):
            self.fail("nobody could sign in")
        self.browser = after(self.browser, outcome.cookies)
        answer = told(self.arrive(**{INTERACTION: page.interaction}))
        run(self.provider.sessions.end(outcome.logon))

        self.assertIn("code", answer)
        self.assertTrue(run(self.provider.sign_in.is_over(logon_of(ALICE, 0))))

    def test_the_same_second(self) -> None:
        """An old logon does not pass for the new one that was asked for, however young it is."""
        self.browser = self.provider.browser_of(ALICE)
        self.lose()
        page = self.arrive()
        interaction = page.interaction if isinstance(page, ToSignIn) else ""

        self.assertIsInstance(self.arrive(**{INTERACTION: interaction}), ToSignIn)

    def test_beside_others(self) -> None:
        """Nobody is sent to the chooser, where picking the same account again would lead nowhere."""
        now = self.provider.clock.now()
        bob = self.provider.sealer.seal(LOGON, logon_of(BOB, now, session_id="bobs").to_json(), now + 3600)
        self.browser = Browser({**self.browser.sealed, BESIDE[0]: bob})
        self.lose()
        pages = [self.arrive(), self.arrive(prompt="none")]

        self.assertIsInstance(pages[0], ToSignIn)
        self.assertEqual(told(pages[1])["error"], "login_required")

    def test_others(self) -> None:
        """Who is signed in beside them, and is meant, goes on."""
        now = self.provider.clock.now()
        bob = self.provider.sealer.seal(LOGON, logon_of(BOB, now, session_id="bobs").to_json(), now + 3600)
        self.browser = Browser({**self.browser.sealed, BESIDE[0]: bob})
        self.lose()

        self.assertIn("code", told(self.arrive(login_hint="bob")))

    def test_chooser(self) -> None:
        """Without a lost session the chooser comes where it is asked for."""
        self.assertIsInstance(self.arrive(prompt="select_account"), ToChooser)

    def test_tokens_in_the_answer(self) -> None:
        """When it is lost in the middle the application is told to begin again, and nobody sees an error."""

        class Fleeting(SessionPeople):
            """People whose session is over after the first question."""

            async def find(self, user_id: str) -> EndUser | None:
                """Answer once."""
                user = await super().find(user_id)
                self.lost.add(user_id)
                return user

        self.provider = Provider(MAIL, backend=Fleeting(ALICE))
        self.browser = self.provider.browser_of(ALICE, ago=100)
        answer = self.arrive(response_type="code id_token")

        self.assertIsInstance(answer, ToClient)
        self.assertEqual(told(answer)["error"], "login_required")


class HelloTests(LostCase):
    """The question of a front end."""

    def setUp(self) -> None:
        """Put the API over the flows."""
        super().setUp()
        self.api = self.provider.api

    def test_hello(self) -> None:
        """Nobody is there as long as the session is lost."""
        self.lose()
        lost = run(self.api.hello(Hello.parse({}), self.browser))
        self.find_again()

        self.assertEqual(lost, Nobody())
        self.assertIsInstance(run(self.api.hello(Hello.parse({}), self.browser)), Greeted)

    def test_going_on_without_a_password(self) -> None:
        """Nobody goes on as somebody whom the backend does not know without a password."""
        attempt = LogonAttempt(state="s", params=("alice", "", "0"), hello=None)
        self.lose()
        lost = run(self.api.logon(attempt, self.browser))
        self.find_again()

        self.assertEqual(lost, Nobody())
        self.assertIsInstance(run(self.api.logon(attempt, self.browser)), Entered)


class NothingIsLostTests(LostCase):
    """Applications, which can not sign anybody in: they try again later, with what they have."""

    def test_code(self) -> None:
        """A code is not spent."""
        code = self.provider.code()
        self.lose()
        for _ in range(2):
            self.assertRaises(SessionLostError, self.provider.redeem, code)
        self.find_again()

        self.assertTrue(self.provider.redeem(code).access_token)

    def test_device_code(self) -> None:
        """A device that was allowed in gets in later."""
        devices = Devices(self.provider)
        codes = devices.start()
        devices.decide(codes)
        self.lose()
        for _ in range(2):
            self.assertRaises(SessionLostError, devices.poll, codes)
        self.find_again()

        self.assertTrue(devices.poll(codes).access_token)

    def test_refresh_token(self) -> None:
        """A refresh token is neither spent nor revoked: it is good after any grace for a spent one is over."""
        token = self.provider.tokens().refresh_token
        self.lose()
        for _ in range(2):
            self.assertRaises(SessionLostError, self.provider.refresh, token)
            self.provider.clock.advance(10 * self.provider.grace)
        self.find_again()

        self.assertTrue(self.provider.refresh(token).refresh_token)

    def test_successor(self) -> None:
        """Whoever has spent one a moment ago gets its successor when the backend is back within the grace."""
        token = self.provider.tokens().refresh_token
        successor = self.provider.refresh(token).refresh_token
        self.lose()
        self.assertRaises(SessionLostError, self.provider.refresh, token)
        self.find_again()

        self.assertEqual(self.provider.refresh(token).refresh_token, successor)

    def test_userinfo(self) -> None:
        """An access token is good afterwards."""
        token = f"Bearer {self.provider.tokens().access_token}"
        self.lose()
        with self.assertRaises(SessionLostError):
            run(self.provider.userinfo(token, None))
        self.find_again()

        self.assertTrue(run(self.provider.userinfo(token, None)))

    def test_introspection(self) -> None:
        """Nobody is told that a token is not active."""
        tokens = self.provider.tokens()
        asked = form(client_id="mail", client_secret=MAIL.secret, token=tokens.access_token)
        self.lose()
        with self.assertRaises(SessionLostError):
            run(self.provider.introspect("", asked))
        self.find_again()

        self.assertTrue(run(self.provider.introspect("", asked))["active"])

    def test_leaving(self) -> None:
        """A person can sign out all the same: that needs no backend."""
        self.lose()
        run(self.provider.end_session(form(), self.browser, confirmed=True))

        self.assertTrue(run(self.provider.sign_in.is_over(logon_of(ALICE, 0))))
