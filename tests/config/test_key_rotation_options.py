"""What can be said about rotation."""

from konnectd.config.key_rotation_options import RotationSettings
from konnectd.config.key_settings import KeySettings, read_key_settings
from tests.config.cases import ISS, SettingsTestCase
from tests.support.files import write

DAY = 86_400


class OptionTests(SettingsTestCase):
    """The two options."""

    def test_off(self) -> None:
        """Who says nothing keeps their keys."""
        self.assertEqual(self.load(ISS, "ldap").rotation, RotationSettings(key_rotation=0, key_rotation_ahead=DAY))

    def test_file(self) -> None:
        """Spans are written as in units."""
        found = self.load(ISS, "ldap", file="key_rotation = 90d\nkey_rotation_ahead = 36h\n")

        self.assertEqual(found.rotation, RotationSettings(key_rotation=90 * DAY, key_rotation_ahead=DAY + DAY // 2))

    def test_row_28_too_short(self) -> None:
        """A key has to sign for longer than the next one takes until it may."""
        (fault,) = self.faults(ISS, "ldap", file="key_rotation = 24h\n")

        self.assertIn("k.conf:1: key_rotation: must be at least 90000 seconds", fault)

    def test_row_28_too_short_ahead(self) -> None:
        """Nobody can publish a key for shorter than others may keep the set of keys."""
        (fault,) = self.faults(ISS, "ldap", file="key_rotation_ahead = 5m\n")

        self.assertIn("must be at least 600 seconds", fault)

    def test_nonsense(self) -> None:
        """A span without a unit that is known is told."""
        (fault,) = self.faults(ISS, "ldap", file="key_rotation = monthly\n")

        self.assertIn("must be a span such as 90d", fault)

    def test_commands(self) -> None:
        """Commands and the daemon believe the same about keys, whichever of them reads it."""
        text = (
            "signing_private_key = /k/s.pem\nvalidation_keys_path = /k/keys\nkey_rotation = 90d\n"
            "refresh_token_expiration = 7200\nencryption_secret_key = /k/secret\n"
        )
        settings = self.load(ISS, "ldap", file=text)
        path = write(self, "keys.conf", text)

        self.assertEqual(read_key_settings((f"--config={path}",), {}), KeySettings.of(settings))
