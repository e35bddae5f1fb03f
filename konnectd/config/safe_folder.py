"""A folder for secrets, reached without trusting anybody who could lead us somewhere else, and changed step by step.

Commands that make keys run as root and may be given folders of others. Whoever may write to a folder on the way could
put a symbolic link there and have us write a key, or take one away, wherever they like. So each part of the path is
opened by itself, links count only when root or we ourselves have made them, and everything after that happens in the
opened folder, whatever its path leads to by then.

Each change is one step of the file system: it has happened or it has not, also when the power fails in between.
"""

import fcntl
import grp
import os
import pwd
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

#: How many symbolic links a path may lead over; more is a loop.
_MOST_LINKS = 16
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LEFTOVER = re.compile(r"\..{1,255}\.[0-9a-f]{12}\.new")


class UnsafeError(Exception):
    """A folder can not be used for secrets, in words for operators."""


class BusyError(UnsafeError):
    """Somebody else of ours is at work in a folder; it will not take long."""


@frozen
class Owner:
    """Whose files are.

    Attributes:
        uid: of the user.
        gid: of the user's group.
    """

    uid: int
    gid: int

    @classmethod
    def of(cls, name: str) -> "Owner":
        """Look a user of this machine up.

        Raises:
            ValueError: there is none of that name.
        """
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise ValueError(f"there is no user {name} on this machine") from None
        return cls(entry.pw_uid, entry.pw_gid)

    @classmethod
    def myself(cls) -> "Owner":
        """Return who this process is."""
        return cls(os.geteuid(), os.getegid())


@frozen
class SafeFolder:
    """An open folder.

    Attributes:
        path: as it was given, for messages.
        number: its file descriptor.
    """

    path: Path
    number: int

    def state(self, name: str) -> os.stat_result | None:
        """Return what a name stands for, links not followed; None for nothing.

        Raises:
            OSError: the folder can not be looked into.
        """
        try:
            return os.stat(name, dir_fd=self.number, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def write_new(self, name: str, content: bytes, owner: Owner, mode: int = 0o600) -> bool:
        """Write a file that is not there yet; return whether it was not.

        Raises:
            OSError: it can not be written.
        """
        with self._draft(name, content, owner, mode) as draft:
            try:
                os.link(draft, name, src_dir_fd=self.number, dst_dir_fd=self.number, follow_symlinks=False)
            except FileExistsError:
                return False
        os.fsync(self.number)
        return True

    def replace(self, name: str, content: bytes, owner: Owner, mode: int = 0o600) -> None:
        """Write a file in the place of what is there.

        Raises:
            OSError: it can not be written.
        """
        with self._draft(name, content, owner, mode) as draft:
            os.replace(draft, name, src_dir_fd=self.number, dst_dir_fd=self.number)
        os.fsync(self.number)

    def link(self, name: str, target: str) -> bool:
        """Make a symbolic link that is not there yet; return whether it was not.

        Raises:
            OSError: it can not be made.
        """
        try:
            os.symlink(target, name, dir_fd=self.number)
        except FileExistsError:
            return False
        os.fsync(self.number)
        return True

    def relink(self, name: str, target: str) -> None:
        """Let a symbolic link lead somewhere else, in one step.

        Raises:
            UnsafeError: there is something else in its place.
            OSError: it can not be changed.
        """
        found = self.state(name)
        if found is not None and not stat.S_ISLNK(found.st_mode):
            raise UnsafeError(f"{self.path / name} is no symbolic link, and is left as it is")
        draft = _draft_name(name)
        os.symlink(target, draft, dir_fd=self.number)
        try:
            os.replace(draft, name, src_dir_fd=self.number, dst_dir_fd=self.number)
        except OSError:
            os.unlink(draft, dir_fd=self.number)
            raise
        os.fsync(self.number)

    def remove(self, name: str) -> None:
        """Take a file away; it is fine if it is not there.

        Raises:
            OSError: it can not be taken away.
        """
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.number)
        os.fsync(self.number)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other commands of ours out meanwhile, and take away what one that was killed has left behind.

        Raises:
            BusyError: one is at work.
        """
        try:
            fcntl.flock(self.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError(f"another command is changing {self.path}; try again when it has ended") from error
        try:
            for name in os.listdir(self.number):  # noqa: PTH208 - what is open has no path
                if _LEFTOVER.fullmatch(name):
                    self.remove(name)
            yield
        finally:
            fcntl.flock(self.number, fcntl.LOCK_UN)

    @contextmanager
    def _draft(self, name: str, content: bytes, owner: Owner, mode: int) -> Iterator[str]:
        """Write a file under a name that nothing looks at, whole and on the disk, and take the name away again."""
        draft = _draft_name(name)
        number = os.open(
            draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=self.number
        )
        try:
            with open(number, "wb") as file:  # noqa: PTH123 - an open descriptor has no path
                _give(number, owner)
                os.fchmod(number, mode)
                file.write(content)
                file.flush()
                os.fsync(number)
            yield draft
        finally:
            with suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=self.number)


@contextmanager
def opened(path: Path, friend: Owner | None = None) -> Iterator[SafeFolder]:
    """Open a folder that is there.

    Args:
        path: where it is.
        friend: whose files will lie in it, beside root and ourselves.

    Raises:
        UnsafeError: somebody else could have led us there, or could change what is in it.
    """
    absolute = path.absolute()
    number = _descend(absolute, _Trust.of(friend), make=None)
    try:
        yield SafeFolder(path, number)
    finally:
        os.close(number)


def make(path: Path, owner: Owner, mode: int, friend: Owner | None = None) -> bool:
    """Make a folder, and those above it that are missing; return whether it was missing.

    In a folder of somebody else, what is made is theirs alone: they could exchange it anyway, and it is for them.

    Args:
        path: where it will be.
        owner: whose it will be.
        mode: who may enter it.
        friend: whose files will lie in it, beside root and ourselves.

    Raises:
        UnsafeError: somebody else could have led us there, or it can not be made.
    """
    absolute = path.absolute()
    missing = not os.path.lexists(absolute)
    os.close(_descend(absolute, _Trust.of(friend), make=(owner, mode)))
    return missing


@frozen
class _Trust:
    """Who may have a say in where a path leads.

    Attributes:
        users: who may own folders on the way.
        groups: who may write to them.
        linkers: whose symbolic links are followed.
    """

    users: frozenset[int]
    groups: frozenset[int]
    linkers: frozenset[int]

    @classmethod
    def of(cls, friend: Owner | None) -> "_Trust":
        """Trust root, ourselves and perhaps somebody else; links of somebody else are not followed in any case."""
        me = Owner.myself()
        known = [Owner(0, 0), me, *([friend] if friend is not None else [])]
        return cls(
            frozenset(owner.uid for owner in known),
            frozenset(owner.gid for owner in known),
            frozenset({0, me.uid}),
        )

    def check(self, found: os.stat_result, shown: str, *, last: bool) -> None:
        """Look at a folder.

        Args:
            found: its state.
            shown: its path.
            last: something will be written into it.

        Raises:
            UnsafeError: it belongs to somebody else, or somebody else may write to it.
        """
        if found.st_uid not in self.users:
            raise UnsafeError(f"{shown} belongs to somebody else ({user_name(found.st_uid)})")
        sticky = bool(found.st_mode & stat.S_ISVTX) and not last
        if found.st_mode & stat.S_IWOTH and not sticky:
            raise UnsafeError(f"everybody may write to {shown}; secrets are not safe there (chmod o-w)")
        if found.st_mode & stat.S_IWGRP and found.st_gid not in self.groups and not sticky:
            raise UnsafeError(f"a group may write to {shown}; secrets are not safe there (chmod g-w)")


def _descend(path: Path, trust: _Trust, make: tuple[Owner, int] | None) -> int:
    """Open a folder part by part, and return its descriptor.

    Raises:
        UnsafeError: a part is not safe, is no folder, or can not be opened.
    """
    parts = list(reversed(path.parts[1:]))
    shown, links = "/", 0
    number = os.open("/", _FOLDER)
    try:
        while parts:
            part = parts.pop()
            target = _link(number, part)
            if target is not None:
                links += 1
                _check_link(number, part, trust, shown, links)
                further = Path(target)
                parts += reversed(further.parts[1:] if further.is_absolute() else further.parts)
                if further.is_absolute():
                    number, shown = _enter(number, "/"), "/"
                continue
            if make is not None and _is_missing(number, part):
                trust.check(os.fstat(number), shown, last=True)
                _make(number, part, *make)
            number, shown = _enter(number, part), os.path.normpath(os.path.join(shown, part))  # noqa: PTH118 - text
            trust.check(os.fstat(number), shown, last=not parts)
    except OSError as error:
        os.close(number)
        raise UnsafeError(f"{path} can not be used as a folder: {error.strerror}") from error
    except UnsafeError:
        os.close(number)
        raise
    return number


def _link(number: int, part: str) -> str | None:
    """Return where a symbolic link leads; None for anything else."""
    try:
        found = os.stat(part, dir_fd=number, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return os.readlink(part, dir_fd=number) if stat.S_ISLNK(found.st_mode) else None


def _check_link(number: int, part: str, trust: _Trust, shown: str, links: int) -> None:
    """Look at a symbolic link on the way.

    Raises:
        UnsafeError: somebody else has made it, or there are too many.
    """
    place = Path(shown) / part
    if links > _MOST_LINKS:
        raise UnsafeError(f"{place} leads over too many symbolic links; they may be a loop")
    owner = os.stat(part, dir_fd=number, follow_symlinks=False).st_uid
    if owner not in trust.linkers:
        raise UnsafeError(f"{place} is a symbolic link of somebody else ({user_name(owner)}), and is not followed")


def _enter(number: int, part: str) -> int:
    """Open a folder in a folder, and close that one."""
    inner = os.open(part, _FOLDER, dir_fd=number)
    os.close(number)
    return inner


def _is_missing(number: int, part: str) -> bool:
    """Tell whether there is nothing of a name."""
    try:
        os.stat(part, dir_fd=number, follow_symlinks=False)
    except FileNotFoundError:
        return True
    return False


def _make(number: int, part: str, owner: Owner, mode: int) -> None:
    """Make a folder in a folder."""
    above = os.fstat(number)
    if above.st_uid not in {0, os.geteuid()}:
        owner, mode = Owner(above.st_uid, above.st_gid), mode & 0o700
    os.mkdir(part, 0o700, dir_fd=number)
    inner = os.open(part, _FOLDER, dir_fd=number)
    try:
        _give(inner, owner)
        os.fchmod(inner, mode)
    finally:
        os.close(inner)


def _give(number: int, owner: Owner) -> None:
    """Give an open file to somebody, if it is not theirs already."""
    found = os.fstat(number)
    if (found.st_uid, found.st_gid) != (owner.uid, owner.gid):
        os.fchown(number, owner.uid, owner.gid)


def _draft_name(name: str) -> str:
    """Return a name that nothing looks at."""
    return f".{name}.{secrets.token_hex(6)}.new"


def user_name(uid: int) -> str:
    """Return the name of a user, or the number of one without."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """Return the name of a group, or the number of one without."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
