"""How long logons count: their limits to the very second, and what is sealed into them."""

from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.end_user import ExternalSession, Logon
from konnectd.protocol.logons import LOGON_TTL, HeldLogon, Stay
from tests.support.people import ALICE, logon_of
from tests.support.strategies import JSON, LOGONS, TEXT

NOW = 1_700_000_000
STAY = Stay(offered=True, idle=1000, lifetime=5000)
BRIEF = logon_of(ALICE, NOW)
KEPT = evolve(BRIEF, kept=True)
SPANS = st.integers(min_value=1, max_value=10**8)


class LimitTests(SynchronousTestCase):
    """When a logon ends."""

    def test_ends_with_the_browser(self) -> None:
        """A logon that nobody asked to keep counts for a day, whatever is offered, and use does not matter."""
        for stay in (Stay(), STAY):
            for used in (0, 900):
                held = stay.use(BRIEF, NOW + used)
                counts = [stay.counts(held, NOW + ago) for ago in (0, LOGON_TTL - 1, LOGON_TTL)]
                self.assertEqual(counts, [True, True, False])
            self.assertEqual((stay.keeps(BRIEF), stay.life(BRIEF)), (False, LOGON_TTL))

    def test_idle(self) -> None:
        """A kept logon ends when it was not used for the idle limit, at that very second."""
        held = STAY.use(KEPT, NOW + 700)

        self.assertEqual([STAY.counts(held, NOW + 700 + ago) for ago in (999, 1000)], [True, False])

    def test_absolute(self) -> None:
        """However much it is used, it ends when the proof is as old as the absolute limit, at that very second."""
        held = STAY.use(KEPT, NOW + 4999)

        self.assertEqual([STAY.counts(held, NOW + ago) for ago in (4999, 5000)], [True, False])
        self.assertEqual(held.until, NOW + 5000)

    def test_sealed_in(self) -> None:
        """Raising the limits does not give more to what was sealed before."""
        held = STAY.use(KEPT, NOW)
        longer = Stay(offered=True, idle=10**6, lifetime=10**7)

        self.assertEqual([longer.counts(held, NOW + ago) for ago in (999, 1000)], [True, False])

    def test_lowered(self) -> None:
        """Lowering a limit is felt by what was sealed before, and so is offering it no longer."""
        held = Stay(offered=True, idle=10**6, lifetime=10**6).use(KEPT, NOW)
        cases = (
            (STAY, 1000),
            (Stay(offered=True, idle=10**6, lifetime=300), 300),
            (Stay(offered=False), LOGON_TTL),
        )

        for stay, end in cases:
            self.assertEqual([stay.counts(held, NOW + ago) for ago in (end - 1, end)], [True, False], stay)

    def test_authority(self) -> None:
        """A logon ends when the authority says that has made it, now and when it is read again."""
        logon = evolve(logon_of(ALICE, 100), external=ExternalSession("corp", ends_at=150))
        held = Stay().use(logon, 100)
        again = HeldLogon.from_json(held.to_json())

        self.assertEqual((held.until, again.until if again is not None else 0), (150, 150))

    def test_authority_without_an_end(self) -> None:
        """One that says nothing of it changes nothing."""
        logon = evolve(logon_of(ALICE, 100), external=ExternalSession("corp"))

        self.assertEqual(Stay().use(logon, 100).until, 100 + LOGON_TTL)

    def test_longest(self) -> None:
        """What is remembered about sessions is remembered for as long as one may live."""
        self.assertEqual(Stay().longest, LOGON_TTL)
        self.assertEqual(STAY.longest, LOGON_TTL)
        self.assertEqual(evolve(STAY, lifetime=10**6).longest, 10**6)
        self.assertEqual(STAY.life(KEPT), 5000)

    @given(st.integers(min_value=0, max_value=10**10), SPANS, SPANS, st.lists(SPANS, max_size=5))
    def test_never_beyond(self, auth_time: int, idle: int, lifetime: int, uses: list[int]) -> None:
        """Whenever and however often a logon is used, its proof stays when it was and its end within both limits."""
        stay = Stay(offered=True, idle=idle, lifetime=lifetime)
        now, logon = auth_time, evolve(KEPT, auth_time=auth_time)
        for span in uses:
            now += span
            held = stay.use(logon, now)
            self.assertEqual(held.logon, logon)
            self.assertLessEqual(held.until, min(auth_time + lifetime, now + idle))


class NotingTests(SynchronousTestCase):
    """When it has to be noted that a logon is used."""

    def test_seldom(self) -> None:
        """Not on each request but after a tenth of the idle limit, and after an hour at the latest."""
        held = STAY.use(KEPT, NOW)
        self.assertEqual([STAY.is_due(held, NOW + ago) for ago in (0, 99, 100)], [False, False, True])
        long = Stay(offered=True, idle=10**6, lifetime=10**7)

        self.assertEqual([long.is_due(long.use(KEPT, NOW), NOW + ago) for ago in (3599, 3600)], [False, True])

    def test_at_most_once_a_second(self) -> None:
        """An idle limit of some seconds does not make every request a note."""
        short = Stay(offered=True, idle=5, lifetime=100)

        self.assertEqual([short.is_due(short.use(KEPT, NOW), NOW + ago) for ago in (0, 1)], [False, True])

    def test_nothing_to_gain(self) -> None:
        """Once the end is the absolute one there is nothing to note, nor for what ends with the browser."""
        self.assertFalse(STAY.is_due(STAY.use(KEPT, NOW + 4500), NOW + 4800))
        self.assertFalse(STAY.is_due(STAY.use(BRIEF, NOW), NOW + 900))
        self.assertFalse(Stay().is_due(STAY.use(KEPT, NOW), NOW + 900))


class FormatTests(SynchronousTestCase):
    """What is sealed."""

    @given(LOGONS, st.integers(min_value=0, max_value=10**10))
    def test_round_trip(self, logon: Logon, now: int) -> None:
        """What was written is read as it was."""
        held = STAY.use(logon, now)
        found = HeldLogon.from_json(held.to_json())

        self.assertEqual(found, held if logon.kept else evolve(held, used_at=logon.auth_time))

    def test_from_before(self) -> None:
        """Logons from before anybody could stay are read, and are written as they were then."""
        old = {
            "v": 1,
            "iss": "identifier-test",
            "sub": "alice",
            "iat": NOW,
            "sid": "session-1",
            "amr": ["pwd"],
            "kc.i.id": "alice",
            "kc.i.un": "alice",
            "kc.i.dn": "Alice Liddell",
        }

        self.assertEqual(HeldLogon.from_json(old), HeldLogon(logon=BRIEF, used_at=NOW, until=NOW + LOGON_TTL))
        self.assertEqual(STAY.use(BRIEF, NOW + 5).to_json(), old)

    def test_incomplete(self) -> None:
        """A kept logon without its limits is none."""
        whole = STAY.use(KEPT, NOW).to_json()
        broken: tuple[dict[str, Any], ...] = (
            {name: value for name, value in whole.items() if name != "use"},
            {name: value for name, value in whole.items() if name != "end"},
            {**whole, "end": "never"},
            {**whole, "use": None},
        )

        for value in broken:
            self.assertIsNone(HeldLogon.from_json(value))

    @given(st.dictionaries(TEXT, JSON, max_size=4))
    def test_anything_else(self, value: dict[str, Any]) -> None:
        """Whatever JSON says that is no logon is none, and does no harm."""
        self.assertIsNone(HeldLogon.from_json(value))
