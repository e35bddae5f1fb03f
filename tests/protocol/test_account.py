"""What is kept about a person: how answers add up, and that what is written can be read."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.account import (
    ListedClient,
    ListedGrant,
    ListedSession,
    Remembered,
    listed_key,
    pair_of,
    person_of,
    remembered_key,
)
from konnectd.protocol.scope import Scope
from tests.support.strategies import SCOPES, TEXT

TIMES = st.integers(0, 2**40)
REMEMBERED = st.builds(Remembered, asked=SCOPES, granted=SCOPES, since=TIMES)
ENTRIES = st.one_of(
    REMEMBERED,
    st.builds(ListedClient, client_id=TEXT, since=TIMES, until=TIMES, slot=st.integers(0, 99)),
    st.builds(ListedGrant, grant_id=TEXT, scope=SCOPES, since=TIMES, session_id=TEXT),
    st.builds(ListedSession, session_id=TEXT, started_at=TIMES, browser=TEXT, system=TEXT),
)
KINDS = (Remembered, ListedClient, ListedGrant, ListedSession)


class RememberedTests(SynchronousTestCase):
    """How answers add up."""

    def test_settled(self) -> None:
        """There is nothing new to ask as long as everything was asked before, whatever the answer was."""
        remembered = Remembered(asked=Scope.parse("openid profile groups"), granted=Scope.parse("openid"), since=1)
        cases = {"openid": True, "groups openid": True, "openid email": False, "openid offline_access": False, "": True}

        self.assertEqual({text: remembered.settles(Scope.parse(text)) for text in cases}, cases)

    @settings(deadline=None)
    @given(REMEMBERED, REMEMBERED)
    def test_the_later_answer_counts(self, first: Remembered, later: Remembered) -> None:
        """About what was asked twice the later answer counts, about the rest the one there is."""
        both = first.followed_by(later)

        self.assertEqual(set(both.asked), set(first.asked) | set(later.asked))
        self.assertEqual(set(both.granted), (set(first.granted) - set(later.asked)) | set(later.granted))
        self.assertEqual(both.since, first.since)


class TravelTests(SynchronousTestCase):
    """Values in a store."""

    @settings(deadline=None)
    @given(ENTRIES)
    def test_read_again(self, entry: Remembered | ListedClient | ListedGrant | ListedSession) -> None:
        """Reading what was written gives the same value, and no other kind reads it."""
        read = [kind.from_text(entry.to_text()) for kind in KINDS]

        self.assertEqual([value for value in read if value is not None], [entry])

    def test_nothing(self) -> None:
        """What is missing, damaged or of another version is none."""
        for kind in KINDS:
            for text in (None, "", "{", "[]", "1", '{"v": 1}', '{"v": 2}'):
                self.assertIsNone(kind.from_text(text), f"{kind.__name__} {text}")

    def test_another_version(self) -> None:
        """What a later version wrote is not guessed at."""
        text = Remembered(asked=Scope(), granted=Scope(), since=1).to_text()

        self.assertIsNone(Remembered.from_text(text.replace('"v":1', '"v":2')))

    def test_keys(self) -> None:
        """A key says neither who nor what, and no two pairs share one."""
        pairs = [("alice@konnect", "notes"), ("alice@konnect", "mail"), ("bob@konnect", "notes"), ("a", "b c")]
        keys = [make(*pair) for make in (remembered_key, listed_key, pair_of) for pair in pairs]

        self.assertEqual(len(set(keys)), len(keys))
        self.assertFalse([key for key in (*keys, person_of("alice")) if "alice" in key or "notes" in key])
