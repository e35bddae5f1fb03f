"""Entry ids: how a Kopano server points at an account, and which part of them stays the same.

An entry id is a little-endian structure. What identifies an account is kept outside of the server that answers, in the
directory or the database it reads accounts from: the external id. The number beside it is that one server's own, and a
server finds an account whatever number is sent. So two entry ids are equal when everything but the flags and the number
is. The external id stands inside as base64 text, and the whole is base64 again on the wire.

| offset | size | what                                                        |
| ------ | ---- | ----------------------------------------------------------- |
| 0      | 4    | flags                                                       |
| 4      | 16   | GUID of the provider                                        |
| 20     | 4    | version: 1 with an external id, 0 without one               |
| 24     | 4    | type: 6 is an account                                       |
| 28     | 4    | number                                                      |
| 32     | rest | base64 text of the external id, filled up with NUL          |

SYSTEM, the account of the server itself, has version 0: it has no external id and is nobody who could sign in.
"""

from base64 import b64decode, b64encode
from typing import Self

from attrs import field, frozen

from konnectd.base64url import b64url

#: An account, as opposed to a group or a company.
MAIL_USER = 6
#: Longest entry id that is read, in bytes. Directories keep far less than this in an attribute that identifies.
LONGEST_ENTRY_ID = 2048

_HEAD = 32
_WITH_EXTERNAL_ID = 1


def _identity(content: bytes) -> tuple[bytes, bytes]:
    """Return what makes two entry ids point at the same account: provider, version, type and external id."""
    return content[4:28], _external_id(content)


@frozen
class EntryId:
    """An entry id that has an external id.

    Attributes:
        content: the structure as it came. It is kept whole, because servers are sent it back as it is.
    """

    content: bytes = field(eq=_identity)

    @content.validator
    def _check(self, _: object, content: bytes) -> None:
        """Refuse what points at nobody: a server that is sent nothing answers about whoever asks.

        Raises:
            ValueError: it is refused.
        """
        if not has_external_id(content):
            raise ValueError("the entry id has no external id")
        _external_id(content)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an entry id as it is on the wire.

        Raises:
            ValueError: it is none, or has no external id.
        """
        return cls(strict_base64(text, LONGEST_ENTRY_ID))

    def __str__(self) -> str:
        """Write it as it is on the wire."""
        return b64encode(self.content).decode("ascii")

    @property
    def mapi_type(self) -> int:
        """What it points at."""
        return int.from_bytes(self.content[24:28], "little")

    @property
    def numeric_id(self) -> int:
        """The number that one server has for it."""
        return int.from_bytes(self.content[28:32], "little")

    @property
    def external_id(self) -> bytes:
        """What identifies the account, the same on every server of a cluster."""
        return _external_id(self.content)

    @property
    def subject(self) -> str:
        """The external id as people's subjects are written: base64url without padding."""
        return b64url(self.external_id)


def has_external_id(content: bytes) -> bool:
    """Tell whether the structure is one with an external id, or the one of the server's own account.

    Raises:
        ValueError: it is neither.
    """
    version = int.from_bytes(content[20:24], "little")
    if len(content) < _HEAD or version > _WITH_EXTERNAL_ID:
        raise ValueError("the entry id is too short, or of a version that is not known")
    return version == _WITH_EXTERNAL_ID


def strict_base64(text: str, longest: int) -> bytes:
    """Decode base64 that is written in the one way it should be: padded, unbroken, no bits left over.

    Args:
        text: what was received.
        longest: most bytes that may come of it.

    Raises:
        ValueError: it is something else, or too long.
    """
    # Three bytes are four characters; an encoding that differs from its own decoding would let one value pass as two.
    if len(text) > (longest + 2) // 3 * 4:
        raise ValueError(f"base64 of more than {longest} bytes")
    try:
        encoded = text.encode("ascii")
        content = b64decode(encoded, validate=True)
    except ValueError as error:
        raise ValueError("no base64") from error
    if b64encode(content) != encoded:
        raise ValueError("no base64 as it should be written")
    return content


def _external_id(content: bytes) -> bytes:
    """Return the external id of a structure.

    Raises:
        ValueError: there is none.
    """
    try:
        found = b64decode(content[_HEAD:].rstrip(b"\0"), validate=True)
    except ValueError as error:
        raise ValueError("the external id in the entry id is no base64") from error
    if not found:
        raise ValueError("the external id in the entry id is empty")
    return found
