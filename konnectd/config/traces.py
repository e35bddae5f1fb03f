"""Traces of files, by which one sees that something has changed in them, or changes while they are read."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import TypeAlias

from attrs import fields

from konnectd.config.settings import Settings
from konnectd.option import ConfigError

#: Larger files are not looked into, in bytes.
LARGEST = 16 << 20
#: Which file it is, when it was written, and how large it is.
Stamp: TypeAlias = tuple[int, int, int]


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


def stamps(settings: Settings) -> dict[Path, Stamp]:
    """Return the stamps of all files that a reload reads, as they are now."""
    return {path: found for path in _files(settings) if (found := _stamp(path)) is not None}


def _stamp(path: Path) -> Stamp | None:
    """Return the stamp of a file; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size) if S_ISREG(found.st_mode) else None


def changing(before: Mapping[Path, Stamp], now: Mapping[Path, Stamp]) -> tuple[ConfigError, ...]:
    """Return a fault for each file that was written to meanwhile: what was read of it may be half of it.

    One that gave way to another file was whole, and so is the other one.

    Args:
        before: as it was when reading began.
        now: as it is after that.
    """
    return tuple(
        ConfigError("reload", "was written to while it was read; reload again when it is whole", str(path))
        for path, (inode, *rest) in before.items()
        if path in now and now[path][0] == inode and list(now[path][1:]) != rest
    )


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
