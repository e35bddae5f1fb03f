"""Reading, making and ending the sealed logon."""

from collections.abc import Mapping

from attrs import evolve
from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.browser import LOGON, Browser
from konnectd.flows.sign_in import MOST_OPENED
from konnectd.protocol.end_user import Logon
from konnectd.protocol.logons import LOGON_TTL
from tests.support.fakes import ReadableSealer, run
from tests.support.people import ALICE, BOB, logon_of
from tests.support.provider import Provider, after
from tests.support.strategies import LOGONS


class SignInTests(SynchronousTestCase):
    """Who a browser's person is."""

    def setUp(self) -> None:
        """Begin with an empty browser."""
        self.provider = Provider()
        self.sign_in = self.provider.sign_in

    def test_nobody(self) -> None:
        """A browser that keeps nothing, or nothing of ours, is nobody's."""
        for sealed in ({}, {LOGON: ""}, {LOGON: "x"}, {"other": self.sign_in.begin(ALICE)[1].value}):
            self.assertIsNone(self.sign_in.find(Browser(sealed)))

    def test_begin(self) -> None:
        """A logon says who proved it and when, and is found again in the browser."""
        logon, keep = self.sign_in.begin(ALICE)

        self.assertEqual(self.sign_in.find(after(Browser(), (keep,))), logon)
        self.assertEqual(logon, logon_of(ALICE, self.provider.clock.now(), session_id=logon.session_id))
        self.assertEqual((keep.name, keep.max_age), (LOGON, None))

    def test_every_session_is_new(self) -> None:
        """No session has the id of one before it, not even for the same person in the same browser."""
        browser = Browser()
        seen = set()
        for user in (ALICE, ALICE, BOB, ALICE):
            logon, keep = self.sign_in.begin(user)
            browser = after(browser, (keep,))
            seen.add(logon.session_id)

        self.assertEqual(len(seen), 4)
        self.assertGreaterEqual(min(len(session_id) for session_id in seen), 43)

    def test_last_one_counts(self) -> None:
        """When two people sign in in one browser, it is the second one's."""
        browser = after(Browser(), (self.sign_in.begin(ALICE)[1], self.sign_in.begin(BOB)[1]))
        logon = self.sign_in.find(browser)

        self.assertEqual(logon.username if logon else None, "bob")

    def test_end_of_life(self) -> None:
        """A logon counts for a day, however long the browser keeps it."""
        browser = after(Browser(), (self.sign_in.begin(ALICE)[1],))
        self.provider.clock.advance(LOGON_TTL - 1)
        self.assertIsNotNone(self.sign_in.find(browser))
        self.provider.clock.advance(1)

        self.assertIsNone(self.sign_in.find(browser))

    def test_opened_once(self) -> None:
        """A browser that comes again is known without opening its value again; other values are opened."""
        opened: list[str] = []

        class Counting(ReadableSealer):
            """A sealer that notes what it opens."""

            def open(self, purpose: str, text: str, now: int) -> Mapping[str, object] | None:
                """Note the value and open it."""
                opened.append(text)
                return super().open(purpose, text, now)

        sign_in = evolve(self.sign_in, sealer=Counting())
        one, other = (after(Browser(), (sign_in.begin(user)[1],)) for user in (ALICE, BOB))
        names = [getattr(sign_in.find(browser), "username", "") for browser in (one, other, one, other, one)]

        self.assertEqual((names, len(opened)), (["alice", "bob", "alice", "bob", "alice"], 2))
        self.assertEqual([sign_in.find(Browser({LOGON: "x"})) for _ in range(2)], [None, None])

    def test_any_number_of_browsers(self) -> None:
        """However many browsers come, each is known, the first ones too when they come again."""
        browsers = [after(Browser(), (self.sign_in.begin(ALICE)[1],)) for _ in range(MOST_OPENED + 2)]
        sessions = {getattr(self.sign_in.find(browser), "session_id", "") for browser in browsers}

        self.assertEqual(len(sessions), MOST_OPENED + 2)
        self.assertIsNotNone(self.sign_in.find(browsers[0]))

    def test_sealed_but_no_logon(self) -> None:
        """What is sealed as a logon and is none, or has the format of another version, is nobody's."""
        now = self.provider.clock.now()
        for claims in ({}, {"v": 2}, {**logon_of(ALICE, now).to_json(), "v": 0}):
            browser = Browser({LOGON: self.provider.sealer.seal(LOGON, claims, now + 60)})
            self.assertIsNone(self.sign_in.find(browser))

    @settings(deadline=None)
    @given(LOGONS)
    def test_other_backends(self, logon: Logon) -> None:
        """Only a logon of the backend that runs counts."""
        now = self.provider.clock.now()
        browser = Browser({LOGON: self.provider.sealer.seal(LOGON, logon.to_json(), now + 60)})

        self.assertIsNone(self.sign_in.find(browser))

    def test_still_there(self) -> None:
        """Who the backend knows under the same subject is still there."""
        logon = logon_of(ALICE, 0)

        self.assertTrue(run(self.sign_in.still_there(logon)))
        self.provider.people.users = {"alice": BOB}
        self.assertFalse(run(self.sign_in.still_there(logon)))
        self.provider.people.users = {}
        self.assertFalse(run(self.sign_in.still_there(logon)))
