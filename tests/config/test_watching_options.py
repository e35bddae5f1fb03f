"""Tests of the options about watching the daemon."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.settings import Settings, load
from konnectd.config.watching_options import WatchingSettings, audit_place
from konnectd.option import ConfigErrors

ISS = "--iss=https://id.example.com"
BACKENDS = "tests.config.backends"


def read(*words: str) -> Settings:
    """Read settings."""
    return load([ISS, "ldap", *words], {}, BACKENDS)


class WatchingTests(SynchronousTestCase):
    """What may be said, and what may not."""

    def problem(self, *words: str) -> str:
        """Return what is wrong; empty for nothing."""
        try:
            read(*words)
        except ConfigErrors as error:
            return str(error)
        return ""

    def test_nothing_by_default(self) -> None:
        """Nobody is watched without wanting it."""
        self.assertEqual(read().watching, WatchingSettings())

    def test_who_counts(self) -> None:
        """Metrics and the audit log are told what requests came of, and without either nobody is."""
        for words, counts in (((), False), (("--with-metrics",), True), (("--audit-log=stderr",), True)):
            self.assertIs(read(*words).watching.counts, counts)

    def test_names_of_konnect(self) -> None:
        """Flags and keys of Konnect go on, with its addresses."""
        found = read("--with-metrics", "--with-pprof").watching

        self.assertEqual((found.metrics_listen, found.pprof_listen), ("127.0.0.1:6777", "127.0.0.1:6060"))

    def test_profiles_of_this_machine(self) -> None:
        """Profiles are served where only this machine can ask."""
        for address in ("127.0.0.1:6060", "127.8.8.8:1", "[::1]:6060", "localhost:6060", "unix:/run/x"):
            self.assertEqual(self.problem("--with-pprof", f"--pprof-listen={address}"), "", address)

    def test_profiles_for_others_need_a_word(self) -> None:
        """An address that others reach is taken only when somebody says so."""
        for address in ("0.0.0.0:6060", ":6060", "[::]:6060", "10.0.0.1:6060", "[fd00::1]:1", "systemd:index=0"):
            words = ("--with-pprof", f"--pprof-listen={address}")

            self.assertIn("pprof_remote allows that", self.problem(*words), address)
            self.assertEqual(self.problem(*words, "--pprof-remote"), "", address)

    def test_profiles_for_the_world(self) -> None:
        """A public address is refused whatever somebody says, and so is a name that may be one."""
        for address in ("8.8.8.8:6060", "[2a00:1450::1]:1", "[::ffff:8.8.8.8]:1", "sso.example.org:6060"):
            found = self.problem("--with-pprof", f"--pprof-listen={address}", "--pprof-remote")

            self.assertIn("command line: pprof_listen: ", found, address)

    def test_an_address_that_is_not_used(self) -> None:
        """Without profiles their address does not matter."""
        self.assertEqual(self.problem("--pprof-listen=8.8.8.8:6060"), "")

    def test_places_of_the_audit_log(self) -> None:
        """A word, or a file by its whole path."""
        self.assertEqual([audit_place(text) for text in ("stderr", "journal")], ["stderr", "journal"])
        self.assertEqual(audit_place("/var/log/x"), Path("/var/log/x"))
        for text in ("", "x", "../x", "/x\ny", "STDERR"):
            self.assertRaises(ValueError, audit_place, text)

    def test_forms_of_the_log(self) -> None:
        """There are two."""
        self.assertEqual(read("--log-format=JSON").watching.log_format, "json")
        self.assertIn("must be one of text, json", self.problem("--log-format=xml"))
