"""The wire format of Redis (RESP2), as much of it as one value at a time needs: commands out, replies in.

What a server sends is limited in size, and what is none of the kinds that are expected ends the connection: an answer
that may belong to another question must never be taken for a yes.
"""

from typing import Final, TypeAlias

from attrs import frozen

#: Longest value that is taken, in bytes; what is kept has some kilobytes at most.
LONGEST_VALUE: Final = 1 << 20
#: Longest line that is taken, in bytes: a status, a number, an error.
LONGEST_LINE: Final = 4096

_END: Final = b"\r\n"


@frozen
class ErrorReply:
    """The server refused a command.

    Attributes:
        kind: the first word of its error. The rest is not kept: it may repeat what was asked.
    """

    kind: str


#: A status or a value, a number, nothing, or a refusal.
Reply: TypeAlias = bytes | int | ErrorReply | None


class WireError(Exception):
    """What was received is no reply that may come here."""


def command(*words: bytes) -> bytes:
    """Write a command."""
    lengths = (b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
    return b"*%d\r\n%b" % (len(words), b"".join(lengths))


class Replies:
    """Reads replies from bytes as they arrive."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._received = bytearray()

    def feed(self, content: bytes) -> list[Reply]:
        """Take bytes and return the replies that are complete now.

        Raises:
            WireError: they are none.
        """
        self._received += content
        replies: list[Reply] = []
        position = 0
        while (found := self._read(position)) is not None:
            reply, position = found
            replies.append(reply)
        del self._received[:position]
        return replies

    def _read(self, start: int) -> tuple[Reply, int] | None:
        """Return the reply that begins somewhere, and where it ends; None when it is not complete.

        Raises:
            WireError: it is none.
        """
        end = self._received.find(_END, start, start + LONGEST_LINE)
        if end < 0:
            if len(self._received) - start >= LONGEST_LINE:
                raise WireError("a line has no end")
            return None
        line, position = bytes(self._received[start:end]), end + len(_END)
        match line[:1]:
            case b"+":
                return line[1:], position
            case b"-":
                return _error(line), position
            case b":":
                return _number(line), position
            case b"$":
                return self._bulk(_number(line), position)
        raise WireError("a reply of a kind that was not asked for")

    def _bulk(self, length: int, start: int) -> tuple[Reply, int] | None:
        """Return a value of known length, and where it ends; None when it is not complete.

        Raises:
            WireError: it is too long, or longer than was said.
        """
        if length == -1:
            return None, start
        if not 0 <= length <= LONGEST_VALUE:
            raise WireError(f"a value of {length} bytes")
        end = start + length
        if len(self._received) < end + len(_END):
            return None
        if self._received[end : end + len(_END)] != _END:
            raise WireError("a value is longer than its length")
        return bytes(self._received[start:end]), end + len(_END)


def _number(line: bytes) -> int:
    """Read a line that has a number in it.

    Raises:
        WireError: it has none.
    """
    digits = line[1:].removeprefix(b"-")
    # Longer than any number of 64 bits; `int` alone would take blanks, underscores and any length.
    if not digits.isdigit() or len(digits) > 19:
        raise WireError("a number that is none")
    return int(line[1:])


def _error(line: bytes) -> ErrorReply:
    """Keep the first word of an error when it looks like a code."""
    word = line[1:].partition(b" ")[0]
    return ErrorReply(word.decode("ascii") if word.isalpha() and word.isupper() else "ERR")
