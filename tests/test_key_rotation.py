"""Keys that the running daemon rotates: when, with what effect, and what is told of it."""

import json
import os
from collections.abc import Callable

from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.key_changes import KeyChanges
from konnectd.config.key_steps import KeyChange
from konnectd.jose.export import to_private_jwk
from konnectd.key_rotation import FIRST_LOOK
from tests.support.key_folders import MADE, installation
from tests.support.keys import p256_key
from tests.support.loglines import LogLines
from tests.support.rotation_world import AHEAD, ENDS, GOOD, HOUR, LIFE, REFUSED, Daemon, World


class RotationCase(SynchronousTestCase):
    """A world, and a log."""

    def setUp(self) -> None:
        """Make them."""
        self.world = World(installation(self, p256_key()))
        self.log = LogLines(self)

    def started(self) -> Daemon:
        """Start a daemon that ends with the test."""
        daemon = Daemon(self.world)
        self.addCleanup(lambda: daemon.service.running and daemon.stop())
        return daemon


class CourseTests(RotationCase):
    """What happens when nothing goes wrong."""

    def test_nothing_due(self) -> None:
        """Until something is due nothing is changed, and nothing is read anew."""
        before, daemon = self.world.place.files, self.started()
        self.world.wait(17)

        self.assertEqual((daemon.reasons, daemon.told, self.world.place.files), ([], [], before))

    def test_turn(self) -> None:
        """A key is published, signs when that was long enough ago, and the old one goes when its tokens are over."""
        daemon = self.started()
        self.world.wait(30 + 24 + 20 + 2)

        self.assertEqual(
            daemon.changes[:5],
            [
                ("published", "2023-11-15"),
                ("activated", "2023-11-15"),
                ("published", "2023-11-16"),
                ("stripped", "2023"),
                ("activated", "2023-11-16"),
            ],
        )
        self.assertIn(("retired", "2023"), daemon.changes)

    def test_ahead(self) -> None:
        """It signs no earlier than it was published by the time that was asked for, and by that of one look."""
        daemon = self.started()
        published = signs = 0.0
        while not signs:
            self.world.wait(0.25)
            if len(daemon.ring.by_kid) > 1 and not published:
                published = self.world.timers.seconds()
            signs = self.world.timers.seconds() if daemon.signs != "2023" else 0.0

        self.assertGreaterEqual(signs - published, AHEAD + HOUR)

    def test_told(self) -> None:
        """Operators read of each step, and of nothing secret."""
        self.started()
        self.world.wait(80)
        text = self.log.text()

        for words in (
            "each signs for 1.2 days, and is published 10.0 hours before",
            "signing key 2023-11-15 is made and published; it may sign from ",
            "signing key 2023-11-15 signs now, in the place of 2023",
            "of the signing key 2023 only the public half is kept",
            "signing key 2023 is taken away",
        ):
            with self.subTest(words=words):
                self.assertIn(words, text)
        self.assertNotIn("PRIVATE", text)

    def test_restarts(self) -> None:
        """Whoever is started again goes on where the last one has ended."""
        self.started().stop()
        for _ in range(4):
            daemon = self.started()
            self.world.wait(10)
            daemon.stop()

        self.assertEqual(self.world.place.states(), {"2023": "retired", "2023-11-15": "active"})

    def test_off_for_months(self) -> None:
        """What was missed is made up for once, and a new key is published first."""
        self.started().stop()
        self.world.wait(24 * 100)
        daemon = self.started()
        self.world.wait(1)
        waiting = (daemon.signs, daemon.changes)
        self.world.wait(11)

        self.assertEqual(waiting, ("2023", [("published", "2024-02-22")]))
        self.assertEqual(daemon.signs, "2024-02-22")

    def test_first_look(self) -> None:
        """It is looked soon after the start, and not at once."""
        self.started().stop()
        self.world.wait(24 * 100)
        daemon = self.started()
        self.world.timers.advance(FIRST_LOOK - 1)
        before = list(daemon.told)
        self.world.timers.advance(1)

        self.assertEqual((before, len(daemon.told)), ([], 1))


class TogetherTests(RotationCase):
    """Several who change the keys of one folder."""

    def test_two_daemons(self) -> None:
        """One does it, and both publish and sign alike."""
        first = self.started()
        self.world.wait(0.5)
        second = self.started()
        self.world.wait(32)

        self.assertEqual([len(daemon.told) for daemon in (first, second)], [2, 0])
        self.assertEqual([daemon.signs for daemon in (first, second)], ["2023-11-15", "2023-11-15"])
        self.assertEqual(first.ring.jwks(), second.ring.jwks())

    def test_commands(self) -> None:
        """What somebody has changed by a command counts after the next look."""
        daemon = self.started()
        with KeyChanges.begin(self.world.settings(), self.world.now()) as changes:
            changes.new("mine")
        self.world.wait(1)

        self.assertEqual((daemon.reasons, "mine" in daemon.ring.by_kid), (["signing keys were changed"], True))

    def test_busy(self) -> None:
        """While a command is at work nothing is done, and it is no trouble."""
        daemon = self.started()
        with KeyChanges.begin(self.world.settings(), self.world.now()):
            self.world.wait(32)
            during = list(daemon.told)
        self.world.wait(2)

        self.assertEqual(
            (during, daemon.changes, self.log.about("can not", "warn")), ([], [("published", "2023-11-16")], [])
        )


class RefusedTests(RotationCase):
    """Files that can not be read anew."""

    def test_before(self) -> None:
        """Nothing is changed while it could not count, it is told, and goes on when that has been mended."""
        before, daemon = self.world.place.files, self.started()
        self.world.coming = [REFUSED] * 10
        self.world.wait(22)
        during = self.world.place.files
        self.world.coming = []
        self.world.wait(12)

        self.assertEqual((during, daemon.signs), (before, "2023-11-15"))
        self.assertIn(
            "clients.yaml:3: client: is broken", self.log.about("until the configuration can be read", "error")[0]
        )

    def test_row_28_not_for_a_moment(self) -> None:
        """Nothing is changed and taken back: others would see a key that is gone a moment later."""
        daemon = self.started()
        self.world.coming = [REFUSED] * 10
        self.world.wait(18.25)

        self.assertEqual(set(daemon.reasons) - {"signing keys were changed"}, {"before signing keys are rotated"})

    def test_row_28_between(self) -> None:
        """A key that could not be published after all is taken away again, and nothing is told of it."""
        before, daemon = self.world.place.files, self.started()
        self.world.coming = [GOOD, REFUSED]
        self.world.wait(18.25)

        self.assertEqual((len(daemon.reasons), daemon.told, self.world.place.files), (2, [], before))

    def test_row_28_signing_taken_back(self) -> None:
        """A key that could not sign after all does not, so that what is written is what clients see."""
        daemon = self.started()
        self.world.wait(20)
        self.world.coming = [GOOD, REFUSED]
        self.world.wait(11)

        self.assertEqual((daemon.signs, self.world.place.target), ("2023", "keys/2023.pem"))
        self.assertNotIn(KeyChange.ACTIVATED, [done.change for done in daemon.told])


class TroubleTests(RotationCase):
    """What can be in the way."""

    def test_unsafe(self) -> None:
        """A folder that everybody may write to is left alone, and told."""
        daemon = self.started()
        self.world.place.keys.chmod(0o777)
        self.world.wait(20)

        self.assertEqual(daemon.told, [])
        self.assertTrue(self.log.about("can not be rotated: everybody may write to", "error"))

    def test_no_link(self) -> None:
        """Neither is a link that somebody has replaced by a file."""
        self.started()
        content = (self.world.place.keys / "2023.pem").read_bytes()
        self.world.place.link.unlink()
        self.world.place.link.write_bytes(content)
        os.utime(self.world.place.link, (MADE, MADE))
        self.world.wait(32)

        self.assertTrue(self.log.about("can not be rotated", "error"))

    def test_disk(self) -> None:
        """A file that can not be written is told by its name."""

        async def full(work: Callable[[], object]) -> object:
            if len(daemon.reasons) == 1:
                raise OSError(28, "No space left on device", "2023-11-15.pem")
            return work()

        daemon = Daemon(self.world, full)
        self.world.wait(18.5)
        daemon.stop()

        self.assertIn(
            "2023-11-15.pem can not be changed: No space left on device", self.log.about("rotated: ", "error")[0]
        )

    def test_one_of_two(self) -> None:
        """What could be done counts although something else could not, and that is told."""
        old = self.world.place.keys / "old.json"
        old.write_text(json.dumps(to_private_jwk(p256_key(2))))
        old.with_suffix(".dates").write_text("activated = 2023-11-01T00:00:00Z\nreplaced = 2023-11-14T06:00:00Z\n")
        daemon = self.started()
        self.world.wait(19)

        self.assertEqual(daemon.changes, [("published", "2023-11-15")])
        self.assertTrue(self.log.about("keeps its private half", "error"))

    def test_our_fault(self) -> None:
        """A fault of ours is logged, and it is looked again."""

        async def broken(_: object) -> object:
            raise ZeroDivisionError

        daemon = Daemon(self.world, broken)
        self.world.wait(2)
        daemon.stop()

        self.assertGreaterEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_row_28_clock(self) -> None:
        """A clock that jumps forward is told once, and changes nothing before it has stood by that for long enough."""
        daemon = self.started()
        self.world.wait(2)
        self.world.offset = 50 * HOUR
        self.world.wait(11)
        during = list(daemon.told)
        self.world.wait(2)

        self.assertEqual((during, len(daemon.told)), ([], 1))
        self.assertEqual(len(self.log.about("was set forward by 180000 seconds", "warn")), 1)

    def test_future(self) -> None:
        """Dates that are yet to come are told, because nothing would happen for a long time."""
        self.started()
        (self.world.place.keys / "2023.dates").write_text("activated = 2038-01-19T03:14:07Z\n")
        self.world.wait(2)

        self.assertIn(
            "2023 has a date that is yet to come, 2038-01-19T03:14:07Z", self.log.about("yet to come", "warn")[0]
        )


class EndTests(RotationCase):
    """The daemon ends."""

    def test_no_timers(self) -> None:
        """Nothing is left that waits."""
        daemon = self.started()
        self.world.wait(2)
        daemon.stop()

        self.assertEqual(self.world.timers.getDelayedCalls(), [])

    def test_in_the_middle(self) -> None:
        """What is under way in a thread is not waited for, and nothing begins after it."""
        under_way: list[Deferred[object]] = []

        def slowly(_: object) -> Deferred[object]:
            under_way.append(Deferred())
            return under_way[-1]

        daemon = Daemon(self.world, slowly)
        self.world.wait(1)
        daemon.stop()
        self.world.wait(5)

        self.assertEqual((len(under_way), daemon.reasons), (1, []))

    def test_row_28_not_taken_back(self) -> None:
        """A step that no reload has seen because the daemon ends stays: it counts at the next start."""
        self.started()
        self.world.coming = [GOOD, ENDS]
        self.world.wait(20)

        self.assertEqual(self.world.place.states(), {"2023": "active", "2023-11-15": "published"})


class PromiseTests(RotationCase):
    """The two promises, with files: no token is refused, and no key signs that clients may not have met."""

    @example_settings(deadline=None, max_examples=12)
    @given(
        st.lists(
            st.tuples(st.integers(0, 30), st.lists(st.booleans(), max_size=4), st.booleans()), min_size=4, max_size=10
        )
    )
    def test_kept(self, events: list[tuple[int, list[bool], bool]]) -> None:
        """Whatever is refused, and whenever the daemon is started again or changed by a command."""
        self.setUp()
        daemon = Daemon(self.world)
        ends: dict[str, int] = {}
        without: dict[str, int] = {}
        for hours, coming, again in events:
            self.world.coming = [(GOOD, REFUSED)[word] for word in coming]
            if again:
                daemon.stop()
                daemon = Daemon(self.world)
            for _ in range(hours):
                now, before = self.world.now(), daemon.signs
                ends[before] = now + LIFE
                for kid in self.world.place.states():
                    if kid not in daemon.ring.by_kid:
                        without[kid] = now
                self.assertEqual({kid for kid, end in ends.items() if end > now} - set(daemon.ring.by_kid), set())
                self.world.wait(1)
                if daemon.signs != before:
                    self.assertGreaterEqual(self.world.now() - without.get(daemon.signs, 0), AHEAD)
        daemon.stop()

        self.assertEqual(list(self.world.place.states().values()).count("active"), 1)
