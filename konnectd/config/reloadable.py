"""Which options a reload lets count, and which wait for a restart.

The former say what clients, scopes and keys there are and how pages look: only an assembly of the daemon depends on
them. The latter have gone into what lives as long as the process: addresses, store, backend, limits, logs. A value of
theirs that has changed must be told of, because nothing else would show that it does not count.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import evolve, fields

from konnectd.config.branding_options import BrandingSettings
from konnectd.config.settings import Settings

_Value = TypeVar("_Value")

#: By the names they have in `Settings`.
_PLAIN = (
    "signing_private_key",
    "signing_kid",
    "signing_method",
    "validation_keys_path",
    "identifier_registration_conf",
    "identifier_scopes_conf",
    "allow_scope",
)
RELOADABLE = frozenset((*_PLAIN, *(one.name for one in fields(BrandingSettings))))


def settle(old: Settings, new: Settings) -> tuple[Settings, tuple[str, ...]]:
    """Return what counts after a reload, and the names of options that would have to count but can not yet.

    Args:
        old: counts now.
        new: is what the operator says now, without faults.
    """
    names = (*old.effective, *(name for name in new.effective if name not in old.effective))
    waiting = tuple(
        name for name in names if name not in RELOADABLE and old.effective.get(name) != new.effective.get(name)
    )
    if not waiting:
        return new, ()
    values: dict[str, Any] = {name: getattr(new, name) for name in _PLAIN}
    settled = evolve(
        old,
        **values,
        branding=new.branding,
        sources={**_those(old.sources, reloadable=False), **_those(new.sources, reloadable=True)},
        effective={**_those(old.effective, reloadable=False), **_those(new.effective, reloadable=True)},
    )
    return settled, waiting


def _those(values: Mapping[str, _Value], *, reloadable: bool) -> dict[str, _Value]:
    """Return the values of options of one kind."""
    return {name: value for name, value in values.items() if (name in RELOADABLE) is reloadable}
