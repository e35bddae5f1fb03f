"""What Konnect's launcher found beside its configuration file."""

from pathlib import Path

from konnectd.config.key_settings import read_key_settings
from konnectd.config.settings import Settings, load
from tests.config.cases import BACKENDS, SettingsTestCase
from tests.support.files import folder

KEY, SECRET = "konnectd-signing-private-key.pem", "konnectd-encryption-secret.key"
CLIENTS, SCOPES = "konnectd-identifier-registration.yaml", "konnectd-identifier-scopes.yaml"


class LauncherTests(SettingsTestCase):
    """A configuration file by the name that it has with Konnect."""

    def setUp(self) -> None:
        """Have a folder with everything in it that the launcher looked for."""
        self.where = folder(self)
        for name in (KEY, SECRET, CLIENTS, SCOPES):
            (self.where / name).write_text("x")
        (self.where / "konnectkeys").mkdir()

    def read(self, *words: str, text: str = "", name: str = "konnectd.cfg") -> Settings:
        """Read settings with a configuration file in the folder."""
        path = self.where / name
        path.write_text(text)
        return load((f"--config={path}", *words), {}, BACKENDS)

    def test_says_nothing(self) -> None:
        """A file without a word starts as with Konnect: with what is beside it, and its two defaults."""
        found = self.read()

        self.assertEqual((found.iss, found.backend), ("https://localhost", "kc"))
        self.assertEqual(found.backend_options["kc_server_uri"], "file:///run/kopano/server.sock")
        self.assertEqual(found.signing_private_key, (self.where / KEY,))
        self.assertEqual(found.validation_keys_path, self.where / "konnectkeys")
        self.assertEqual(found.encryption_secret, self.where / SECRET)
        self.assertEqual(found.identifier_registration_conf, self.where / CLIENTS)
        self.assertEqual(found.identifier_scopes_conf, self.where / SCOPES)

    def test_where_from(self) -> None:
        """Whoever asks is told that it was left out."""
        self.assertEqual(self.read().sources["encryption_secret"], f"left out in {self.where / 'konnectd.cfg'}")

    def test_says_something(self) -> None:
        """What the file says counts, also about users elsewhere."""
        found = self.read(
            text="identity_manager = ldap\nsigning_private_key = /x.pem\noidc_issuer_identifier = https://y\n"
        )

        self.assertEqual(
            (found.iss, found.backend, found.signing_private_key), ("https://y", "ldap", (Path("/x.pem"),))
        )

    def test_is_not_there(self) -> None:
        """What is not there is not looked for any further: keys are random then, as with Konnect."""
        (self.where / KEY).unlink()
        (self.where / "konnectkeys").rmdir()
        found = self.read()

        self.assertEqual((found.signing_private_key, found.validation_keys_path), ((), None))

    def test_leads_nowhere(self) -> None:
        """A link to a key that is gone is no reason to go on without one."""
        (self.where / KEY).unlink()
        (self.where / KEY).symlink_to("konnectkeys/gone.pem")

        self.assertEqual(self.read().signing_private_key, (self.where / KEY,))

    def test_other_name(self) -> None:
        """A file of any other name has what it says, and nothing else."""
        found = self.read("--iss=https://y", "ldap", name="konnectd.conf")

        self.assertEqual((found.signing_private_key, found.encryption_secret), ((), None))

    def test_lico(self) -> None:
        """The launcher of lico found the same things under other names; who knows its users has to be said."""
        for name in ("signing-private-key.pem", "encryption-secret.key"):
            (self.where / name).write_text("x")
        found = self.read("--iss=https://y", "ldap", name="licod.cfg")

        self.assertEqual(found.signing_private_key, (self.where / "signing-private-key.pem",))
        self.assertEqual(found.encryption_secret, self.where / "encryption-secret.key")
        self.assertEqual(found.identifier_registration_conf, None)

    def test_commands_about_keys(self) -> None:
        """They work on the same files; who is to make them is told where, before they are there."""
        config = f"--config={self.where / 'konnectd.cfg'}"
        self.read()
        there = read_key_settings((config,), {})
        for name in (KEY, SECRET):
            (self.where / name).unlink()
        gone, to_make = read_key_settings((config,), {}), read_key_settings((config,), {}, to_make=True)

        self.assertEqual(
            [(found.signing_private_key, found.encryption_secret) for found in (there, gone, to_make)],
            [((self.where / KEY,), self.where / SECRET), ((), None), ((self.where / KEY,), self.where / SECRET)],
        )
