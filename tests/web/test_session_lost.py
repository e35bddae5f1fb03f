"""A person of whom the backend says nothing before they sign in again, as browsers and clients meet it."""

from urllib.parse import urlencode

from konnectd.protocol.device import GRANT_TYPE
from tests.support.application import Application, error_of, json_of
from tests.support.connection import Heard
from tests.support.front_end import FrontEnd, with_front_end
from tests.support.loglines import LogLines
from tests.support.requests import MAIL
from tests.support.session_case import INNER, LOGON, SessionCase
from tests.support.visitor import Visit, Visitor


class LostTests(SessionCase):
    """Alice is signed in, and the backend has lost its session with her."""

    def setUp(self) -> None:
        """Sign her in."""
        super().setUp()
        tokens = self.mail.tokens(self.visitor, scope="openid offline_access")
        self.access_token, self.refresh_token = tokens["access_token"], tokens["refresh_token"]

    def begin(self) -> dict[str, str]:
        """Let a device begin."""
        asked = urlencode({"client_id": "tv", "scope": "openid"})
        return json_of(self.daemon.post("/konnect/v1/device_authorization", asked))

    def assertSignIn(self, visit: Visit) -> None:
        """Fail unless the browser is at the sign-in form."""
        self.assertEqual((visit.answer.status, visit.title), (200, "Sign in"))

    def test_application(self) -> None:
        """An application sends her to the sign-in page, and gets her when she has signed in."""
        self.lose()
        page = self.mail.arrive(self.visitor)
        self.assertSignIn(page)

        self.assertIn("code", self.mail.told(self.submit(page)))

    def test_without_a_page(self) -> None:
        """In a frame the application is told, and the browser stays signed in for when she is back."""
        self.lose()
        error = self.mail.told(self.mail.arrive(self.visitor, prompt="none"))["error"]
        held = self.visitor.holds(LOGON)
        self.people.lost.clear()

        self.assertEqual((error, held), ("login_required", True))
        self.assertIn("code", self.mail.told(self.mail.arrive(self.visitor, prompt="none")))

    def test_sign_in_page(self) -> None:
        """The sign-in page is one, instead of leading on to where she is known."""
        before = self.visitor.open("/signin/v1/identifier").path
        self.lose()
        page = self.visitor.open("/signin/v1/identifier")

        self.assertEqual(before, f"{INNER}welcome")
        self.assertSignIn(page)

    def test_sign_in_page_and_silent_backend(self) -> None:
        """When the backend does not answer at all it leads on: nobody could sign in there."""
        self.people.silent = True

        self.assertEqual(self.visitor.open("/signin/v1/identifier").path, f"{INNER}welcome")

    def test_chooser(self) -> None:
        """Who is picked in the chooser signs in next, and is whom the application gets."""
        chooser = self.mail.arrive(self.visitor, prompt="select_account")
        self.lose()
        page = self.visitor.submit(chooser, account="alice")
        self.assertSignIn(page)

        self.assertIn("code", self.mail.told(self.submit(page)))

    def test_device(self) -> None:
        """Who wants to let a device in signs in first, and then comes back to the code."""
        begun = self.begin()
        self.lose()
        page = self.visitor.open(f"{INNER}device?user_code={begun['user_code']}")
        self.assertSignIn(page)
        back = self.submit(page)

        self.assertEqual((back.path, back.fields["user_code"]), (f"{INNER}device", begun["user_code"]))

    def test_device_at_the_last_moment(self) -> None:
        """What is lost between code and decision lets no device in."""
        begun = self.begin()
        typed = self.visitor.open(f"{INNER}device")
        decision = self.visitor.submit(typed, user_code=begun["user_code"])
        self.lose()
        self.assertSignIn(self.visitor.submit(decision, allow="1"))
        asked = {"client_id": "tv", "grant_type": GRANT_TYPE, "device_code": begun["device_code"]}

        self.assertEqual(
            error_of(self.daemon.post("/konnect/v1/token", urlencode(asked))), (400, "authorization_pending")
        )

    def test_device_that_was_let_in(self) -> None:
        """The page that says so stays, whatever happens afterwards."""
        begun = self.begin()
        decision = self.visitor.submit(self.visitor.open(f"{INNER}device"), user_code=begun["user_code"])
        done = self.visitor.submit(decision, allow="1")
        self.lose()

        self.assertEqual(self.visitor.open(done.url).title, "Your device is signed in")

    def test_account(self) -> None:
        """She sees where she is signed in, and can sign out there: that needs no backend."""
        self.lose()

        self.assertEqual(self.visitor.open(f"{INNER}account").answer.status, 200)

    def test_hello(self) -> None:
        """A front end is told that nobody is there."""
        self.lose()

        self.assertEqual(FrontEnd(self.visitor).call("hello").status, 204)

    def test_front_end(self) -> None:
        """A front end gets the person to its sign-in and, with a password, on to the application."""
        self.daemon = with_front_end(backend=self.people)
        self.mail, self.visitor = Application(self.daemon, MAIL), Visitor(self.daemon)
        first = FrontEnd(self.visitor, self.mail.arrive(self.visitor))
        first.logon("alice", "wonderland", "1")
        first.onward()
        self.lose()
        front = FrontEnd(self.visitor, self.mail.arrive(self.visitor))
        heard = (front.hello(), front.logon("alice", "wonderland", "1"))

        self.assertEqual(heard, (False, 200))
        self.assertIn("code", self.mail.told(front.onward()))

    def assertLater(self, answer: Heard) -> None:
        """Fail unless a program is told to try again later."""
        self.assertEqual((*error_of(answer), answer.header("Retry-After")), (503, "temporarily_unavailable", "5"))

    def test_code(self) -> None:
        """A code is good for later."""
        code = self.mail.told(self.mail.arrive(self.visitor))["code"]
        self.lose()
        self.assertLater(self.mail.redeem(code))
        self.people.lost.clear()

        self.assertEqual(self.mail.redeem(code).status, 200)

    def test_log(self) -> None:
        """The log says what it was, and does not call for the operator."""
        self.lose()
        log = LogLines(self)
        self.mail.refresh(self.refresh_token)

        self.assertEqual((len(log.about("reason=session-lost", "info")), log.lines("warn")), (1, []))

    def test_refresh_token(self) -> None:
        """So is a refresh token."""
        self.lose()
        self.assertLater(self.mail.refresh(self.refresh_token))
        self.daemon.clock.advance(60)
        self.people.lost.clear()

        self.assertEqual(self.mail.refresh(self.refresh_token).status, 200)

    def test_userinfo(self) -> None:
        """So is an access token."""
        self.lose()
        self.assertLater(self.mail.userinfo(self.access_token))
        self.people.lost.clear()

        self.assertEqual(self.mail.userinfo(self.access_token).status, 200)

    def test_introspection(self) -> None:
        """Nobody is told that it is worth nothing."""
        self.lose()
        asked = urlencode({"token": self.access_token})

        self.assertLater(self.daemon.post("/konnect/v1/introspect", asked, self.mail.basic()))
