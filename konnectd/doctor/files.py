"""Files with secrets: whose they are, who else can read or change them, and how old the keys are."""

import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from konnectd.config import backends
from konnectd.config.key_folder import FoundKey, KeyFolder, read_folder
from konnectd.config.options import OPTIONS
from konnectd.config.settings import Settings
from konnectd.doctor.finding import Finding, fault, good, hint, warning
from konnectd.protocol.key_rotation import KeyState

_FILES, _KEYS, _SECRET = "files", "signing keys", "encryption secret"
_DAY = 86_400
#: From how many days on a key that signs is told to be old.
_OLD_DAYS = 2 * 365


def look(settings: Settings, now: Callable[[], int]) -> list[Finding]:
    """Look at all files with secrets, and at the keys in them."""
    return [*_secret_files(settings), *_keys(settings, now()), *_encryption_secret(settings)]


def _secret_files(settings: Settings) -> Iterator[Finding]:
    """Look at modes."""
    paths = [*settings.signing_private_key]
    paths += [path for path in (settings.encryption_secret, settings.pairwise_salt) if path is not None]
    found = [*_private_halves(settings), *_of_secret_options(settings)]
    bad = False
    for path in dict.fromkeys([*paths, *found]):
        for finding in _mode(path):
            bad = True
            yield finding
    if not bad and paths:
        yield good(_FILES, "nobody else can read or change the files with secrets")


def _private_halves(settings: Settings) -> list[Path]:
    """Return the files of private keys in the folder of further keys."""
    folder = settings.validation_keys_path
    found = read_folder((), folder) if folder is not None else None
    return [key.path for key in found.keys if key.private is not None] if found is not None else []


def _of_secret_options(settings: Settings) -> list[Path]:
    """Return the configuration file if it has secrets in it."""
    options = (
        *OPTIONS,
        *backends.describe(backends.PACKAGE, settings.backend).options,
        *backends.describe(backends.STORES, settings.store).options,
    )
    sources = [settings.sources.get(option.dest, "") for option in options if option.secret]
    lines = [source.rpartition(":") for source in sources]
    return [Path(name) for name, _, number in lines if name and number.isdecimal()]


def _mode(path: Path) -> Iterator[Finding]:
    """Look at a file, and at the folder it is in."""
    try:
        mode, folder = path.stat().st_mode, path.absolute().parent.stat()
    except OSError:
        return  # reading it has told so already
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield fault(
            _FILES,
            f"others can change {path} (mode {stat.S_IMODE(mode):04o})",
            cause="Its mode. Whoever can change it can be anybody here.",
            mend=f"chmod 0600 {path}",
        )
    elif mode & stat.S_IROTH:
        yield fault(
            _FILES,
            f"everybody on this machine can read {path} (mode {stat.S_IMODE(mode):04o})",
            cause="Its mode.",
            mend=f"chmod 0600 {path}; give it to the user that the daemon runs as. If others may have read it, make a"
            " new one.",
        )
    if folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX:
        yield fault(
            _FILES,
            f"everybody can exchange {path}",
            cause=f"The mode of its folder ({stat.S_IMODE(folder.st_mode):04o}).",
            mend=f"chmod o-w {path.absolute().parent}",
        )


def _keys(settings: Settings, now: int) -> Iterator[Finding]:
    """Look at the signing keys."""
    if not settings.signing_private_key:
        yield fault(
            _KEYS,
            "none is configured",
            cause="Each start makes a random key, and tokens of the one before are refused.",
            mend="konnectd setup makes one, and says what to write into the configuration.",
        )
        return
    found = read_folder(settings.signing_private_key, settings.validation_keys_path, settings.signing_kid)
    for key in found.keys:
        if key.dated.state is KeyState.ACTIVE:
            yield _age(key, found, now)
    yield from _lost(found)


def _age(key: FoundKey, found: KeyFolder, now: int) -> Finding:
    """Look at how long a key has signed."""
    days = max(0, now - key.dated.since) // _DAY
    says = f"{key.dated.kid} ({_size(key)}) signs since {datetime.fromtimestamp(key.dated.since, UTC):%Y-%m-%d}"
    if days <= _OLD_DAYS:
        return good(_KEYS, says)
    way = (
        "konnectd keys new, and a day later konnectd keys activate" if found.links else "docs/operate/keys.md says how"
    )
    return hint(_KEYS, f"{says}, {days} days", cause="It was never replaced.", mend=f"Replace it: {way}.")


def _size(key: FoundKey) -> str:
    """Return the kind of a key, and of RSA the bits."""
    size = getattr(key.public.key, "key_size", 0)
    return f"RSA, {size} bits" if key.dated.kind == "RSA" else key.dated.kind


def _lost(found: KeyFolder) -> Iterator[Finding]:
    """Tell of files that are no keys."""
    for path, problem in found.faults.items():
        yield warning(
            _KEYS,
            f"{path}: {problem}",
            cause="It is damaged, cannot be read by this user, or is no key.",
            mend="Mend it or take it away; tokens that it has signed are refused.",
        )


def _encryption_secret(settings: Settings) -> Iterator[Finding]:
    """Look at the encryption secret; that it is 32 bytes has been looked at when it was read."""
    if settings.encryption_secret is None:
        yield fault(
            _SECRET,
            "none is configured",
            cause="Each start makes a random one, and everybody has to sign in again.",
            mend="konnectd setup makes one, and says what to write into the configuration.",
        )
    else:
        yield good(_SECRET, f"{settings.encryption_secret} has 32 bytes")


__all__ = ["look"]
