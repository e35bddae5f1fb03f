"""Whom we trust to have signed the certificate of a server, for all backends that speak TLS."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from attrs import frozen
from OpenSSL import crypto
from twisted.internet._sslverify import IOpenSSLTrustRoot
from twisted.internet.ssl import Certificate
from zope.interface import implementer

#: OpenSSL's context, which has no type that can be named.
_Context: TypeAlias = Any

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----\s.*?-----END CERTIFICATE-----", re.DOTALL)

#: Longest file of certificates that is read, in bytes; the usual bundle of a system has a quarter of it.
_LONGEST_FILE = 1 << 20


@implementer(IOpenSSLTrustRoot)
@frozen
class Trust:
    """The certificate authorities of the system and some more.

    Attributes:
        certificates: those that are trusted besides.
    """

    certificates: tuple[Certificate, ...] = ()

    def _addCACertsToContext(self, context: _Context) -> None:  # noqa: N802 - Twisted asks for it by this name
        """Make an OpenSSL context trust them."""
        context.set_default_verify_paths()
        store = context.get_cert_store()
        for certificate in self.certificates:
            store.add_cert(certificate.original)


def load_certificates(path: Path) -> tuple[Certificate, ...]:
    """Read certificates from a PEM file.

    Raises:
        ValueError: the file can not be read, has none, or one that is malformed.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_FILE + 1)
    except OSError as error:
        raise ValueError(f"{path} can not be read: {error.strerror}") from error
    if len(content) > _LONGEST_FILE:
        raise ValueError(f"{path} is larger than {_LONGEST_FILE} bytes")
    blocks: Iterable[bytes] = _CERTIFICATE.findall(content)
    try:
        found = tuple(Certificate.loadPEM(block) for block in blocks)
    except (crypto.Error, ValueError) as error:
        raise ValueError(f"{path} has a certificate that can not be read") from error
    if not found:
        raise ValueError(f"{path} has no certificate in PEM form")
    return found
