"""Where somebody is signed in: listed at sign-in, and ended from another browser."""

from collections.abc import Sequence

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.logon import LogonForm, SignedIn
from konnectd.flows.whereabouts import MOST_SESSIONS, Whereabouts
from konnectd.protocol.account import ListedSession
from konnectd.protocol.end_user import Logon
from konnectd.protocol.logons import LOGON_TTL
from konnectd.protocol.session import earlier_session_key, ended_session_key
from tests.support.fakes import NOON, run
from tests.support.people import ALICE, BOB, logon_of
from tests.support.provider import Provider
from tests.support.steps import WaitingStore, in_turns


class WhereaboutsTests(SynchronousTestCase):
    """The list of a person's sessions."""

    def setUp(self) -> None:
        """Begin with nobody signed in."""
        self.provider = Provider()
        self.whereabouts = self.provider.whereabouts

    def logon(self, number: int, ago: int = 0) -> Logon:
        """Return a session of Alice."""
        return logon_of(ALICE, NOON - ago, session_id=f"session-{number}")

    def seen(self, logon: Logon) -> Sequence[str]:
        """Return what a person sees, by the ids of sessions."""
        return [session.session_id for session in run(self.whereabouts.all(logon))]

    def test_sign_in_is_listed(self) -> None:
        """Who signs in is on the list, with the browser it was."""
        form = LogonForm(username="alice", password="wonderland", browser="Firefox", system="Linux")
        outcome = run(self.provider.logon(form))
        self.assertIsInstance(outcome, SignedIn)
        logon = outcome.logon if isinstance(outcome, SignedIn) else self.logon(0)

        wanted = ListedSession(session_id=logon.session_id, started_at=NOON, browser="Firefox", system="Linux")
        self.assertEqual(run(self.whereabouts.all(logon)), (wanted,))

    def test_order(self) -> None:
        """The browser one looks with comes first, the others by time, the latest before."""
        for number, ago in ((1, 30), (2, 10), (3, 20)):
            run(self.whereabouts.note(self.logon(number, ago)))

        self.assertEqual(self.seen(self.logon(3, 20)), ["session-3", "session-2", "session-1"])

    def test_of_one_person(self) -> None:
        """Nobody sees where somebody else is signed in."""
        run(self.whereabouts.note(self.logon(1)))

        self.assertEqual(self.seen(logon_of(BOB, NOON, session_id="bobs")), ["bobs"])

    def test_not_noted(self) -> None:
        """A session from before there was a list is seen by whoever has it."""
        run(self.whereabouts.note(self.logon(1)))

        self.assertEqual(self.seen(self.logon(7, 50)), ["session-7", "session-1"])

    def test_what_is_over(self) -> None:
        """Sessions that have ended, or were replaced by another one in the same browser, are not shown."""
        for number in (1, 2, 3):
            run(self.whereabouts.note(self.logon(number)))
        run(self.provider.store.put(ended_session_key("session-1"), "1", 60))
        run(self.provider.store.put(earlier_session_key("session-3"), "session-2", 60))

        self.assertEqual(self.seen(self.logon(3)), ["session-3"])

    def test_a_day(self) -> None:
        """A session is on the list as long as its logon counts."""
        run(self.whereabouts.note(self.logon(1)))
        self.provider.clock.advance(LOGON_TTL)

        self.assertEqual(self.seen(self.logon(2)), ["session-2"])

    def test_many(self) -> None:
        """Beyond many sessions the oldest ones are not shown, and go on."""
        for number in range(MOST_SESSIONS + 2):
            run(self.whereabouts.note(self.logon(number, ago=1000 - number)))
        last = self.logon(MOST_SESSIONS + 1, ago=1000 - MOST_SESSIONS - 1)

        self.assertEqual(len(self.seen(last)), MOST_SESSIONS)
        self.assertNotIn("session-1", self.seen(last))
        self.assertFalse(run(self.provider.sign_in.is_over(self.logon(1))))

    def test_thirty_at_once(self) -> None:
        """All who sign in at the same moment are on the list."""
        slow = Whereabouts(store=WaitingStore(self.provider.store))
        in_turns((), *(slow.note(self.logon(number)) for number in range(MOST_SESSIONS)))

        self.assertEqual(len(self.seen(self.logon(0))), MOST_SESSIONS)

    def test_current(self) -> None:
        """A logon is nobody's when its session was ended, for pages as well."""
        browser = self.provider.browser_of(ALICE)
        before = run(self.provider.sign_in.current(browser))
        run(self.provider.store.put(ended_session_key("session-1"), "1", 60))

        self.assertEqual(before, self.provider.sign_in.find(browser))
        self.assertIsNone(run(self.provider.sign_in.current(browser)))

    def test_dropping(self) -> None:
        """What is taken off the list is not shown, and the rest is."""
        for number in (1, 2):
            run(self.whereabouts.note(self.logon(number)))
        me = evolve(self.logon(3))
        for place, session in run(self.whereabouts.listed(me)):
            if session.session_id == "session-1":
                run(self.whereabouts.drop(me, place))

        self.assertEqual(self.seen(me), ["session-3", "session-2"])
