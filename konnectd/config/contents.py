"""What is in the files that the settings name: keys, the cookie secret, clients, scopes; read at start and at reloads.

All faults of all files are told together. At start, everything is read before privileges are dropped.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from attrs import field, frozen

from konnectd.config import keys
from konnectd.config.branding import read_branding
from konnectd.config.read_keys import ReadKeys
from konnectd.config.registration import FileRegistry, Registration, Warn, load_registration
from konnectd.config.scopes import load_scopes
from konnectd.config.settings import Settings
from konnectd.config.web_app import load_web_app
from konnectd.jose.keys import KeyRing, PrivateKey, PublicKey
from konnectd.option import ConfigError, ConfigErrors
from konnectd.protocol.branding import PLAIN, Branding
from konnectd.protocol.client import Client
from konnectd.protocol.scope import ScopeCatalog

if TYPE_CHECKING:
    from konnectd.authority_entry import AuthorityEntry

_Value = TypeVar("_Value")


@frozen(kw_only=True)
class Contents:
    """What the files hold.

    Attributes:
        keys: the first listed one signs.
        encryption_secret: 32 bytes that protect cookies.
        registry: the registered clients.
        scopes: what scopes mean to people.
        pairwise_salt: goes into pairwise subjects; empty when there are none.
        web_app: a front end in the place of our pages, by name of the file; empty for none.
        branding: how pages look, and what they say.
        made_up: the key that signs is in no file, and ends with the process.
        read_keys: those in files, for the next reading.
        authorities: who else may say who somebody is.
    """

    keys: KeyRing
    encryption_secret: bytes = field(repr=False)
    registry: FileRegistry
    scopes: ScopeCatalog
    pairwise_salt: bytes = field(default=b"", repr=False)
    web_app: Mapping[str, bytes] = field(factory=dict, repr=False)
    branding: Branding = PLAIN
    made_up: bool = False
    read_keys: ReadKeys = field(factory=ReadKeys, repr=False, eq=False)
    authorities: "tuple[AuthorityEntry, ...]" = ()


def read_contents(settings: Settings, *, warn: Warn, earlier: Contents | None = None, fixed: bool = False) -> Contents:
    """Read every file the settings name.

    Args:
        settings: names them.
        warn: told what an operator should look at.
        earlier: counts until now. Of that, what no file is named for is kept, where else something would be made up.
        fixed: the secrets of that are kept, whatever files say.

    Raises:
        ConfigErrors: something is wrong; it holds all faults of all files.
    """
    faults: list[ConfigError] = []
    read_keys = ReadKeys(earlier.read_keys if earlier is not None else None)
    signing = _attempt(faults, lambda: _signing(settings, warn, earlier, read_keys)) or ()
    validation = _attempt(faults, lambda: _validation(settings, warn, read_keys)) or ()
    read_keys.finish()
    secret = _attempt(faults, lambda: _secret(settings, warn, earlier, fixed=fixed))
    salt = _attempt(faults, lambda: keys.load_pairwise_salt(settings.pairwise_salt)) or b""
    salt = earlier.pairwise_salt if fixed and earlier is not None else salt
    registered = _attempt(faults, lambda: _registered(settings, warn, salt)) or Registration()
    scopes = _attempt(faults, lambda: _scopes(settings, warn))
    web_app = _attempt(faults, lambda: _web_app(settings, warn)) or {}
    branding = _attempt(faults, lambda: read_branding(settings.branding))
    faults += _of_rotation(settings, read_keys)
    if faults or secret is None or scopes is None or branding is None:
        raise ConfigErrors([settings.locate(fault) for fault in faults])
    for path in _secret_files(settings):
        if keys.is_open_to_others(path):
            warn(f"{path} can be read by every user of this machine")
    ring = keys.build_ring(signing, validation, settings.signing_method, warn=warn)
    for client, algorithm in _unserved(registered.clients, ring):
        warn(f"client {client.client_id} asks for {algorithm}, but no key can sign that; it gets {ring.method}")
    return Contents(
        keys=ring,
        encryption_secret=secret,
        registry=FileRegistry(registered.clients),
        scopes=scopes,
        pairwise_salt=salt,
        web_app=web_app,
        branding=branding,
        made_up=not settings.signing_private_key,
        read_keys=read_keys,
        authorities=registered.authorities,
    )


def _of_rotation(settings: Settings, known: ReadKeys) -> tuple[ConfigError, ...]:
    """Return why keys can not be rotated; nobody has to wait for that who does not want them to be."""
    if not settings.rotation.key_rotation:
        return ()
    from konnectd.config import key_rotation_check  # noqa: PLC0415 - see above
    from konnectd.config.key_settings import KeySettings  # noqa: PLC0415 - see above

    return key_rotation_check.faults(KeySettings.of(settings), known)


def _attempt(faults: list[ConfigError], read: Callable[[], _Value]) -> _Value | None:
    """Return what was read; None after a fault, which is kept."""
    try:
        return read()
    except ConfigErrors as error:
        faults += error.faults
        return None


def _secret(settings: Settings, warn: Warn, earlier: Contents | None, *, fixed: bool) -> bytes:
    """Read the secret that protects cookies, keep the one there is, or make one."""
    if earlier is not None and (fixed or settings.encryption_secret is None):
        return earlier.encryption_secret
    return keys.load_encryption_secret(settings.encryption_secret, warn=warn)


def _signing(settings: Settings, warn: Warn, earlier: Contents | None, known: ReadKeys) -> tuple[PrivateKey, ...]:
    """Read the signing keys, keep the one that was made, or make one."""
    if settings.signing_private_key:
        paths, kid, method = settings.signing_private_key, settings.signing_kid, settings.signing_method
        return keys.load_signing_keys(paths, kid, method, known)
    if earlier is not None and earlier.made_up and _fits(earlier.keys.signing[0], settings):
        return earlier.keys.signing
    return (keys.random_signing_key(settings.signing_method, settings.signing_kid, warn=warn),)


def _fits(key: PrivateKey, settings: Settings) -> bool:
    """Tell whether a key is as one would be that is made now."""
    return settings.signing_method in key.algorithms and settings.signing_kid in {"", key.kid}


def _validation(settings: Settings, warn: Warn, known: ReadKeys) -> tuple[PublicKey, ...]:
    """Read the folder of further keys."""
    if settings.validation_keys_path is None:
        return ()
    return keys.load_validation_keys(settings.validation_keys_path, warn=warn, known=known)


def _registered(settings: Settings, warn: Warn, salt: bytes) -> Registration:
    """Read the registered clients and the external authorities."""
    if settings.identifier_registration_conf is None:
        return Registration()
    return load_registration(
        settings.identifier_registration_conf,
        loopback_issuer=not settings.secure_cookies,
        warn=warn,
        pairwise_salt=salt,
    )


def _scopes(settings: Settings, warn: Warn) -> ScopeCatalog:
    """Read the operator's scopes."""
    if settings.identifier_scopes_conf is None:
        return ScopeCatalog()
    return load_scopes(settings.identifier_scopes_conf, warn=warn)


def _web_app(settings: Settings, warn: Warn) -> Mapping[str, bytes]:
    """Read the front end that is served in the place of our pages."""
    if settings.identifier_client_path is None or settings.disable_identifier_client:
        return {}
    return load_web_app(settings.identifier_client_path, warn=warn)


def _secret_files(settings: Settings) -> tuple[Path, ...]:
    """Return the files nobody else should read."""
    secrets = (settings.encryption_secret, settings.pairwise_salt)
    return settings.signing_private_key + tuple(path for path in secrets if path is not None)


def _unserved(clients: tuple[Client, ...], ring: KeyRing) -> Iterator[tuple[Client, str]]:
    """Yield each client that wants its tokens signed in a way there is no key for."""
    for client in clients:
        for algorithm in (client.id_token_signed_response_alg, client.userinfo_signed_response_alg):
            if algorithm and algorithm not in ring.algorithms:
                yield client, algorithm
