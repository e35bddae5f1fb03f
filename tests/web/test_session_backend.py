"""The assembled daemon over a backend that keeps a session of its own for each person, seen from outside."""

import json

from twisted.internet.testing import MemoryReactorClock

from konnectd.service import serve
from tests.support.application import error_of, json_of
from tests.support.assembly import Daemon
from tests.support.fakes import claims_of, header_of, run
from tests.support.front_end import FrontEnd
from tests.support.loglines import LogLines
from tests.support.markup import answerable
from tests.support.session_case import INNER, LOGON, SessionCase
from tests.support.visitor import Visitor


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
