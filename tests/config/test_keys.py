"""Tests of key files and of the cookie secret."""

import json
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config import keys
from konnectd.jose.export import to_private_jwk
from konnectd.jose.keys import PrivateKey, PublicKey
from konnectd.option import ConfigErrors
from tests.support.files import folder, write
from tests.support.keys import ed25519_key, p256_key, p384_key, rsa_key

PKCS8 = serialization.PrivateFormat.PKCS8
TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL
PARAMETERS = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


def private_pem(key: PrivateKey, form: serialization.PrivateFormat = PKCS8, passphrase: bytes = b"") -> bytes:
    """Write a private key as PEM."""
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.key.private_bytes(serialization.Encoding.PEM, form, encryption)


def public_pem(key: PrivateKey, form: str = "spki") -> bytes:
    """Write the public part of a key as PEM."""
    formats = {"spki": serialization.PublicFormat.SubjectPublicKeyInfo, "pkcs1": serialization.PublicFormat.PKCS1}
    return key.public.key.public_bytes(serialization.Encoding.PEM, formats[form])


class PrivateKeyTests(SynchronousTestCase):
    """Every form a private key comes in."""

    def test_forms(self) -> None:
        """PKCS#1, PKCS#8, SEC1 with and without its parameters, and JWK are read."""
        for name, content, key in (
            ("k.pem", private_pem(rsa_key(), TRADITIONAL), rsa_key()),
            ("k.pem", private_pem(rsa_key()), rsa_key()),
            ("k.key", b"Some words.\n" + private_pem(p256_key(), TRADITIONAL), p256_key()),
            ("k.pem", PARAMETERS + private_pem(p256_key(), TRADITIONAL), p256_key()),
            ("k.pem", private_pem(p384_key()).replace(b"\n", b"\r\n"), p384_key()),
            ("k.pem", private_pem(ed25519_key()), ed25519_key()),
            ("k.json", json.dumps({**to_private_jwk(p256_key()), "kid": "k"}).encode(), p256_key()),
        ):
            with self.subTest(content=content[:40]):
                found = keys.read_private_key(write(self, name, content))

                self.assertEqual((found.kid, found.thumbprint), ("k", key.thumbprint))

    def test_refused(self) -> None:
        """What can not sign says why, in words an operator can act on."""
        weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - weak on purpose
        foreign = ec.generate_private_key(ec.SECP256K1())
        old = dsa.generate_private_key(key_size=1024)  # noqa: S505 - weak on purpose
        plain = (serialization.Encoding.PEM, PKCS8, serialization.NoEncryption())
        for content, problem in (
            (weak.private_bytes(*plain), "at least 2048 bits"),
            (foreign.private_bytes(*plain), "curve secp256k1 is not supported"),
            (old.private_bytes(*plain), "no private key of a supported kind"),
            (private_pem(rsa_key(), passphrase=b"x"), "encrypted with a passphrase"),
            (private_pem(rsa_key(), TRADITIONAL, b"x"), "encrypted with a passphrase"),
            (public_pem(rsa_key()), "this is a public key"),
            (b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", "a PEM block of CERTIFICATE"),
            (b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n", "is damaged"),
            (PARAMETERS, "no PEM block with a key"),
            (b"", "no PEM block with a key"),
            (b"#" * 70_000, "which no key is"),
        ):
            with self.subTest(problem=problem):
                error = self.assertRaises(ValueError, keys.read_private_key, write(self, "k.pem", content))

                self.assertIn(problem, str(error))

    def test_bad_json(self) -> None:
        """A JSON file is one key and nothing else."""
        for content in (b"{", b"[]", b"\xff", b'{"keys": []}', b'{"kty": "oct", "k": "AA"}'):
            with self.subTest(content=content):
                self.assertRaises(ValueError, keys.read_private_key, write(self, "k.json", content))

    def test_missing(self) -> None:
        """A file that is not there, and a folder, say so."""
        for path in (Path("nowhere.pem"), folder(self)):
            with self.subTest(path=path):
                self.assertIn("can not be read", str(self.assertRaises(ValueError, keys.read_private_key, path)))


class KeyIdTests(SynchronousTestCase):
    """Where a key gets its id from."""

    def test_file_name(self) -> None:
        """A PEM file's name without its extension is the id."""
        self.assertEqual(keys.read_private_key(write(self, "a.b.pem", private_pem(p256_key()))).kid, "a.b")

    def test_jwk(self) -> None:
        """A JWK's own id comes before its file's name, and after one that is given."""
        path = write(self, "name.json", json.dumps({**to_private_jwk(p256_key()), "kid": "own"}))

        self.assertEqual((keys.read_private_key(path).kid, keys.read_private_key(path, "x").kid), ("own", "x"))

    def test_link(self) -> None:
        """A symbolic link gives way to what it points to, one level deep; rotation is moving that link."""
        place = folder(self)
        (place / "real.pem").write_bytes(private_pem(p256_key()))
        (place / "second.pem").symlink_to("real.pem")
        (place / "first.pem").symlink_to("second.pem")

        self.assertEqual(keys.read_private_key(place / "second.pem").kid, "real")
        self.assertEqual(keys.read_private_key(place / "first.pem").kid, "second")
        self.assertEqual(keys.read_public_key(place / "second.pem").kid, "second")


class SigningKeysTests(SynchronousTestCase):
    """The list of signing keys."""

    def paths(self, *named: tuple[str, PrivateKey]) -> list[Path]:
        """Write keys into one folder each."""
        return [write(self, name, private_pem(key)) for name, key in named]

    def faults(self, paths: Iterable[Path], kid: str = "", method: str = "ES256") -> list[str]:
        """Return the faults of a list of signing keys."""
        error = self.assertRaises(ConfigErrors, keys.load_signing_keys, paths, kid, method)
        return [f"{fault.option}: {fault.problem}" for fault in error.faults]

    def test_order(self) -> None:
        """The order of the list is kept; a key that is listed twice counts where it stood first."""
        paths = self.paths(("a.pem", p256_key()), ("b.pem", rsa_key()))
        found = keys.load_signing_keys([*paths, paths[0]], "", "ES256")

        self.assertEqual([key.kid for key in found], ["a", "b"])

    def test_signing_kid(self) -> None:
        """The id that is given is the first key's; the others keep theirs."""
        paths = self.paths(("a.pem", p256_key()), ("b.pem", rsa_key()))
        found = keys.load_signing_keys(paths, "mine", "ES256")

        self.assertEqual([key.kid for key in found], ["mine", "b"])

    def test_method_does_not_fit(self) -> None:
        """The first key has to fit, curve and all, whatever the others could do."""
        p384_first = self.paths(("a.pem", p384_key()), ("b.pem", p256_key()))

        (fault,) = self.faults(p384_first, method="ES256")
        self.assertTrue(fault.startswith("signing_method: no signing key fits ES256: a (P-384) can do ES384"))
        self.assertEqual(len(self.faults(self.paths(("a.pem", p256_key())), method="PS256")), 1)

    def test_all_at_once(self) -> None:
        """Every file that can not be used is told, and so is an id that two keys have."""
        paths = [
            Path("nowhere.pem"),
            write(self, "x.pem", "nothing"),
            *self.paths(("a.pem", p256_key(1)), ("a.pem", p256_key(2))),
        ]
        found = self.faults(paths)

        self.assertEqual(len(found), 3)
        self.assertIn("another key has the key id a already", found[2])


class ValidationKeysTests(SynchronousTestCase):
    """The folder of keys that still count."""

    def setUp(self) -> None:
        """Make an empty folder."""
        self.place = folder(self)
        self.warnings: list[str] = []

    def load(self) -> tuple[PublicKey, ...]:
        """Read the folder."""
        return keys.load_validation_keys(self.place, warn=self.warnings.append)

    def test_order(self) -> None:
        """PEM files come before JSON files, each by name; other files and folders below do not count."""
        (self.place / "b.pem").write_bytes(public_pem(rsa_key(), "pkcs1"))
        (self.place / "c.pem").write_bytes(private_pem(p256_key()))
        (self.place / "a.json").write_text(json.dumps({**p384_key().public.to_jwk(), "kid": "own"}))
        (self.place / "d.txt").write_text("x")
        (self.place / "sub").mkdir()
        found = self.load()

        self.assertEqual([key.kid for key in found], ["b", "c", "own"])
        self.assertEqual(found[1].thumbprint, p256_key().thumbprint)
        self.assertEqual(self.warnings, [])

    def test_left_out(self) -> None:
        """A file that is no key, and a key whose id another has, are told and left out."""
        (self.place / "a.pem").write_text("nothing")
        (self.place / "b.pem").write_bytes(public_pem(p256_key()))
        (self.place / "c.json").write_text(json.dumps({**rsa_key().public.to_jwk(), "kid": "b"}))
        (self.place / "d.pem").mkdir()
        found = self.load()

        self.assertEqual([(key.kid, key.kty) for key in found], [("b", "EC")])
        self.assertEqual(len(self.warnings), 3)

    def test_no_folder(self) -> None:
        """The folder has to be there."""
        self.assertRaises(ConfigErrors, keys.load_validation_keys, Path("nowhere"), warn=self.warnings.append)


class RingTests(SynchronousTestCase):
    """Keys put together."""

    def setUp(self) -> None:
        """Listen to warnings."""
        self.warnings: list[str] = []

    def test_signing_key_stays(self) -> None:
        """A validation key with the id of a different signing key is left out; the same key is no news."""
        other = PublicKey(rsa_key().kid, rsa_key(2).public.key)
        ring = keys.build_ring((rsa_key(),), (other, rsa_key().public), "PS256", warn=self.warnings.append)

        self.assertEqual(ring.validation, (rsa_key().public,))
        self.assertEqual(len(self.warnings), 1)

    def test_no_rsa(self) -> None:
        """Some clients know nothing but RSA."""
        keys.build_ring((p256_key(),), (), "ES256", warn=self.warnings.append)

        self.assertIn("no RSA key", self.warnings[0])

    def test_random(self) -> None:
        """A random key fits the method, has the id that is wanted, and is warned of."""
        key = keys.random_signing_key("ES384", "mine", warn=self.warnings.append)
        nameless = keys.random_signing_key("EdDSA", "", warn=self.warnings.append)

        self.assertEqual((key.kid, key.algorithms), ("mine", ("ES384",)))
        self.assertEqual(nameless.kid, nameless.thumbprint)
        self.assertEqual(len(self.warnings), 2)


class SecretTests(SynchronousTestCase):
    """The secret that protects cookies."""

    def setUp(self) -> None:
        """Listen to warnings."""
        self.warnings: list[str] = []

    def load(self, path: Path | None) -> bytes:
        """Read a secret."""
        return keys.load_encryption_secret(path, warn=self.warnings.append)

    def test_file(self) -> None:
        """Exactly 32 bytes are taken as they are, even if some look like blanks."""
        secret = bytes(range(31)) + b"\n"

        self.assertEqual(self.load(write(self, "s", secret)), secret)

    def test_wrong(self) -> None:
        """The message says what happened to the secret, without repeating it."""
        digits = "0123456789abcdef" * 4
        for content, problem in (
            (b"x" * 16, "it has 16"),
            (b"0123456789abcdef" * 2 + b"\n", "a line break at its end"),
            (digits.encode(), "hexadecimal"),
            (digits.encode() + b"\n", "hexadecimal"),
            (b"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n", "base64"),
            (bytes(32), "one byte repeated"),
            (b"", "it has 0"),
        ):
            with self.subTest(problem=problem):
                error = self.assertRaises(ConfigErrors, self.load, write(self, "s", content))

                self.assertIn(problem, str(error))
                self.assertNotIn("0123456789", str(error))

    def test_random(self) -> None:
        """Without a file each start has another secret, which is warned of."""
        self.assertNotEqual(self.load(None), self.load(None))
        self.assertEqual(len(self.warnings), 2)
        self.assertRaises(ConfigErrors, self.load, Path("nowhere"))

    def test_open_to_others(self) -> None:
        """A file every user of the machine may read is noticed."""
        path = write(self, "s", b"x")
        path.chmod(0o644)
        readable = keys.is_open_to_others(path)
        path.chmod(0o640)

        self.assertEqual((readable, keys.is_open_to_others(path)), (True, False))
        self.assertFalse(keys.is_open_to_others(Path("nowhere")))
