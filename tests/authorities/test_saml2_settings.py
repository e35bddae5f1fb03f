"""The keys of an entry of the kind ``saml2``."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities._saml2_settings import Saml2Settings, read
from konnectd.authority_entry import AuthorityEntry
from konnectd.config import yamlfile
from konnectd.option import ConfigError
from tests.support.files import write
from tests.support.saml_provider import SamlKey, metadata_of, saml_key

GOOD = "metadata_endpoint: 'https://idp.example.net/metadata.xml'"
LONG = "x" * 1025


class SettingsTests(SynchronousTestCase):
    """What an entry says."""

    def read(self, lines: str) -> Saml2Settings:
        """Read an entry; faults go to ``self.faults``."""
        faults: list[ConfigError] = []
        table = yamlfile.read(write(self, "r.yaml", f"{{{lines}}}"), "x", faults)
        found = read(table, AuthorityEntry(authority_id="a", name="a", kind="saml2"))
        self.faults = [f"{fault.option}: {fault.problem}" for fault in faults]
        self.left = [item.text for item in table.unknown()]
        return found

    def fault(self, lines: str) -> str:
        """Return the one fault of an entry."""
        self.read(lines)
        (fault,) = self.faults
        return fault

    def file(self, content: bytes | str) -> str:
        """Write a file and return where it is."""
        path = Path(self.mktemp())
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path.resolve())

    def key(self, key: SamlKey, encryption: KeySerializationEncryption | None = None) -> str:
        """Write a private key."""
        return self.file(key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()))

    def certificate(self, key: SamlKey) -> str:
        """Write a certificate."""
        return self.file(key.certificate.public_bytes(Encoding.PEM))

    def test_of_konnect(self) -> None:
        """What works with Konnect works here."""
        found = self.read(f"discover: yes, entity_id: 'https://id.example.org/x', {GOOD}")

        self.assertEqual((self.faults, self.left), ([], []))
        self.assertEqual((found.entity_id, found.key(), found.pinned()), ("https://id.example.org/x", None, ()))

    def test_every_key(self) -> None:
        """Keys, certificates and metadata come from files."""
        key = saml_key()
        found = self.read(
            f"metadata_file: {self.file(metadata_of())}, iss: 'https://idp', allow_sha1: yes, "
            f"metadata_certificate: {self.certificate(key)}, "
            f"signing_key: {self.key(key)}, signing_certificate: {self.certificate(key)}, "
            f"encryption_key: {self.key(key)}, encryption_certificate: {self.certificate(key)}"
        )

        self.assertEqual((self.faults, self.left), ([], []))
        self.assertEqual((found.pinned(), found.metadata), ((key.certificate,), metadata_of().encode()))
        self.assertEqual((found.idp_entity_id, found.allow_sha1), ("https://idp", True))

    def test_key(self) -> None:
        """RSA and curves will do."""
        for key in (saml_key(), saml_key("ES256")):
            found = self.read(
                f"{GOOD}, signing_key: {self.key(key)}, signing_certificate: {self.certificate(key)}"
            ).key()

            self.assertEqual(found and found.certificate, key.certificate)

    def test_equal(self) -> None:
        """An entry that has not changed is the same one, files included."""
        path = self.key(saml_key())
        lines = f"{GOOD}, signing_key: {path}, signing_certificate: {self.certificate(saml_key())}"

        self.assertEqual(self.read(lines), self.read(lines))

    def test_no_secret_is_shown(self) -> None:
        """A key does not stand in what is logged."""
        found = self.read(
            f"{GOOD}, signing_key: {self.key(saml_key())}, signing_certificate: {self.certificate(saml_key())}"
        )

        self.assertNotIn("PRIVATE", repr(found))

    def test_metadata(self) -> None:
        """They are at an address or in a file, and always needed."""
        both = f"{GOOD}, metadata_file: {self.file(metadata_of())}"
        required = "metadata_endpoint: either this or metadata_file is required, and not both"

        self.assertEqual((self.fault("entity_id: x"), self.fault(both)), (required, required))
        self.assertIn("https://", self.fault("metadata_endpoint: 'http://idp.example.net/'"))
        self.assertIn("must be yes", self.fault(f"discover: no, {GOOD}"))

    def test_entity_ids(self) -> None:
        """They are names without blanks, and not endless."""
        self.assertIn("no blanks", self.fault(f"{GOOD}, entity_id: 'a b'"))
        self.assertIn("no blanks", self.fault(f"{GOOD}, iss: {LONG}"))

    def test_files(self) -> None:
        """A file that is not there, is empty, or holds something else, is told."""
        self.assertIn("can not be read", self.fault("metadata_file: /nowhere/at/all"))
        self.assertIn("is empty", self.fault(f"metadata_file: {self.file(b'')}"))
        self.assertIn("in PEM form", self.fault(f"{GOOD}, metadata_certificate: {self.file(b'x')}"))

    def test_half_a_pair(self) -> None:
        """A key goes with its certificate."""
        self.assertIn("given together", self.fault(f"{GOOD}, signing_key: {self.key(saml_key())}"))
        self.assertIn("given together", self.fault(f"{GOOD}, signing_certificate: {self.certificate(saml_key())}"))

    def test_two_halves(self) -> None:
        """And not with another one's."""
        other = self.certificate(saml_key("PS256", 12))
        self.assertIn(
            "is not that of", self.fault(f"{GOOD}, signing_key: {self.key(saml_key())}, signing_certificate: {other}")
        )

    def test_bad_keys(self) -> None:
        """One that is too weak, locked, or of another kind, is refused."""
        good = saml_key()
        small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - which is the point
        weak = SamlKey(small, good.certificate)
        odd = SamlKey(ec.generate_private_key(ec.SECP256K1()), good.certificate)
        for path in (self.key(weak), self.key(odd), self.key(good, BestAvailableEncryption(b"x"))):
            fault = self.fault(f"{GOOD}, signing_key: {path}, signing_certificate: {self.certificate(good)}")

            self.assertIn("signing_key", fault)

    def test_encryption(self) -> None:
        """Assertions are encrypted for RSA, and for nothing else."""
        good, curve = saml_key(), saml_key("ES256")
        lines = f"{GOOD}, encryption_key: {self.key(good)}, encryption_certificate: {self.certificate(good)}"
        found = self.read(lines).decrypting()

        self.assertEqual(found and found.certificate, good.certificate)
        lines = f"{GOOD}, encryption_key: {self.key(curve)}, encryption_certificate: {self.certificate(curve)}"
        self.assertIn("encryption_key", self.fault(lines))
