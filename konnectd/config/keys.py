"""Key files and the cookie secret: from paths to values of `konnectd.jose.keys`.

Only reading is here: forms of files, key ids from file names, folders. What makes a key good enough, and what it can
sign, is decided by `konnectd.jose.keys`. No passphrase is ever asked for; who protects a key at rest does that below
the file.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from konnectd.config.read_keys import ReadKeys
from konnectd.config.registration import Warn
from konnectd.jose.jwk import from_jwk
from konnectd.jose.keys import (
    KeyRing,
    PrivateKey,
    PublicKey,
    check_kid,
    check_method,
    check_private,
    check_public,
    generate,
)
from konnectd.option import ConfigError, ConfigErrors

SECRET_SIZE = 32

_LONGEST_KEY_FILE = 64 * 1024
_SIGNING = "signing_private_key"
_PEM_BLOCK = re.compile(rb"-----BEGIN (?P<label>[A-Z0-9 ]+)-----\s.*?-----END (?P=label)-----", re.DOTALL)
#: Stands before the key in files that ``openssl ecparam`` writes, and says nothing the key does not say itself.
_PARAMETERS = b"EC PARAMETERS"
_PUBLIC_LABELS = frozenset({b"PUBLIC KEY", b"RSA PUBLIC KEY"})
_PRIVATE_LABELS = frozenset({b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY"})

_Load: TypeAlias = Callable[[bytes], object]


def load_signing_keys(
    paths: Iterable[Path], signing_kid: str, signing_method: str, known: ReadKeys | None = None
) -> tuple[PrivateKey, ...]:
    """Read the signing keys; the first one signs, and has to fit the method.

    Args:
        paths: their files, the active one first.
        signing_kid: the key id of the first one, instead of its own; empty for none.
        signing_method: the algorithm tokens are signed by.
        known: keys that need not be understood again.

    Raises:
        ConfigErrors: a file can not be used, two keys share an id, or the first key does not fit the method.
    """
    faults: list[ConfigError] = []
    keys: dict[str, PrivateKey] = {}
    for number, path in enumerate(paths):
        try:
            key = read_private_key(path, signing_kid if number == 0 else "", known)
        except ValueError as error:
            faults.append(ConfigError(_SIGNING, f"{path}: {error}"))
            continue
        if keys.setdefault(key.kid, key).public != key.public:
            faults.append(ConfigError(_SIGNING, f"{path}: another key has the key id {key.kid} already"))
        if number == 0:
            faults += _misfit(path, key, signing_method)
    if faults:
        raise ConfigErrors(faults)
    return tuple(keys.values())


def _misfit(path: Path, key: PrivateKey, method: str) -> Iterator[ConfigError]:
    """Yield a fault when the active key can not sign by the method."""
    try:
        check_method(method, (key,))
    except ValueError as error:
        yield ConfigError("signing_method", f"{error} (the first of {_SIGNING} signs: {path})")


def load_validation_keys(folder: Path, *, warn: Warn, known: ReadKeys | None = None) -> tuple[PublicKey, ...]:
    """Read the folder of keys that still count: ``*.pem``, then ``*.json``, each sorted by name.

    A file that is no usable key is left out, because it should not take everybody's sign-in down.

    Args:
        folder: where they are.
        warn: told about files that were left out.
        known: keys that need not be understood again.

    Raises:
        ConfigErrors: it is no folder that can be read.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix in {".pem", ".json"})
    except OSError as error:
        problem = f"{folder} can not be read as a folder: {error.strerror}"
        raise ConfigErrors([ConfigError("validation_keys_path", problem)]) from error
    found: dict[str, PublicKey] = {}
    for path in sorted(files, key=lambda path: path.suffix != ".pem"):
        try:
            key = read_public_key(path, known)
        except ValueError as error:
            warn(f"validation_keys_path: {path} is left out: {error}")
            continue
        if found.setdefault(key.kid, key) is not key:
            warn(f"validation_keys_path: {path} is left out: another key has the key id {key.kid} already")
    return tuple(found.values())


def build_ring(
    signing: tuple[PrivateKey, ...], validation: tuple[PublicKey, ...], method: str, *, warn: Warn
) -> KeyRing:
    """Put the keys together; where a validation key has the id of a different signing key, the signing key stays.

    Args:
        signing: those that sign, the active one first.
        validation: those that only count.
        method: the algorithm tokens are signed by.
        warn: told about what was left out and what clients may stumble over.
    """
    by_kid = {key.kid: key.public for key in signing}
    kept = []
    for key in validation:
        if by_kid.get(key.kid, key) == key:
            kept.append(key)
        else:
            warn(f"validation_keys_path: the key {key.kid} is left out: a signing key has that key id")
    if not any(key.kty == "RSA" for key in signing):
        warn("signing_private_key: there is no RSA key; some clients can verify nothing else")
    return KeyRing(signing=signing, validation=tuple(kept), method=method)


def random_signing_key(method: str, signing_kid: str, *, warn: Warn) -> PrivateKey:
    """Make a key that lives as long as the process."""
    warn("signing_private_key: none is given, using a random key; all tokens end with this process")
    return generate(method, signing_kid)


def load_encryption_secret(path: Path | None, *, warn: Warn) -> bytes:
    """Read the secret that protects cookies, or make one that lives as long as the process.

    Args:
        path: the file; None for a random secret.
        warn: told when the secret is random.

    Raises:
        ConfigErrors: the file can not be read, or is not what it should be.
    """
    if path is None:
        warn("encryption_secret: none is given, using a random one; everybody is signed out when this process ends")
        return secrets.token_bytes(SECRET_SIZE)
    try:
        content = _content(path)
        return _secret(content)
    except ValueError as error:
        raise ConfigErrors([_secret_fault("encryption_secret", path, error)]) from error


def load_pairwise_salt(path: Path | None) -> bytes:
    """Read the secret that goes into pairwise subjects; empty when there is none.

    Raises:
        ConfigErrors: the file can not be read, or is not what it should be.
    """
    if path is None:
        return b""
    try:
        return _secret(_content(path))
    except ValueError as error:
        raise ConfigErrors([_secret_fault("pairwise_salt", path, error)]) from error


def _secret_fault(option: str, path: Path, error: ValueError) -> ConfigError:
    """Return what is wrong with the file of a secret; what may be the secret itself is not repeated."""
    if path.is_absolute() or path.exists():
        return ConfigError(option, f"{path}: {error}")
    return ConfigError(
        option, "there is no file of that name; what belongs here is not the secret but the name of a file"
    )


def _secret(content: bytes) -> bytes:
    """Return a secret that is good, or say what happened to it."""
    if len(content) == SECRET_SIZE:
        if len(set(content)) == 1:
            raise ValueError("is one byte repeated, not random")
        return content
    text = content.strip()
    problem = f"must have exactly {SECRET_SIZE} bytes, it has {len(content)}"
    if len(text) == SECRET_SIZE:
        problem += "; there is a line break at its end"
    elif re.fullmatch(rb"[0-9a-fA-F]{64}", text):
        problem += "; it looks like 32 bytes written as hexadecimal digits: turn them into bytes (xxd -r -p)"
    elif re.fullmatch(rb"[A-Za-z0-9+/_-]{43}=?", text):
        problem += "; it looks like 32 bytes written as base64: turn them into bytes (base64 -d)"
    raise ValueError(problem)


def read_private_key(path: Path, kid: str = "", known: ReadKeys | None = None) -> PrivateKey:
    """Read a private key from a PEM file, or from a JWK in a ``.json`` file.

    Args:
        path: the file.
        kid: its key id, instead of the JWK's or the file's name.
        known: keys that need not be understood again.

    Raises:
        ValueError: it is no usable private key, in words for operators.
    """
    key = read_key(path, kid, known=known)
    if not isinstance(key, PrivateKey):
        raise ValueError("this is a public key; signing needs the private one")  # noqa: TRY004 - the file is wrong
    return key


def read_public_key(path: Path, known: ReadKeys | None = None) -> PublicKey:
    """Read a public key, or the public part of a private one; its key id is the file's name or the JWK's.

    Raises:
        ValueError: it is no usable key, in words for operators.
    """
    key = read_key(path, follow=False, known=known)
    return key.public if isinstance(key, PrivateKey) else key


def read_key(
    path: Path, kid: str = "", *, follow: bool = True, known: ReadKeys | None = None
) -> PrivateKey | PublicKey:
    """Read a key of either kind.

    Args:
        path: the file.
        kid: its key id; empty for the JWK's own or the file's name.
        follow: a symbolic link gives way to the name of what it points to, one level deep.
        known: keys that need not be understood again.

    Raises:
        ValueError: it is no usable key, in words for operators.
    """
    content = _content(path)
    name = kid or name_of(path, follow=follow)
    if path.suffix == ".json":
        try:
            key = from_jwk(content.decode("utf-8"), name)
        except UnicodeDecodeError as error:
            raise ValueError("is not UTF-8 text") from error
        return _renamed(key, kid)
    return parse_pem(content, name) if known is None else known.understand(content, name, parse_pem)


def _renamed(key: PrivateKey | PublicKey, kid: str) -> PrivateKey | PublicKey:
    """Return a key under another id; empty for its own."""
    if not kid:
        return key
    return PrivateKey(kid, key.key) if isinstance(key, PrivateKey) else PublicKey(kid, key.key)


def name_of(path: Path, *, follow: bool = True) -> str:
    """Return the key id that a file's name stands for; with ``follow``, of what a symbolic link points to.

    One level only, as in Konnect: rotation moves that link, and what is behind it may be arranged by something else.

    Raises:
        ValueError: the link can not be read, or the name makes no key id.
    """
    target = path
    if follow and path.is_symlink():
        try:
            target = path.readlink()
        except OSError as error:
            raise ValueError(f"the symbolic link can not be read: {error.strerror}") from error
    return check_kid(target.stem)


def parse_pem(content: bytes, kid: str) -> PrivateKey | PublicKey:
    """Read the first key of a PEM file.

    Raises:
        ValueError: there is none that can be used, in words for operators.

    Spec: RFC 7468; RFC 8017 A.1; RFC 5915.
    """
    for match in _PEM_BLOCK.finditer(content):
        label = match["label"]
        if label == _PARAMETERS:
            continue
        if b"ENCRYPTED" in match[0]:
            raise ValueError("the key is encrypted with a passphrase; decrypt it first (openssl pkey)")
        if label in _PRIVATE_LABELS:
            private = check_private(_loaded(lambda pem: load_pem_private_key(pem, password=None), match[0]))
            return PrivateKey(kid, private)
        if label in _PUBLIC_LABELS:
            return PublicKey(kid, check_public(_loaded(load_pem_public_key, match[0])))
        raise ValueError(f"begins with a PEM block of {label.decode('ascii')}, which is no key that can be used")
    raise ValueError("has no PEM block with a key")


def _loaded(load: _Load, pem: bytes) -> object:
    """Read one PEM block; what the library has to say names offsets, not what to do."""
    try:
        return load(pem + b"\n")
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("the key in it is damaged or of a kind that is not supported") from error


def _content(path: Path) -> bytes:
    """Return what is in a small file."""
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_KEY_FILE + 1)
    except OSError as error:
        raise ValueError(f"can not be read: {error.strerror}") from error
    if len(content) > _LONGEST_KEY_FILE:
        raise ValueError(f"is larger than {_LONGEST_KEY_FILE} bytes, which no key is")
    return content


def is_open_to_others(path: Path) -> bool:
    """Tell whether every user of the machine may read a file."""
    try:
        return bool(path.stat().st_mode & 0o004)
    except OSError:
        return False
