"""The files of a front end of somebody else's, read once, at start: what is not read then is never served.

It has the form of Konnect's own: one ``index.html``, everything else below ``static``, and perhaps a worker.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from konnectd.option import ConfigError, ConfigErrors

OPTION = "identifier_client_path"
INDEX = "index.html"
#: What there may be beside it: files, and the folder whose files are served with all that is in it.
_MORE = ("service-worker.js",)
_FOLDER = "static"
#: Where Konnect's own lies in the folder that ``web_resources_path`` names.
_KONNECT = "identifier-webapp"
#: All files together, in bytes: they are kept in memory.
LARGEST = 64 * 1024 * 1024
#: What can stand in the path of an address as it is.
_NAME = re.compile(r"[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*")


def load_web_app(folder: Path, *, warn: Callable[[str], object]) -> Mapping[str, bytes]:
    """Read a front end; hidden files, and links that lead out of the folder, are left out.

    Args:
        folder: where its ``index.html`` is; or the folder with that of Konnect's in it, as its launcher wants it.
        warn: told what is left out although somebody may want it.

    Returns:
        contents by name, such as ``static/js/main.js``.

    Raises:
        ConfigErrors: there is none, it can not be read, or it is too large.
    """
    if not os.path.exists(folder / INDEX) and os.path.exists(folder / _KONNECT / INDEX):  # noqa: PTH110 - never raises
        folder /= _KONNECT
    found: dict[str, bytes] = {}
    size = 0
    try:
        for name, path in ((INDEX, folder / INDEX), *_files(folder, warn)):
            size += path.stat().st_size
            if size > LARGEST:
                raise _fault(f"{folder} has more than {LARGEST} bytes")
            found[name] = path.read_bytes()
        found[INDEX].decode("utf-8")
    except OSError as error:
        raise _fault(f"{error.filename or folder} can not be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _fault(f"{folder / INDEX} is not UTF-8 text") from error
    return found


def _files(folder: Path, warn: Callable[[str], object]) -> Iterator[tuple[str, Path]]:
    """Yield everything that is served besides the document."""
    root = _real(folder)
    for name in _MORE:
        if (folder / name).is_file():
            yield from _within(root, folder, folder / name, warn)
    for place, folders, names in os.walk(folder / _FOLDER):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            yield from _within(root, folder, Path(place) / name, warn)


def _within(root: Path, folder: Path, path: Path, warn: Callable[[str], object]) -> Iterator[tuple[str, Path]]:
    """Yield a file if it is one, if it is in the folder, and if an address can name it."""
    name = path.relative_to(folder).as_posix()
    if not _real(path).is_relative_to(root):
        warn(f"{path} is not served: it leads out of {folder}")
    elif any(_NAME.fullmatch(part) is None for part in name.split("/")):
        warn(f"{path} is not served: its name can not stand in an address")
    elif path.is_file():
        yield name, path


def _real(path: Path) -> Path:
    """Return where a path leads; unlike `Path.resolve`, links that lead in a circle are no mistake of ours."""
    return Path(os.path.realpath(path))


def _fault(problem: str) -> ConfigErrors:
    """Make the error of a front end that can not be served."""
    return ConfigErrors([ConfigError(OPTION, problem)])
