"""Why the daemon could not rotate its keys; told before it starts, with what to do."""

import os
from pathlib import Path

from attrs import evolve
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from konnectd.config.key_rotation_check import faults
from konnectd.config.key_rotation_options import RotationSettings
from konnectd.config.key_settings import KeySettings
from konnectd.config.safe_folder import Owner
from konnectd.jose.export import to_private_pem
from tests.support.files import let_others_enter
from tests.support.key_folders import installation
from tests.support.keys import ed25519_key, p256_key

ROTATING = RotationSettings(key_rotation=90 * 86_400)


class CheckTests(SynchronousTestCase):
    """An installation, and what can be wrong with it."""

    def setUp(self) -> None:
        """Make one that can be rotated."""
        self.place = installation(self, p256_key())

    def settings(self, **changed: object) -> KeySettings:
        """Return the settings that name it."""
        return self.place.settings(signing_method="ES256", rotation=ROTATING, **changed)

    def refused(self, settings: KeySettings) -> str:
        """Return why keys can not be rotated."""
        (fault,) = faults(settings)
        self.assertEqual(fault.option, "key_rotation")
        self.assertIn("docs/operate/keys.md", fault.problem)
        return fault.problem

    def test_good(self) -> None:
        """There is nothing to tell of keys as konnectd setup lays them."""
        self.assertEqual(faults(self.settings()), ())

    def test_off(self) -> None:
        """Nobody looks where nothing shall be rotated."""
        self.assertEqual(faults(evolve(self.settings(signing_private_key=()), rotation=RotationSettings())), ())

    def test_nothing_configured(self) -> None:
        """A key that was made up at start is not rotated."""
        self.assertIn("konnectd setup", self.refused(self.settings(signing_private_key=())))
        self.assertIn("konnectd setup", self.refused(self.settings(validation_keys_path=None)))

    def test_file(self) -> None:
        """A key that is a file has no link that could lead to another one."""
        path = self.place.root / "key.pem"
        path.write_bytes((self.place.keys / "2023.pem").read_bytes())

        self.assertIn("no symbolic link", self.refused(self.settings(signing_private_key=(path,))))

    def test_second_key_is_a_file(self) -> None:
        """That counts for each key that signs."""
        path = self.place.root / "second.pem"
        path.write_bytes(to_private_pem(ed25519_key()))
        said = self.refused(self.settings(signing_private_key=(self.place.link, path)))

        self.assertIn(f"{path} is no symbolic link", said)

    def test_credential(self) -> None:
        """What systemd hands over is a copy."""
        for folder in ("/run/credentials/konnectd.service", "/run/user/1000/credentials/konnectd.service"):
            with self.subTest(folder=folder):
                path = Path(folder) / "keys_signing-1.pem"
                said = self.refused(self.settings(signing_private_key=(path,), validation_keys_path=path.parent))
                self.assertIn(f"{path} is a copy that systemd has made", said)

    def test_signing_kid(self) -> None:
        """One id can not be that of two keys."""
        self.assertIn("signing_kid", self.refused(self.settings(signing_kid="x")))

    def test_unsafe(self) -> None:
        """A folder that everybody may write to is refused."""
        self.place.keys.chmod(0o777)

        self.assertIn("everybody may write", self.refused(self.settings()))

    def test_not_writable(self) -> None:
        """Neither the folder of keys nor that of the link may be closed to the daemon."""
        if os.geteuid() != 0:
            raise SkipTest("only root can become somebody else")
        nobody = Owner.of("nobody")
        let_others_enter(self, self.place.root.parent)
        for path in (self.place.keys, self.place.root):
            os.chown(path, 0, nobody.gid)
            path.chmod(0o750)
        os.chown(self.place.keys / "2023.pem", nobody.uid, nobody.gid)
        for folder in (self.place.keys, self.place.root):
            with self.subTest(folder=folder):
                said = self._as_nobody(nobody)
                self.assertIn(f"the daemon may not write to {folder}", said)
                folder.chmod(0o770)
        self.assertEqual(self._as_nobody(nobody), "")

    def _as_nobody(self, nobody: Owner) -> str:
        """Return what is in the way of somebody else, who has to be able to come here."""
        os.setegid(nobody.gid)
        os.seteuid(nobody.uid)
        try:
            return "".join(fault.problem for fault in faults(self.settings()))
        finally:
            os.seteuid(0)
            os.setegid(0)
