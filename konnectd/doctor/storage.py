"""The store: can it be asked?"""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from konnectd.config.settings import Settings
from konnectd.doctor.finding import Finding, fault, good, hint, warning
from konnectd.interfaces import BackendUnavailableError, Store

_ABOUT = "store"
#: What a file of SQLite begins with.
_MAGIC = b"SQLite format 3\0"
#: Fewer free bytes than this are told.
_LITTLE = 64 * 1024 * 1024
#: A key that nobody ever keeps anything under.
_NOTHING = "doctor"


async def look(settings: Settings, store: Store) -> list[Finding]:
    """Look at the store, and ask it for something that is not there."""
    if settings.store == "memory":
        return [
            hint(
                _ABOUT,
                "it is the memory of the daemon",
                cause="A restart forgets it: codes, what was taken back, wrong passwords.",
                mend="store = sqlite lasts; docs/operate/stores.md says more.",
            )
        ]
    if settings.store == "sqlite":
        path = settings.store_options.get("sqlite_path")
        found = list(_file(path)) if isinstance(path, Path) else []
        # Asking would make the file, or files beside it, and they would be ours instead of the daemon's.
        if found or not isinstance(path, Path) or _owner(path) != os.geteuid():
            return found or [good(_ABOUT, "the file is in order; only its owner can ask more")]
    try:
        await store.get(_NOTHING)
    except BackendUnavailableError as error:
        return [
            fault(
                _ABOUT,
                f"{settings.store} does not answer: {error}",
                cause="It is not running, its address or password is wrong, or the file can not be used.",
                mend="Start it, or mend its options. Nobody can sign in meanwhile.",
            )
        ]
    return [good(_ABOUT, f"{settings.store} answers")]


def _owner(path: Path) -> int | None:
    """Return whose a file is; None when there is none."""
    try:
        return path.stat().st_uid
    except OSError:
        return None


def _file(path: Path) -> Iterator[Finding]:
    """Look at the file, without opening it as a database."""
    folder = path.absolute().parent
    try:
        free = shutil.disk_usage(folder).free
        if free < _LITTLE:
            yield fault(
                _ABOUT,
                f"{folder} has {free // 1024} KiB left",
                cause="The disk is full.",
                mend="Make room: without it, nobody can sign in.",
            )
        mode = path.stat().st_mode
        with path.open("rb") as file:
            begins = file.read(len(_MAGIC))
    except FileNotFoundError:
        yield hint(_ABOUT, f"{path} is not there yet", cause="The daemon makes it at the first question.")
        return
    except OSError as error:
        yield warning(
            _ABOUT,
            f"{path} can not be read by this user: {error.strerror}",
            cause="It belongs to the user that the daemon runs as.",
            mend="Call this as root or as that user.",
        )
        return
    if begins and begins != _MAGIC:
        yield fault(
            _ABOUT,
            f"{path} is no file of SQLite",
            cause="It is damaged, or another file.",
            mend="Move it away; the daemon makes a new one. Everything that was taken back counts again then.",
        )
    elif mode & (stat.S_IROTH | stat.S_IWOTH):
        yield fault(_ABOUT, f"others can read or change {path}", cause="Its mode.", mend=f"chmod 0600 {path}")
