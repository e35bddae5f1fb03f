"""Tests of the command line's form."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config import arguments
from konnectd.option import Option

NAME = Option(name="name", help="A value.", metavar="TEXT")
QUIET = Option(name="quiet", help="A switch.", metavar="")


def find(name: str) -> tuple[Option, bool] | None:
    """Know two flags, one of which may be given as a file."""
    return {"name": (NAME, False), "name-file": (NAME, True), "quiet": (QUIET, False)}.get(name)


class ParseTests(SynchronousTestCase):
    """Flags and words are told apart as people expect."""

    def test_forms(self) -> None:
        """A value may follow ``=`` or be the next word; words may stand anywhere."""
        found = arguments.parse(["one", "--name=a=b", "two", "--name", "c", "--quiet", "three"], find)

        self.assertEqual(found.words, ("one", "two", "three"))
        self.assertEqual([given.text for given in found.of(NAME)], ["a=b", "c"])
        self.assertEqual([given.text for given in found.of(QUIET)], ["yes"])

    def test_switch_with_value(self) -> None:
        """A switch takes a value only after ``=``."""
        found = arguments.parse(["--quiet=no", "--quiet", "no"], find)

        self.assertEqual([given.text for given in found.of(QUIET)], ["no", "yes"])
        self.assertEqual(found.words, ("no",))

    def test_end_of_flags(self) -> None:
        """After two dashes everything is a word."""
        found = arguments.parse(["--", "--name", "-x"], find)

        self.assertEqual((found.words, found.flags), (("--name", "-x"), ()))

    def test_file(self) -> None:
        """A flag may name the file that holds its value."""
        found = arguments.parse(["--name-file=/run/x"], find)

        self.assertTrue(found.of(NAME)[0].from_file)

    def test_unknown(self) -> None:
        """An unknown flag is kept for whoever knows why; abbreviations are unknown."""
        found = arguments.parse(["--nam=x"], find)

        self.assertEqual([(flag.option, flag.given.name) for flag in found.flags], [(None, "--nam")])

    def test_faults(self) -> None:
        """A flag without its value and a single dash are faults, all told at once."""
        found = arguments.parse(["-n", "--name", "--quiet", "--name"], find)

        self.assertEqual([fault.option for fault in found.faults], ["-n", "--name", "--name"])

    def test_value_is_not_shown(self) -> None:
        """A value may be a secret, so the representation of a flag does not have it."""
        found = arguments.parse(["--name=hunter2"], find)

        self.assertNotIn("hunter2", repr(found))
