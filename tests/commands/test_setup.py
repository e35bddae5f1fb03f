"""``konnectd setup``: what is made, what is left alone, and what is refused."""

import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from konnectd.commands import setup
from konnectd.commands.readable import find_obstacles
from konnectd.config.key_folder import Dates
from konnectd.config.keys import load_encryption_secret, load_signing_keys, load_validation_keys
from konnectd.config.safe_folder import Owner
from tests.config.test_keys import private_pem
from tests.support.commands import Result, caught
from tests.support.files import folder, write
from tests.support.key_folders import MADE
from tests.support.keys import p256_key
from tests.support.killing import killed_before

STRANGER = 65_533


class SetupCase(SynchronousTestCase):
    """An empty folder, and the command. Keys are on P-256, which is quick."""

    def setUp(self) -> None:
        """Make the folder."""
        self.outer = folder(self)
        self.outer.chmod(0o755)
        self.root = self.outer / "konnectd"

    def run_setup(self, *words: str) -> Result:
        """Run the command."""
        flags = (f"--folder={self.root}", "--signing-method=ES256", *words)
        return caught(lambda: setup.run(flags, {}, MADE))

    def files(self) -> dict[str, bytes]:
        """Return everything there is."""
        return {
            str(path.relative_to(self.outer)): path.read_bytes() for path in self.outer.rglob("*") if path.is_file()
        }

    def usable(self) -> bool:
        """Whether the daemon could start with what is there."""
        (key,) = load_signing_keys((self.root / "signing.pem",), "", "ES256")
        load_encryption_secret(self.root / "encryption-secret.key", warn=self.fail)
        return key.public in load_validation_keys(self.root / "keys", warn=self.fail)


class MakeTests(SetupCase):
    """What is made."""

    def test_everything(self) -> None:
        """Key, link and secret are there, and are what the daemon wants."""
        found = self.run_setup()

        self.assertEqual((found.status, found.errors), (0, ""))
        self.assertTrue(self.usable())
        self.assertEqual(str((self.root / "signing.pem").readlink()), "keys/2023-11-14.pem")

    def test_for_a_file_of_konnect(self) -> None:
        """With Konnect's configuration everything is made where its launcher had it, and there is nothing to write."""
        self.outer.chmod(0o700)
        config = self.outer / "konnectd.cfg"
        config.write_text("oidc_issuer_identifier = https://id.example.com\n")
        found = self.run_setup(f"--config={config}")
        link = self.outer / "konnectd-signing-private-key.pem"

        self.assertEqual((found.status, found.errors, "Write into" in found.output), (0, "", False))
        self.assertEqual(str(link.readlink()), "konnectkeys/2023-11-14.pem")
        self.assertEqual((self.outer / "konnectd-encryption-secret.key").stat().st_size, 32)

    def test_modes(self) -> None:
        """Nobody else can read anything, whatever the mask is."""
        mask = os.umask(0)
        try:
            self.run_setup()
        finally:
            os.umask(mask)
        modes = {str(path.relative_to(self.root)): stat.S_IMODE(path.lstat().st_mode) for path in self.root.rglob("*")}
        modes.pop("signing.pem")

        self.assertEqual(
            modes,
            {
                "keys": 0o700,
                "keys/2023-11-14.pem": 0o600,
                "keys/2023-11-14.dates": 0o600,
                "encryption-secret.key": 0o600,
            },
        )

    def test_advice(self) -> None:
        """The lines for the configuration are told, and are right."""
        lines = [line.strip() for line in self.run_setup().output.splitlines() if " = " in line]

        self.assertEqual(
            lines,
            [
                f"signing_private_key = {self.root}/signing.pem",
                f"validation_keys_path = {self.root}/keys",
                f"encryption_secret_key = {self.root}/encryption-secret.key",
            ],
        )

    def test_configured(self) -> None:
        """What the configuration names is made there, and not told again."""
        other = self.outer / "other"
        text = (
            f"signing_private_key = {other}/s.pem\nvalidation_keys_path = {other}/all\n"
            f"encryption_secret_key = {other}/secret\n"
        )
        found = self.run_setup(f"--config={write(self, 'k.conf', text)}")

        self.assertEqual((found.status, "configuration" in found.output, self.root.exists()), (0, False, False))
        self.assertEqual(sorted(path.name for path in other.iterdir()), ["all", "s.pem", "secret"])

    def test_user(self) -> None:
        """Files belong to the user of the daemon, folders to root, and the user's group may enter them."""
        if os.geteuid() != 0:
            raise SkipTest("only root can give files away")
        self.run_setup("--user=nobody")
        secret, keys = self.root / "encryption-secret.key", self.root / "keys"

        self.assertEqual((secret.owner(), stat.S_IMODE(secret.stat().st_mode)), ("nobody", 0o600))
        self.assertEqual((keys.owner(), stat.S_IMODE(keys.stat().st_mode)), ("root", 0o750))
        self.assertEqual(keys.stat().st_gid, secret.stat().st_gid)

    def test_folder_of_the_user(self) -> None:
        """In a folder of the daemon's user everything is that user's alone, so that the daemon can rotate its keys."""
        if os.geteuid() != 0:
            raise SkipTest("only root can give files away")
        self.root.mkdir(mode=0o700)
        nobody = Owner.of("nobody")
        os.chown(self.root, nobody.uid, nobody.gid)
        self.run_setup("--user=nobody")
        keys = (self.root / "keys").stat()

        self.assertEqual((keys.st_uid, keys.st_gid, stat.S_IMODE(keys.st_mode)), (nobody.uid, nobody.gid, 0o700))

    def test_no_secrets(self) -> None:
        """Nothing that was made is printed."""
        found = self.run_setup()

        self.assertNotIn("PRIVATE", found.output + found.errors)


class AgainTests(SetupCase):
    """A second run."""

    def test_idempotent(self) -> None:
        """It says what is there, and touches nothing."""
        self.run_setup()
        before = self.files()
        found = self.run_setup()

        self.assertEqual((found.status, found.output.count("is there already"), self.files()), (0, 2, before))

    def test_killed(self) -> None:
        """Whenever the first run is killed, a second one ends what it began, and there is one key."""
        for step in range(200):
            self.setUp()
            killed = killed_before(step, self.run_setup)
            found = self.run_setup()

            self.assertEqual((found.status, self.usable()), (0, True), found.errors)
            self.assertEqual(len(list((self.root / "keys").glob("*.pem"))), 1)
            if not killed:
                break
        self.assertGreater(step, 20)

    def test_replaced_key(self) -> None:
        """A key that was replaced does not come back because the link is gone."""
        self.run_setup()
        (self.root / "signing.pem").unlink()
        dates = Dates(published=MADE, activated=MADE, replaced=MADE)
        (self.root / "keys" / "2023-11-14.dates").write_text(dates.to_text())

        self.assertEqual(self.run_setup().status, 1)
        self.assertFalse((self.root / "signing.pem").is_symlink())

    def test_key_of_konnect(self) -> None:
        """A key that is a file is used as it is."""
        self.root.mkdir(mode=0o700)
        path = self.root / "signing.pem"
        path.write_bytes(private_pem(p256_key()))
        path.chmod(0o600)
        found = self.run_setup()

        self.assertEqual((found.status, path.is_symlink()), (0, False))
        self.assertNotIn("validation_keys_path", found.output)

    def test_readable(self) -> None:
        """A secret that others can read is left alone, and told."""
        self.run_setup()
        (self.root / "encryption-secret.key").chmod(0o644)
        found = self.run_setup()

        self.assertEqual((found.status, found.errors.count("chmod 0600")), (0, 1))


class OfKonnectTests(SetupCase):
    """Keys and secret that Konnect's own setup has made for its own user."""

    def setUp(self) -> None:
        """Make them as Konnect does."""
        if os.geteuid() != 0:
            raise SkipTest("only root can give files away")
        super().setUp()
        # Anybody has to be able to come there, whatever folder the tests are run in.
        self.outer = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.outer)
        self.outer.chmod(0o755)
        self.root = self.outer / "kopano"
        self.root.mkdir(mode=0o755)
        self.keys = self.root / "konnectkeys"
        self.keys.mkdir(mode=0o700)
        self.key = self.keys / "konnect-20200714-a1b2.pem"
        self.key.write_bytes(private_pem(p256_key()))
        self.link = self.root / "konnectd-signing-private-key.pem"
        self.link.symlink_to(self.key)
        self.secret = self.root / "konnectd-encryption-secret.key"
        self.secret.write_bytes(bytes(range(32)))
        for path in (self.keys, self.key, self.secret):
            os.chown(path, STRANGER, STRANGER)
        for path in (self.key, self.secret):
            path.chmod(0o600)

    def taken_over(self) -> Result:
        """Run the command for another user, with the configuration that names them."""
        text = (
            f"signing_private_key = {self.link}\nvalidation_keys_path = {self.keys}\n"
            f"encryption_secret_key = {self.secret}\n"
        )
        return self.run_setup("--user=nobody", f"--config={write(self, 'k.conf', text)}")

    def told(self, found: Result) -> list[tuple[str, str]]:
        """Return what can not be read, and what mends it."""
        lines = [line.partition("setup: ")[2] for line in found.errors.splitlines()]
        return [(path, mend) for path, _, mend in (line.partition(" can not be read by nobody: ") for line in lines)]

    def test_what_to_do(self) -> None:
        """Nothing is changed, and whatever the other user can not read is told, each with what mends it."""
        before = self.files()
        found = self.taken_over()
        told = [
            line.partition("setup: ")[2].partition(" can not be read by nobody: ")[0]
            for line in found.errors.splitlines()
        ]

        self.assertEqual((found.status, self.files()), (1, before))
        self.assertEqual(told, [str(self.keys), str(self.secret)])

    def test_folder_on_the_way(self) -> None:
        """A folder on the way is nobody's secret, and stays with its group."""
        self.root.chmod(0o750)
        found = self.taken_over()

        self.assertIn(f"{self.root} can not be entered by nobody: chmod o+x {self.root}, or", found.errors)
        self.assertNotIn(f"chgrp nogroup {self.root} ", found.errors)

    def test_links_in_the_folder(self) -> None:
        """Nobody is told to open what a link in the folder of Konnect's user leads to."""
        other = self.outer / "other.pem"
        other.write_bytes(private_pem(p256_key(2)))
        other.chmod(0o600)
        (self.keys / "other.pem").symlink_to(other)

        self.assertNotIn("other", self.taken_over().errors)

    def test_until_it_is_done(self) -> None:
        """Who does what is told, and asks again, comes to an end; the first user can still read everything."""
        for _ in range(4):
            found = self.taken_over()
            for _, command in self.told(found):
                subprocess.run(("sh", "-c", command), check=True, timeout=60)
        nobody = Owner.of("nobody")

        self.assertEqual((found.status, found.errors), (0, ""))
        self.assertEqual(find_obstacles((self.link, self.keys, self.key, self.secret), nobody), ())
        self.assertEqual({path.stat().st_uid for path in (self.keys, self.key, self.secret)}, {STRANGER})


class RefusedTests(SetupCase):
    """What is there and can not be used is told, and stays as it is."""

    def refused(self, *words: str) -> str:
        """Return why nothing was done."""
        found = self.run_setup(*words)
        self.assertEqual(found.status, 1, found.output)
        return found.errors

    def there(self, name: str, content: bytes) -> Path:
        """Put something where something shall be made."""
        self.root.mkdir(mode=0o700, exist_ok=True)
        path = self.root / name
        path.write_bytes(content)
        return path

    def test_broken_key(self) -> None:
        """A file that is no key is not overwritten."""
        path = self.there("signing.pem", b"x")

        self.assertIn("can not be used", self.refused())
        self.assertEqual(path.read_bytes(), b"x")

    def test_another_method(self) -> None:
        """A key of another kind is not either."""
        self.there("signing.pem", private_pem(p256_key()))

        self.assertIn("can not sign by PS256", self.refused("--signing-method=PS256"))

    def test_broken_secret(self) -> None:
        """Nor a secret of another length."""
        path = self.there("encryption-secret.key", b"short")

        self.assertIn("must have exactly 32 bytes", self.refused())
        self.assertEqual(path.read_bytes(), b"short")

    def test_dangling_link(self) -> None:
        """A link that leads nowhere is somebody's mistake, and not followed."""
        self.root.mkdir(mode=0o700)
        (self.root / "encryption-secret.key").symlink_to("../elsewhere")

        self.refused()
        self.assertFalse((self.outer / "elsewhere").exists())

    def test_folder_of_a_stranger(self) -> None:
        """No secret is made in a folder of somebody else."""
        if os.geteuid() != 0:
            raise SkipTest("only root can give files away")
        self.root.mkdir()
        os.chown(self.root, STRANGER, STRANGER)

        self.assertIn("somebody else", self.refused())
        self.assertEqual(self.files(), {})

    def test_link_of_a_stranger(self) -> None:
        """Nobody leads root to another place."""
        if os.geteuid() != 0:
            raise SkipTest("only root can give files away")
        (self.outer / "target").mkdir(mode=0o700)
        self.root.symlink_to("target")
        os.chown(self.root, STRANGER, STRANGER, follow_symlinks=False)

        self.assertIn("not followed", self.refused())
        self.assertEqual(self.files(), {})

    def test_loop(self) -> None:
        """A loop of links ends."""
        self.root.symlink_to("konnectd")

        self.assertIn("loop", self.refused())

    def test_file_in_the_way(self) -> None:
        """A file can not be a folder."""
        self.root.write_bytes(b"x")

        self.assertIn("Not a directory", self.refused())

    def test_user(self) -> None:
        """There has to be such a user."""
        self.assertIn("no user", self.refused("--user=no-such-user-here"))

    def test_misused(self) -> None:
        """Words that nobody knows are told, with status 2."""
        for words in (("--bogus",), ("word",), ("--user=",), ("--iss=https://id.example.com",)):
            with self.subTest(words=words):
                self.assertEqual(self.run_setup(*words).status, 2)
        self.assertEqual(self.files(), {})

    def test_help(self) -> None:
        """Help is no mistake, and makes nothing."""
        self.assertEqual((self.run_setup("--help").status, self.files()), (0, {}))
