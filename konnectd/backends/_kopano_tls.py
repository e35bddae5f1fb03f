"""TLS with a Kopano server: whom we trust, and the certificate that the service may show.

A server that is shown a certificate it knows lets in whomever the request names. So there is no way to hand a
certificate to a connection that checks people's passwords: `_kopano_client.PeopleClient` takes none. Each client makes
a context of its own here, and contexts remember no sessions, so that nothing a certificate has proved is ever resumed
by a connection without one.
"""

from pathlib import Path
from typing import Any, Self, TypeAlias

from attrs import field, frozen
from OpenSSL import SSL, crypto
from twisted.internet.ssl import Certificate, CertificateOptions, TLSVersion, optionsForClientTLS

from konnectd.backends._trust import Trust, load_certificates

#: What Twisted takes to begin TLS; it has no type that can be named.
TlsOptions: TypeAlias = Any

#: Longest file with a key that is read, in bytes.
_LONGEST_KEY = 64 * 1024


@frozen(kw_only=True)
class ServerTrust:
    """Which server is believed to be the one.

    Attributes:
        authorities: who may have signed its certificate, beside the authorities of the system.
        insecure: believe anybody.
    """

    authorities: tuple[Certificate, ...] = ()
    insecure: bool = False

    @classmethod
    def load(cls, path: Path) -> Self:
        """Trust the authorities in a PEM file besides.

        Raises:
            ValueError: the file can not be read, has none, or one that is malformed.
        """
        return cls(authorities=load_certificates(path))


@frozen
class ClientCertificate:
    """What the service proves with who it is.

    Attributes:
        chain: the certificate first, then those of the authorities between it and one the server knows.
    """

    chain: tuple[Certificate, ...]
    key: crypto.PKey = field(repr=False)

    @classmethod
    def load(cls, certificate: Path, private_key: Path) -> Self:
        """Read a certificate and its key, each from a PEM file.

        Raises:
            ValueError: one of them can not be read, or they do not belong together.
        """
        found = cls(load_certificates(certificate), _load_key(private_key))
        try:
            found.options().getContext()
        except SSL.Error as error:
            raise ValueError(f"the key in {private_key} is not that of the certificate in {certificate}") from error
        return found

    def options(self) -> CertificateOptions:
        """Return what makes a context that shows it, and believes any server."""
        return CertificateOptions(**self.arguments(), raiseMinimumTo=TLSVersion.TLSv1_2)

    def arguments(self) -> dict[str, Any]:
        """Return it as Twisted wants it."""
        first, *others = (certificate.original for certificate in self.chain)
        return {"privateKey": self.key, "certificate": first, "extraCertChain": others}


def client_options(host: str, trust: ServerTrust, certificate: ClientCertificate | None) -> TlsOptions:
    """Return what makes a client's end of TLS 1.2 or better.

    Args:
        host: the name or address that the server's certificate has to be for.
        trust: which server is believed.
        certificate: what the server is shown when it asks for one.
    """
    arguments = {} if certificate is None else certificate.arguments()
    arguments["raiseMinimumTo"] = TLSVersion.TLSv1_2
    if trust.insecure:
        return CertificateOptions(**arguments)
    root: Any = Trust(trust.authorities)
    return optionsForClientTLS(host, trustRoot=root, extraCertificateOptions=arguments)


def _load_key(path: Path) -> crypto.PKey:
    """Read a key that needs no passphrase.

    Raises:
        ValueError: there is none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_KEY + 1)
    except OSError as error:
        raise ValueError(f"{path} can not be read: {error.strerror}") from error
    if len(content) > _LONGEST_KEY:
        raise ValueError(f"{path} is larger than {_LONGEST_KEY} bytes")
    try:
        # Without a passphrase OpenSSL would ask for one on the terminal, and a daemon would wait for ever.
        return crypto.load_privatekey(crypto.FILETYPE_PEM, content, passphrase=b"")
    except (crypto.Error, ValueError, TypeError) as error:
        raise ValueError(f"{path} has no key in PEM form that can be read without a passphrase") from error
