"""The options that say where keys are and how long tokens live, read without the rest.

Keys are made before anything else is there, so a missing issuer or a backend that is not there yet is no reason to make
none. The same flags, variables and lines count as for the daemon itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from konnectd.config import arguments, conffile, layers
from konnectd.config.given import Names
from konnectd.config.key_rotation_options import RotationSettings
from konnectd.config.options import (
    ACCESS_TOKEN_EXPIRATION,
    CONFIG,
    ID_TOKEN_EXPIRATION,
    OPTIONS,
    REFRESH_TOKEN_EXPIRATION,
)
from konnectd.option import ConfigError, ConfigErrors, Option

if TYPE_CHECKING:
    from konnectd.config.settings import Settings

_NAMES = frozenset(
    {
        "signing-private-key",
        "signing-kid",
        "signing-method",
        "validation-keys-path",
        "encryption-secret",
        "access-token-expiration",
        "id-token-expiration",
        "refresh-token-expiration",
        "allow-dynamic-client-registration",
        "key-rotation",
        "key-rotation-ahead",
    }
)
#: What can be said to commands about keys.
KEY_OPTIONS: tuple[Option, ...] = (CONFIG, *(option for option in OPTIONS if option.name in _NAMES))


@frozen(kw_only=True)
class KeySettings:
    """What the operator wants of keys.

    Attributes:
        signing_private_key: files, the active one first.
        validation_keys_path: the folder of further keys.
        encryption_secret: a file.
        token_life: of the longest lived token, in seconds; None when some never end.
        rotation: whether and how the daemon rotates keys by itself.
    """

    signing_private_key: tuple[Path, ...]
    signing_kid: str
    signing_method: str
    validation_keys_path: Path | None
    encryption_secret: Path | None
    token_life: int | None
    rotation: RotationSettings = field(factory=RotationSettings)

    @classmethod
    def of(cls, settings: "Settings") -> "KeySettings":
        """Return what the settings of the daemon say of keys."""
        lives = (
            settings.access_token_expiration,
            settings.id_token_expiration,
            settings.refresh_token_expiration,
        )
        return cls(
            signing_private_key=settings.signing_private_key,
            signing_kid=settings.signing_kid,
            signing_method=settings.signing_method,
            validation_keys_path=settings.validation_keys_path,
            encryption_secret=settings.encryption_secret,
            token_life=_longest(lives, endless=settings.allow_dynamic_client_registration),
            rotation=settings.rotation,
        )


def read_key_settings(argv: Sequence[str], environ: Mapping[str, str], *, to_make: bool = False) -> KeySettings:
    """Read the options about keys; of the configuration file nothing else.

    Args:
        argv: flags.
        environ: the environment variables.
        to_make: a file that Konnect's launcher would have found counts as named before it is there.

    Raises:
        ConfigErrors: something is wrong; it holds all faults.
    """
    given = arguments.parse(argv, Names(options=KEY_OPTIONS).find_flag)
    faults = list(given.faults)
    faults += [flag.given.fault("is not an option of this command") for flag in given.flags if flag.option is None]
    faults += [ConfigError(word, "is not expected here", arguments.SOURCE) for word in given.words]
    places = layers.Layers(arguments=given, environ=environ).pick(CONFIG)
    lines = conffile.read(Path(places[0].text), places[0]) if places else conffile.Lines(values=(), faults=())
    found = (*lines.values, *conffile.left_out(places, to_make=to_make))
    options = tuple(option for option in KEY_OPTIONS if option is not CONFIG)
    reading = layers.read(options, layers.Layers(arguments=given, environ=environ, lines=found))
    faults += [*lines.faults, *reading.faults]
    if faults:
        raise ConfigErrors(faults)
    return _settings(reading.values)


def _settings(values: Mapping[str, Any]) -> KeySettings:
    """Make the settings."""
    lives = (
        values["access_token_expiration"] or ACCESS_TOKEN_EXPIRATION,
        values["id_token_expiration"] or ID_TOKEN_EXPIRATION,
        values["refresh_token_expiration"] or REFRESH_TOKEN_EXPIRATION,
    )
    return KeySettings(
        signing_private_key=values["signing_private_key"],
        signing_kid=values["signing_kid"],
        signing_method=values["signing_method"],
        validation_keys_path=values["validation_keys_path"],
        encryption_secret=values["encryption_secret"],
        token_life=_longest(lives, endless=values["allow_dynamic_client_registration"]),
        rotation=RotationSettings.take(dict(values)),
    )


def _longest(lives: Iterable[int], *, endless: bool) -> int | None:
    """Return how long tokens live; the id of a client that registered itself is signed too, and is good for ever."""
    return None if endless else max(lives)
