"""What further scopes mean to people, read from ``scopes.yaml``; what it means to have one is decided elsewhere."""

from pathlib import Path

from konnectd.config import yamlfile
from konnectd.config.local_text import local_text
from konnectd.config.registration import Warn
from konnectd.config.values import scope_token
from konnectd.config.yamlfile import Table
from konnectd.option import ConfigError, ConfigErrors
from konnectd.protocol.scope import ScopeCatalog, ScopeDefinition

_OPTION = "identifier_scopes_conf"
_LONGEST_DESCRIPTION = 1000


def load_scopes(path: Path, *, warn: Warn) -> ScopeCatalog:
    """Read the operator's scopes and lay them over the built-in ones.

    Args:
        path: the YAML file.
        warn: told about keys that have no effect.

    Raises:
        ConfigErrors: something in it is wrong; it holds all faults.
    """
    faults: list[ConfigError] = []
    document = yamlfile.read(path, _OPTION, faults)
    mapping = _mapping(document.table("mapping"))
    definitions = _definitions(document.table("scopes"), warn)
    for item in document.unknown():
        warn(f"{item.source}: {item.text}: is not known and has no effect")
    if faults:
        raise ConfigErrors(faults)
    return ScopeCatalog.build(mapping, definitions)


def _mapping(table: Table) -> dict[str, str]:
    """Read which definition each scope is shown by."""
    table.name("mapping")
    found: dict[str, str] = {}
    for scope in table:
        _check_scope(table, scope)
        found[scope] = table.text(scope)
        if not found[scope]:
            table.fault(scope, "must be the key of a definition")
    return found


def _definitions(table: Table, warn: Warn) -> dict[str, ScopeDefinition]:
    """Read what is said about each definition; nothing is a definition too."""
    table.name("scopes")
    found: dict[str, ScopeDefinition] = {}
    for key in table:
        _check_scope(table, key)
        entry = table.table(key)
        entry.name(f"scope {key}")
        description = local_text(entry, "description", _LONGEST_DESCRIPTION)
        handle = entry.text("id")
        found[key] = ScopeDefinition(id=handle, description=description, priority=entry.number("priority"))
        for item in entry.unknown():
            warn(f"{item.source}: scope {key}: {item.text}: is not known and has no effect")
    return found


def _check_scope(table: Table, key: str) -> None:
    """Refuse what no client could ask for."""
    try:
        scope_token(key)
    except ValueError as error:
        table.fault(key, str(error))
