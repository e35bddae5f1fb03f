"""What people read about the options, made from their table: the help, ``etc/konnectd.conf`` and the manual.

``python -m konnectd.config.documents --write`` writes the two files, ``--check`` fails when they are not up to date.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import fill, wrap
from typing import TextIO

from attrs import fields as attributes_of

from konnectd import loader
from konnectd.config import backends, manpages, shown
from konnectd.config.given import keys_of, variables_of
from konnectd.config.options import ABSENT, CONFIG, OPTIONS
from konnectd.events import SECTIONS
from konnectd.option import Option
from konnectd.protocol.reasons import REASONS
from konnectd.protocol.trail import Trail

_WIDTH = 100
_ROOT = Path(__file__).resolve().parents[2]
_HELP_FLAGS = frozenset({"--help", "-h"})

_CONF_HEAD = """\
# Configuration of konnectd, read with: konnectd serve --config=/etc/konnectd.conf
#
# One "key = value" per line. Lines that begin with # or ; are comments; there are none behind a value. A value may
# stand in quotes. Outside of single quotes a backslash protects what follows it, as in systemd's environment files:
# write \\\\ for a backslash. Where several values are allowed, blanks stand between them.
#
# A flag wins over an environment variable, that over this file. What is commented out here is the default.
# This file is generated from the table of options; docs/operate/options.md says more.
"""

_MANUAL_HEAD = """\
# Options

This page is generated from the table of options. Every option can be given

1. as a flag: `konnectd serve --name=value ldap`, the same after `twistd -n konnectd`,
2. as an environment variable,
3. as a line `key = value` in the file that `--config` (or `KONNECTD_CONFIG`) names; no other file is read.

The first of these that says something wins; an empty variable and an empty line say nothing, an empty flag asks for the
default. Switches take `yes` and `no`; as a flag, `--name` alone means yes. Where an option may be given several times,
repeat the flag, or write blanks between the values in the variable and in the file. Unknown flags and keys, and values
that are wrong, stop the start: all of them are told, each with the place where it stands, and the exit status is 1.

The name of the backend is the first word that is no flag. Its own options count only when it is chosen, and so do those
of a store; the file may carry those of others. A secret can always be given as a file: `ldap_bindpw_file = /path` in
the file, `LDAP_BINDPW_FILE` in the environment, `--ldap-bindpw-file` as a flag. The line break at the end of such a
file does not count.

A value that begins with `${CREDENTIALS_DIRECTORY}` names a file among the credentials that systemd gives to a unit, as
[the Debian package](debian.md) does for keys.

Files are quoted as systemd quotes environment files: a value may stand in single or double quotes; a backslash outside
of single quotes protects what follows it (inside double quotes only `"`, `\\`, `$` and the backtick).

Every option of Konnect keeps its name here, and [they are all listed](migrating.md#flags). What lico has besides and is
not there is refused, because an installation that relies on it must not start without it; saying `no` to a switch that
is not there is fine.
"""

_REASONS_HEAD = """\
# Reasons

Why requests are refused: each line of the log about a refused request has the name of its reason (`reason=...`), and
`konnectd explain` says what stands here. This page is generated. *Says* is what the client or the page is told, letter
by letter, where `*` stands for any text; *rule* the clause of the specification; *move* who can do something about it.
"""


_EVENTS_HEAD = """\
# Events

Every line of the log has the id of its event: `event=...` in text, `"event"` in JSON, `KONNECTD_EVENT` in the journal.
An id does not change when its sentence does, so it is what filters and alerts should look for. This page is generated.
What libraries log, at level `debug` unless it is a fault, has no id: `library` in JSON and in the journal.

Where there is a `reference`, it is also on the error page; `konnectd explain` says more about it.
[Watching](watching.md) says how the log is read, and where it goes.
"""

_DECISIONS = """\
What is known of a refused or granted request; what is not known or does not matter is left out. `reason` is one of
[these](reasons.md).
"""


def asks_for_help(words: Iterable[str]) -> bool:
    """Tell whether somebody wants to know what can be said instead of saying it."""
    for word in words:
        if word == "--":
            return False
        if word in _HELP_FLAGS:
            return True
    return False


def sections(package: str = backends.PACKAGE) -> Mapping[str, tuple[Option, ...]]:
    """Return all options by the heading they stand under; each backend and store that can be loaded has its own."""
    found: dict[str, list[Option]] = {}
    for option in OPTIONS:
        found.setdefault(option.section, []).append(option)
    for name in loader.names(package):
        options = _options_of(package, name)
        if options:
            found[f"Backend {name}"] = list(options)
    for name in loader.names(backends.STORES):
        options = _options_of(backends.STORES, name)
        if options:
            found[f"Store {name}"] = list(options)
    return {heading: tuple(options) for heading, options in found.items()}


def _options_of(package: str, name: str) -> tuple[Option, ...]:
    """Return the options of a backend or a store; none when something it needs is not installed."""
    try:
        return backends.describe(package, name).options
    except ImportError:
        return ()


def usage(command: str, package: str = backends.PACKAGE, backend: str = "BACKEND") -> str:
    """Return the help of a command that serves.

    Args:
        command: how it is called.
        package: where backends are found.
        backend: how the backend stands in the first line, in brackets where it may be left out.
    """
    lines = [
        f"Usage: {command} [options] {backend}",
        "",
        f"Runs the OpenID Connect provider. BACKEND says where users come from: {', '.join(loader.names(package))}.",
        "Every option can also be given as an environment variable or in the file named by --config.",
        "",
        *_usage_of(CONFIG),
    ]
    for heading, options in sections(package).items():
        lines += ["", f"{heading}:"]
        for option in options:
            lines += _usage_of(option)
    return "\n".join([*lines, ""])


def _usage_of(option: Option) -> list[str]:
    """Return the lines of the help about one option."""
    variables = [name for name, from_file in variables_of(option) if not from_file]
    head = f"  {shown.flag(option)}   [{variables[0]}]"
    text = option.help + (f" Default: {shown.default(option)}." if shown.default(option) else "")
    return [head, *wrap(text, _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)]


def configuration(package: str = backends.PACKAGE) -> str:
    """Return ``etc/konnectd.conf``."""
    parts = [_CONF_HEAD]
    for heading, options in sections(package).items():
        parts.append(f"\n#\n# {heading}\n#\n")
        for option in options:
            others = [key for key in keys_of(option) if key != option.key]
            told = f"{option.help} Also called {', '.join(others)}." if others else option.help
            text = fill(told, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
            parts.append(f"\n{text}\n{f'#{option.key} = {shown.default(option)}'.rstrip()}\n")
    return "".join(parts)


def manual(package: str = backends.PACKAGE) -> str:
    """Return ``docs/operate/options.md``."""
    parts = [_MANUAL_HEAD, "\n", _manual_of(CONFIG, in_file=False)]
    for heading, options in sections(package).items():
        parts.append(f"\n## {heading}\n")
        parts += [f"\n{_manual_of(option)}" for option in options]
    parts.append("\n## Options of lico that are not there\n\n")
    parts.append(f"Refused: {_names(ABSENT)}.\n")
    return "".join(parts)


def _manual_of(option: Option, *, in_file: bool = True) -> str:
    """Return what the manual says about one option."""
    names = [("flag", [shown.flag(option), *(f"--{name}" for name in option.aliases)])]
    if in_file:
        names.append(("file", [*keys_of(option), *([f"{option.key}_file"] if option.file else [])]))
    names.append(("environment", [name for name, _ in variables_of(option)]))
    lines = [f"- {label}: {', '.join(f'`{name}`' for name in found)}" for label, found in names]
    if shown.default(option):
        lines.append(f"- default: `{shown.default(option)}`")
    return f"### {option.name}\n\n{fill(option.help, 120, break_on_hyphens=False)}\n\n" + "\n".join(lines) + "\n"


def _names(options: Iterable[Option]) -> str:
    """Return the names of options that have no row."""
    shown = [f"`{option.env[0]}`" if option.env else f"`--{option.name}`" for option in options]
    return fill(", ".join(shown), 120, break_on_hyphens=False)


def reasons() -> str:
    """Return ``docs/operate/reasons.md``."""
    parts = [_REASONS_HEAD]
    for reason in sorted(REASONS, key=lambda reason: reason.name):
        rows = [
            ("says", ", ".join(f"`{text}`" for text in reason.says)),
            ("rule", reason.clause),
            ("move", f"{reason.move}; in the log at level debug only" if reason.everyday else str(reason.move)),
        ]
        text = fill(f"{reason.why} {reason.advice}", 120, break_on_hyphens=False)
        shown = "".join(f"- {name}: {value}\n" for name, value in rows if value)
        parts.append(f"\n## {reason.name}\n\n{text}\n\n{shown}")
    return "".join(parts)


def events() -> str:
    """Return ``docs/operate/events.md``."""
    parts = [_EVENTS_HEAD]
    for heading, found in SECTIONS.items():
        parts.append(f"\n## {heading}\n\n| event | level | sentence | fields |\n| --- | --- | --- | --- |\n")
        for event in found:
            names = [name for name in event.fields if name != "trail"]
            shown = ", ".join(f"`{name}`" for name in names) + (
                ", [those of a decision](#decisions)" if event.trail else ""
            )
            parts.append(f"| `{event.name}` | {', '.join(event.levels)} | {event.says} | {shown} |\n")
    rows = "".join(f"| `{attribute.name}` |\n" for attribute in attributes_of(Trail))
    parts.append(f"\n## Decisions\n\n{_DECISIONS}\n| field |\n| --- |\n{rows}")
    return "".join(parts)


#: Each generated file and what makes it.
DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "etc/konnectd.conf": configuration,
    "docs/operate/options.md": manual,
    "docs/operate/reasons.md": reasons,
    "docs/man/konnectd.8": lambda: manpages.command(CONFIG, sections()),
    "docs/man/konnectd.conf.5": lambda: manpages.file(sections()),
    "docs/operate/events.md": events,
}


def main(argv: Sequence[str], root: Path = _ROOT, errors: TextIO = sys.stderr) -> int:
    """Write the generated files, or check that they are up to date; return the exit status.

    Args:
        argv: ``--write`` or ``--check``.
        root: the checkout.
        errors: told what is wrong.
    """
    if list(argv) not in (["--write"], ["--check"]):
        errors.write("usage: python -m konnectd.config.documents --check|--write\n")
        return 2
    status = 0
    for name, make in DOCUMENTS.items():
        path = root / name
        if argv[0] == "--write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(make(), encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != make():
            errors.write(f"{name} is not up to date; run: make generate\n")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
