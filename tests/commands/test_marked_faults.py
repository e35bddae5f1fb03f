"""Configurations with every secret marked: what commands print has no mark in it, whatever is wrong.

The start of a daemon reads the same files and tells of the same faults.
"""

from pathlib import Path

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from konnectd.commands import check_config, keys
from tests.support.commands import Result, caught
from tests.support.files import folder
from tests.support.marked_faults import (
    BARE_SECRET,
    BIND_PASSWORD,
    MISPLACED_SECRET,
    STORE_PASSWORD,
    faults,
    good_files,
    good_lines,
    write_all,
)
from tests.support.marked_house import house_marks


class MarkedCase(SynchronousTestCase):
    """A folder for a configuration."""

    def setUp(self) -> None:
        """Make it."""
        self.root = folder(self)
        self.marks = house_marks()
        self.marks.add("password of a backend", BIND_PASSWORD)
        self.marks.add("password of the store", STORE_PASSWORD)
        self.marks.add("secret of a client", BARE_SECRET)
        self.marks.add("secret in the wrong place", MISPLACED_SECRET)

    def assert_clean(self, result: Result, about: str) -> None:
        """Something was printed, and no mark."""
        printed = result.output + result.errors
        self.assertGreater(len(printed), 30, about)
        self.assertEqual({line for line in printed.splitlines() if self.marks.found(line)}, set(), about)

    def check(self, conf: Path, *words: str) -> Result:
        """Run ``konnectd check-config``."""
        return caught(lambda: check_config.run((f"--config={conf}", *words), {}, MemoryReactorClock()))


class CheckConfigTests(MarkedCase):
    """``konnectd check-config``."""

    def test_good(self) -> None:
        """Of a configuration that is right every setting is shown, and of secrets that there are some."""
        result = self.check(write_all(self.root, good_files(), good_lines(self.root)))

        self.assertEqual(result.status, 0, result.errors)
        self.assertIn("dynamic_registration_token", result.output)
        self.assert_clean(result, "good")

    def test_faults(self) -> None:
        """What is wrong is told without what stands there where that may be a secret."""
        found = [0, 0]
        for about, files, lines in faults(self.root):
            conf = write_all(self.root, files, lines)
            for words in ((), ("--json",)):
                result = self.check(conf, *words)
                found[result.status] += 1
                self.assert_clean(result, about)

        self.assertGreater(found[1], 60)

    def test_environment(self) -> None:
        """Nor is what stands in a variable."""
        conf = write_all(self.root, good_files(), {**good_lines(self.root), "identity_manager": "ldap"})
        environ = {"LDAP_BINDPW": BIND_PASSWORD, "LDAP_URI": f"ldap://me:{MISPLACED_SECRET}@ldap.example:x"}
        result = caught(lambda: check_config.run((f"--config={conf}",), environ, MemoryReactorClock()))

        self.assertEqual(result.status, 1)
        self.assert_clean(result, "environment")


class KeysTests(MarkedCase):
    """``konnectd keys``."""

    def test_list(self) -> None:
        """Keys are listed by what everybody may know of them."""
        conf = write_all(self.root, good_files(), good_lines(self.root))
        for words in ((), ("--json",)):
            self.assert_clean(caught(lambda words=words: keys.run(("list", f"--config={conf}", *words), {})), "keys")
