"""Keys that rotate by themselves, over years: no token is refused, and no key signs that clients may not have met."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.key_publication import LONGEST_PACE, pace
from konnectd.protocol.key_rotation import UNTOLD, DatedKey, Rules, from_the_future
from tests.support.rotating import BrokenPromiseError, Folder

NOW = 1_700_000_000
HOUR = 3600
DAY = 24 * HOUR
AHEAD = 10 * HOUR
PACE = pace(AHEAD)
RULES = Rules(ahead=AHEAD, slack=PACE, period=40 * HOUR, token_life=30 * HOUR)


class PaceTests(SynchronousTestCase):
    """How often it is looked."""

    def test_pace(self) -> None:
        """Seldom enough to cost nothing, and often enough not to matter to how long keys are published."""
        self.assertEqual([pace(ahead) for ahead in (600, AHEAD, 30 * DAY)], [60, 3600, LONGEST_PACE])
        self.assertLess(LONGEST_PACE, UNTOLD)


class SlackTests(SynchronousTestCase):
    """What others may be late by."""

    def test_row_28_waits_for_the_slowest(self) -> None:
        """A key waits for everybody who publishes it later than its date says."""
        key = DatedKey(kid="a", kind="RSA", published_at=NOW)

        self.assertEqual(RULES.usable_at(key), NOW + AHEAD + PACE)


class FutureTests(SynchronousTestCase):
    """Dates that are yet to come."""

    def test_found(self) -> None:
        """Whatever of a key's dates it is; clocks may differ by the slack."""
        key = DatedKey(kid="a", kind="RSA", published_at=NOW, active_at=NOW + DAY, active=True)

        self.assertEqual(
            [from_the_future((key,), RULES, now) for now in (NOW, NOW + DAY - PACE, NOW + DAY)], [key, None, None]
        )


class OverTimeTests(SynchronousTestCase):
    """One folder, and what befalls those who rotate its keys."""

    def test_rotates(self) -> None:
        """In a year, each key has its time, and what is over goes."""
        folder = Folder.begin(RULES, PACE, NOW, 1)
        folder.wait(365 * DAY)

        self.assertGreater(folder.made, 365 * DAY // (RULES.period + 2 * PACE) - 1)
        self.assertLessEqual(len(folder.keys), 4)

    def test_breaks_without_slack(self) -> None:
        """The promise is broken where nobody waits for others, so it is one that is kept for a reason."""
        hurried = Rules(ahead=AHEAD, period=RULES.period, token_life=RULES.token_life)
        folder = Folder.begin(hurried, PACE, NOW, 2)
        folder.daemons[1].next_look += PACE // 2

        self.assertRaises(BrokenPromiseError, folder.wait, 30 * DAY)

    @settings(deadline=None, max_examples=80)
    @given(
        st.integers(1, 3),
        st.lists(st.tuples(st.integers(0, 60 * HOUR), st.integers(0, 2), st.booleans()), min_size=1, max_size=25),
    )
    def test_several_daemons(self, count: int, events: list[tuple[int, int, bool]]) -> None:
        """Whoever of several daemons ends and starts whenever, and stays off for however long."""
        folder = Folder.begin(RULES, PACE, NOW, count)
        for pause, number, long in events:
            folder.wait(pause)
            daemon = folder.daemons[number % count]
            if not daemon.is_up:
                folder.start(daemon)
            else:
                folder.stop(daemon)
                if long:
                    folder.wait(100 * DAY)
                    folder.start(daemon)

        self.assertEqual(sum(key.active for key in folder.keys), 1)

    @settings(deadline=None, max_examples=80)
    @given(st.lists(st.tuples(st.integers(0, 60), st.integers(-72, 72)), min_size=5, max_size=40))
    def test_clock(self, jumps: list[tuple[int, int]]) -> None:
        """The clock is set to and fro by days, and right again before it is believed."""
        folder = Folder.begin(RULES, PACE, NOW, 1)
        (daemon,) = folder.daemons
        for pause, jump in jumps:
            folder.wait(pause * HOUR)
            daemon.offset += jump * HOUR
            folder.wait(2 * PACE)
            daemon.offset -= jump * HOUR
        folder.wait(10 * DAY)

        self.assertEqual(sum(key.active for key in folder.keys), 1)
