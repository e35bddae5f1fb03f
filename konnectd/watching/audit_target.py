"""Where the audit log goes: a file, standard error, or systemd's journal.

What is done here may block: a thread does it.
"""

import os
import stat
from pathlib import Path
from typing import Protocol

from konnectd.journal import Journal

MODE = 0o640
IDENTIFIER = "konnectd-audit"


class Target(Protocol):
    """Takes lines."""

    def write(self, data: bytes) -> int:
        """Take some whole lines, of which the first may have been begun before, and return how many bytes it took.

        Raises:
            OSError: it can not take any now.
        """
        ...

    def renew(self, *, always: bool) -> bool:
        """Open the place anew if something else is there by now, and tell whether it was.

        Args:
            always: whether something else is there or not.

        Raises:
            OSError: it can not be opened.
        """
        ...

    @property
    def lasting(self) -> bool:
        """Whether what is written now can be found later."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class FileTarget:
    """A file that is appended to, and followed when it is moved away."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            OSError: it can not be opened, or is no plain file.
        """
        self._path = path
        self._file = _open(path)

    def write(self, data: bytes) -> int:
        """Append."""
        return os.write(self._file, data)

    def renew(self, *, always: bool) -> bool:
        """Open the file of this name if that is another one by now; what is open stays open when that fails."""
        if not always and self._is_current():
            return False
        new = _open(self._path)
        old, self._file = self._file, new
        os.close(old)
        return True

    @property
    def lasting(self) -> bool:
        """Whether the open file still has a name; moved away it has another one, removed it has none."""
        return os.fstat(self._file).st_nlink > 0

    def close(self) -> None:
        """Let go."""
        os.close(self._file)

    def _is_current(self) -> bool:
        """Tell whether the file of this name is the one that is open."""
        ours = os.fstat(self._file)
        try:
            there = self._path.lstat()
        except OSError:
            return False
        return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def _open(path: Path) -> int:
    """Open a file to append to.

    No symbolic link is followed, and nothing but a plain file is written to: whoever may write in the folder could lead
    us elsewhere. Only a new file gets a mode; one that was made before keeps what the operator gave it.

    Raises:
        OSError: it can not be opened, or is no plain file.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        file = os.open(path, flags | os.O_CREAT | os.O_EXCL, MODE)
        os.fchmod(file, MODE)
    except FileExistsError:
        file = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(0, "is no plain file")
    return file


class StreamTarget:
    """A stream that is open already, such as standard error."""

    lasting = True

    def __init__(self, file: int) -> None:
        """Keep its number."""
        self._file = file

    def write(self, data: bytes) -> int:
        """Write."""
        return os.write(self._file, data)

    def renew(self, *, always: bool) -> bool:  # noqa: ARG002 - a Target
        """Nothing else can be there."""
        return False

    def close(self) -> None:
        """Leave it open: it is not ours."""


class JournalTarget:
    """Systemd's journal, where each line is an entry of its own."""

    lasting = True

    def __init__(self, journal: Journal | None = None) -> None:
        """Keep the way there."""
        self._journal = journal or Journal()

    def write(self, data: bytes) -> int:
        """Hand over as many lines as are taken.

        Raises:
            OSError: not even one was.
        """
        taken = 0
        for line in data.splitlines(keepends=True):
            text = line.decode("ascii").rstrip("\n")
            if not self._journal.send((("MESSAGE", text), ("PRIORITY", "5"), ("SYSLOG_IDENTIFIER", IDENTIFIER))):
                break
            taken += len(line)
        if not taken:
            raise OSError(0, "the journal does not take entries")
        return taken

    def renew(self, *, always: bool) -> bool:  # noqa: ARG002 - a Target
        """There is nothing to open."""
        return False

    def close(self) -> None:
        """Let go."""
        self._journal.close()
