"""Which keys there are, which of them signs, and since when: read from plain files and links."""

import os

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.key_folder import Dates, read_folder
from konnectd.config.keys import load_signing_keys
from konnectd.config.read_keys import ReadKeys
from tests.support.files import folder, write
from tests.support.key_folders import MADE, installation
from tests.support.keys import ed25519_key, key_for, p256_key

DAY = 86_400


class DatesTests(SynchronousTestCase):
    """What is written about a key."""

    def test_round_trip(self) -> None:
        """What was written is read."""
        for dates in (Dates(), Dates(published=MADE), Dates(published=MADE, activated=MADE + 1, replaced=MADE + 2)):
            with self.subTest(dates=dates):
                self.assertEqual(Dates.parse(dates.to_text()), dates)

    def test_nonsense(self) -> None:
        """What makes no sense says nothing, and does not hide the rest."""
        text = "hello\npublished = 2023-02-30T00:00:00Z\nreplaced = soon\nactivated = 2023-11-14T22:13:20Z\n"

        self.assertEqual(Dates.parse(text), Dates(activated=MADE))


class LayoutTests(SynchronousTestCase):
    """Keys as they lie there."""

    def setUp(self) -> None:
        """Make an installation of Konnect's."""
        self.place = installation(self, p256_key())

    def test_konnect(self) -> None:
        """The key behind the link signs, since the link was made."""
        (key,) = self.place.read().keys

        self.assertEqual((key.dated.kid, key.dated.active, key.dated.since), ("2023", True, MADE))

    def test_known(self) -> None:
        """A key that the daemon has read, behind the link and in the folder, need not be understood again."""
        known = ReadKeys()
        (before,) = load_signing_keys((self.place.link,), "", "ES256", known)
        (key,) = read_folder((self.place.link,), self.place.keys, known=ReadKeys(known)).keys

        self.assertIs(key.private, before)

    def test_dropped_in(self) -> None:
        """A key that came after the link was made waits for its turn."""
        self.place.add("2024", p256_key(2), at=MADE + DAY)
        key = self.place.read().find("2024")

        self.assertEqual((self.place.states()["2024"], key and key.dated.published_at), ("published", MADE + DAY))

    def test_older_than_the_link(self) -> None:
        """A key without dates that is older than the link may have signed until the link was made; nobody is sure."""
        self.place.add("2022", p256_key(2), at=MADE - DAY)
        key = self.place.read().find("2022")

        self.assertEqual(
            key and (key.dated.state.value, key.dated.replaced_at, key.dated.certain), ("retired", MADE, False)
        )

    def test_dates_count(self) -> None:
        """What is written goes before what the files say."""
        path = self.place.add("2022", p256_key(2), at=MADE + DAY)
        dates = Dates(published=MADE - 9, activated=MADE - 5, replaced=MADE - 1)
        path.with_suffix(".dates").write_text(dates.to_text())
        key = self.place.read().find("2022")

        self.assertEqual(
            key and (key.dated.published_at, key.dated.active_at, key.dated.replaced_at, key.dated.certain),
            (MADE - 9, MADE - 5, MADE - 1, True),
        )

    def test_crash_after_the_link(self) -> None:
        """A key that has signed and does not, without a word about its end, has ended when the link was moved."""
        path = self.place.keys / "2023.dates"
        path.write_text(Dates(published=MADE, activated=MADE).to_text())
        self.place.add("2024", p256_key(2), at=MADE + DAY)
        self.place.lead_to("2024", at=MADE + 9 * DAY)
        key = self.place.read().find("2023")

        self.assertEqual(key and (key.dated.state.value, key.dated.replaced_at), ("retired", MADE + 9 * DAY))

    def test_signs_again(self) -> None:
        """A key that was replaced and signs again signs since the link was moved."""
        dates = Dates(published=MADE - 9, activated=MADE - 5, replaced=MADE - 1)
        (self.place.keys / "2023.dates").write_text(dates.to_text())
        (key,) = self.place.read().keys

        self.assertEqual((key.dated.state.value, key.dated.since), ("active", MADE))

    def test_public_half(self) -> None:
        """A key of which there is only the public half is told apart."""
        self.place.add("2022", p256_key(2), public=True)
        key = self.place.read().find("2022")

        self.assertEqual(key and (key.private, key.dated.private), (None, False))

    def test_broken_files(self) -> None:
        """What is no key is told, and hides nothing."""
        (self.place.keys / "a.pem").write_text("x")
        (self.place.keys / "b.pem").symlink_to("b.pem")
        (self.place.keys / "c.pem").mkdir()
        os.mkfifo(self.place.keys / "d.pem")
        found = self.place.read()

        self.assertEqual([path.name for path in found.faults], ["a.pem", "b.pem", "c.pem", "d.pem"])
        self.assertEqual([key.dated.kid for key in found.keys], ["2023"])

    def test_no_folder(self) -> None:
        """A folder that is not there is a fault, and no exception."""
        found = read_folder((), self.place.root / "nowhere")

        self.assertEqual(list(found.faults), [self.place.root / "nowhere"])

    def test_link_over_a_link(self) -> None:
        """A link to the folder by another name leads there all the same."""
        (self.place.root / "other").symlink_to("keys")
        self.place.link.unlink()
        self.place.link.symlink_to("other/2023.pem")

        self.assertEqual([link.name for link in self.place.read().links], ["2023.pem"])

    def test_link_elsewhere(self) -> None:
        """A link to another folder is a file like any other, which nobody moves."""
        elsewhere = write(self, "2020.pem", (self.place.keys / "2023.pem").read_bytes())
        self.place.link.unlink()
        self.place.link.symlink_to(elsewhere)
        found = self.place.read()

        self.assertEqual((found.links, found.keys[0].dated.kid, found.keys[0].dated.active), ((), "2020", True))


class ListTests(SynchronousTestCase):
    """Keys that are listed one by one."""

    def test_first_of_its_kind_signs(self) -> None:
        """Of each kind the first one signs; the others wait."""
        place = installation(self, p256_key())
        paths = [
            place.add("a", p256_key()),
            place.add("b", p256_key(2)),
            place.add("c", ed25519_key()),
        ]
        found = read_folder(paths, None)

        self.assertEqual(
            [(key.dated.kid, key.dated.active) for key in found.keys], [("a", True), ("c", True), ("b", False)]
        )

    def test_listed_and_in_the_folder(self) -> None:
        """A key that is named by its file in the folder is one key, and signs."""
        place = installation(self, p256_key())
        found = read_folder([place.keys / "2023.pem"], place.keys)

        self.assertEqual([(key.dated.kid, key.dated.active) for key in found.keys], [("2023", True)])

    def test_signing_kid(self) -> None:
        """The first one is called as the settings say."""
        place = installation(self, key_for("ES256"))

        self.assertEqual(read_folder([place.keys / "2023.pem"], None, "x").keys[0].dated.kid, "x")

    def test_faults(self) -> None:
        """A file that is not there, and a public key, can not sign."""
        place = installation(self, p256_key())
        public = place.add("p", p256_key(), public=True)
        nowhere = folder(self) / "n.pem"

        self.assertEqual(set(read_folder([public, nowhere], None).faults), {public, nowhere})
