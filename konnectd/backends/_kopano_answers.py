"""What a Kopano server answers to each call, as values.

Each class reads itself from the fields of an answer whose number was success; `_kopano_soap` has looked at that before.
Fields that nobody needs are not read, so nothing that may change about them matters.
"""

from enum import IntEnum
from typing import Self

from attrs import field, frozen

from konnectd.backends._kopano_entry import LONGEST_ENTRY_ID, EntryId, has_external_id
from konnectd.backends._kopano_errors import MalformedAnswerError
from konnectd.backends._kopano_xml import Fields

#: Tags of properties, each with the type that is in its lower half.
GIVEN_NAME = 0x3A06001E
SURNAME = 0x3A11001E
DISPLAY_NAME = 0x3001001E
ACCOUNT = 0x3A00001E
SMTP_ADDRESS = 0x39FE001E
ENTRY_ID = 0x0FFF0102
OBJECT_TYPE = 0x0FFE0003
ENABLED_FEATURES = 0x67B3101E
DISABLED_FEATURES = 0x67B4101E

_SESSION_BITS = 64
_ERROR_TYPE = 0x000A


@frozen
class SessionId:
    """What proves to the server who is asking; whoever has it from the same address is taken for them."""

    number: int = field(repr=False)


@frozen(kw_only=True)
class PasswordAnswer:
    """A password is right. There is no session."""

    server_version: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read the answer to a logon that registers nothing; the session id in it is good for nothing.

        Raises:
            MalformedAnswerError: it can not be read.
        """
        return cls(server_version=fields.text("lpszVersion"))


@frozen(kw_only=True)
class LogonAnswer:
    """Somebody has signed in.

    Attributes:
        session: what further calls are made with.
        server_version: such as ``0,11,0,2``.
        server_guid: which server it is; a client that keeps a session needs one, so it is never empty.
    """

    session: SessionId
    server_version: str
    server_guid: bytes

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read the answer to a logon that registers a session.

        Raises:
            MalformedAnswerError: it can not be read, or has no session.
        """
        session = SessionId(fields.number("ulSessionId", _SESSION_BITS))
        guid = fields.octets("sServerGuid")
        if not session.number or not guid:
            raise MalformedAnswerError("a logon succeeded, but the answer has no session or no server")
        return cls(session=session, server_version=fields.text("lpszVersion"), server_guid=guid)


@frozen(kw_only=True)
class ResolveAnswer:
    """An account with a name.

    Attributes:
        numeric_id: the number that this one server has for it.
        entry_id: None for SYSTEM, which is nobody who could sign in.
    """

    numeric_id: int
    entry_id: EntryId | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read the answer to a look-up of a name.

        Raises:
            MalformedAnswerError: it can not be read.
        """
        return cls(numeric_id=fields.number("ulUserId"), entry_id=_entry_id(fields))


@frozen(kw_only=True)
class Property:
    """Something more about somebody.

    Attributes:
        tag: which property it is, and of which type.
    """

    tag: int
    value: str = field(repr=False)


@frozen(kw_only=True)
class ManyProperty:
    """Something more about somebody, of which there are several."""

    tag: int
    values: tuple[str, ...] = field(repr=False)


@frozen(kw_only=True)
class User:
    """An account as the server knows it now.

    Attributes:
        numeric_id: the number that this one server has for it.
        username: the login name, in its own case.
        object_class: what kind of account it is; 65537 is somebody who may sign in.
        is_admin: 0 for nobody special, 1 for an administrator, 2 for one of the whole system.
        properties: given name, surname and what else was set up; often there are none.
        entry_id: None for SYSTEM.
    """

    numeric_id: int
    username: str
    full_name: str
    mail_address: str
    object_class: int
    is_admin: int
    properties: tuple[Property, ...]
    many_properties: tuple[ManyProperty, ...]
    entry_id: EntryId | None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read the answer to a question about an account.

        Raises:
            MalformedAnswerError: it can not be read.
        """
        user = fields.group("lpsUser")
        username = user.text("lpszUsername")
        if not username:
            raise MalformedAnswerError("lpsUser has no lpszUsername")
        return cls(
            numeric_id=user.number("ulUserId"),
            username=username,
            full_name=user.text("lpszFullName"),
            mail_address=user.text("lpszMailAddress"),
            object_class=user.number("ulObjClass"),
            is_admin=user.number("ulIsAdmin"),
            properties=tuple(
                Property(tag=item.number("ulPropId"), value=item.text("lpszValue")) for item in user.items("lpsPropmap")
            ),
            many_properties=tuple(
                ManyProperty(tag=item.number("ulPropId"), values=item.texts("sValues"))
                for item in user.items("lpsMVPropmap")
            ),
            entry_id=_entry_id(user),
        )

    def find(self, tag: int) -> str | None:
        """Return the property with exactly this tag, type and all; None when there is none."""
        return next((one.value for one in self.properties if one.tag == tag), None)


class Standing(IntEnum):
    """What became of a name that was looked up in the address book."""

    NOT_FOUND = 0
    AMBIGUOUS = 1
    RESOLVED = 2


@frozen(kw_only=True)
class BookProperty:
    """A property in the address book.

    Attributes:
        tag: which property it is. One that was asked for and is missing comes with the type of an error, 0x000A.
        value: of a type that belongs to the tag; None when it is of one that is not read here, or an error.
    """

    tag: int
    value: str | int | bytes | None = field(repr=False)


@frozen(kw_only=True)
class BookRow:
    """What was found under one name; nothing unless it was resolved."""

    standing: Standing
    properties: tuple[BookProperty, ...]

    def find(self, tag: int) -> str | int | bytes | None:
        """Return the property with exactly this tag; None when there is none."""
        return next((one.value for one in self.properties if one.tag == tag), None)


@frozen(kw_only=True)
class BookAnswer:
    """What was found in the address book, one row for each name, in their order."""

    rows: tuple[BookRow, ...]

    @classmethod
    def read(cls, fields: Fields, count: int) -> Self:
        """Read the answer to a look-up of names.

        Args:
            fields: of the answer.
            count: how many names were asked for.

        Raises:
            MalformedAnswerError: it can not be read.
        """
        flags, rows = fields.texts("aFlags"), fields.items("sRowSet")
        if not len(flags) == len(rows) == count:
            raise MalformedAnswerError(f"the answer is not about the {count} names that were asked for")
        return cls(
            rows=tuple(
                BookRow(standing=_standing(flag), properties=tuple(map(_book_property, row.all_items())))
                for flag, row in zip(flags, rows, strict=True)
            )
        )


def _entry_id(fields: Fields) -> EntryId | None:
    """Return the entry id of an account; None when it has no external id.

    Raises:
        MalformedAnswerError: there is none, or it is malformed.
    """
    try:
        content = fields.octets("sUserId")
        if len(content) > LONGEST_ENTRY_ID:
            raise MalformedAnswerError(f"sUserId is longer than {LONGEST_ENTRY_ID} bytes")
        return EntryId(content) if has_external_id(content) else None
    except ValueError as error:
        raise MalformedAnswerError(f"sUserId: {error}") from error


def _standing(flag: str) -> Standing:
    """Read what became of a name.

    Raises:
        MalformedAnswerError: it is none of what can.
    """
    for standing in Standing:
        if flag == str(standing.value):
            return standing
    raise MalformedAnswerError("aFlags has something else than 0, 1 and 2")


def _book_property(item: Fields) -> BookProperty:
    """Read one property of a row.

    Raises:
        MalformedAnswerError: its tag or its value can not be read.
    """
    tag = item.number("ulPropTag")
    value: str | int | bytes | None = None
    if item.has("lpszA"):
        value = item.text("lpszA")
    elif item.has("bin"):
        value = item.octets("bin")
    elif item.has("ul") and tag & 0xFFFF != _ERROR_TYPE:
        value = item.number("ul")
    return BookProperty(tag=tag, value=value)
