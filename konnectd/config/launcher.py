"""What Konnect's launcher found by itself: the files beside its configuration file, and some defaults of its own.

The launcher, a script between systemd and the daemon, read ``/etc/kopano/konnectd.cfg``. Where that said nothing of
keys and YAML files, it took those that lay beside it under certain names. Installations rely on it, so a file of that
very name has the same effect here; any other name has none. The same goes for ``licod.cfg`` of lico.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from konnectd.config.given import Given

#: What lies beside a configuration file, by the name of that file and the key it stands for.
BESIDE: Mapping[str, Mapping[str, str]] = {
    "konnectd.cfg": {
        "signing_private_key": "konnectd-signing-private-key.pem",
        "validation_keys_path": "konnectkeys",
        "encryption_secret_key": "konnectd-encryption-secret.key",
        "identifier_registration_conf": "konnectd-identifier-registration.yaml",
        "identifier_scopes_conf": "konnectd-identifier-scopes.yaml",
    },
    "licod.cfg": {
        "signing_private_key": "signing-private-key.pem",
        "validation_keys_path": "keys",
        "encryption_secret_key": "encryption-secret.key",
        "identifier_registration_conf": "identifier-registration.yaml",
        "identifier_scopes_conf": "identifier-scopes.yaml",
    },
}
#: What counts besides, where the file does not say it.
DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "konnectd.cfg": {
        "oidc_issuer_identifier": "https://localhost",
        "identity_manager": "kc",
        "kc_server_uri": "file:///run/kopano/server.sock",
    },
}
_FOLDERS = frozenset({"validation_keys_path"})


def left_out(config: Path, *, to_make: bool = False) -> tuple[Given, ...]:
    """Return what counts where the configuration file of a launcher says nothing; nothing for any other file.

    Args:
        config: the configuration file.
        to_make: files that are not there yet are named as well, for who is going to make them.
    """
    source = f"left out in {config}"
    beside = {key: config.parent / name for key, name in BESIDE.get(config.name, {}).items()}
    found = {key: str(path) for key, path in beside.items() if to_make or _is_there(key, path)}
    values = {**found, **DEFAULTS.get(config.name, {})}
    return tuple(Given(name=key, text=value, source=source) for key, value in values.items())


def _is_there(key: str, path: Path) -> bool:
    """Tell whether there is something to be found.

    A link that leads nowhere counts: that has to be told, instead of a random key being made.
    """
    return path.is_dir() if key in _FOLDERS else os.path.lexists(path)
