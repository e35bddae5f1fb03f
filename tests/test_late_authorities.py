"""External authorities when files are read again: what goes on, what begins, and who is signed out."""

from attrs import evolve
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authority import Question
from konnectd.authority_entry import AuthorityEntry
from konnectd.generations import succeed
from konnectd.interfaces import FetchError
from konnectd.late_authorities import build_ask, check_ways_in, watch
from konnectd.option import ConfigErrors
from konnectd.parts import World
from tests.support.assembly import settings_of
from tests.support.fakes import run
from tests.support.federation import ENTRY, Federation, entry


def after(world: World, *entries: AuthorityEntry) -> World:
    """Return what counts once a file with some entries was read."""

    def at_once(function: object, message: bytes, /) -> object:
        raise AssertionError((function, message))

    return succeed(world, world.settings, evolve(world.contents, authorities=entries), at_once)  # type: ignore[arg-type]


class GenerationTests(SynchronousTestCase):
    """One generation after the other."""

    def setUp(self) -> None:
        """Have one."""
        self.world = Federation().rp.world

    def test_unchanged(self) -> None:
        """One whose entry says the same goes on, with what it has fetched."""
        self.assertIs(after(self.world, ENTRY).authorities["corp"], self.world.authorities["corp"])

    def test_changed(self) -> None:
        """One whose entry has changed begins anew."""
        again = after(self.world, entry(trusted=True))

        self.assertIsNot(again.authorities["corp"], self.world.authorities["corp"])

    def test_taken_out(self) -> None:
        """One that is taken out is gone, and so are those who came from there."""
        self.assertEqual(after(self.world).sign_in().authorities, frozenset())

    def test_put_in(self) -> None:
        """One that is put in is asked, also where there was none at the start."""
        again = after(after(self.world), ENTRY)

        self.assertIn("answers", run(again.authorities["corp"].check()))


class AskTests(SynchronousTestCase):
    """Asking."""

    def test_not_everything_is_asked(self) -> None:
        """What really asks is made when it is needed, and refuses what may not be asked."""
        ask = build_ask(settings_of(), MemoryReactorClock())

        self.assertRaises(FetchError, lambda: run(ask(Question(url="http://elsewhere.example/"))))


class StartTests(SynchronousTestCase):
    """What a start looks at."""

    def test_nothing_known(self) -> None:
        """Where files are wrong, nothing can be said of the ways in."""
        self.assertIsNone(check_ways_in(settings_of("--disable-local-logon"), None, None))

    def test_nobody_could_sign_in(self) -> None:
        """A start without any way in is refused, and says which option it is."""
        world = Federation(entries=()).rp.world
        settings = settings_of("--disable-local-logon")
        error = self.assertRaises(ConfigErrors, check_ways_in, settings, world.contents, world.backend)

        self.assertEqual(error.faults[0].source, "command line")

    def test_nobody_to_watch(self) -> None:
        """Without an authority there is no further service."""
        self.assertIsNone(watch((), None))
