"""Entry ids of the address book: bytes that say who somebody is."""

import base64
import struct

from attrs import frozen

from tests.support.kopano import codes

PROVIDER = bytes.fromhex("ac21a95040d3ee48b319fba753304425")
TYPE_USER = 6
_HEAD = struct.Struct("<I16sIII")
#: Shorter ones are no entry ids; it is a head and four bytes.
_LEAST_BYTES = 36


class EntryIdError(Exception):
    """It is no entry id of this server.

    Attributes:
        code: what the server answers.
    """

    def __init__(self, code: int) -> None:
        """Keep the code."""
        super().__init__(hex(code))
        self.code = code


@frozen(kw_only=True)
class EntryId:
    """What an entry id is made of.

    Attributes:
        version: 1 with an external id, 0 without.
        kind: 6 for somebody who has mail.
        number: who it is on this server.
        external: who it is in the directory behind the server, in base64; empty for version 0.
    """

    version: int
    kind: int
    number: int
    external: bytes

    @classmethod
    def parse(cls, content: bytes) -> "EntryId":
        """Read it.

        Raises:
            EntryIdError: it is too short, or another server's.
        """
        if len(content) < _LEAST_BYTES:
            raise EntryIdError(codes.INVALID_PARAMETER)
        _, provider, version, kind, number = _HEAD.unpack_from(content)
        if provider != PROVIDER:
            raise EntryIdError(codes.INVALID_ENTRYID)
        return cls(version=version, kind=kind, number=number, external=content[_HEAD.size :].rstrip(b"\0"))

    def to_bytes(self) -> bytes:
        """Write it, with the one to four NULs that fill it up."""
        content = _HEAD.pack(0, PROVIDER, self.version, self.kind, self.number) + self.external
        return content + b"\0" * (4 - len(content) % 4)

    def to_text(self) -> str:
        """Write it as it goes over the wire."""
        return base64.b64encode(self.to_bytes()).decode()

    def is_same(self, other: "EntryId") -> bool:
        """Say whether both mean the same; the number counts only where there is nothing else."""
        if (self.version, self.kind) != (other.version, other.kind):
            return False
        return self.number == other.number if self.version == 0 else self.external == other.external
