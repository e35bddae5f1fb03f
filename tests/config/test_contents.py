"""Tests of everything the settings name being read together."""

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.contents import Contents, read_contents
from konnectd.config.settings import load
from konnectd.option import ConfigErrors
from konnectd.protocol.scope import ScopeCatalog
from tests.config.test_keys import private_pem
from tests.support.files import folder, write
from tests.support.keys import p256_key, rsa_key

CLIENT = "clients: [{id: a, redirect_uris: ['https://a.example'], id_token_signed_response_alg: %s}]"


class ContentsTests(SynchronousTestCase):
    """What the files hold, or every fault of all of them."""

    def read(self, file: str, iss: str = "https://id.example.com") -> Contents:
        """Read what a configuration file names; warnings go to ``self.warnings``."""
        self.warnings: list[str] = []
        self.path = write(self, "k.conf", file)
        settings = load([f"--iss={iss}", f"--config={self.path}", "ldap"], {}, "tests.config.backends")
        return read_contents(settings, warn=self.warnings.append)

    def private(self, name: str, content: bytes) -> Path:
        """Write a file for nobody else."""
        path = write(self, name, content)
        path.chmod(0o600)
        return path

    def test_nothing_named(self) -> None:
        """Without files there are a random key, a random secret, no clients, the built-in scopes, and two warnings."""
        found = self.read("signing_method = RS256\nsigning_kid = x\n")

        self.assertEqual((found.keys.active.kid, found.keys.method), ("x", "RS256"))
        self.assertEqual((len(found.encryption_secret), found.registry.clients, found.scopes), (32, (), ScopeCatalog()))
        self.assertEqual(len(self.warnings), 2)

    def test_everything_named(self) -> None:
        """Each file is read; nothing is warned of."""
        rest = folder(self)
        (rest / "old.pem").write_bytes(private_pem(rsa_key(2)))
        found = self.read(
            f"signing_private_key = {self.private('a.pem', private_pem(rsa_key()))}"
            f" {self.private('b.pem', private_pem(p256_key()))}\n"
            f"validation_keys_path = {rest}\n"
            f"encryption_secret_key = {self.private('s', bytes(range(32)))}\n"
            f"identifier_registration_conf = {write(self, 'r.yaml', CLIENT % 'ES256')}\n"
            f"identifier_scopes_conf = {write(self, 's.yaml', 'scopes: {x: {}}')}\n"
        )

        self.assertEqual([key["kid"] for key in found.keys.jwks()["keys"]], ["a", "b", "old", "default"])  # type: ignore[attr-defined] # as written
        self.assertEqual(found.encryption_secret, bytes(range(32)))
        self.assertEqual([client.client_id for client in found.registry.clients], ["a"])
        self.assertEqual((found.scopes.supported, self.warnings), (("x",), []))

    def test_all_faults(self) -> None:
        """Faults of all files come together, each with the place of what named it, or of itself."""
        registration = write(self, "r.yaml", "\nclients: 5\n")
        error = self.assertRaises(
            ConfigErrors,
            self.read,
            "signing_private_key = nowhere.pem\nvalidation_keys_path = nowhere\nencryption_secret_key = nowhere\n"
            f"identifier_registration_conf = {registration}\nidentifier_scopes_conf = nowhere.yaml\n",
        )

        self.assertEqual(
            [fault.source for fault in error.faults],
            [f"{self.path}:1", f"{self.path}:2", f"{self.path}:3", f"{registration}:2", f"{self.path}:5"],
        )

    def test_client_nobody_can_sign_for(self) -> None:
        """A client that wants an algorithm without a key is told of."""
        registration = write(self, "r.yaml", CLIENT % "ES512")
        self.read(f"identifier_registration_conf = {registration}\n")

        self.assertIn("client a asks for ES512, but no key can sign that; it gets PS256", self.warnings)

    def test_readable_key(self) -> None:
        """A private key everybody may read is told of."""
        path = self.private("a.pem", private_pem(rsa_key()))
        path.chmod(0o644)
        self.read(f"signing_private_key = {path}\n")

        self.assertIn(f"{path} can be read by every user of this machine", self.warnings)

    def test_pairwise_salt(self) -> None:
        """The salt is read, given to the clients that need it, and not shown; who can read it is told of."""
        text = "clients: [{id: a, subject_type: pairwise, redirect_uris: [https://a.example/cb]}]"
        salt = b"0123456789abcdefghijklmnopqrstuv"
        path = self.private("salt", salt)
        path.chmod(0o644)
        found = self.read(f"pairwise_salt = {path}\nidentifier_registration_conf = {write(self, 'r.yaml', text)}\n")
        (client,) = found.registry.clients

        self.assertEqual((found.pairwise_salt, client.pairwise and client.pairwise.sector), (salt, "a.example"))
        self.assertNotIn("0123456789", repr(found))
        self.assertIn(f"{path} can be read by every user of this machine", self.warnings)

    def test_bad_pairwise_salt(self) -> None:
        """A salt that is not what it should be stops the start: people would get other names."""
        for content in (b"", b"x" * 31, bytes(32)):
            path = self.private("salt", content)
            error = self.assertRaises(ConfigErrors, self.read, f"pairwise_salt = {path}\n")
            with self.subTest(content=content):
                self.assertEqual([fault.option for fault in error.faults], ["pairwise_salt"])

    def test_issuer_on_this_machine(self) -> None:
        """With an http issuer, clients may be http as well."""
        file = f"identifier_registration_conf = {write(self, 'r.yaml', (CLIENT % 'PS256').replace('https', 'http'))}\n"

        self.assertEqual(len(self.read(file, "http://localhost:8777").registry.clients), 1)
        self.assertRaises(ConfigErrors, self.read, file)

    def test_secret_is_not_shown(self) -> None:
        """The representation does not have it."""
        secret = b"0123456789abcdefghijklmnopqrstuv"
        found = self.read(f"encryption_secret_key = {os.fspath(self.private('s', secret))}\n")

        self.assertNotIn("0123456789", repr(found))


class AgainTests(SynchronousTestCase):
    """Files that are read again while the daemon runs."""

    def read(self, *words: str, earlier: Contents | None = None) -> Contents:
        """Read."""
        settings = load(("--iss=https://id.example.com", "--signing-method=ES256", *words, "file"), {})
        return read_contents(settings, warn=self.warnings.append, earlier=earlier)

    def setUp(self) -> None:
        """Read once, with everything made up."""
        self.warnings: list[str] = []
        self.earlier = self.read()
        self.warnings.clear()

    def test_key_that_was_made_up(self) -> None:
        """It stays, so that tokens do."""
        self.assertIs(self.read(earlier=self.earlier).keys.active, self.earlier.keys.active)

    def test_secret_that_was_made_up(self) -> None:
        """So does the secret, so that people stay signed in."""
        self.assertEqual(self.read(earlier=self.earlier).encryption_secret, self.earlier.encryption_secret)

    def test_nothing_new_to_say(self) -> None:
        """Nobody is told again that they are made up."""
        self.read(earlier=self.earlier)

        self.assertEqual([text for text in self.warnings if "random" in text], [])

    def test_another_method(self) -> None:
        """A key that can not do what is wanted now gives way to one that can."""
        again = self.read("--signing-method=EdDSA", earlier=self.earlier)

        self.assertEqual((again.keys.method, again.made_up), ("EdDSA", True))

    def test_another_id(self) -> None:
        """So does one that shall be called otherwise."""
        self.assertEqual(self.read("--signing-kid=other", earlier=self.earlier).keys.active.kid, "other")

    def test_key_that_has_no_file_any_more(self) -> None:
        """A key that was in a file does not go on without it."""
        path = write(self, "k.pem", private_pem(p256_key()))
        earlier = self.read(f"--signing-private-key={path}")

        self.assertNotEqual(self.read(earlier=earlier).keys.active.kid, "k")
