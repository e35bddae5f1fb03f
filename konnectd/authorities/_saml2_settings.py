"""What an entry says about a SAML identity provider.

Nothing here reads XML, so that configuration is checked quickly.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from attrs import field, frozen
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from konnectd.authorities._saml2_keys import DecryptingKey, SigningKey, decrypting_key, private_key
from konnectd.authority_entry import AuthorityEntry, EntryTable, address_problem

#: Longest file that an entry may name, in bytes.
_LONGEST_FILE = 1024 * 1024
#: Longest entity id, in characters. Spec: SAML 2.0 Core 8.3.6.
_LONGEST_ENTITY_ID = 1024

Read = TypeVar("Read")


@frozen(kw_only=True)
class Saml2Settings:
    """The keys of an entry that only this kind has.

    Files are kept as they were read: so two entries are equal when nothing in them has changed.

    Attributes:
        metadata_endpoint: where the identity provider says what it is; empty for a file.
        metadata: what it says, from a file; empty for an address.
        idp_entity_id: what it has to be called (``iss``); empty for anything.
        entity_id: what we are called; empty for the address of our own metadata.
        pin: certificates in PEM, with one of which its metadata have to be signed; empty for any or no signature.
        signing_key: in PEM, what our requests are signed with; empty for no signature.
        signing_certificate: in PEM, its certificate.
        encryption_key: in PEM, what assertions are encrypted for; empty when none may be.
        encryption_certificate: in PEM, its certificate.
        allow_sha1: whether signatures with SHA-1 will do.
    """

    metadata_endpoint: str = ""
    metadata: bytes = field(default=b"", repr=False)
    idp_entity_id: str = ""
    entity_id: str = ""
    pin: bytes = field(default=b"", repr=False)
    signing_key: bytes = field(default=b"", repr=False)
    signing_certificate: bytes = field(default=b"", repr=False)
    encryption_key: bytes = field(default=b"", repr=False)
    encryption_certificate: bytes = field(default=b"", repr=False)
    allow_sha1: bool = False

    def key(self) -> SigningKey | None:
        """Return what our requests are signed with; None for nothing."""
        if not self.signing_key:
            return None
        return SigningKey(private_key(self.signing_key), x509.load_pem_x509_certificate(self.signing_certificate))

    def decrypting(self) -> DecryptingKey | None:
        """Return what assertions are encrypted for; None for nothing."""
        if not self.encryption_key:
            return None
        certificate = x509.load_pem_x509_certificate(self.encryption_certificate)
        return DecryptingKey(decrypting_key(self.encryption_key), certificate)

    def pinned(self) -> tuple[x509.Certificate, ...]:
        """Return the certificates with one of which metadata have to be signed."""
        return tuple(x509.load_pem_x509_certificates(self.pin)) if self.pin else ()


def read(table: EntryTable, _entry: AuthorityEntry) -> Saml2Settings:
    """Read them; what is wrong becomes a fault of the table."""
    endpoint, metadata = _metadata(table)
    signing_key, signing_certificate = _pair(table, "signing")
    encryption_key, encryption_certificate = _pair(table, "encryption")
    return Saml2Settings(
        metadata_endpoint=endpoint,
        metadata=metadata,
        idp_entity_id=_entity_id(table, "iss"),
        entity_id=_entity_id(table, "entity_id"),
        pin=_file(table, "metadata_certificate", _certificates),
        signing_key=signing_key,
        signing_certificate=signing_certificate,
        encryption_key=encryption_key,
        encryption_certificate=encryption_certificate,
        allow_sha1=table.switch("allow_sha1"),
    )


def _metadata(table: EntryTable) -> tuple[str, bytes]:
    """Read where the metadata of the identity provider are."""
    if table.has("discover") and not table.switch("discover"):
        table.fault("discover", "must be yes, or absent: without its metadata no identity provider is believed")
    if table.has("metadata_endpoint") == table.has("metadata_file"):
        table.fault("metadata_endpoint", "either this or metadata_file is required, and not both")
        return "", b""
    if table.has("metadata_file"):
        return "", _file(table, "metadata_file", bytes)
    endpoint = table.text("metadata_endpoint")
    if problem := address_problem(endpoint):
        table.fault("metadata_endpoint", problem)
    return endpoint, b""


def _pair(table: EntryTable, purpose: str) -> tuple[bytes, bytes]:
    """Read a key of ours and its certificate, both or none.

    Args:
        table: the entry.
        purpose: ``signing`` or ``encryption``.
    """
    key_name, certificate_name = f"{purpose}_key", f"{purpose}_certificate"
    if table.has(key_name) != table.has(certificate_name):
        missing = certificate_name if table.has(key_name) else key_name
        table.fault(missing, f"{key_name} and {certificate_name} are given together")
        return b"", b""
    key = _file(table, key_name, private_key if purpose == "signing" else decrypting_key)
    certificate = _file(table, certificate_name, x509.load_pem_x509_certificate)
    if key and certificate:
        public = x509.load_pem_x509_certificate(certificate).public_key()
        if public == private_key(key).public_key():
            return key, certificate
        table.fault(certificate_name, f"is not that of {key_name}")
    return b"", b""


def _entity_id(table: EntryTable, key: str) -> str:
    """Read the name of an entity."""
    found = table.text(key)
    if len(found) > _LONGEST_ENTITY_ID or not found.isprintable() or " " in found:
        table.fault(key, f"must have no blanks and at most {_LONGEST_ENTITY_ID} characters")
        return ""
    return found


def _file(table: EntryTable, key: str, check: Callable[[bytes], Read]) -> bytes:
    """Read a file that an entry names; empty when there is none, or nothing that can be used."""
    if not table.has(key):
        return b""
    path = Path(table.text(key))
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_FILE + 1)
    except (OSError, ValueError):
        table.fault(key, f"{path} can not be read")
        return b""
    if not content or len(content) > _LONGEST_FILE:
        table.fault(key, f"{path} is empty, or larger than {_LONGEST_FILE} bytes")
        return b""
    try:
        check(content)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        table.fault(key, f"{path} does not hold what is needed, in PEM form")
        return b""
    return content


def _certificates(pem: bytes) -> list[x509.Certificate]:
    """Read certificates.

    Raises:
        ValueError: there are none, or they can not be read.
    """
    return x509.load_pem_x509_certificates(pem)
