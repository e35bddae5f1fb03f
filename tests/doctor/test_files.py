"""Files with secrets, and the age of keys."""

import os

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.settings import load
from konnectd.doctor import files
from konnectd.doctor.finding import Finding, Level
from tests.support.asked import told, worst
from tests.support.files import folder
from tests.support.key_folders import MADE, YEAR, installation
from tests.support.keys import p256_key

DAY = 86_400


class FilesTests(SynchronousTestCase):
    """An installation that is in order, which tests spoil."""

    def setUp(self) -> None:
        """Make it."""
        self.place = installation(self, p256_key())
        self.place.keys.chmod(0o700)
        self.secret = self.place.root / "secret.key"
        self.secret.write_bytes(bytes(range(32)))
        self.secret.chmod(0o600)
        self.conf = folder(self) / "k.conf"
        self.conf.write_text("ldap_bindpw = very-secret\n")
        self.conf.chmod(0o600)
        self.now = MADE + DAY

    def look(self, *words: str) -> list[Finding]:
        """Look."""
        settings = load(
            (
                "--iss=https://id.example.com",
                *self.place.flags,
                f"--encryption-secret={self.secret}",
                f"--config={self.conf}",
                "--ldap-uri=ldap://localhost",
                *words,
                "ldap",
            ),
            {},
        )
        return files.look(settings, lambda: self.now)

    def test_in_order(self) -> None:
        """There is nothing to say, and the key is told with its age."""
        found = self.look()

        self.assertEqual(
            ({each.level for each in found}, "2023 (P-256) signs since 2023-11-14" in told(found)), ({Level.GOOD}, True)
        )

    def test_readable(self) -> None:
        """Each file that everybody can read is a fault: keys, the secret, a configuration with a password in it."""
        waiting = self.place.add("2024", p256_key(2))
        for path in (self.place.keys / "2023.pem", waiting, self.secret, self.conf):
            with self.subTest(path=path.name):
                path.chmod(0o644)
                found = self.look()
                path.chmod(0o600)

                self.assertEqual((worst(found)[0], "can read" in told(found)), (("fault", "files"), True))

    def test_changeable(self) -> None:
        """So is one that others can change."""
        self.secret.chmod(0o620)

        self.assertIn("others can change", told(self.look()))

    def test_exchangeable(self) -> None:
        """And one in a folder where everybody may write."""
        self.place.keys.chmod(0o777)

        self.assertIn("everybody can exchange", told(self.look()))

    def test_no_secret_shown(self) -> None:
        """The password is not told."""
        self.conf.chmod(0o644)

        self.assertNotIn("very-secret", told(self.look()))

    def test_old(self) -> None:
        """A key that signs for years is worth a hint."""
        self.now = MADE + 3 * YEAR

        self.assertIn("konnectd keys new", told(self.look()))

    def test_future(self) -> None:
        """A key of the future, by the clock, is not older than nothing."""
        self.now = MADE - 3 * YEAR

        self.assertEqual(worst(self.look()), [])

    def test_broken(self) -> None:
        """A file in the folder that is no key is a warning."""
        (self.place.keys / "x.pem").write_text("x")
        os.mkfifo(self.place.keys / "y.pem")

        self.assertEqual(worst(self.look()), [("warning", "signing keys")] * 2)

    def test_nothing(self) -> None:
        """Without key and secret, both are faults, and the way to some is told."""
        settings = load(("--iss=https://id.example.com", "--file-users=u", "file"), {})
        found = files.look(settings, lambda: self.now)

        self.assertEqual(worst(found), [("fault", "signing keys"), ("fault", "encryption secret")])
        self.assertEqual(told(found).count("konnectd setup"), 2)

    def test_gone(self) -> None:
        """A file that has just gone is told by whoever reads it, and is no exception here."""
        self.secret.unlink()

        self.assertEqual([each for each in worst(self.look()) if each[1] == "files"], [])
