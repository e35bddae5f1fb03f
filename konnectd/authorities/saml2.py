"""The kind ``saml2``: somebody is whom a SAML 2.0 identity provider says they are; we are its service provider.

What reads XML is loaded when there is such an authority, and not before.

Spec: SAML 2.0 Profiles 4.1 (web browser SSO) and 4.4 (single logout).
"""

from konnectd.authorities._saml2_settings import Saml2Settings, read
from konnectd.authority import Authority, AuthorityTools
from konnectd.authority_entry import AuthorityEntry, Doorway

__all__ = ("DOORWAYS", "METADATA", "build", "read")

#: Where answers are posted, and where browsers come about the end of a session.
CONSUMER = "saml2/acs"
LOGOUT = "_/saml2/slo"
METADATA = "saml2/metadata"
DOORWAYS = (
    Doorway(path=CONSUMER, methods=("POST",), state="RelayState"),
    Doorway(path=LOGOUT, methods=("GET",), state="RelayState"),
)


def build(entry: AuthorityEntry, tools: AuthorityTools) -> Authority:
    """Make an authority of an entry; it asks nobody yet.

    Raises:
        TypeError: the entry is of another kind.
    """
    from konnectd.authorities._saml2_authority import (  # noqa: PLC0415 - lxml and signatures, not needed by others
        Addresses,
        Saml2Authority,
    )

    if not isinstance(entry.settings, Saml2Settings):
        raise TypeError(entry.kind)
    addresses = Addresses(
        entity_id=entry.settings.entity_id or f"{tools.base}/{METADATA}",
        consumer=f"{tools.base}/{CONSUMER}",
        consumer_doorway=CONSUMER,
        logout=f"{tools.base}/{LOGOUT}",
        logout_doorway=LOGOUT,
    )
    return Saml2Authority(entry, entry.settings, addresses, tools)
