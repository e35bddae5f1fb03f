"""Tests of the table of options."""

from konnectd.config.given import keys_of, variables_of
from konnectd.config.options import ABSENT, OPTIONS
from tests.config.cases import ISS, SettingsTestCase


class TableTests(SettingsTestCase):
    """The rows do not get into one another's way."""

    def test_names_are_distinct(self) -> None:
        """No key or variable belongs to two options."""
        names = [
            name
            for option in OPTIONS + ABSENT
            for name in (*keys_of(option), *(variable for variable, _ in variables_of(option)))
        ]

        self.assertEqual(len(names), len(set(names)))

    def test_every_row_is_described(self) -> None:
        """Help is a sentence, and every row stands under a heading."""
        for option in OPTIONS:
            with self.subTest(option=option.name):
                self.assertTrue(option.help.endswith("."))
                self.assertTrue(option.section)


class AbsentTests(SettingsTestCase):
    """What lico has and we do not have is never passed over in silence."""

    def test_refused_everywhere(self) -> None:
        """Flag, variable and line are refused for each."""
        for option in ABSENT:
            with self.subTest(option=option.name):
                value = "yes" if option.metavar == "" else "10.0.0.1"
                flag = self.faults(ISS, "ldap", f"--{option.name}={value}")
                variable = self.faults(ISS, "ldap", environ={f"KONNECTD_{option.dest.upper()}": value})
                line = self.faults(ISS, "ldap", file=f"{option.key} = {value}\n")

                for found in (flag, variable, line):
                    self.assertEqual((len(found), found[0].endswith("is not supported")), (1, True))

    def test_no_to_what_is_not_there(self) -> None:
        """Saying no to a switch asks for nothing."""
        found = self.load(
            ISS,
            "ldap",
            "--allow-client-guests=false",
            "--allow-client-signed-logins=no",
            environ={"KOPANO_SURVEYCLIENT_AUTOSURVEY": "no"},
            file="survey = no\ntrusted_proxies =\n",
        )

        self.assertEqual(found.warnings, ())

    def test_front_end(self) -> None:
        """A file of Konnect's names a front end as it always did; the flag that serves none wins."""
        found = self.load(ISS, "ldap", file="web_resources_path = /usr/share/x\n")
        none = self.load(ISS, "ldap", "--disable-identifier-client", "--identifier-client-path=/usr/share/x")
        own = self.load(ISS, "ldap")

        self.assertEqual(str(found.identifier_client_path), "/usr/share/x")
        self.assertEqual([each.own_pages for each in (found, none, own)], [False, False, True])
        self.assertEqual(
            none.warnings,
            (
                "disable_identifier_client: nothing answers at /signin/v1/identifier here; sign_in_uri can name another"
                " page",
            ),
        )
