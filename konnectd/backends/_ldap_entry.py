"""From entries to people: which attribute is what, how a subject is made of an entry and an entry found by a subject.

Subjects are those of Konnect, because accounts at clients hang on them: the DN as the server writes it, or the values
of chosen attributes, encoded like a query of a URL. Nothing here asks a directory.
"""

import unicodedata
from base64 import b64encode
from collections.abc import Iterator
from enum import StrEnum
from urllib.parse import quote_plus, unquote_to_bytes
from uuid import UUID

from attrs import frozen

from konnectd.backends._ldap_answers import Entry
from konnectd.backends._ldap_claims import ClaimSource, claims_of
from konnectd.backends._ldap_faults import ProtocolError
from konnectd.backends._ldap_filter import Filter, all_of, any_of, equals
from konnectd.protocol.end_user import EndUser

#: Longer names and subjects are nobody's.
LONGEST_NAME = 256
LONGEST_SUBJECT = 4096


class UuidType(StrEnum):
    """How the unique id is stored, and thereby how it is shown."""

    TEXT = "text"
    BINARY = "binary"
    UUID = "uuid"
    GUID = "guid"


@frozen(kw_only=True)
class AttributeMapping:
    """Which attribute is what; an empty name means that there is none.

    Attributes:
        login: what people may type, the first one being what they are called.
        sub: what the subject is made of instead of the DN.
        email_verified: the operator vouches for the addresses in the directory.
        claims: where further claims come from, one source for each.
    """

    login: tuple[str, ...]
    email: str
    name: str
    family_name: str
    given_name: str
    unique_id: str
    unique_id_type: UuidType
    numeric_id: str
    sub: tuple[str, ...]
    email_verified: bool = False
    claims: tuple[ClaimSource, ...] = ()

    @property
    def attributes(self) -> tuple[str, ...]:
        """What has to be asked for, each once."""
        names = (*self.login, self.email, self.name, self.family_name, self.given_name, self.unique_id, self.numeric_id)
        more = (source.attribute for source in self.claims)
        return tuple({name.lower(): name for name in (*names, *self.sub, *more) if name}.values())

    def login_filter(self, username: str) -> Filter:
        """Match entries that somebody might mean by a name."""
        return any_of(*(equals(attribute, username) for attribute in self.login))

    def has_login(self, entry: Entry, username: str) -> bool:
        """Tell whether an entry really has a name, whatever its case.

        Servers compare more freely than people expect, leaving blanks aside for example; what they find that way would
        let one person try passwords under many names.
        """
        typed = _folded(username)
        return any(_folded(value) == typed for attribute in self.login for value in entry.texts(attribute))

    def username(self, entry: Entry) -> str:
        """Return what somebody is called, by the first login attribute the entry has."""
        return next((entry.text(attribute) for attribute in self.login if entry.text(attribute)), "")

    def subject(self, entry: Entry) -> str:
        """Return the subject of an entry; empty if it has none of the attributes it would be made of."""
        return encode_subject(self._sub_pairs(entry)) if self.sub else entry.dn

    def is_subject(self, entry: Entry, subject: str) -> bool:
        """Tell whether a subject is still that of an entry, whatever its case and the order of values."""
        if not self.sub:
            return entry.dn.casefold() == subject.casefold()
        asked = decode_subject(subject)
        return asked is not None and _comparable(asked) == _comparable(self._sub_pairs(entry))

    def subject_filter(self, subject: str) -> Filter | None:
        """Match the entry that a subject made of attributes stands for; None when it was made of others, or of none.

        Only attributes that the operator named are ever compared.
        """
        pairs = decode_subject(subject)
        known = {name.lower() for name in self.sub}
        if not pairs or any(name.lower() not in known for name, _ in pairs):
            return None
        return all_of(*(equals(name, value) for name, value in pairs))

    def end_user(self, entry: Entry, subject: str, groups: tuple[str, ...] = ()) -> EndUser:
        """Make a person of an entry.

        Raises:
            ProtocolError: the entry can not be somebody's, for lack of a subject.
        """
        if not subject:
            raise ProtocolError(f"the entry {entry.dn!r} has none of the attributes in ldap_sub_attributes")
        email = self._text(entry, self.email)
        return EndUser(
            user_id=subject,
            subject=subject,
            username=self.username(entry),
            name=self._text(entry, self.name),
            family_name=self._text(entry, self.family_name),
            given_name=self._text(entry, self.given_name),
            email=email,
            email_verified=self.email_verified and bool(email),
            numeric_id=_whole_number(self._text(entry, self.numeric_id)),
            unique_id=unique_id(entry.first(self.unique_id), self.unique_id_type) if self.unique_id else "",
            groups=groups,
            further=claims_of(entry, self.claims) if self.claims else {},
        )

    def _text(self, entry: Entry, attribute: str) -> str:
        """Return an attribute as text, if there is one for the purpose."""
        return entry.text(attribute) if attribute else ""

    def _sub_pairs(self, entry: Entry) -> tuple[tuple[str, bytes], ...]:
        """Return name and value of all that a subject is made of."""
        return tuple((name, value) for name in self.sub for value in entry.values(name))


def encode_subject(pairs: tuple[tuple[str, bytes], ...]) -> str:
    """Write pairs like a query of a URL, sorted by name; several values of one name keep their order."""
    ordered = sorted(pairs, key=lambda pair: pair[0])
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in ordered)


def decode_subject(subject: str) -> tuple[tuple[str, bytes], ...] | None:
    """Read what `encode_subject` wrote; None when it is something else."""
    found = []
    for part in subject.split("&"):
        name, equals_sign, value = part.partition("=")
        if not equals_sign or not name:
            return None
        found.append((_unquote(name).decode("utf-8", "replace"), _unquote(value)))
    return tuple(found)


def unique_id(value: bytes | None, kind: UuidType) -> str:
    """Write a unique id as clients see it; empty when it is missing or not of its kind.

    Active Directory keeps the first three parts of an objectGUID in reverse order: `UuidType.GUID` writes it as
    Microsoft's tools do, `UuidType.UUID` as Konnect did.

    Spec: RFC 9562 4 (order of bytes).
    """
    if value is None:
        return ""
    match kind:
        case UuidType.BINARY:
            return b64encode(value).decode("ascii")
        case UuidType.UUID:
            return str(UUID(bytes=value)) if len(value) == 16 else ""
        case UuidType.GUID:
            return str(UUID(bytes_le=value)) if len(value) == 16 else ""
        case UuidType.TEXT:
            return value.decode("utf-8", "replace")


def clean_name(typed: str) -> str | None:
    """Return a typed name in the composed form directories have; None when it can be nobody's.

    Control characters, NUL above all, end a name early in some servers and not in others.

    Spec: Unicode annex 15 (form C).
    """
    name = unicodedata.normalize("NFC", typed)
    if (
        not name.strip()
        or len(name) > LONGEST_NAME
        or any(unicodedata.category(character) in {"Cc", "Cs"} for character in name)
    ):
        return None
    return name


def is_searchable(subject: str) -> bool:
    """Tell whether a subject can be somebody's at all."""
    return 0 < len(subject) <= LONGEST_SUBJECT and not any(
        unicodedata.category(character) in {"Cc", "Cs"} for character in subject
    )


def _folded(text: str) -> str:
    """Return text without its case."""
    return unicodedata.normalize("NFC", text).casefold()


def _comparable(pairs: tuple[tuple[str, bytes], ...]) -> list[tuple[str, str]]:
    """Return pairs without case and order; octets that are no text stay apart from any that are."""
    return sorted((name.lower(), value.decode("utf-8", "surrogateescape").casefold()) for name, value in pairs)


def _unquote(text: str) -> bytes:
    """Decode a part of a query."""
    return unquote_to_bytes(text.replace("+", " "))


def _whole_number(text: str) -> int | None:
    """Return a number if it is one."""
    try:
        return int(text)
    except ValueError:
        return None


def rdn_values(dn: str) -> Iterator[tuple[str, str]]:
    r"""Yield type and value of each part of the first RDN of a DN, escapes resolved.

    Spec: RFC 4514 3.
    """
    for part in _split(next(_split(dn, ","), ""), "+"):
        kind, _, value = part.partition("=")
        yield kind.strip().lower(), _unescape(value.lstrip(" "))


def _split(text: str, separator: str) -> Iterator[str]:
    """Split where a separator is not escaped."""
    start = index = 0
    while index < len(text):
        if text[index] == "\\":
            index += 2
            continue
        if text[index] == separator:
            yield text[start:index]
            start = index + 1
        index += 1
    yield text[start:]


def _unescape(value: str) -> str:
    """Resolve escapes of a value in a DN."""
    out = bytearray()
    index = 0
    while index < len(value):
        pair = value[index + 1 : index + 3]
        if value[index] != "\\":
            out += value[index].encode()
            index += 1
        elif len(pair) == 2 and all(digit in "0123456789abcdefABCDEF" for digit in pair):
            out += bytes.fromhex(pair)
            index += 3
        else:
            out += pair[:1].encode()
            index += 2
    return out.decode("utf-8", "replace")
