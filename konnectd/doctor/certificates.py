"""What can be seen of a server's certificates: until when they are good, for whom, and why nobody trusts them."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from konnectd.doctor.finding import Finding, fault, good, warning
from konnectd.doctor.probe import Tls

ABOUT = "certificate"
#: From how many days before its end a certificate is worth a word, and from how many it is a fault that it is not new.
_SOON_DAYS, _LATE_DAYS = 21, 3
_RENEW = "Renew it, and look why that has not happened by itself."


def judge(tls: Tls, now: int) -> list[Finding]:
    """Look at certificates that are trusted.

    Args:
        tls: the connection.
        now: seconds since the epoch.
    """
    if not tls.chain:
        return [warning(ABOUT, "no certificate was shown", cause="The connection ended early.", mend="Try again.")]
    ends, days = _end(tls.chain, now)
    says = f"good for {days} more days, until {ends:%Y-%m-%d}; {tls.version}"
    if days <= _LATE_DAYS:
        return [fault(ABOUT, says, cause="It ends, and then nobody can sign in.", mend=_RENEW)]
    if days <= _SOON_DAYS:
        return [warning(ABOUT, says, cause="Certificates that renew themselves are new by then.", mend=_RENEW)]
    return [good(ABOUT, says)]


def judge_untrusted(tls: Tls | None, host: str, now: int) -> Finding:
    """Say why certificates are not trusted.

    Args:
        tls: the connection, made without looking at them; None when there was none.
        host: who was asked.
        now: seconds since the epoch.
    """
    if tls is None or not tls.chain:
        return fault(ABOUT, f"the certificate of {host} is not trusted", cause="It could not be looked at.", mend="")
    own = tls.chain[0]
    ends, days = _end(tls.chain, now)
    begins = max(certificate.not_valid_before_utc for certificate in tls.chain)
    if days < 0 or ends.timestamp() <= now:
        return fault(ABOUT, f"a certificate has ended on {ends:%Y-%m-%d}", cause="It was not renewed.", mend=_RENEW)
    if begins.timestamp() > now:
        return fault(
            ABOUT,
            f"a certificate is good from {begins:%Y-%m-%d %H:%M} UTC on only",
            cause="The clock of this machine is wrong, or that of who made the certificate.",
            mend="Set the clock; run a time service.",
        )
    if not fits(own, host):
        return fault(
            ABOUT,
            f"it is for {', '.join(names(own)) or 'nobody'}, and not for {host}",
            cause="The proxy shows the certificate of another host: that of its default site, or an old one.",
            mend=f"Give the site of {host} its own certificate, or get one with this name.",
        )
    return _unknown_authority(tls.chain)


def _unknown_authority(chain: Sequence[x509.Certificate]) -> Finding:
    """Say why nobody vouches for a certificate that has nothing else wrong with it."""
    own, last = chain[0], chain[-1]
    by = last.issuer.rfc4514_string() or "nobody"
    if own.issuer == own.subject:
        return fault(
            ABOUT,
            "it is signed by itself",
            cause="Nobody vouches for it, so applications refuse it.",
            mend="Get one of an authority that applications trust.",
        )
    if len(chain) == 1:
        return fault(
            ABOUT,
            f"it is of {by}, which is not trusted here; no other certificate was shown",
            cause="The proxy shows no intermediate certificates, or the authority is not known on this machine.",
            mend="Give the proxy the whole chain (fullchain.pem). For an authority of your own, add it to those of"
            " this machine: /usr/local/share/ca-certificates and update-ca-certificates.",
        )
    return fault(
        ABOUT,
        f"the chain ends at {by}, which is not trusted here",
        cause="The authority is not among those of this machine.",
        mend="Add it: /usr/local/share/ca-certificates and update-ca-certificates. Applications need it too.",
    )


def _end(chain: Sequence[x509.Certificate], now: int) -> tuple[datetime, int]:
    """Return when the first of some certificates ends, and in how many whole days."""
    ends = min(certificate.not_valid_after_utc for certificate in chain)
    return ends, (ends - datetime.fromtimestamp(now, UTC)).days


def names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the names a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return tuple(f"{name.value!s} (without alternative names)" for name in common)
    addresses = found.get_values_for_type(x509.IPAddress)
    return (*found.get_values_for_type(x509.DNSName), *(str(address) for address in addresses))


def fits(certificate: x509.Certificate, host: str) -> bool:
    """Tell whether a certificate is for a host. Spec: RFC 9525 6.3."""
    try:
        wanted = str(ipaddress.ip_address(host))
    except ValueError:
        wanted = host.lower().rstrip(".")
    for name in names(certificate):
        lower = name.lower()
        if lower == wanted or (lower.startswith("*.") and wanted.partition(".")[2] == lower[2:]):
            return True
    return False
