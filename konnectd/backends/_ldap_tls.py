"""How TLS with a directory begins, and how a certificate that is not accepted is described."""

from typing import Any, TypeAlias

from OpenSSL import SSL
from twisted.internet.ssl import (
    CertificateOptions,
    TLSVersion,
    VerificationError,
    optionsForClientTLS,
)
from twisted.python.failure import Failure

from konnectd.backends._ldap_faults import LdapError, LostError, UnreachableError, UntrustedServerError, WrongNameError

#: What Twisted takes to begin TLS, and whom it trusts; neither has a type that can be named.
TlsOptions: TypeAlias = Any
_TrustRoot: TypeAlias = Any


def client_options(host: str, trust: _TrustRoot, *, insecure: bool) -> TlsOptions:
    """Return what makes a client's end of TLS 1.2 or better that accepts one host's certificate.

    Args:
        host: the name or address that the certificate has to be for.
        trust: who may have signed it.
        insecure: accept any certificate.

    Spec: RFC 4513 3.1.3 (check of the server's identity).
    """
    if insecure:
        return CertificateOptions(raiseMinimumTo=TLSVersion.TLSv1_2)
    return optionsForClientTLS(host, trustRoot=trust, extraCertificateOptions={"raiseMinimumTo": TLSVersion.TLSv1_2})


def describe_end(server: str, reason: Failure, *, securing: bool, heard: bool) -> LdapError:
    """Tell why a connection has ended without our doing.

    Args:
        server: what it was connected to, as a URI.
        reason: what Twisted has to say.
        securing: TLS had been begun and had not come about.
        heard: the server had said something before.
    """
    error = describe_tls_error(server, reason)
    if error is not None:
        return error
    if securing:
        return UnreachableError(f"{server} ended the connection instead of beginning TLS: does this port speak it?")
    if not heard and server.startswith("ldap:"):
        return LostError(f"{server} ended the connection without a word: does this port want TLS, that is ldaps://?")
    return LostError(f"{server} ended the connection: {reason.getErrorMessage()}")


def describe_tls_error(server: str, reason: Failure) -> LdapError | None:
    """Tell what an error of the TLS layer means; None when it is none."""
    error = reason.value
    if isinstance(error, VerificationError):
        return WrongNameError(f"{server}: the certificate is for another name; ldap_uri has to have one that is in it")
    if not isinstance(error, SSL.Error):
        return None
    details = error.args[0] if error.args and isinstance(error.args[0], (list, tuple)) else ()
    reasons = ", ".join(str(detail[-1]) for detail in details if detail) or "no reason given"
    if "certificate verify failed" in reasons:
        return UntrustedServerError(
            f"{server}: the certificate is not trusted: its authority is unknown, or it is expired"
        )
    return UnreachableError(f"{server}: TLS did not come about: {reasons}")
