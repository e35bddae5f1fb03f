"""From options to settings: everything that can be found wrong without asking a directory is found here, at once."""

from collections.abc import Mapping

from attrs import frozen
from twisted.internet.ssl import Certificate

from konnectd.backends._ldap_answers import SearchScope
from konnectd.backends._ldap_claims import ClaimSource
from konnectd.backends._ldap_dial import Credentials, Server
from konnectd.backends._ldap_entry import AttributeMapping, UuidType
from konnectd.backends._ldap_filter import Filter
from konnectd.backends._ldap_filter import parse as parse_filter
from konnectd.backends._ldap_groups import GroupMode, GroupSettings
from konnectd.backends._ldap_options import OPTIONS
from konnectd.backends._settings_reader import Reader
from konnectd.backends._trust import load_certificates
from konnectd.option import ConfigErrors
from konnectd.protocol import standard_claims

#: An empty filter means the default, as it did in Konnect.
_DEFAULT_FILTER = next(str(option.default) for option in OPTIONS if option.dest == "ldap_filter")


@frozen(kw_only=True)
class Settings:
    """How the directory is reached and what is where in it.

    Attributes:
        credentials: of the service account; None searches anonymously.
        certificates: authorities that are trusted besides those of the system.
    """

    servers: tuple[Server, ...]
    starttls: bool
    certificates: tuple[Certificate, ...]
    credentials: Credentials | None
    base_dn: str
    scope: SearchScope
    user_filter: Filter
    mapping: AttributeMapping
    timeout: int
    bind_connections: int
    groups: GroupSettings


def read_settings(options: Mapping[str, object]) -> Settings:
    """Make settings of options.

    Raises:
        ConfigErrors: everything that is wrong with them.
    """
    reader = Reader(OPTIONS, options)
    settings = Settings(
        servers=_servers(reader),
        starttls=reader.flag("ldap_starttls"),
        certificates=_certificates(reader),
        credentials=_credentials(reader),
        base_dn=_base_dn(reader),
        scope=SearchScope[reader.text("ldap_scope").upper() or "SUB"],
        user_filter=_filter(reader, "ldap_filter") or parse_filter(_DEFAULT_FILTER),
        mapping=_mapping(reader),
        timeout=reader.number("ldap_timeout"),
        bind_connections=reader.number("ldap_bind_connections"),
        groups=_groups(reader),
    )
    if settings.starttls and settings.servers and all(server.tls for server in settings.servers):
        reader.fault("ldap_starttls", "is for ldap:// servers, but all of ldap_uri are ldaps://")
    if reader.faults:
        raise ConfigErrors(reader.faults)
    return settings


def _servers(reader: Reader) -> tuple[Server, ...]:
    """Read the servers."""
    faults_before = len(reader.faults)
    servers = tuple(Server.parse(word) for word in reader.words("ldap_uri"))
    if not servers and len(reader.faults) == faults_before:
        reader.fault("ldap_uri", "is needed: ldap://host or ldaps://host")
    return servers


def _certificates(reader: Reader) -> tuple[Certificate, ...]:
    """Read the certificate authorities."""
    path = reader.path("ldap_tls_cacert")
    if path is None:
        return ()
    return reader.parsed("ldap_tls_cacert", lambda _: load_certificates(path), "", ())


def _credentials(reader: Reader) -> Credentials | None:
    """Read the service account."""
    dn, password = reader.text("ldap_binddn"), reader.text("ldap_bindpw")
    if password and not dn:
        reader.fault("ldap_bindpw", "is a password without an account: give ldap_binddn too")
    if dn and not password:
        reader.fault("ldap_bindpw", "is needed with ldap_binddn; a bind without a password proves nothing")
    if "\0" in password:
        reader.fault("ldap_bindpw", "has a NUL")
    _check_dn(reader, "ldap_binddn", dn)
    return Credentials(dn=dn, password=password) if dn and password else None


def _base_dn(reader: Reader) -> str:
    """Read the search base."""
    base_dn = reader.text("ldap_basedn").strip()
    if not base_dn:
        reader.fault("ldap_basedn", "is needed, such as ou=people,dc=example,dc=org")
    _check_dn(reader, "ldap_basedn", base_dn)
    return base_dn


def _check_dn(reader: Reader, option: str, dn: str) -> None:
    """Notice what is no DN at all; the server judges the rest."""
    # Active Directory also signs in user@domain and DOMAIN\user.
    signs = ("=", "@", "\\") if option == "ldap_binddn" else ("=",)
    if dn and ("\0" in dn or not any(sign in dn for sign in signs)):
        reader.fault(option, f"{dn!r} is no DN")


def _filter(reader: Reader, option: str) -> Filter | None:
    """Read a filter, if there is one; a bad one has been noticed by its parser."""
    text = reader.text(option)
    return parse_filter(text) if text else None


def _mapping(reader: Reader) -> AttributeMapping:
    """Read which attribute is what."""
    login = reader.words("ldap_login_attribute")
    if not login:
        reader.fault("ldap_login_attribute", "is needed, such as uid")
    return AttributeMapping(
        login=login,
        email=reader.text("ldap_email_attribute"),
        email_verified=reader.flag("ldap_email_verified"),
        name=reader.text("ldap_name_attribute"),
        family_name=reader.text("ldap_family_name_attribute"),
        given_name=reader.text("ldap_given_name_attribute"),
        unique_id=reader.text("ldap_uuid_attribute"),
        unique_id_type=UuidType(reader.text("ldap_uuid_attribute_type") or "text"),
        numeric_id=reader.text("ldap_uidnumber_attribute"),
        sub=reader.words("ldap_sub_attributes"),
        claims=_claims(reader),
    )


def _claims(reader: Reader) -> tuple[ClaimSource, ...]:
    """Read where further claims come from."""
    found = tuple(ClaimSource.parse(word) for word in reader.words("ldap_claims"))
    for claim in sorted({source.claim for source in found if [one.claim for one in found].count(source.claim) > 1}):
        reader.fault("ldap_claims", f"{claim} is there twice")
    if [source.claim for source in found if source.claim.startswith(standard_claims.NUMBER)] == [
        standard_claims.VERIFIED
    ]:
        reader.fault("ldap_claims", f"{standard_claims.VERIFIED} does not go without {standard_claims.NUMBER}")
    return found


def _groups(reader: Reader) -> GroupSettings:
    """Read how groups are found."""
    base = reader.text("ldap_group_basedn").strip()
    _check_dn(reader, "ldap_group_basedn", base)
    settings = GroupSettings(
        mode=GroupMode(reader.text("ldap_groups") or "off"),
        base=base or reader.text("ldap_basedn").strip(),
        base_option="ldap_group_basedn" if base else "ldap_basedn",
        filter=_filter(reader, "ldap_group_filter"),
        name_attribute=reader.text("ldap_group_attribute"),
        member_attribute=reader.text("ldap_group_member_attribute"),
        nested=reader.flag("ldap_group_nested"),
    )
    if settings.mode is GroupMode.OFF:
        return settings
    if not settings.name_attribute:
        reader.fault("ldap_group_attribute", "is needed with ldap_groups, such as cn")
    if settings.mode is GroupMode.SEARCH and settings.nested and settings.by_username:
        reader.fault("ldap_group_nested", "does not go with memberUid, which lists people only")
    return settings
