"""An authority and its certificates, made on the fly: for the server, and for clients that it trusts and does not."""

import datetime
from ipaddress import ip_address
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto
from twisted.internet.ssl import CertificateOptions

from tests.support.kopano.untyped import Untyped

_AUTHORITY, _OTHER = "Groupware CA", "Other CA"
_DAYS = datetime.timedelta(days=3)
_Key = ec.EllipticCurvePrivateKey


@frozen
class Certificates:
    """The files of a folder.

    Attributes:
        folder: where they are. Each certificate is NAME.pem, its key NAME.key.
    """

    folder: Path

    @classmethod
    def in_folder(cls, folder: Path) -> "Certificates":
        """Return what is in a folder, and make it first if it is empty.

        ``ca`` has signed ``server`` for localhost and 127.0.0.1, ``client``, whose key the server trusts, and
        ``client2``, whose key it does not. ``stranger`` is a client of ``other``, an authority that nobody knows.
        """
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder)
        if not made.certificate("ca").exists():
            made.make()
        return made

    def certificate(self, name: str) -> Path:
        """Return where a certificate is."""
        return self.folder / f"{name}.pem"

    def key(self, name: str) -> Path:
        """Return where a private key is."""
        return self.folder / f"{name}.key"

    def make(self) -> None:
        """Make all of them."""
        authority, other = _new_key(), _new_key()
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        self._write("ca", authority, _sign(_AUTHORITY, authority, _AUTHORITY, authority, (constraints, True)))
        self._write("other", other, _sign(_OTHER, other, _OTHER, other, (constraints, True)))
        names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
        server = _new_key()
        self._write("server", server, _sign("localhost", server, _AUTHORITY, authority, (names, False)))
        for name, issuer, issuer_key in (
            ("client", _AUTHORITY, authority),
            ("client2", _AUTHORITY, authority),
            ("stranger", _OTHER, other),
        ):
            key = _new_key()
            self._write(name, key, _sign(name, key, issuer, issuer_key))
        public = load_pem_private_key(self.key("client").read_bytes(), None).public_key()
        (self.folder / "sslkeys").mkdir(exist_ok=True)
        (self.folder / "sslkeys" / "client.pem").write_bytes(
            public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )

    def trusted_keys(self) -> set[bytes]:
        """Return the public keys in the folder of those that open everything, as DER."""
        keys = [load_pem_public_key(path.read_bytes()) for path in sorted((self.folder / "sslkeys").glob("*.pem"))]
        return {key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for key in keys}

    def options(self) -> CertificateOptions:
        """Return how the server does TLS: it asks for a certificate, does without, and refuses a stranger's.

        It lets clients go on with an earlier TLS session, as the real one may; whoever does takes along what was
        shown in that one.
        """
        options = CertificateOptions(
            privateKey=crypto.load_privatekey(crypto.FILETYPE_PEM, self.key("server").read_bytes()),
            certificate=self._load("server"),
            verify=True,
            requireCertificate=False,
            caCerts=[self._load("ca")],
            enableSessions=True,
            enableSessionTickets=True,
        )
        # The real server knows nothing of protocols above TLS; Twisted would end a handshake that offers some.
        options.getContext().set_alpn_select_callback(lambda _connection, _offered: SSL.NO_OVERLAPPING_PROTOCOLS)
        return options

    def _load(self, name: str) -> Untyped:
        """Return a certificate as OpenSSL has it."""
        return crypto.load_certificate(crypto.FILETYPE_PEM, self.certificate(name).read_bytes())

    def _write(self, name: str, key: _Key, certificate: x509.Certificate) -> None:
        """Write a certificate and its key."""
        self.certificate(name).write_bytes(certificate.public_bytes(Encoding.PEM))
        self.key(name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))


def _new_key() -> _Key:
    """Return a new private key."""
    return ec.generate_private_key(ec.SECP256R1())


def _sign(
    subject: str, key: _Key, issuer: str, issuer_key: _Key, *extensions: tuple[x509.ExtensionType, bool]
) -> x509.Certificate:
    """Return a certificate that is good for some days."""
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAYS)
        .not_valid_after(now + _DAYS)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())
