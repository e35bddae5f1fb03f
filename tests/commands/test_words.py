"""The words of commands that take options of their own beside those of the daemon."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.commands.words import Words, filled, shown, usage
from konnectd.option import ConfigErrors, Option, seconds, switch

OPTIONS = (
    Option(name="json", help="JSON.", parse=switch, default=False, metavar=""),
    Option(name="timeout", help="How long.", parse=seconds, default=10, metavar="SECONDS"),
    Option(name="as-user", help="Who.", parse=filled, default="", metavar="NAME"),
)


class WordsTests(SynchronousTestCase):
    """A command line in two parts."""

    def test_parts(self) -> None:
        """Own options may stand anywhere; the rest keeps its order."""
        found = Words.parse(["--iss=x", "--json", "--timeout", "5", "ldap", "--as-user=al", "--insecure"], OPTIONS)

        self.assertEqual(found.own, {"json": True, "timeout": 5, "as_user": "al"})
        self.assertEqual(found.rest, ("--iss=x", "ldap", "--insecure"))

    def test_end_of_options(self) -> None:
        """After two dashes there are only words."""
        self.assertEqual(Words.parse(["--", "--json"], OPTIONS).rest, ("--", "--json"))

    def test_all_faults(self) -> None:
        """Everything that is wrong is told at once."""
        error = self.assertRaises(ConfigErrors, Words.parse, ["--timeout=x", "--as-user", "--json=maybe"], OPTIONS)

        self.assertEqual([fault.option for fault in error.faults], ["--timeout", "--as-user", "--json"])

    def test_usage(self) -> None:
        """Each option is explained."""
        text = usage("konnectd x", "Does.", OPTIONS, "More.")

        self.assertEqual([option.name in text for option in OPTIONS], [True, True, True])

    def test_terminal(self) -> None:
        """No text plays with a terminal."""
        self.assertEqual(shown("a\x1b[2Jb\n"), "a?[2Jb?")
