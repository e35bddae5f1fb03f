"""The external authorities: whether each of them answers, and what people would meet there."""

from collections.abc import Iterable

from konnectd.authority import Authority, AuthorityError
from konnectd.doctor.finding import Finding, fault, good, warning


async def look(authorities: Iterable[Authority]) -> list[Finding]:
    """Ask every authority for what is needed to sign in there."""
    found: list[Finding] = []
    for authority in authorities:
        found += await _look(authority)
    return found


async def _look(authority: Authority) -> list[Finding]:
    """Ask one."""
    about = f"authority {authority.entry.authority_id}"
    try:
        says = await authority.check()
    except AuthorityError as error:
        return [
            fault(
                about,
                f"is not ready: {error}",
                cause="It does not answer from here, has another issuer than the entry says, or its certificate is not"
                " trusted.",
                mend="Open the address from this machine; correct the entry; name its certificate authority in"
                " SSL_CERT_FILE.",
            )
        ]
    finally:
        await authority.close()
    if authority.entry.insecure:
        insecure = warning(
            about,
            "insecure is set",
            cause="Its certificate is not checked, so anybody on the way can pretend to be it.",
            mend="Name its certificate authority in SSL_CERT_FILE, and take insecure out of the entry.",
        )
        return [insecure, good(about, says)]
    return [good(about, says)]
