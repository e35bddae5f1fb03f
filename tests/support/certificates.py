"""Certificates of every kind that is met at proxies, good at `NOW`."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: The time of these tests, in seconds since the epoch.
NOW = 1_700_000_000
DAY = 86_400
_KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(
    *names: str, issuer: str = "Some CA", subject: str = "server", days: int = 90, begins: int = -10
) -> x509.Certificate:
    """Make one.

    Args:
        names: whom it is for.
        issuer: who vouches for it.
        subject: who it is.
        days: how long from now it is good.
        begins: when that begins, in days from now.
    """
    now = datetime.fromtimestamp(NOW, UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(_KEY.public_key())
        .serial_number(1)
        .not_valid_before(now + timedelta(days=begins))
        .not_valid_after(now + timedelta(days=days, hours=1))
    )
    if names:
        kinds = [x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(kinds), critical=False)
    return builder.sign(_KEY, hashes.SHA256())
