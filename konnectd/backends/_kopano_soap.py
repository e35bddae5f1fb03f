"""The calls to a Kopano server: each is a value that writes its request and reads its answer.

Here are what all calls have in common, and those that are made in a session; `_kopano_logons` is how one begins. A call
that somebody's words can not be put into raises `UnsendableError` when it is made, never later.
"""

import unicodedata
from typing import ClassVar, Protocol, TypeVar, final

from attrs import field, frozen

from konnectd.backends._kopano_answers import (
    ACCOUNT,
    DISPLAY_NAME,
    ENTRY_ID,
    GIVEN_NAME,
    OBJECT_TYPE,
    SMTP_ADDRESS,
    SURNAME,
    BookAnswer,
    ResolveAnswer,
    SessionId,
    User,
)
from konnectd.backends._kopano_entry import EntryId
from konnectd.backends._kopano_errors import Code, KopanoError, UnsendableError
from konnectd.backends._kopano_xml import Fields, Xml, branch, envelope, escape, leaf, read_answer

#: Longest login name, in characters.
LONGEST_NAME = 256
#: Longest password, in characters.
LONGEST_PASSWORD = 1024
#: Most names in one look-up in the address book.
MOST_NAMES = 100
#: The server's own account: no person signs in with it, and any session may look it up.
SYSTEM = "SYSTEM"

_BOOK_TAGS = (ENTRY_ID, DISPLAY_NAME, SMTP_ADDRESS, ACCOUNT, GIVEN_NAME, SURNAME, OBJECT_TYPE)

Answer_co = TypeVar("Answer_co", covariant=True)


class Call(Protocol[Answer_co]):
    """One call.

    Attributes:
        method: its name on the wire.
        repeatable: making it twice does no more than making it once, so that it may be when no answer came.
        secrets: texts in it that must not be seen in a log.
    """

    @property
    def method(self) -> str: ...

    @property
    def repeatable(self) -> bool: ...

    @property
    def secrets(self) -> tuple[str, ...]: ...

    def encode(self) -> bytes:
        """Write the request."""
        ...

    def read(self, content: bytes) -> Answer_co:
        """Read the answer.

        Raises:
            KopanoError: the server refuses.
            KopanoFaultError: the server did not make sense of the request.
            MalformedAnswerError: it is no answer to this.
        """
        ...


def check_name(name: str) -> str:
    """Return a login name that can be somebody's.

    Raises:
        UnsendableError: it is empty, too long, or has control characters.
    """
    if not name.strip() or len(name) > LONGEST_NAME:
        raise UnsendableError(f"a name must have 1 to {LONGEST_NAME} characters")
    # Beside what XML does not allow: no name has a line break, and the logs of a server would be split by one.
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in name):
        raise UnsendableError("a name has a character that can not be sent")
    escape(name)
    return name


def check_password(password: str) -> str:
    """Return a password that can be somebody's.

    Raises:
        UnsendableError: it is empty, too long, or has characters that can not be sent.
    """
    if not password or len(password) > LONGEST_PASSWORD:
        raise UnsendableError(f"a password must have 1 to {LONGEST_PASSWORD} characters")
    escape(password)
    return password


@final
@frozen
class Logoff:
    """End a session. One that the server does not know is refused."""

    session: SessionId
    method: ClassVar[str] = "logoff"
    repeatable: ClassVar[bool] = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """The session."""
        return _digits(self.session)

    def encode(self) -> bytes:
        """Write the request."""
        return envelope(self.method, _session(self.session))

    def read(self, content: bytes) -> None:
        """Read the answer, as `Call` has it; this one has its number in another place than all others."""
        success(self.method, {"logoffResponse"}, content, number="result")


@final
@frozen
class ResolveUsername:
    """Find an account by its login name; with `SYSTEM` this is what keeps a session alive."""

    session: SessionId
    username: str = field(converter=check_name)
    method: ClassVar[str] = "resolveUsername"
    repeatable: ClassVar[bool] = True

    @property
    def secrets(self) -> tuple[str, ...]:
        """The session."""
        return _digits(self.session)

    def encode(self) -> bytes:
        """Write the request."""
        return envelope(self.method, leaf("lpszUsername", self.username), _session(self.session))

    def read(self, content: bytes) -> ResolveAnswer:
        """Read the answer, as `Call` has it."""
        names = {"resolveUserResponse", "resolveUsernameResponse"}
        return ResolveAnswer.read(success(self.method, names, content))


@final
@frozen
class GetUser:
    """Ask about an account.

    Without an entry id the server would answer about whoever asks; there is no `EntryId` that is empty.
    """

    session: SessionId
    entry_id: EntryId
    method: ClassVar[str] = "getUser"
    repeatable: ClassVar[bool] = True

    @property
    def secrets(self) -> tuple[str, ...]:
        """The session."""
        return _digits(self.session)

    def encode(self) -> bytes:
        """Write the request."""
        return envelope(self.method, leaf("sUserId", str(self.entry_id)), _session(self.session))

    def read(self, content: bytes) -> User:
        """Read the answer, as `Call` has it."""
        return User.read(success(self.method, {"getUserResponse"}, content))


@frozen
class BookName:
    """A name to look up in the address book, by its beginning.

    Attributes:
        resolved: there is no need to look it up; the server leaves it alone.
    """

    text: str = field(converter=check_name)
    resolved: bool = False


@final
@frozen
class ResolveNames:
    """Look names up in the address book: login names, addresses, full names.

    Servers do not check that every part of this is there, and must not be sent it otherwise.

    Attributes:
        exact: the whole name has to be the same instead of its beginning.
        tags: which properties are wanted.
    """

    session: SessionId
    names: tuple[BookName, ...]
    exact: bool = False
    tags: tuple[int, ...] = _BOOK_TAGS
    method: ClassVar[str] = "abResolveNames"
    repeatable: ClassVar[bool] = True

    def __attrs_post_init__(self) -> None:
        """Refuse to look up nothing, or everything.

        Raises:
            UnsendableError: it is refused.
        """
        if not 0 < len(self.names) <= MOST_NAMES or not 0 < len(self.tags) <= MOST_NAMES:
            raise UnsendableError(f"there must be 1 to {MOST_NAMES} names, and as many properties")

    @property
    def secrets(self) -> tuple[str, ...]:
        """The session."""
        return _digits(self.session)

    def encode(self) -> bytes:
        """Write the request."""
        return envelope(
            self.method,
            _session(self.session),
            branch(
                "lpaPropTag", *(leaf("item", tag) for tag in self.tags), array_type=f"xsd:unsignedInt[{len(self.tags)}]"
            ),
            branch("lpsRowSet", *map(_row, self.names), array_type=f"propVal[][{len(self.names)}]"),
            branch("lpaFlags", *(leaf("item", 2 if name.resolved else 0) for name in self.names)),
            leaf("ulFlags", int(self.exact)),
        )

    def read(self, content: bytes) -> BookAnswer:
        """Read the answer, as `Call` has it."""
        return BookAnswer.read(success(self.method, {"abResolveNamesResponse"}, content), len(self.names))


def _session(session: SessionId) -> Xml:
    """Write who asks."""
    return leaf("ulSessionId", session.number)


def _digits(session: SessionId) -> tuple[str, ...]:
    """Return a session as it is written."""
    return (str(session.number),)


def _row(name: BookName) -> Xml:
    """Write a name to look up."""
    wanted = branch("item", leaf("ulPropTag", DISPLAY_NAME), leaf("lpszA", name.text))
    return branch("item", wanted, array_type="propVal[1]")


def success(method: str, names: set[str], content: bytes, number: str = "er") -> Fields:
    """Return the fields of an answer whose number is success.

    Raises:
        KopanoError: it is another one.
        KopanoFaultError: the answer is a Fault.
        MalformedAnswerError: it is no answer to the call.
    """
    fields = read_answer(method, frozenset(names), content)
    code = fields.number(number)
    if code != Code.SUCCESS:
        raise KopanoError(method, code)
    return fields
