"""When a key may sign, when it may go, and what a timer has to do."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.discovery import DOCUMENT_MAX_AGE
from konnectd.protocol.key_publication import LEAST_AHEAD
from konnectd.protocol.key_rotation import (
    UNTOLD,
    Activate,
    DatedKey,
    KeyState,
    Publish,
    Retire,
    Rules,
    Step,
    Strip,
    plan,
    waiting,
)

DAY = 86_400
NOW = 1_700_000_000
RULES = Rules(ahead=DAY, token_life=1000 * DAY, period=90 * DAY)
ACTIVE = DatedKey(kid="a", kind="RSA", published_at=NOW - 10 * DAY, active_at=NOW - 9 * DAY, active=True)
FRESH = DatedKey(kid="b", kind="RSA", published_at=NOW)
OLD = DatedKey(
    kid="o", kind="RSA", published_at=NOW - 20 * DAY, active_at=NOW - 19 * DAY, replaced_at=NOW - 9 * DAY, private=False
)


def after(days: float) -> int:
    """Return a moment some days from now."""
    return NOW + int(days * DAY)


class StateTests(SynchronousTestCase):
    """What a key is there for."""

    def test_states(self) -> None:
        """A key waits, signs, or is only believed."""
        self.assertEqual(
            [(key.state, key.since) for key in (FRESH, ACTIVE, OLD)],
            [
                (KeyState.PUBLISHED, NOW),
                (KeyState.ACTIVE, NOW - 9 * DAY),
                (KeyState.RETIRED, NOW - 9 * DAY),
            ],
        )

    def test_active_without_dates(self) -> None:
        """A key that signs and of which no more is known signs since it is there."""
        self.assertEqual(evolve(ACTIVE, active_at=None).since, ACTIVE.published_at)

    def test_usable(self) -> None:
        """A key may sign when it was published for long enough."""
        self.assertEqual(RULES.usable_at(FRESH), after(1))

    def test_row_28_removable(self) -> None:
        """One that signs may not go, one that never has may go now, one that was replaced when its tokens are over."""
        self.assertEqual(
            [RULES.removable_at(key) for key in (ACTIVE, FRESH, OLD)],
            [None, NOW, NOW - 9 * DAY + UNTOLD + 1000 * DAY],
        )

    def test_row_28_tokens_without_end(self) -> None:
        """Where something signed is good for ever, its key stays."""
        self.assertIsNone(Rules(token_life=None).removable_at(OLD))

    def test_shortest_publication(self) -> None:
        """A proxy and a client behind it may each keep the key set for its time."""
        self.assertEqual(LEAST_AHEAD, 2 * DOCUMENT_MAX_AGE)


class WaitingTests(SynchronousTestCase):
    """Which key takes the place of another one."""

    def test_longest_waiting(self) -> None:
        """The one that has waited longest."""
        older = evolve(FRESH, kid="c", published_at=NOW - 5)

        self.assertEqual(waiting(ACTIVE, (ACTIVE, FRESH, older, OLD)), older)

    def test_row_28_nobody(self) -> None:
        """Neither another kind, nor one without its private half, nor one that has had its turn."""
        others = (evolve(FRESH, kind="P-256"), evolve(FRESH, private=False), evolve(OLD, private=True))

        self.assertIsNone(waiting(ACTIVE, (ACTIVE, *others)))


class PlanTests(SynchronousTestCase):
    """What a timer has to do."""

    def test_row_28_due(self) -> None:
        """Each thing when it is due, and not a moment before."""
        due = 90 * DAY - 9 * DAY
        cases: tuple[tuple[tuple[DatedKey, ...], int, tuple[Step, ...]], ...] = (
            ((ACTIVE,), NOW, ()),
            ((ACTIVE,), NOW + due - DAY - 1, ()),
            ((ACTIVE,), NOW + due - DAY, (Publish(ACTIVE),)),
            ((ACTIVE, FRESH), NOW + due - 1, ()),
            ((ACTIVE, FRESH), NOW + due, (Activate(FRESH, ACTIVE),)),
            ((ACTIVE, evolve(FRESH, published_at=NOW + due)), NOW + due + DAY - 1, ()),
        )
        for keys, now, steps in cases:
            with self.subTest(keys=keys, now=now - NOW):
                self.assertEqual(plan(keys, RULES, now), steps)

    def test_row_28_end(self) -> None:
        """A replaced key loses its private half a day later, and goes when its tokens are over."""
        quiet = Rules(token_life=1000 * DAY)
        private = evolve(OLD, private=True, replaced_at=NOW)

        self.assertEqual(
            [plan((private,), quiet, moment) for moment in (NOW + UNTOLD - 1, NOW + UNTOLD, NOW + UNTOLD + 1000 * DAY)],
            [(), (Strip(private),), (Retire(private),)],
        )

    def test_row_28_only_what_is_known(self) -> None:
        """A timer takes nothing away of which it is only concluded that it was replaced."""
        self.assertEqual(plan((evolve(OLD, certain=False, private=True),), RULES, after(5000)), ())

    def test_no_period(self) -> None:
        """Without a period nothing comes by itself."""
        self.assertEqual(plan((ACTIVE, FRESH), evolve(RULES, period=0), after(5000)), ())

    def test_each_kind_by_itself(self) -> None:
        """A key of another kind has its own turn."""
        other = evolve(ACTIVE, kid="e", kind="P-256", active_at=NOW)

        self.assertEqual(plan((ACTIVE, other), RULES, after(81)), (Publish(ACTIVE),))

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.integers(min_value=1, max_value=40), min_size=1, max_size=60))
    def test_nothing_is_refused(self, pauses: list[int]) -> None:
        """However seldom a timer runs, a key signs only when it was published long enough, and stays long enough."""
        rules = Rules(ahead=2 * DAY, token_life=30 * DAY, period=20 * DAY)
        keys, now, made = [evolve(ACTIVE, published_at=NOW, active_at=NOW)], NOW, 0
        for pause in pauses:
            now += pause * DAY
            for step in plan(keys, rules, now):
                match step:
                    case Publish(like=like):
                        made += 1
                        keys.append(DatedKey(kid=f"k{made}", kind=like.kind, published_at=now))
                    case Activate(key=key, instead_of=before):
                        self.assertGreaterEqual(now - key.published_at, rules.ahead)
                        keys.remove(key)
                        keys.remove(before)
                        keys += [evolve(key, active=True, active_at=now), evolve(before, active=False, replaced_at=now)]
                    case Strip(key=key):
                        keys.remove(key)
                        keys.append(evolve(key, private=False))
                    case Retire(key=key):
                        self.assertGreaterEqual(now - (key.replaced_at or now), 30 * DAY)
                        keys.remove(key)
            self.assertEqual(plan(keys, rules, now), ())
            self.assertEqual(sum(key.active for key in keys), 1)
