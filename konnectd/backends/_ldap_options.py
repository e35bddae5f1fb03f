"""The options of the LDAP backend, under the names Konnect gave them and some more in the same manner."""

from pathlib import Path

from konnectd.backends._ldap_claims import ClaimSource
from konnectd.backends._ldap_dial import Server
from konnectd.backends._ldap_filter import ATTRIBUTE
from konnectd.backends._ldap_filter import parse as parse_filter
from konnectd.option import Option, one_of, seconds, switch

_SECTION = "LDAP"


def server_uri(text: str) -> str:
    """Return the URI of a server, written out.

    Raises:
        ValueError: it is none.
    """
    return str(Server.parse(text))


def filter_text(text: str) -> str:
    """Return a filter as it was written, if it is one; the empty text stands for none.

    Raises:
        ValueError: it is no filter.
    """
    if text.strip():
        parse_filter(text)
    return text.strip()


def attribute(text: str) -> str:
    """Return the name of an attribute; the empty text stands for none.

    Raises:
        ValueError: it is no such name.
    """
    name = text.strip()
    if name and ATTRIBUTE.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no name of an attribute")
    return name


def attributes(text: str) -> str:
    """Return names of attributes, separated by commas.

    Raises:
        ValueError: one is no such name.
    """
    return ",".join(name for part in text.split(",") if (name := attribute(part)))


def member_attribute(text: str) -> str:
    """Return the name of an attribute, with a matching rule after a colon if one is to be used.

    Raises:
        ValueError: it is neither.
    """
    name, _, rule = text.strip().partition(":")
    if not name or ATTRIBUTE.fullmatch(name) is None or (rule and ATTRIBUTE.fullmatch(rule.removesuffix(":")) is None):
        raise ValueError(f"{text.strip()!r} is no name of an attribute, with or without a matching rule")
    return text.strip()


def claim_source(text: str) -> str:
    """Return where a claim comes from, as it was written.

    Raises:
        ValueError: it is no claim, or no name of an attribute.
    """
    return str(ClaimSource.parse(text))


def _count(text: str) -> int:
    """Return a number of connections.

    Raises:
        ValueError: it is none, or more than makes sense.
    """
    if not text.strip().isdecimal() or not 1 <= int(text) <= 256:
        raise ValueError("must be a number from 1 to 256")
    return int(text)


def _limit(text: str) -> int:
    """Return a time limit.

    Raises:
        ValueError: it is none, or no limit.
    """
    limit = seconds(text)
    if not 1 <= limit <= 300:
        raise ValueError("must be a number of seconds from 1 to 300")
    return limit


def _attribute_option(name: str, default: str, what: str) -> Option:
    """Return the row of an attribute that is mapped to something."""
    return Option(
        name=name,
        help=what,
        parse=attribute,
        default=default,
        env=(name.upper().replace("-", "_"),),
        metavar="ATTRIBUTE",
        section=_SECTION,
    )


OPTIONS: tuple[Option, ...] = (
    Option(
        name="ldap-uri",
        help=(
            "Where the directory is: ldap://host[:389] or ldaps://host[:636]. Of several, the first one that answers "
            "is asked."
        ),
        parse=server_uri,
        default=(),
        env=("LDAP_URI",),
        metavar="URI",
        multiple=True,
        section=_SECTION,
    ),
    Option(
        name="ldap-starttls",
        help="Begin TLS with StartTLS on ldap:// connections, before anything else is said.",
        parse=switch,
        default=False,
        env=("LDAP_STARTTLS",),
        metavar="",
        section=_SECTION,
    ),
    Option(
        name="ldap-tls-cacert",
        help="A PEM file of certificate authorities that are trusted besides those of the system.",
        parse=Path,
        env=("LDAP_TLS_CACERT",),
        metavar="FILE",
        section=_SECTION,
    ),
    Option(
        name="ldap-binddn",
        help="The DN of the account that searches for people. Without one, searches are anonymous.",
        default="",
        env=("LDAP_BINDDN",),
        metavar="DN",
        section=_SECTION,
    ),
    Option(
        name="ldap-bindpw",
        help="The password of that account.",
        default="",
        env=("LDAP_BINDPW",),
        metavar="PASSWORD",
        secret=True,
        section=_SECTION,
    ),
    Option(
        name="ldap-basedn",
        help="The DN below which people are searched for.",
        default="",
        env=("LDAP_BASEDN",),
        metavar="DN",
        section=_SECTION,
    ),
    Option(
        name="ldap-scope",
        help="How far below it: sub for everything, one for one level, base for that entry alone.",
        parse=one_of("sub", "one", "base"),
        default="sub",
        env=("LDAP_SCOPE",),
        metavar="SCOPE",
        section=_SECTION,
    ),
    Option(
        name="ldap-filter",
        help="Which entries are people who may sign in.",
        parse=filter_text,
        default="(objectClass=inetOrgPerson)",
        env=("LDAP_FILTER",),
        metavar="FILTER",
        section=_SECTION,
    ),
    Option(
        name="ldap-login-attribute",
        help=(
            "What people type as their name. Of several, such as uid,mail, any will do; the first one is what they "
            "are called afterwards."
        ),
        parse=attributes,
        default=("uid",),
        env=("LDAP_LOGIN_ATTRIBUTE",),
        metavar="ATTRIBUTE",
        multiple=True,
        section=_SECTION,
    ),
    _attribute_option("ldap-email-attribute", "mail", "The email address."),
    Option(
        name="ldap-email-verified",
        help="Tell clients that the addresses in the directory are verified. Say yes only if people can not set them.",
        parse=switch,
        default=False,
        env=("LDAP_EMAIL_VERIFIED",),
        metavar="",
        section=_SECTION,
    ),
    _attribute_option("ldap-name-attribute", "cn", "The name that is displayed."),
    _attribute_option("ldap-family-name-attribute", "sn", "The family name."),
    _attribute_option("ldap-given-name-attribute", "givenName", "The given name."),
    _attribute_option("ldap-uuid-attribute", "uuid", "The unique id, for clients with the scope konnect/uuid."),
    Option(
        name="ldap-uuid-attribute-type",
        help=(
            "How the unique id is stored: text; binary, shown as base64; uuid for 16 bytes in the order of RFC 9562; "
            "guid for 16 bytes in the order of Active Directory's objectGUID, shown as Microsoft's tools do."
        ),
        parse=one_of("text", "binary", "uuid", "guid"),
        default="text",
        env=("LDAP_UUID_ATTRIBUTE_TYPE",),
        metavar="TYPE",
        section=_SECTION,
    ),
    _attribute_option(
        "ldap-uidnumber-attribute", "", "A numeric id. Naming one switches the scope konnect/id on, which shows it."
    ),
    Option(
        name="ldap-sub-attributes",
        help=(
            "Attributes that make up the subject, instead of the DN. Choose such as never change and are never given "
            "to somebody else, entryUUID for example; changing this changes everybody's accounts at every client."
        ),
        parse=attributes,
        default=(),
        env=("LDAP_SUB_ATTRIBUTES",),
        metavar="ATTRIBUTE",
        multiple=True,
        section=_SECTION,
    ),
    Option(
        name="ldap-claims",
        help=(
            "Further claims and the attributes they come from, such as phone_number=telephoneNumber "
            "locale=preferredLanguage address.locality=l updated_at=modifyTimestamp. Naming one of a telephone number "
            "or a postal address switches the scope phone or address on."
        ),
        parse=claim_source,
        default=(),
        env=("LDAP_CLAIMS",),
        metavar="CLAIM=ATTRIBUTE",
        multiple=True,
        section=_SECTION,
    ),
    Option(
        name="ldap-timeout",
        help="How long each operation may take, in seconds.",
        parse=_limit,
        default=10,
        env=("LDAP_TIMEOUT",),
        metavar="SECONDS",
        section=_SECTION,
    ),
    Option(
        name="ldap-bind-connections",
        help="How many passwords are checked at a time at most, each on a connection that stays open.",
        parse=_count,
        default=8,
        env=("LDAP_BIND_CONNECTIONS",),
        metavar="NUMBER",
        section=_SECTION,
    ),
    Option(
        name="ldap-groups",
        help=(
            "How groups of people are found, which switches the scope groups on: off; memberof, by the attribute "
            "memberOf of people; search, by searching for groups that list them."
        ),
        parse=one_of("off", "memberof", "search"),
        default="off",
        env=("LDAP_GROUPS",),
        metavar="HOW",
        section=_SECTION,
    ),
    Option(
        name="ldap-group-basedn",
        help="The DN below which groups are searched for. The default is ldap_basedn.",
        default="",
        env=("LDAP_GROUP_BASEDN",),
        metavar="DN",
        section=_SECTION,
    ),
    Option(
        name="ldap-group-filter",
        help="Which entries count as groups. The default is any that lists members.",
        parse=filter_text,
        default="",
        env=("LDAP_GROUP_FILTER",),
        metavar="FILTER",
        section=_SECTION,
    ),
    Option(
        name="ldap-group-attribute",
        help="What a group is called; dn stands for all of its DN.",
        parse=attribute,
        default="cn",
        env=("LDAP_GROUP_ATTRIBUTE",),
        metavar="ATTRIBUTE",
        section=_SECTION,
    ),
    Option(
        name="ldap-group-member-attribute",
        help=(
            "The attribute by which groups list members: by DN, or by user name if it is memberUid. A matching rule "
            "may follow after a colon, such as member:1.2.840.113556.1.4.1941: with Active Directory."
        ),
        parse=member_attribute,
        default="member",
        env=("LDAP_GROUP_MEMBER_ATTRIBUTE",),
        metavar="ATTRIBUTE",
        section=_SECTION,
    ),
    Option(
        name="ldap-group-nested",
        help="Follow groups that are members of groups.",
        parse=switch,
        default=False,
        env=("LDAP_GROUP_NESTED",),
        metavar="",
        section=_SECTION,
    ),
)
