"""What the audit log says about keys and configuration: fingerprints, by which a change is seen and nothing is learned.

Of a key it is the thumbprint of its public half, which everybody may compute. Of a file and of the options it is a
keyed digest, because a password in a file could be guessed by an ordinary one; with another encryption secret, or a
random one, all of these change.
"""

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from attrs import evolve, fields

from konnectd.config.contents import Contents
from konnectd.config.settings import Settings

#: Larger files have no fingerprint, in bytes.
_LARGEST = 1 << 20


def of_keys(contents: Contents) -> dict[str, str]:
    """Return the thumbprints of all keys, by their ids."""
    ring = contents.keys
    return {key.kid: key.thumbprint for key in (*(key.public for key in ring.signing), *ring.validation)}


def of_options(settings: Settings, tag: Callable[[str], str]) -> str:
    """Return a digest of all options as they count, wherever they were given."""
    told = evolve(settings, sources={}, warnings=())
    further = sorted((str(name), repr(value)) for name, value in _further(settings).items())
    return tag(f"{told!r} {further!r}")


def of_files(settings: Settings, tag: Callable[[str], str]) -> dict[str, str]:
    """Return a digest of each file that an option names."""
    found: dict[str, str] = {}
    for name, path in _paths(settings):
        try:
            if path.is_file() and path.stat().st_size <= _LARGEST:
                found[name] = tag(sha256(path.read_bytes()).hexdigest())
        except OSError:
            continue  # whoever needs it has complained
    return found


def _paths(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Yield the files and folders that options name."""
    for part in (settings, settings.branding):
        for one in fields(type(part)):
            path = getattr(part, one.name)
            if isinstance(path, Path):
                yield one.name, path
    for name, value in _further(settings).items():
        # Some options of backends are text that names a file.
        if isinstance(value, Path) or (isinstance(value, str) and value and value.isprintable()):
            yield name, Path(value)


def _further(settings: Settings) -> Mapping[str, object]:
    """Return the options of backend and store."""
    return {**settings.backend_options, **settings.store_options}
