"""The steps of a rotation, done in files and taken back."""

import os

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from konnectd.config.key_changes import KeyChanges
from konnectd.config.key_steps import Done, KeyChange, rotate, take_back
from konnectd.config.safe_folder import BusyError, Owner
from konnectd.protocol.key_rotation import UNTOLD, Rules
from tests.support.files import let_others_enter
from tests.support.key_folders import MADE, installation
from tests.support.keys import p256_key

DAY = 86_400
LIFE = 30 * DAY
RULES = Rules(ahead=DAY, period=90 * DAY, token_life=LIFE)


class StepsCase(SynchronousTestCase):
    """An installation whose key has signed for long enough."""

    def setUp(self) -> None:
        """Make it."""
        self.place = installation(self, p256_key())
        self.now = MADE + 100 * DAY

    def rotated(self) -> list[Done]:
        """Do what is due."""
        with KeyChanges.begin(self.place.settings(signing_method="ES256"), self.now) as changes:
            return list(rotate(changes, RULES))

    def undone(self, done: Done) -> None:
        """Take a step back."""
        with KeyChanges.begin(self.place.settings(signing_method="ES256"), self.now) as changes:
            take_back(changes, done, RULES)


class RotateTests(StepsCase):
    """Steps in their order."""

    def test_each(self) -> None:
        """Each is told when it is done, with the key that it is about."""
        found = []
        for wait in (0, DAY, UNTOLD, LIFE):
            self.now += wait
            found += [(done.change, done.kid, done.instead_of) for done in self.rotated()]

        self.assertEqual(
            found,
            [
                (KeyChange.PUBLISHED, "2024-02-22", ""),
                (KeyChange.ACTIVATED, "2024-02-22", "2023"),
                (KeyChange.STRIPPED, "2023", ""),
                (KeyChange.RETIRED, "2023", ""),
            ],
        )

    def test_usable(self) -> None:
        """Of a new key it is told when it may sign."""
        (done,) = self.rotated()

        self.assertEqual(done.usable_at, self.now + DAY)

    def test_row_28_busy(self) -> None:
        """Two do not do it at once, and the second one can tell that from what is unsafe."""
        with KeyChanges.begin(self.place.settings(), self.now):
            self.assertRaises(BusyError, self.rotated)

    def test_not_root(self) -> None:
        """A daemon makes keys that are its own, although the first one may be root's and only readable to it."""
        if os.geteuid() != 0:
            raise SkipTest("only root can become somebody else")
        nobody = Owner.of("nobody")
        let_others_enter(self, self.place.root)
        key = self.place.keys / "2023.pem"
        os.chown(key, 0, nobody.gid)
        key.chmod(0o640)
        for path in (self.place.root, self.place.keys):
            os.chown(path, nobody.uid, nobody.gid)
        os.setegid(nobody.gid)
        os.seteuid(nobody.uid)
        try:
            (done,) = self.rotated()
        finally:
            os.seteuid(0)
            os.setegid(0)
        made = (self.place.keys / f"{done.kid}.pem").stat()

        self.assertEqual((made.st_uid, made.st_gid), (nobody.uid, nobody.gid))


class TakeBackTests(StepsCase):
    """Steps that could not count."""

    def test_published(self) -> None:
        """A key that nobody has seen goes, and all is as it was."""
        before = self.place.files
        (done,) = self.rotated()
        self.undone(done)

        self.assertEqual(self.place.files, before)

    def test_activated(self) -> None:
        """The old key signs again; the other one stays published, because somebody may have met its tokens."""
        self.rotated()
        self.now += DAY
        (done,) = self.rotated()
        self.undone(done)

        self.assertEqual(self.place.states(), {"2023": "active", "2024-02-22": "retired"})

    def test_others(self) -> None:
        """What has taken nothing that was in use is left."""
        before = self.place.files
        for change in (KeyChange.STRIPPED, KeyChange.RETIRED):
            self.undone(Done(change=change, kid="2023"))

        self.assertEqual(self.place.files, before)
