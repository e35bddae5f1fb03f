"""Whether the daemon could rotate its keys, found out before it starts; nothing is changed."""

import os
from collections.abc import Iterator
from pathlib import Path

from konnectd.config.key_changes import RefusedError, find_model, owner_of
from konnectd.config.key_folder import read_folder
from konnectd.config.key_settings import KeySettings
from konnectd.config.read_keys import ReadKeys
from konnectd.config.safe_folder import UnsafeError, opened
from konnectd.option import ConfigError

#: Where systemd puts copies of what a unit loads.
_CREDENTIALS = ("credentials", "run")
_TO_DO = "Mend that, or set key_rotation to 0; see docs/operate/keys.md"


def faults(settings: KeySettings, known: ReadKeys | None = None) -> tuple[ConfigError, ...]:
    """Return why keys can not be rotated by the daemon, if they shall be.

    Args:
        settings: name the keys.
        known: keys that were read before.
    """
    if not settings.rotation.key_rotation:
        return ()
    return tuple(ConfigError("key_rotation", f"{problem}. {_TO_DO}") for problem in _problems(settings, known))


def _problems(settings: KeySettings, known: ReadKeys | None) -> Iterator[str]:
    """Yield what is in the way, the first thing alone."""
    folder, paths = settings.validation_keys_path, settings.signing_private_key
    handed_over = [path for path in (*paths, *([folder] if folder is not None else [])) if _is_credential(path)]
    if handed_over:
        yield f"{handed_over[0]} is a copy that systemd has made of a key when the unit started, and can not be rotated"
        return
    if not paths or folder is None:
        yield "signing_private_key and validation_keys_path have to be set; konnectd setup makes both"
        return
    if settings.signing_kid:
        yield "signing_kid gives one id to every key that signs"
        return
    try:
        found = read_folder(paths, folder, known=ReadKeys(known))
        find_model(found, settings, "")
        alone = [key.path for key in found.keys if key.dated.active and found.link_of(key) is None]
        if alone:
            yield f"{alone[0]} is no symbolic link to a key in {folder}"
            return
        for place in dict.fromkeys((folder, *(path.parent for path in paths))):
            with opened(place, owner_of(place)):
                pass
            if not os.access(place, os.W_OK | os.X_OK, effective_ids=True):
                yield f"the daemon may not write to {place}"
                return
    except (RefusedError, UnsafeError) as error:
        yield str(error)


def _is_credential(path: Path) -> bool:
    """Tell whether a file was handed over by systemd."""
    return set(_CREDENTIALS) <= set(path.parts[:5])
