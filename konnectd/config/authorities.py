"""External authorities, read from the list ``authorities`` of the registration file; loaded only where there are some.

An entry that is wrong stops the start, as a client does. What the keys of a kind mean is in `konnectd.authorities`.
"""

import re
from collections.abc import Callable
from typing import TypeAlias

from attrs import evolve

from konnectd import loader
from konnectd.authority_entry import AuthorityEntry, IdentityRules
from konnectd.authority_kinds import PACKAGE
from konnectd.config.yamlfile import Table
from konnectd.interfaces import Backend, NamingBackend
from konnectd.option import ConfigError, ConfigErrors

#: Ids stand in cookies, addresses and logs.
_ID = re.compile(r"[A-Za-z0-9._~:/@+-]{1,64}")
_LONGEST_NAME = 60
_OPTION = "identifier_registration_conf"

Warn: TypeAlias = Callable[[str], None]


def read_authorities(document: Table, warn: Warn) -> tuple[AuthorityEntry, ...]:
    """Read all entries; whatever is wrong with one becomes a fault of the document.

    Args:
        document: the registration file.
        warn: told about what has no effect.
    """
    entries: dict[str, AuthorityEntry] = {}
    default = ""
    for table in document.tables("authorities"):
        entry = _entry(table, warn)
        for item in table.unknown():
            warn(f"{item.source}: authority {entry.authority_id}: {item.text}: is not known and has no effect")
        if entry.authority_id in entries:
            table.fault("id", "another authority has this id already")
        if entry.default and default:
            table.fault("default", f"{default} is the default already")
        default = default or (entry.authority_id if entry.default else "")
        entries.setdefault(entry.authority_id, entry)
    return tuple(entries.values())


def check_ways_in(entries: tuple[AuthorityEntry, ...], backend: Backend, *, passwords: bool) -> None:
    """Check whether people can sign in.

    Args:
        entries: the authorities.
        backend: has to find people by the names that they bring from there.
        passwords: whether they can sign in here.

    Raises:
        ConfigErrors: they can not.
    """
    if entries and not isinstance(backend, NamingBackend):
        problem = f"has authorities, and the {backend.name} backend can not find people by the name they bring"
        raise ConfigErrors([ConfigError(_OPTION, problem)])
    if not entries and not passwords:
        problem = "nobody could sign in: there is no external authority in identifier_registration_conf"
        raise ConfigErrors([ConfigError("disable_local_logon", problem)])


def _entry(table: Table, warn: Warn) -> AuthorityEntry:
    """Read one entry."""
    authority_id = _id(table, warn)
    kind, kinds = table.text("authority_type"), loader.names(PACKAGE)
    entry = AuthorityEntry(
        authority_id=authority_id,
        name=_name(table) or authority_id,
        kind=kind,
        default=table.switch("default"),
        trusted=table.switch("trusted"),
        insecure=table.switch("insecure"),
        identity=IdentityRules(
            claim=table.text("identity_claim_name"),
            aliases=_aliases(table),
            alias_required=table.switch("identity_alias_required"),
        ),
        end_session_enabled=table.switch("end_session_enabled"),
    )
    if kind not in kinds:
        table.fault("authority_type", f"must be {' or '.join(kinds)}")
        # What its own keys mean, nobody knows.
        for key in table:
            table.has(key)
        return entry
    return evolve(entry, settings=loader.load(PACKAGE, kind).read(table, entry))


def _id(table: Table, warn: Warn) -> str:
    """Read the id, and name the table by it; an entry without one is called by its name, as in Konnect."""
    text = table.text("id")
    if not text and table.text("name"):
        text = table.text("name")
        warn(f"{table.source}: authority {text}: has no id, so it is called by its name; give it an id that stays")
    if not text:
        table.name("authority without id")
        table.fault("id", "is required")
        return f"\0{table.source}"
    table.name(f"authority {text}")
    if _ID.fullmatch(text) is None and table.has("id"):
        table.fault("id", "must be at most 64 letters, digits and - . _ ~ : / @ +")
    return text


def _name(table: Table) -> str:
    """Read what people call it: it stands on a button."""
    text = " ".join(table.text("name").split())
    if len(text) > _LONGEST_NAME or not text.isprintable():
        table.fault("name", f"must be at most {_LONGEST_NAME} printable characters")
    return text


def _aliases(table: Table) -> tuple[tuple[str, str], ...]:
    """Read which external name is whose here; empty ones have no effect, as in Konnect."""
    aliases = table.table("identity_aliases")
    found = tuple((name, aliases.text(name)) for name in aliases)
    return tuple((name, local) for name, local in found if local)
