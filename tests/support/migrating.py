"""What Konnect could be told, as data, and what the page about moving over says of it, as rows of its tables."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from attrs import frozen

import konnectd

ROOT = Path(konnectd.__file__).parent.parent
PAGE = ROOT / "docs" / "operate" / "migrating.md"
#: What is in the data, and the heading of its table.
TABLES: Mapping[str, str] = {
    "commands": "Commands",
    "flags": "Flags",
    "variables": "Variables",
    "keys": "Keys of konnectd.cfg",
    "clients": "Clients",
    "authorities": "Authorities",
    "scopes": "Scopes",
    "container": "Container",
    "files": "Files",
    "lico": "lico",
}
SAME, DIFFERS, REFUSED, NO_EFFECT = "same", "differs", "refused", "no effect"


@frozen
class Row:
    """A row of a table.

    Attributes:
        names: what it is about.
        here: what becomes of it, in one word or two.
        text: what is said about it.
    """

    names: tuple[str, ...]
    here: str
    text: str


@cache
def data() -> Mapping[str, Any]:
    """Return the data."""
    text = (ROOT / "tests" / "data" / "konnect" / "options.toml").read_text("utf-8")
    return tomllib.loads(text)


def names(table: str) -> list[str]:
    """Return the names that the data have for a table; those of lico are of several kinds."""
    found = data()[table]
    return sorted(name for kind in found.values() for name in kind) if table == "lico" else sorted(found)


def rows(table: str, text: str = "") -> list[Row]:
    """Return the rows below the heading of a table.

    Args:
        table: its name in the data.
        text: of the page, if not the one that is there.
    """
    page = text or PAGE.read_text("utf-8")
    part = re.split(rf"^### {re.escape(TABLES[table])}$", page, maxsplit=1, flags=re.MULTILINE)[1]
    part = re.split(r"^##", part, maxsplit=1, flags=re.MULTILINE)[0]
    found: list[Row] = []
    for line in part.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 and cells[0].startswith("`"):
            shown = re.findall(r"`([^`]+)`", cells[0])
            found.append(Row(tuple(name.removeprefix("--") for name in shown), cells[1], cells[2]))
    return found


def here(table: str) -> Mapping[str, str]:
    """Return what becomes of each name of a table."""
    return {name: row.here for row in rows(table) for name in row.names}


def written(value: object) -> str:
    """Return a setting as it would be written into a file."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(written(part) for part in value)
    return "" if value is None else str(value)
