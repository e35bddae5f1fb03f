"""Changing the signing keys: what is refused, what is there afterwards, and what a crash leaves behind."""

import json
import os
import stat
from collections.abc import Callable
from typing import TypeVar

from attrs import evolve
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from konnectd.config.key_changes import KeyChanges, RefusedError
from konnectd.config.key_settings import KeySettings
from konnectd.config.keys import load_signing_keys, load_validation_keys
from konnectd.config.safe_folder import UnsafeError
from konnectd.jose.export import to_private_jwk
from konnectd.jose.keys import PrivateKey
from konnectd.protocol.key_rotation import Rules
from tests.support.key_folders import MADE, YEAR, installation
from tests.support.keys import ed25519_key, p256_key, rsa_key
from tests.support.killing import killed_before

DAY = 86_400
RULES = Rules(ahead=DAY, token_life=3 * YEAR)
Made = TypeVar("Made")


class ChangesCase(SynchronousTestCase):
    """An installation with a key on P-256, which is quick to make."""

    def setUp(self) -> None:
        """Make it."""
        self.place = installation(self, p256_key())
        self.now = MADE + 100 * DAY

    def settings(self) -> KeySettings:
        """Return what names it."""
        return self.place.settings(signing_method="ES256")

    def changed(self, change: Callable[[KeyChanges], Made], settings: KeySettings | None = None) -> Made:
        """Change something."""
        with KeyChanges.begin(settings or self.settings(), self.now) as changes:
            return change(changes)

    def refused(self, change: Callable[[KeyChanges], object], settings: KeySettings | None = None) -> str:
        """Return why something is not changed, and see that nothing was."""
        before = self.place.files
        error = self.assertRaises(RefusedError, self.changed, change, settings)
        self.assertEqual(self.place.files, before)
        return str(error)

    def published(self, key: PrivateKey | None = None) -> None:
        """Publish a second key, and let some days pass."""
        self.place.add("2024", key or p256_key(2), at=self.now)
        self.now += 10 * DAY

    def works(self) -> bool:
        """Whether the daemon could start, and every key that was ever active is believed."""
        signing = load_signing_keys((self.place.link,), "", "ES256")
        kids = {key.kid for key in load_validation_keys(self.place.keys, warn=self.fail)}
        return {"2023", signing[0].kid} <= kids


class NewTests(ChangesCase):
    """Keys that are made."""

    def test_name_is_the_date(self) -> None:
        """It is called by the day, of the kind of the one that signs, and as private as that."""
        key, made = self.changed(lambda changes: changes.new())

        self.assertEqual((key.dated.kid, key.dated.kind, made), ("2024-02-22", "P-256", True))
        self.assertEqual(stat.S_IMODE(key.path.stat().st_mode), 0o600)
        self.assertEqual(self.place.states(), {"2023": "active", "2024-02-22": "published"})

    def test_again(self) -> None:
        """One that waits is enough."""
        first, _ = self.changed(lambda changes: changes.new())
        second, made = self.changed(lambda changes: changes.new())

        self.assertEqual((second.dated.kid, made), (first.dated.kid, False))

    def test_second_of_a_day(self) -> None:
        """A name that is taken is not taken again."""
        self.changed(lambda changes: changes.new())
        self.changed(lambda changes: changes.activate("2024-02-22", RULES, force=True))
        key, made = self.changed(lambda changes: changes.new())

        self.assertEqual((key.dated.kid, made), ("2024-02-22-2", True))

    def test_by_name(self) -> None:
        """A name of one's own is made once."""
        found = [self.changed(lambda changes: changes.new("mine"))[1] for _ in range(2)]

        self.assertEqual((found, self.place.states()["mine"]), ([True, False], "published"))

    def test_row_28_bad_names(self) -> None:
        """Nothing is written outside of the folder, or hidden in it."""
        for name in ("../x", "a/b", ".x", "-x", "a b", "x" * 300):
            with self.subTest(name=name):
                self.refused(lambda changes, name=name: changes.new(name))  # type: ignore[misc] # a default

    def test_row_28_name_of_another_kind(self) -> None:
        """A key that is there stays as it is."""
        self.place.add("mine", ed25519_key())

        self.assertIn("is no private key for ES256", self.refused(lambda changes: changes.new("mine")))

    def test_row_28_readable_by_the_group(self) -> None:
        """Where the group reads the key that signs, it reads the next one too; everybody never."""
        (self.place.keys / "2023.pem").chmod(0o644)
        key, _ = self.changed(lambda changes: changes.new())

        self.assertEqual(stat.S_IMODE(key.path.stat().st_mode), 0o640)

    def test_owner(self) -> None:
        """A key that root makes belongs to whom the last one belongs."""
        if os.geteuid() != 0:
            raise SkipTest("only root can give files away")
        os.chown(self.place.keys / "2023.pem", 65_533, 65_533)
        key, _ = self.changed(lambda changes: changes.new())

        self.assertEqual((key.path.stat().st_uid, key.path.stat().st_gid), (65_533, 65_533))

    def test_no_link(self) -> None:
        """A key that is a file is not rotated; the way to the link is told."""
        settings = evolve(self.settings(), signing_private_key=(self.place.keys / "2023.pem",))

        self.assertIn("no symbolic link", self.refused(lambda changes: changes.new(), settings))

    def test_json(self) -> None:
        """A key that is a JSON Web Key has no successor that could be read through the same link."""
        key = p256_key()
        (self.place.keys / "j.json").write_text(json.dumps({**to_private_jwk(key), "kid": "j"}))
        link = self.place.root / "signing.json"
        link.symlink_to("keys/j.json")
        settings = evolve(self.settings(), signing_private_key=(link,))

        self.assertIn("JSON Web Key", self.refused(lambda changes: changes.new(), settings))

    def test_nothing_configured(self) -> None:
        """Without a folder there is nothing to change."""
        settings = evolve(self.settings(), validation_keys_path=None)

        self.assertIn("konnectd setup", self.refused(lambda changes: changes.new(), settings))

    def test_unsafe(self) -> None:
        """Where everybody may write, no key is made."""
        self.place.keys.chmod(0o777)

        self.assertRaises(UnsafeError, self.changed, lambda changes: changes.new())
        self.assertEqual(self.place.names, ["2023.pem"])


class ActivateTests(ChangesCase):
    """The key that signs."""

    def test_takes_the_place(self) -> None:
        """The link leads to the new key, and the old one stays published."""
        self.published()
        before = self.changed(lambda changes: changes.activate("2024", RULES))

        self.assertEqual((before and before.dated.kid, self.place.target), ("2023", "keys/2024.pem"))
        self.assertEqual(self.place.states(), {"2024": "active", "2023": "retired"})

    def test_dates(self) -> None:
        """It is known from then on what happened when."""
        self.published()
        self.changed(lambda changes: changes.activate("2024", RULES))
        old, new = self.place.read().find("2023"), self.place.read().find("2024")

        self.assertEqual(
            old and (old.dated.active_at, old.dated.replaced_at, old.dated.certain), (MADE, self.now, True)
        )
        self.assertEqual(new and (new.dated.published_at, new.dated.active_at), (self.now - 10 * DAY, self.now))

    def test_again(self) -> None:
        """What signs already is left alone."""
        before = self.place.files

        self.assertIsNone(self.changed(lambda changes: changes.activate("2023", RULES)))
        self.assertEqual(self.place.files, before)

    def test_back(self) -> None:
        """It can be taken back, because the old key was published all the time."""
        self.published()
        self.changed(lambda changes: changes.activate("2024", RULES))
        self.now += 60
        self.changed(lambda changes: changes.activate("2023", RULES))

        self.assertEqual(self.place.states(), {"2023": "active", "2024": "retired"})

    def test_row_28_too_early(self) -> None:
        """Clients that have kept the key set would not know it."""
        self.published()
        self.now -= 10 * DAY - DAY + 1

        self.assertIn("too short", self.refused(lambda changes: changes.activate("2024", RULES)))

    def test_forced(self) -> None:
        """Who knows better may."""
        self.published()
        self.now -= 10 * DAY
        self.changed(lambda changes: changes.activate("2024", RULES, force=True))

        self.assertEqual(self.place.target, "keys/2024.pem")

    def test_absolute_link(self) -> None:
        """The link stays of the form it has."""
        self.published()
        self.place.link.unlink()
        self.place.link.symlink_to(self.place.keys / "2023.pem")
        self.changed(lambda changes: changes.activate("2024", RULES))

        self.assertEqual(self.place.target, str(self.place.keys / "2024.pem"))

    def test_each_kind_by_itself(self) -> None:
        """Where keys of two kinds sign, each has a link of its own, and a new key takes the place of its kind."""
        self.place.add("ed", ed25519_key())
        second = self.place.root / "second.pem"
        second.symlink_to("keys/ed.pem")
        settings = evolve(self.settings(), signing_private_key=(self.place.link, second))
        key, _ = self.changed(lambda changes: changes.new(method="EdDSA"), settings)
        self.changed(lambda changes: changes.activate(key.dated.kid, RULES, force=True), settings)

        self.assertEqual(
            (key.dated.kind, self.place.target, str(second.readlink())),
            ("Ed25519", "keys/2023.pem", f"keys/{key.dated.kid}.pem"),
        )

    def test_refused(self) -> None:
        """A key that could not sign here does not."""
        self.published()
        self.place.add("p", p256_key(3), public=True)
        self.place.add("r", rsa_key())
        (self.place.keys / "broken.pem").write_text("x")
        self.now += 10 * DAY
        for kid, why in (
            ("nobody", "there is no key nobody"),
            ("broken", "there is no key broken"),
            ("p", "only the public half"),
            ("r", "no key of the kind of r (RSA)"),
        ):
            with self.subTest(kid=kid):
                self.assertIn(why, self.refused(lambda changes, kid=kid: changes.activate(kid, RULES)))  # type: ignore[misc] # a default

    def test_row_28_signing_kid(self) -> None:
        """Two keys never have one id."""
        self.published()
        settings = evolve(self.settings(), signing_kid="x")

        self.assertIn("signing_kid", self.refused(lambda changes: changes.activate("2024", RULES), settings))

    def test_row_28_method(self) -> None:
        """The daemon could not start with a key that does not fit its method."""
        self.published()
        settings = evolve(self.settings(), signing_method="ES384")

        self.assertIn("ES384", self.refused(lambda changes: changes.activate("2024", RULES), settings))


class RetireTests(ChangesCase):
    """Keys that go."""

    def replaced(self) -> None:
        """Let another key take the place."""
        self.published()
        self.changed(lambda changes: changes.activate("2024", RULES))

    def test_after_the_longest_life(self) -> None:
        """When no token can be about any more, nothing is left of it."""
        self.replaced()
        self.now += 3 * YEAR + DAY
        self.changed(lambda changes: changes.retire("2023", RULES))

        self.assertEqual(self.place.names, ["2024.dates", "2024.pem"])

    def test_row_28_too_early(self) -> None:
        """Refresh tokens would be refused."""
        self.replaced()
        self.now += 3 * YEAR + DAY - 1

        self.assertIn("2023 has signed", self.refused(lambda changes: changes.retire("2023", RULES)))

    def test_forced(self) -> None:
        """A stolen key goes at once."""
        self.replaced()
        self.changed(lambda changes: changes.retire("2023", RULES, force=True))

        self.assertEqual(self.place.states(), {"2024": "active"})

    def test_never_used(self) -> None:
        """A key that has signed nothing may go."""
        self.published()
        self.changed(lambda changes: changes.retire("2024", RULES))

        self.assertEqual(self.place.states(), {"2023": "active"})

    def test_row_28_active(self) -> None:
        """The key that signs stays, whatever is said."""
        self.assertIn("2023 signs", self.refused(lambda changes: changes.retire("2023", RULES, force=True)))

    def test_row_28_registered_clients(self) -> None:
        """Ids of clients that registered themselves are signed, and have no end."""
        self.replaced()
        self.now += 50 * YEAR
        rules = Rules(token_life=None)

        self.assertIn("registered themselves", self.refused(lambda changes: changes.retire("2023", rules)))

    def test_strip(self) -> None:
        """The public half is enough to believe a key."""
        self.replaced()
        before = self.place.read().find("2023")
        self.changed(lambda changes: changes.keep_public("2023"))
        after = self.place.read().find("2023")

        self.assertEqual((after and after.private, after and after.public), (None, before and before.public))
        self.assertNotIn(b"PRIVATE", (self.place.keys / "2023.pem").read_bytes())

    def test_row_28_strip_others(self) -> None:
        """A key that signs or waits keeps its private half."""
        self.published()
        for kid in ("2023", "2024"):
            with self.subTest(kid=kid):
                self.refused(lambda changes, kid=kid: changes.keep_public(kid))  # type: ignore[misc] # a default


class CrashTests(ChangesCase):
    """A command is killed in the middle of a change."""

    def killed_everywhere(self, change: Callable[[KeyChanges], object], ready: Callable[[], bool]) -> int:
        """Kill it before each step in turn, see that all works, and repeat it; return how many steps there are."""
        for step in range(200):
            self.setUp()
            self.published()
            killed = killed_before(step, lambda: self.changed(change))
            self.assertTrue(self.works())
            if not killed:
                return step
            self.changed(change)
            self.assertTrue(self.works() and ready())
        raise AssertionError("there is no end")

    def test_activate(self) -> None:
        """Whenever that is, the daemon can start, and repeating it brings it to its end."""
        steps = self.killed_everywhere(
            lambda changes: changes.activate("2024", RULES),
            lambda: self.place.states() == {"2024": "active", "2023": "retired"},
        )

        self.assertGreater(steps, 10)

    def test_new(self) -> None:
        """Half a key is never seen, and nothing is left of it."""
        steps = self.killed_everywhere(
            lambda changes: changes.new("mine"),
            lambda: (
                {name for name in self.place.names if name.endswith((".new", ".pem"))}
                == {"2023.pem", "2024.pem", "mine.pem"}
            ),
        )

        self.assertGreater(steps, 5)

    def test_retire(self) -> None:
        """A key is there or it is not."""
        steps = self.killed_everywhere(
            lambda changes: changes.retire("2024", RULES, force=True) if changes.read().find("2024") else None,
            lambda: self.place.states() == {"2023": "active"},
        )

        self.assertGreater(steps, 1)
