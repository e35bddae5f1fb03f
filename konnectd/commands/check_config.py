"""``konnectd check-config``: what a start would say about the configuration, without starting anything.

What is read, and how, is `konnectd.inspection`; here is how it is told.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from konnectd.commands.words import FAULTY, OK, Words, asks_for_help, complain, misused, shown, usage
from konnectd.config import backends
from konnectd.config.options import OPTIONS
from konnectd.config.settings import Settings
from konnectd.inspection import Inspection, inspect
from konnectd.option import ConfigErrors, Option, switch

OWN_OPTIONS: tuple[Option, ...] = (
    Option(
        name="json",
        help="Print JSON: ok, faults, warnings and settings, for programs.",
        parse=switch,
        default=False,
        metavar="",
    ),
)
SYNOPSIS = "konnectd check-config [options] [BACKEND]"
_PURPOSE = (
    "Reads everything that konnectd serve would read with the same options, connects to nothing and writes nothing."
    " Tells all faults, or the settings that count and where each comes from."
)
_FURTHER = "All options of konnectd serve can be given; konnectd serve --help lists them."
#: What stands for a secret.
MASK = "(not shown)"
_DEFAULT = "default"


@frozen(kw_only=True)
class Row:
    """A setting that counts.

    Attributes:
        name: in the configuration file.
        value: as it would be written there; a secret is not shown.
        source: where it stands.
    """

    name: str
    value: str = field(repr=False)
    source: str


def rows(settings: Settings) -> tuple[Row, ...]:
    """Return the settings that count, in the order of the table of options."""
    options = (
        *OPTIONS,
        *backends.describe(backends.PACKAGE, settings.backend).options,
        *backends.describe(backends.STORES, settings.store).options,
    )
    return tuple(
        Row(
            name=option.key,
            value=_shown_value(option, settings.effective.get(option.dest)),
            source=settings.sources.get(option.dest, _DEFAULT),
        )
        for option in options
    )


def _shown_value(option: Option, value: object) -> str:
    """Return a value as it would be written."""
    if value is None or value in ("", ()):
        return ""
    if option.secret:
        return MASK
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def run(
    argv: Sequence[str],
    environ: Mapping[str, str],
    reactor: Any,  # noqa: ANN401 - a reactor is many interfaces at once
) -> int:
    """Check, tell, and return the exit status."""
    if asks_for_help(argv):
        sys.stdout.write(usage(SYNOPSIS, _PURPOSE, OWN_OPTIONS, _FURTHER))
        return OK
    try:
        words = Words.parse(argv, OWN_OPTIONS)
    except ConfigErrors as error:
        return misused("check-config", error)
    found = inspect(words.rest, environ, reactor)
    if words.own["json"]:
        sys.stdout.write(json.dumps(_document(found), indent=2) + "\n")
    else:
        _tell(found)
    return FAULTY if found.faults else OK


def _tell(found: Inspection) -> None:
    """Print what was found: problems on standard error, settings on standard output."""
    for warning in found.warnings:
        complain("check-config", f"warning: {warning}")
    for fault in found.faults:
        complain("check-config", str(fault))
    if found.faults:
        count = len(found.faults)
        complain("check-config", f"{count} {'fault' if count == 1 else 'faults'}; the daemon would not start")
        return
    for row in rows(found.settings):
        sys.stdout.write(f"{row.name} = {shown(row.value)}".rstrip() + f"    # {shown(row.source)}\n")


def _document(found: Inspection) -> Mapping[str, object]:
    """Return what was found, for programs."""
    settings = () if found.faults else rows(found.settings)
    return {
        "ok": not found.faults,
        "faults": [
            {"option": fault.option, "problem": fault.problem, "source": fault.source} for fault in found.faults
        ],
        "warnings": list(found.warnings),
        "settings": [{"name": row.name, "value": row.value, "source": row.source} for row in settings],
    }
