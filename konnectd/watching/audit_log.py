"""The audit log's writer: entries are taken at once and written by a thread, so a slow disk keeps nobody waiting.

Entries wait in memory while the place can not be written to, up to a limit; beyond it they are counted instead, and an
entry says how many are missing as soon as there is room again. When the daemon ends, what waits is written first.
"""

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from konnectd.config.watching_options import JOURNAL, STDERR
from konnectd.option import ConfigError, ConfigErrors
from konnectd.watching.audit_events import entry
from konnectd.watching.audit_target import FileTarget, JournalTarget, StreamTarget, Target

#: Entries that wait at most; with some hundred bytes each they are a few megabytes.
MOST_WAITING = 10_000
#: Entries that are written together at most.
_BATCH = 256
#: After how many seconds it is tried again.
PAUSE = 1.0
#: How long entries are gathered before they are written, in seconds.
GATHER = 0.02
#: How long what waits may take to be written when the daemon ends, in seconds.
LAST_SECONDS = 8.0

FAILED, RECOVERED = "failed", "recovered"

#: Told of the log itself, by the thread: a word for what happened, and what is to be said about it.
Tell: TypeAlias = Callable[[str, str], object]


def open_target(place: str | Path) -> Target:
    """Open the place of the audit log.

    Raises:
        ConfigErrors: it can not be written to.
    """
    if place == STDERR:
        return StreamTarget(sys.stderr.fileno())
    if place == JOURNAL:
        return JournalTarget()
    try:
        return FileTarget(Path(place))
    except OSError as error:
        problem = f"{place} can not be written to: {error.strerror}"
        raise ConfigErrors([ConfigError("audit_log", problem)]) from error


class AuditLog:
    """Takes entries.

    Attributes:
        lost: how many were given up.
    """

    def __init__(self, target: Target, tell: Tell, *, most: int = MOST_WAITING, pause: float = PAUSE) -> None:
        """Begin without a thread.

        Args:
            target: where entries go.
            tell: told of faults and of their end.
            most: entries that wait at most.
            pause: after how many seconds it is tried again.
        """
        self.lost = 0
        self._target = target
        self._tell = tell
        self._most = most
        self._pause = pause
        self._turn = threading.Condition()
        self._queue: deque[str] = deque()
        self._unsaid = 0
        self._buffer = b""
        self._written = 0
        self._renew = False
        self._closing = False
        self._idle = False
        self._hurry = threading.Event()
        self._faulty = False
        self._astray = False
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """How many entries are not written yet."""
        return len(self._queue) + self._buffer.count(b"\n", self._written)

    def start(self) -> None:
        """Begin to write. The thread must not keep the process when a disk hangs."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
            self._thread.start()

    def write(self, line: str) -> None:
        """Take an entry; never waits."""
        with self._turn:
            if len(self._queue) >= self._most or self._closing:
                self.lost += 1
                self._unsaid += 1
                return
            if self._unsaid:
                self._queue.append(entry("lost", time.time(), count=self._unsaid))
                self._unsaid = 0
            self._queue.append(line)
            if self._idle:
                self._turn.notify()

    def reopen(self) -> None:
        """Let the file be opened anew before the next entry."""
        with self._turn:
            self._renew = True
            self._turn.notify()
        self._hurry.set()

    def close(self, seconds: float = LAST_SECONDS) -> int:
        """Write what waits, and return how much could not be; blocks for so many seconds at most."""
        with self._turn:
            if self._unsaid:
                self._queue.append(entry("lost", time.time(), count=self._unsaid))
                self._unsaid = 0
            self._closing = True
            self._turn.notify()
        self._hurry.set()
        if self._thread is not None:
            self._thread.join(seconds)
        return self.waiting

    def _run(self) -> None:
        """Write until the end."""
        while self._wait():
            # Entries come together: to wake up for each would take the time of those who make them.
            self._hurry.wait(GATHER)
            try:
                self._work()
            except OSError as error:
                self._failed(error)
        self._target.close()

    def _wait(self) -> bool:
        """Wait for something to do; false when there will be nothing any more."""
        with self._turn:
            while not (self._queue or self._buffer or self._renew or self._closing):
                self._idle = True
                self._turn.wait()
            self._idle = False
            return bool(self._queue or self._buffer or not self._closing)

    def _work(self) -> None:
        """Write some entries.

        Raises:
            OSError: it can not be done now.
        """
        self._follow()
        if not self._buffer:
            self._fill()
        while self._written < len(self._buffer):
            self._written += self._target.write(self._buffer[self._written :])
        self._buffer, self._written = b"", 0
        if self._faulty:
            self._faulty = False
            self._tell(RECOVERED, "")

    def _follow(self) -> None:
        """Open the file anew when it was moved, or when somebody asked for it.

        Raises:
            OSError: there is no file, neither the old nor a new one.
        """
        with self._turn:
            always, self._renew = self._renew, False
            if not self._closing:
                self._hurry.clear()
        try:
            renewed = self._target.renew(always=always)
        except OSError as error:
            self._renew = self._renew or always
            if not self._target.lasting:
                raise
            # Rather into the file that was moved away than nowhere.
            if not self._astray:
                self._astray = True
                self._tell(FAILED, _words(error))
            return
        self._astray = False
        if renewed:
            # A line that was begun in the other file is written whole in this one.
            self._written = self._buffer.rfind(b"\n", 0, self._written) + 1

    def _fill(self) -> None:
        """Take entries to write."""
        with self._turn:
            lines = [self._queue.popleft() for _ in range(min(len(self._queue), _BATCH))]
            self._buffer = "".join(f"{line}\n" for line in lines).encode("ascii")

    def _failed(self, error: OSError) -> None:
        """Tell of a fault, once, and try again in a moment."""
        if not self._faulty:
            self._faulty = True
            self._tell(FAILED, _words(error))
        with self._turn:
            self._turn.wait(min(self._pause, 0.2) if self._closing else self._pause)


def _words(error: OSError) -> str:
    """Return what is wrong, in the system's words."""
    return error.strerror or os.strerror(error.errno or 0)
