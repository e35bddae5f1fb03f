"""The log for systemd's journal, by its own protocol: each event is one entry, and its facts are fields of it.

A line on standard error gets there as well, but without fields, so that nobody could ask for a reference or for all
events of one kind; and a traceback would be as many entries as it has lines. The sentence is the line of the log
without the time, which the journal knows itself; so ``journalctl | konnectd explain`` reads it as before.

Nothing here waits for the journal. What it does not take is written to standard error with its priority before it,
which is what there was without this.
"""

import os
import socket
import struct
from collections.abc import Iterable, Mapping
from typing import TextIO, TypeAlias

from twisted.logger import ILogObserver, LogEvent
from twisted.python.reflect import safe_str
from zope.interface import implementer

from konnectd.log_json import all_facts, event_id, object_of
from konnectd.logs import is_wanted, level_name, line_of

#: Where the journal takes entries.
SOCKET = "/run/systemd/journal/socket"
#: Names the stream that the journal has given to a process, as ``device:inode``.
STREAM_VARIABLE = "JOURNAL_STREAM"
#: Syslog's numbers.
_PRIORITIES: Mapping[str, int] = {"fatal": 2, "error": 3, "warn": 4, "info": 6, "debug": 7}
_LONGEST_MESSAGE = 48 * 1024
_LONGEST_FIELD = 2048
_PREFIX = "KONNECTD_"

Fields: TypeAlias = Iterable[tuple[str, str]]


def leads_to_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether a stream is the one that the journal has given us, and not one that something else has put there."""
    given = environ.get(STREAM_VARIABLE, "")
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return given == f"{status.st_dev}:{status.st_ino}"


class Journal:
    """The way to the journal."""

    def __init__(self, path: str = SOCKET) -> None:
        """Open nothing but a socket of our own; the journal may come and go."""
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(0)

    def send(self, fields: Fields) -> bool:
        """Hand over an entry; false when the journal did not take it."""
        try:
            self._socket.sendto(b"".join(_field(name, value) for name, value in fields), self._path)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Let go."""
        self._socket.close()


@implementer(ILogObserver)
class JournalObserver:
    """Hands events over to the journal."""

    def __init__(self, journal: Journal, otherwise: TextIO, level: str = "info", *, as_json: bool = False) -> None:
        """Set where entries go and how.

        Args:
            journal: takes them.
            otherwise: takes what the journal does not.
            level: the least important events that are written, by Konnect's name for them.
            as_json: the message is a JSON object instead of a line.
        """
        self._journal = journal
        self._otherwise = otherwise
        self._level = level
        self._as_json = as_json

    def __call__(self, event: LogEvent) -> None:
        """Hand an event over unless it is less important than wanted."""
        if not is_wanted(event, self._level):
            return
        text = object_of(event, timestamp=False) if self._as_json else line_of(event, timestamp=False).rstrip("\n")
        priority = _PRIORITIES.get(level_name(event), 6)
        if not self._journal.send(_fields(event, text, priority)):
            self._otherwise.write("".join(f"<{priority}>{line}\n" for line in text.split("\n")))
            self._otherwise.flush()


def _fields(event: LogEvent, text: str, priority: int) -> Fields:
    """Yield the fields of an entry."""
    yield "MESSAGE", text[:_LONGEST_MESSAGE]
    yield "PRIORITY", str(priority)
    yield "SYSLOG_IDENTIFIER", "konnectd"
    yield f"{_PREFIX}EVENT", event_id(event)
    for name, value in all_facts(event).items():
        told = " ".join(value) if isinstance(value, tuple) else safe_str(value)
        if name.isascii():
            yield f"{_PREFIX}{name.upper()}"[:64], told[:_LONGEST_FIELD]


def _field(name: str, value: str) -> bytes:
    """Write a field; one with a line break says how long it is, so that nothing in it can be another field."""
    data = value.encode("utf-8", "backslashreplace")
    if b"\n" not in data:
        return name.encode("ascii") + b"=" + data + b"\n"
    return name.encode("ascii") + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
