"""Traces of files, by which one sees that something has changed in them, or changes while they are read."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import TypeAlias

from attrs import fields

from konnectd.config.settings import Settings
from konnectd.option import ConfigError

#: Larger files are not looked into, in bytes.
LARGEST = 16 << 20
#: More files are not held open at a time.
MOST_HELD = 512
#: When a file was written, in nanoseconds, and how large it is.
Stamp: TypeAlias = tuple[int, int]


def digests(options: Mapping[str, object]) -> dict[str, str]:
    """Return a digest of each file that an option names, by the option; of what is none, nothing.

    Args:
        options: their values. Some are text that may be the name of a file, or anything else.
    """
    found: dict[str, str] = {}
    for name, value in options.items():
        if not isinstance(value, Path | str) or not str(value).isprintable():
            continue
        path = Path(value)
        try:
            if path.is_file() and path.stat().st_size <= LARGEST:
                found[name] = sha256(path.read_bytes()).hexdigest()
        except OSError:
            continue  # whoever needs it complains
    return found


class Held:
    """Files as they were when somebody began to read them.

    They are kept open: one that gives way to another meanwhile is still seen, and was whole if nobody wrote to it. The
    other one is a file of its own, and may not be whole yet.
    """

    def __init__(self) -> None:
        """Hold none yet."""
        self._files: dict[tuple[Path, int, int], tuple[int, Stamp]] = {}

    def add_all(self, settings: Settings) -> bool:
        """Hold all files that a reload reads which has some settings; tell whether one of them was not held yet."""
        before = len(self._files)
        for path in _files(settings):
            self.add(path)
        return len(self._files) > before

    def add(self, path: Path) -> None:
        """Hold a file, if it is one that can be read; whoever needs it complains."""
        if len(self._files) >= MOST_HELD:
            return
        try:
            if _name(path, path.stat()) in self._files:
                return
            # What is no file, such as a pipe, must not be waited for.
            number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return
        found = os.fstat(number)
        name = _name(path, found)
        if S_ISREG(found.st_mode) and name not in self._files:
            self._files[name] = number, _stamp(found)
        else:
            os.close(number)

    def written_to(self) -> tuple[ConfigError, ...]:
        """Return a fault for each file that was written to since it is held: what was read may be half of it."""
        return tuple(
            ConfigError("reload", "was written to while it was read; reload again when it is whole", str(path))
            for (path, *_), (number, stamp) in self._files.items()
            if _stamp(os.fstat(number)) != stamp
        )

    def let_go(self) -> None:
        """Hold them no more."""
        for number, _ in self._files.values():
            os.close(number)
        self._files.clear()


@contextmanager
def held(settings: Settings) -> Iterator[Held]:
    """Hold all files that a reload reads, as they are now."""
    found = Held()
    try:
        found.add_all(settings)
        yield found
    finally:
        found.let_go()


def _name(path: Path, found: os.stat_result) -> tuple[Path, int, int]:
    """Return what tells a file from another one, also from one in its place."""
    return path, found.st_dev, found.st_ino


def _stamp(found: os.stat_result) -> Stamp:
    """Return what changes when a file is written to."""
    return found.st_mtime_ns, found.st_size


def _files(settings: Settings) -> Iterator[Path]:
    """Yield the files that a reload reads."""
    if settings.said.file is not None:
        yield settings.said.file
    yield from settings.signing_private_key
    folders = (settings.validation_keys_path, settings.identifier_client_path)
    files = (settings.identifier_registration_conf, settings.identifier_scopes_conf)
    of_looks = (getattr(settings.branding, one.name) for one in fields(type(settings.branding)))
    for path in (*files, *folders, *of_looks):
        if isinstance(path, Path):
            yield path
            if path.is_dir():
                yield from path.rglob("*")
