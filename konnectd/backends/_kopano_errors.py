"""What a Kopano server answers when something is wrong: its numbers by name, and the exceptions of this backend.

Every answer carries a number; zero is success. A Fault is something else: the server could not make sense of the
request at all. Both are complete answers of a server that is well. That there is no answer, or one that can not be
read, is `konnectd.interfaces.BackendUnavailableError`, raised from the cause by `_kopano_exchange`.
"""

from enum import IntEnum

#: Most of a Fault's own words that are kept, in characters.
LONGEST_REASON = 200


class Code(IntEnum):
    """The numbers of the server, by the names that its own logs have for them."""

    SUCCESS = 0
    KCERR_UNKNOWN = 0x80000001
    KCERR_NOT_FOUND = 0x80000002
    KCERR_NO_ACCESS = 0x80000003
    KCERR_NETWORK_ERROR = 0x80000004
    KCERR_SERVER_NOT_RESPONDING = 0x80000005
    KCERR_INVALID_TYPE = 0x80000006
    KCERR_DATABASE_ERROR = 0x80000007
    KCERR_COLLISION = 0x80000008
    KCERR_LOGON_FAILED = 0x80000009
    KCERR_HAS_MESSAGES = 0x8000000A
    KCERR_HAS_FOLDERS = 0x8000000B
    KCERR_HAS_RECIPIENTS = 0x8000000C
    KCERR_HAS_ATTACHMENTS = 0x8000000D
    KCERR_NOT_ENOUGH_MEMORY = 0x8000000E
    KCERR_TOO_COMPLEX = 0x8000000F
    KCERR_END_OF_SESSION = 0x80000010
    KCWARN_CALL_KEEPALIVE = 0x80000011
    KCERR_UNABLE_TO_ABORT = 0x80000012
    KCERR_NOT_IN_QUEUE = 0x80000013
    KCERR_INVALID_PARAMETER = 0x80000014
    KCWARN_PARTIAL_COMPLETION = 0x80000015
    KCERR_INVALID_ENTRYID = 0x80000016
    KCERR_BAD_VALUE = 0x80000017
    KCERR_NO_SUPPORT = 0x80000018
    KCERR_TOO_BIG = 0x80000019
    KCWARN_POSITION_CHANGED = 0x8000001A
    KCERR_FOLDER_CYCLE = 0x8000001B
    KCERR_STORE_FULL = 0x8000001C
    KCERR_PLUGIN_ERROR = 0x8000001D
    KCERR_UNKNOWN_OBJECT = 0x8000001E
    KCERR_NOT_IMPLEMENTED = 0x8000001F
    KCERR_DATABASE_NOT_FOUND = 0x80000020
    KCERR_INVALID_VERSION = 0x80000021
    KCERR_UNKNOWN_DATABASE = 0x80000022
    KCERR_NOT_INITIALIZED = 0x80000023
    KCERR_CALL_FAILED = 0x80000024
    KCERR_SSO_CONTINUE = 0x80000025
    KCERR_TIMEOUT = 0x80000026
    KCERR_INVALID_BOOKMARK = 0x80000027
    KCERR_UNABLE_TO_COMPLETE = 0x80000028
    KCERR_UNKNOWN_INSTANCE_ID = 0x80000029
    KCERR_IGNORE_ME = 0x8000002A
    KCERR_BUSY = 0x8000002B
    KCERR_OBJECT_DELETED = 0x8000002C
    KCERR_USER_CANCEL = 0x8000002D
    KCERR_UNKNOWN_FLAGS = 0x8000002E
    KCERR_SUBMITTED = 0x8000002F
    KCERR_UNCONFIGURED = 0x80000030
    KCERR_BAD_CHARWIDTH = 0x80000031


def code_name(number: int) -> str:
    """Name a number as the server's logs do; one that is not known here is named by its digits."""
    try:
        return Code(number).name
    except ValueError:
        return f"KC:0x{number:08X}"


class KopanoError(Exception):
    """The server understood a call and refused it.

    Attributes:
        code: the number, as it came; it compares equal to a member of `Code`.
        name: what the server's logs call it.
    """

    def __init__(self, method: str, code: int) -> None:
        """Say which call was refused, and how."""
        self.code = code
        self.name = code_name(code)
        super().__init__(f"{method}: {self.name} (0x{code:08X})")


class KopanoFaultError(Exception):
    """The server could not make sense of a call: a fault of ours or of the server's, never of a person.

    Attributes:
        reason: the server's own words, cut and without control characters; for the log.
    """

    def __init__(self, method: str, reason: str) -> None:
        """Say which call met a Fault, and what the server said."""
        self.reason = clean_reason(reason)
        super().__init__(f"{method}: the server answers with a Fault: {self.reason or 'no reason given'}")


class MalformedAnswerError(Exception):
    """What came is no answer to the call; it stays inside the backend, where it is the cause of another error."""


class UnsendableError(ValueError):
    """A name, a password or a token can not be anybody's, so nothing is sent.

    Its text says what is wrong and never repeats the value.
    """


def clean_reason(text: str) -> str:
    """Make words of the server fit for a line of the log: one line, no control characters, not long."""
    printable = (character if character.isprintable() else " " for character in text[: 4 * LONGEST_REASON])
    line = " ".join("".join(printable).split())
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "\N{HORIZONTAL ELLIPSIS}"
