"""The assembled daemon over a backend that keeps a session of its own for each person, seen from outside."""

import json
from urllib.parse import urlencode

from attrs import evolve
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.device import GRANT_TYPE
from konnectd.service import serve
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.devices import TV
from tests.support.fakes import claims_of, header_of, run
from tests.support.front_end import FrontEnd, with_front_end
from tests.support.loglines import LogLines
from tests.support.markup import answerable
from tests.support.people import ALICE, BOB, PASSWORDS
from tests.support.requests import CLIENTS, MAIL, NOTES
from tests.support.session_people import SessionPeople
from tests.support.visitor import Visit, Visitor

INNER = "/signin/v1/identifier/_/"
LOGON = "__Secure-KKT"
#: Alice as a groupware server has her.
WITH_GROUPWARE = evolve(ALICE, identity={"kc.i.us": "e3Ia1ed3TfSoazjHIj5hFQ"})


class SessionCase(SynchronousTestCase):
    """A browser in front of the daemon."""

    words: tuple[str, ...] = ()
    longest: int | None = None

    def setUp(self) -> None:
        """Assemble."""
        self.people = SessionPeople(WITH_GROUPWARE, BOB, passwords=PASSWORDS, longest_access_token=self.longest)
        self.daemon = Daemon(*self.words, backend=self.people, clients=(*CLIENTS, TV))
        self.mail = Application(self.daemon, MAIL)
        self.notes = Application(self.daemon, NOTES)
        self.visitor = Visitor(self.daemon)

    def lose(self) -> None:
        """Let the backend lose its session with Alice."""
        self.people.lost.add("alice")

    def submit(self, page: Visit, username: str = "alice") -> Visit:
        """Sign in at a page."""
        return self.visitor.submit(page, username=username, password=PASSWORDS[username])

    def left(self) -> list[str]:
        """Let the background come round, and return who has left so far."""
        self.daemon.reactor.advance(0)
        return self.people.left


class StartTests(SessionCase):
    """What the backend is given before anything is served."""

    def test_vouching(self) -> None:
        """It can vouch for people, once the daemon is put together and not twice."""
        self.assertEqual(len(self.people.vouches), 1)

    def test_token(self) -> None:
        """What it vouches with is signed with a key that the groupware server finds among ours."""
        token = run(self.people.vouches[0]("alice"))  # type: ignore[arg-type] - it is a coroutine
        known = {key["kid"] for key in json.loads(self.daemon.get("/konnect/v1/jwks.json").body)["keys"]}

        self.assertIn(header_of(token)["kid"], known)
        self.assertEqual((claims_of(token)["iss"], claims_of(token)["sub"]), (self.daemon.settings.iss, "alice"))

    def test_refused_at_userinfo(self) -> None:
        """With that nobody learns anything here."""
        token = run(self.people.vouches[0]("alice"))  # type: ignore[arg-type] - it is a coroutine

        self.assertEqual(error_of(self.mail.userinfo(token)), (401, "invalid_token"))


class LifetimeTests(SessionCase):
    """Access tokens are of no use for longer than the backend's sessions."""

    longest = 240

    def test_tokens(self) -> None:
        """They live as long as that, and clients are told so."""
        tokens = self.mail.tokens()
        claims = claims_of(tokens["access_token"])

        self.assertEqual((tokens["expires_in"], claims["exp"] - claims["iat"]), (240, 240))

    def test_warning(self) -> None:
        """The operator is told both numbers, once."""
        log = LogLines(self)
        serve(self.daemon.settings, self.daemon.world, MemoryReactorClock())

        (line,) = log.about("access tokens live", "warn")
        self.assertIn("240 seconds, not 600", line)


class UnboundTests(SessionCase):
    """A backend whose bound is wide enough."""

    longest = 600

    def test_no_warning(self) -> None:
        """There is nothing to tell."""
        log = LogLines(self)
        serve(self.daemon.settings, self.daemon.world, MemoryReactorClock())

        self.assertEqual(log.about("access tokens live", "warn"), [])


class ScopeTests(SessionCase):
    """Scope ``kopano/gc``."""

    def metadata(self, daemon: Daemon) -> dict[str, list[str]]:
        """Return what clients read about the daemon."""
        return json_of(daemon.get("/.well-known/openid-configuration"))

    def test_told(self) -> None:
        """Scope and claim are in the metadata where the backend has them, and nowhere else."""
        told = [self.metadata(daemon) for daemon in (self.daemon, Daemon())]
        scopes = ["kopano/gc" in metadata["scopes_supported"] for metadata in told]
        claims = ["kopano/gc/id" in metadata["claims_supported"] for metadata in told]

        self.assertEqual((scopes, claims), ([True, False], [True, False]))

    def test_consent(self) -> None:
        """A person is asked in words, and may say no to that alone."""
        page = self.submit(self.notes.arrive(self.visitor, scope="openid kopano/gc"))
        fields = [element.attributes.get("name") for element in answerable(page.answer.body)]

        self.assertIn("Read and write your Kopano Groupware data", page.text)
        self.assertIn("scope.kopano/gc", fields)

    def test_claim(self) -> None:
        """A client that was allowed it learns who somebody is in the groupware server."""
        tokens = [self.mail.tokens(scope=scope) for scope in ("openid kopano/gc", "openid")]
        ids = [json_of(self.mail.userinfo(each["access_token"])).get("kopano/gc/id") for each in tokens]

        self.assertEqual(ids, ["e3Ia1ed3TfSoazjHIj5hFQ", None])


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


class WaysOutTests(SessionCase):
    """Every way out ends what the backend has for a person, when it is the last one."""

    def setUp(self) -> None:
        """Sign Alice in."""
        super().setUp()
        self.hint = self.mail.tokens(self.visitor)["id_token"]

    def assertLeft(self, *people: str) -> None:
        """Fail unless just these have left, and only after the browser had its answer."""
        before = list(self.people.left)

        self.assertEqual((before, sorted(self.left())), ([], sorted(people)))

    def elsewhere(self) -> Visitor:
        """Sign Alice in with another browser."""
        other = Visitor(self.daemon)
        self.mail.sign_in(other)
        return other

    def beside(self) -> None:
        """Sign Bob in beside her."""
        chooser = self.mail.arrive(self.visitor, prompt="select_account")
        self.submit(self.visitor.submit(chooser, other="1"), "bob")

    def test_application(self) -> None:
        """An application that shows its ID token."""
        self.visitor.open(f"{INNER}endsession?id_token_hint={self.hint}")

        self.assertLeft("alice")

    def test_goodbye_page(self) -> None:
        """The page that asks first."""
        self.visitor.submit(self.visitor.open(f"{INNER}goodbye"), signout="1")

        self.assertLeft("alice")

    def test_stay(self) -> None:
        """Who says no there has not left."""
        self.visitor.submit(self.visitor.open(f"{INNER}goodbye"), stay="1")

        self.assertLeft()

    def test_welcome_page(self) -> None:
        """The page of somebody who is signed in."""
        self.visitor.submit(self.visitor.open(f"{INNER}welcome"), signout="1")

        self.assertLeft("alice")

    def test_everybody(self) -> None:
        """The button for all who are signed in in the browser."""
        self.beside()
        self.visitor.submit(self.visitor.open(f"{INNER}goodbye"), signout="all")

        self.assertLeft("alice", "bob")

    def test_chooser(self) -> None:
        """The button beside one of several."""
        self.beside()
        self.visitor.submit(self.visitor.open(f"{INNER}chooseaccount"), signout="alice")

        self.assertLeft("alice")

    def test_front_end(self) -> None:
        """A front end of somebody else's."""
        FrontEnd(self.visitor).call("logoff")

        self.assertLeft("alice")

    def test_another_browser(self) -> None:
        """Nobody has left who goes on in another browser."""
        self.elsewhere()
        self.visitor.submit(self.visitor.open(f"{INNER}goodbye"), signout="1")

        self.assertLeft()

    def test_account_page(self) -> None:
        """Who ends the session of another browser has not left, but leaves with the last one."""
        other = self.elsewhere()
        page = other.open(f"{INNER}account")
        (session_id,) = [
            e.attributes["value"] for e in answerable(page.answer.body) if e.attributes.get("name") == "end"
        ]
        other.submit(page, end=session_id)
        meanwhile = list(self.left())
        other.submit(other.open(f"{INNER}goodbye"), signout="1")

        self.assertEqual((meanwhile, self.left()), ([], ["alice"]))

    def test_failing_backend(self) -> None:
        """A backend that can not be told keeps nobody from signing out."""

        async def leave(user_id: str) -> None:
            raise RuntimeError(user_id)

        self.people.leave = leave  # type: ignore[method-assign]
        visit = self.visitor.open(f"{INNER}endsession?id_token_hint={self.hint}")
        self.daemon.reactor.advance(0)

        self.assertEqual((visit.answer.status, self.visitor.holds(LOGON)), (200, False))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
