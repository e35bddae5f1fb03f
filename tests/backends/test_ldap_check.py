"""The check at start, against a directory in memory."""

from typing import Any

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import BackendUnavailableError
from konnectd.option import ConfigErrors
from tests.support.fakes import run
from tests.support.ldap_memory import Directory
from tests.support.ldap_people import SERVICE, backend, directory


class CheckTests(SynchronousTestCase):
    """The check at start tells faults apart."""

    def faults(self, found: Directory, **options: Any) -> list[tuple[str, str]]:
        """Return the settings that are blamed and why."""
        with self.assertRaises(ConfigErrors) as caught:
            run(backend(options, one=found).check())
        return [(fault.option, fault.problem) for fault in caught.exception.faults]

    def test_service_password(self) -> None:
        """A wrong password of the service account is told."""
        ((option, problem),) = self.faults(directory(), ldap_bindpw="wrong")

        self.assertEqual(option, "ldap_bindpw")
        self.assertIn("invalidCredentials (49)", problem)
        self.assertNotIn("wrong", problem)

    def test_base(self) -> None:
        """A wrong base is told, and which setting names it."""
        ((option, problem),) = self.faults(directory(), ldap_basedn="ou=poeple,dc=example,dc=org")

        self.assertEqual(option, "ldap_basedn")
        self.assertIn("'ou=poeple,dc=example,dc=org'", problem)

    def test_group_base(self) -> None:
        """A wrong base of groups is told."""
        ((option, _),) = self.faults(directory(), ldap_groups="search", ldap_group_basedn="ou=nix,dc=example,dc=org")

        self.assertEqual(option, "ldap_group_basedn")

    def test_certificate(self) -> None:
        """A certificate that is not accepted is told."""
        found = directory()
        found.good_certificate = False
        ((option, problem),) = self.faults(found, ldap_uri=("ldaps://one.example",))

        self.assertEqual(option, "ldap_uri")
        self.assertIn("another name", problem)

    def test_starttls_refused(self) -> None:
        """A server that has no StartTLS is told."""
        found = directory()
        found.codes["starttls"] = (2, "unsupported")
        ((option, _),) = self.faults(found, ldap_starttls=True)

        self.assertEqual(option, "ldap_starttls")
        self.assertEqual(found.arguments("bind"), [])

    def test_forged_starttls(self) -> None:
        """What was slipped in behind the answer to StartTLS is not taken, and no password follows."""
        found = directory()
        found.forged = b"\x30\x05\x02\x01\x02\x42\x00"
        with self.assertRaisesRegex(BackendUnavailableError, "in the clear"):
            run(backend({"ldap_starttls": True}, one=found).check())

        self.assertEqual(found.arguments("bind"), [])

    def test_unreachable(self) -> None:
        """A server that can not be reached blames no setting."""
        found = directory()
        found.down = True

        with self.assertRaisesRegex(BackendUnavailableError, r"ldap://one\.example:389.*refused"):
            run(backend(one=found).check())

    def test_one_of_two(self) -> None:
        """One server that can be reached is enough to start."""
        down = directory()
        down.down = True
        options = {"ldap_uri": ("ldap://one.example", "ldap://two.example")}

        with capturedLogs() as events:
            self.assertIsNone(run(backend(options, one=down, two=directory()).check()))

        warnings = [str(formatEvent(event)) for event in events if event["log_level"].name == "warn"]
        self.assertEqual([line.partition(":")[0] for line in warnings[:2]], ["Passwords travel to ldap"] * 2)
        self.assertIn("one.example:389 can not be reached", warnings[2])

    def test_second_server(self) -> None:
        """A setting that is wrong for the second server is told although the first one is well."""
        second = directory()
        second.passwords[SERVICE] = "another"
        options = {"ldap_uri": ("ldap://one.example", "ldap://two.example")}
        with self.assertRaises(ConfigErrors) as caught:
            run(backend(options, one=directory(), two=second).check())

        self.assertIn("two.example", str(caught.exception))
