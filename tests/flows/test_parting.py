"""A backend with sessions of its own is told when somebody has signed out everywhere, and not before."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.browser import Browser
from konnectd.flows.logon import LogonForm, SignedIn
from konnectd.flows.remote_sign_out import RemoteSignOut
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.end_user import Logon
from konnectd.protocol.logons import LOGON_TTL
from tests.support.background import Later
from tests.support.fakes import SilentStore, run
from tests.support.people import ALICE, BOB, PASSWORDS, logon_of
from tests.support.provider import Provider, after
from tests.support.requests import MAIL, form
from tests.support.session_people import SessionPeople


class PartingCase(SynchronousTestCase):
    """Alice and Bob, and their browsers."""

    def setUp(self) -> None:
        """Begin with nobody signed in."""
        self.people = SessionPeople(ALICE, BOB, passwords=PASSWORDS)
        self.provider = Provider(MAIL, backend=self.people)
        self.background = self.provider.background

    def sign_in(self, username: str = "alice", browser: Browser | None = None, *, beside: bool = False) -> Browser:
        """Sign somebody in, in a new browser or in one that there is."""
        kept = browser or Browser()
        typed = LogonForm(username=username, password=PASSWORDS[username], kept=kept, beside=beside)
        outcome = run(self.provider.logon(typed))
        if not isinstance(outcome, SignedIn):
            self.fail("nobody got in")
        return after(kept, outcome.cookies)

    def logon(self, browser: Browser) -> Logon:
        """Return who is the current one in a browser."""
        logon = self.provider.sign_in.find(browser)
        if logon is None:
            self.fail("nobody is signed in")
        return logon

    def sign_out(self, browser: Browser, *, everyone: bool = False) -> None:
        """Sign the person of a browser out."""
        run(self.provider.end_session(form(), browser, confirmed=True, everyone=everyone))

    def left(self) -> list[str]:
        """Do what is planned, and return who has left so far."""
        self.background.do_all()
        return self.people.left


class SignOutTests(PartingCase):
    """Signing out here."""

    def test_only_browser(self) -> None:
        """Who signs out of their only browser has left."""
        self.sign_out(self.sign_in())

        self.assertEqual(self.left(), ["alice"])

    def test_nobody_waits(self) -> None:
        """The browser has its answer before the backend hears of it."""
        self.sign_out(self.sign_in())

        self.assertEqual((self.people.left, [seconds for seconds, _ in self.background.planned]), ([], [0]))

    def test_another_browser(self) -> None:
        """As long as they go on in another browser they have not left; with the last one they have."""
        one, other = self.sign_in(), self.sign_in()
        self.sign_out(one)
        meanwhile = list(self.left())
        self.sign_out(other)

        self.assertEqual((meanwhile, self.left()), ([], ["alice"]))

    def test_both_at_once(self) -> None:
        """Who signs out of two browsers before the background comes round has left."""
        for browser in [self.sign_in(), self.sign_in()]:
            self.sign_out(browser)

        self.assertEqual(set(self.left()), {"alice"})

    def test_forgotten_browser(self) -> None:
        """A logon that has expired keeps nobody here."""
        self.sign_in()
        self.provider.clock.advance(LOGON_TTL)
        self.sign_out(self.sign_in())

        self.assertEqual(self.left(), ["alice"])

    def test_expired(self) -> None:
        """A logon that expires needs nothing: the backend's session ends by itself."""
        browser = self.sign_in()
        self.provider.clock.advance(LOGON_TTL)
        self.sign_out(browser)

        self.assertEqual(self.left(), [])

    def test_signed_in_again_before(self) -> None:
        """Who signs in twice in one browser leaves with the second session: the first one has ended with it."""
        self.sign_out(self.sign_in(browser=self.sign_in()))

        self.assertEqual(self.left(), ["alice"])

    def test_signed_in_again_after(self) -> None:
        """Who is back before the background comes round has not left."""
        self.sign_out(self.sign_in())
        self.sign_in()

        self.assertEqual(self.left(), [])

    def test_somebody_else(self) -> None:
        """That others are signed in keeps nobody here."""
        self.sign_in("bob")
        self.sign_out(self.sign_in())

        self.assertEqual(self.left(), ["alice"])

    def test_one_of_two(self) -> None:
        """Who is signed in beside does not leave when the current one does."""
        self.sign_out(self.sign_in("bob", self.sign_in(), beside=True))

        self.assertEqual(self.left(), ["bob"])

    def test_everyone(self) -> None:
        """Of all who leave together each one has left."""
        self.sign_out(self.sign_in("bob", self.sign_in(), beside=True), everyone=True)

        self.assertEqual(sorted(self.left()), ["alice", "bob"])

    def test_in_somebody_elses_place(self) -> None:
        """Whose place somebody else took in the browser has left when that one signs out."""
        self.sign_out(self.sign_in("bob", self.sign_in()))

        self.assertEqual(sorted(self.left()), ["alice", "bob"])

    def test_in_somebody_elses_place_only(self) -> None:
        """But not while they go on in another browser."""
        self.sign_in()
        self.sign_out(self.sign_in("bob", self.sign_in()))

        self.assertEqual(self.left(), ["bob"])

    def test_place_taken(self) -> None:
        """That somebody else takes their place is no sign-out: applications still have what they were given."""
        self.sign_in("bob", self.sign_in())

        self.assertEqual(self.left(), [])

    def test_nobody(self) -> None:
        """Where nobody was signed in nobody has left."""
        self.sign_out(Browser())

        self.assertEqual(self.background.planned, [])

    def test_not_signed_out(self) -> None:
        """When the sign-out fails, so that the person is told to try again, nobody has left."""
        told = evolve(MAIL, backchannel_logout_uri="https://notes.example.org/logout")
        self.provider = Provider(told, backend=self.people)
        self.background = self.provider.background
        browser = self.sign_in()
        self.provider.ask(browser, client_id="mail")
        self.provider.registry.silent = True
        self.assertRaises(BackendUnavailableError, self.sign_out, browser)

        self.assertEqual(self.left(), [])

    def test_clients_are_told_first(self) -> None:
        """Clients hear of the sign-out before the backend does."""
        told = evolve(MAIL, backchannel_logout_uri="https://notes.example.org/logout")
        self.provider = Provider(told, backend=self.people)
        self.background = self.provider.background
        browser = self.sign_in()
        self.provider.ask(browser, client_id="mail")
        self.sign_out(browser)
        first, second = (work for _, work in self.background.planned)
        run(first())  # type: ignore[arg-type] - it is a coroutine
        heard = (len(self.provider.web.posted), list(self.people.left))
        run(second())  # type: ignore[arg-type] - it is a coroutine

        self.assertEqual((heard, self.people.left), ((1, []), ["alice"]))

    def test_silent_store(self) -> None:
        """When nobody knows whether they go on elsewhere the backend is not told."""
        silent = evolve(self.provider.whereabouts, store=SilentStore())
        parting = evolve(self.provider.end_session.parting, whereabouts=silent)
        run(evolve(self.provider.end_session, parting=parting)(form(), self.sign_in(), confirmed=True))

        self.assertEqual(self.left(), [])


class RemoteTests(PartingCase):
    """Ending a session from another browser."""

    def setUp(self) -> None:
        """Let Alice sign in twice."""
        super().setUp()
        self.here, self.there = self.sign_in(), self.sign_in()
        self.remote = RemoteSignOut(
            whereabouts=self.provider.whereabouts,
            sessions=self.provider.sessions,
            clients=self.provider.registry,
            backchannel=self.provider.backchannel,
            parting=self.provider.end_session.parting,
            entropy=self.provider.entropy,
        )

    def end_there(self) -> None:
        """End the other session."""
        run(self.remote(self.logon(self.here), self.logon(self.there).session_id))

    def test_who_asks_stays(self) -> None:
        """Who ends another session of theirs has not left."""
        self.end_there()

        self.assertEqual(self.left(), [])

    def test_last_one(self) -> None:
        """They have left when they sign out here as well."""
        self.end_there()
        self.left()
        self.sign_out(self.here)

        self.assertEqual(self.left(), ["alice"])

    def test_at_the_same_moment(self) -> None:
        """When the session that asked ends before the other one does, it is the other one's end that counts."""
        self.sign_out(self.here)
        meanwhile = list(self.left())
        self.end_there()

        self.assertEqual((meanwhile, self.left()), ([], ["alice"]))

    def test_in_somebody_elses_place(self) -> None:
        """Whose place they had taken in the other browser has left with that session."""
        self.there = self.sign_in(browser=self.sign_in("bob"))
        self.end_there()

        self.assertEqual(self.left(), ["bob"])

    def test_nobody_listed(self) -> None:
        """A session from before there was a list goes on, and its person with it."""
        logon = logon_of(ALICE, self.provider.clock.now(), session_id="before")
        for browser in (self.here, self.there):
            run(self.remote(logon, self.logon(browser).session_id))

        self.assertEqual(self.left(), [])


class PlainBackendTests(SynchronousTestCase):
    """A backend without sessions of its own."""

    def test_nothing(self) -> None:
        """It is told nothing, and nothing is asked for it."""
        provider, background = Provider(), Later()
        evolve(provider.end_session.parting, background=background).follow(logon_of(ALICE, 0))

        self.assertEqual(background.planned, [])
