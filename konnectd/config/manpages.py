"""The manual pages konnectd(8) and konnectd.conf(5), made from the table of options.

They are written in the macros of ``man``. What a text says, whatever it begins with, is never taken for a macro.
"""

from collections.abc import Iterable, Mapping
from textwrap import fill

from konnectd.config import shown
from konnectd.config.given import keys_of, variables_of
from konnectd.option import Option

_WIDTH = 100

#: What can be typed, and what comes of it.
COMMANDS: Mapping[str, str] = {
    "serve [OPTIONS] [BACKEND]": "Run the provider until a signal ends it. This is what the unit of systemd does.",
    "demo": "Run a provider with people and a client made up for trying out, on this machine.",
    "setup": "Make the signing key and the encryption secret, once.",
    "check-config": "Say what is wrong with the configuration, or which settings count.",
    "doctor": "Find out why signing in does not work, from the outside in.",
    "keys": "Show the signing keys, and rotate them.",
    "healthcheck": "Ask a running provider whether it is well; the exit status is 0 when it is.",
    "explain": "Say why a request was refused, by the reference on the page or a line of the log.",
    "utils jwk-from-pem": "Print a key from a PEM file as a JSON Web Key.",
    "utils hash-password": "Ask for a password and print its hash, for the file of users.",
    "version": "Print versions.",
    "help [COMMAND]": "Print what can be typed, or the help of a command.",
}

_SIGNALS = """\
SIGTERM and SIGINT end the provider: it takes no new connections, answers what was asked within 10 seconds, and ends.
The same signal again ends it at once. SIGHUP lets it read clients, scopes, keys, branding and templates anew; if
anything is wrong with them, the log says what, and what counted before goes on. SIGUSR1 opens the audit log anew.
"""

_SYSTEMD = """\
The unit konnectd.service starts the provider, which says when it serves and that it is alive (Type=notify with a
watchdog). Where konnectd.socket is active, systemd listens, and while the provider is started anew connections wait and
are not refused: an address of the option listen that such a socket serves is not opened a second time. Where listen is
not set, those sockets are all there is. systemctl reload sends SIGHUP and waits until files are read. Keys that
systemd hands over are those of the last start.
"""

_STATUS = """\
0 after a signal or when it is done; 1 when an option or a file is wrong, an address can not be listened at, or the
answer of a command is no; 2 when there is no such command.
"""

_FORM = """\
One setting stands in each line, key = value. Lines that begin with # or ; are comments; there are none behind a value.
A value may stand in single or double quotes; a backslash outside of single quotes protects what follows it. Switches
are yes or no. Where several values are allowed, blanks stand between them. An empty value says nothing.

A flag wins over an environment variable, and that over this file. What is wrong is told at start, all of it, with file
and line. Keys of backends and stores that are not chosen do no harm. A secret can be kept in a file of its own: the key
with _file behind it names that file.
"""

_CREDENTIALS = """\
A value that begins with ${CREDENTIALS_DIRECTORY} names a file among the credentials that systemd gives to the unit
(LoadCredential= in systemd.exec(5)).
"""


def command(config: Option, sections: Mapping[str, tuple[Option, ...]]) -> str:
    """Return konnectd(8).

    Args:
        config: the option that names the configuration file.
        sections: all other options by the heading they stand under.
    """
    parts = [
        _head("KONNECTD", 8, "System administration"),
        _section("NAME", "konnectd - OpenID Connect provider"),
        ".SH SYNOPSIS\n.B konnectd\n.I COMMAND\n.RI [ OPTIONS ]\n.br\n.B konnectd serve\n"
        ".BI \\-\\-config= /etc/konnectd/konnectd.conf\n",
        _section(
            "DESCRIPTION",
            "konnectd lets people sign in to applications with OpenID Connect and OAuth 2.0. They are known by a "
            "backend: a directory, or a file.",
        ),
        ".SH COMMANDS\n",
        *(_item(words, text) for words, text in COMMANDS.items()),
        ".SH OPTIONS OF SERVE\n",
        _item(shown.flag(config), f"{config.help} {_variables(config)}"),
    ]
    for heading, options in sections.items():
        parts.append(f".SS {_quoted(heading)}\n")
        parts += [
            _item(shown.flag(option), f"{option.help}{_default(option)} {_variables(option)}") for option in options
        ]
    parts += [
        _section("SYSTEMD", _SYSTEMD),
        _section("SIGNALS", _SIGNALS),
        _section("EXIT STATUS", _STATUS),
        ".SH FILES\n",
        _item("/etc/konnectd/konnectd.conf", "The configuration, as the unit of systemd names it."),
        _item("/etc/konnectd/keys", "Keys and secrets, which systemd hands to the unit."),
        _item("/var/lib/konnectd", "What is remembered, with the store sqlite."),
        _see("konnectd.conf(5)", "systemd.socket(5)", "systemctl(1)"),
    ]
    return "".join(parts)


def file(sections: Mapping[str, tuple[Option, ...]]) -> str:
    """Return konnectd.conf(5).

    Args:
        sections: all options by the heading they stand under.
    """
    parts = [
        _head("KONNECTD.CONF", 5, "File formats"),
        _section("NAME", "konnectd.conf - configuration of the OpenID Connect provider konnectd"),
        _section("DESCRIPTION", _FORM),
        _section("CREDENTIALS", _CREDENTIALS),
        ".SH SETTINGS\n",
    ]
    for heading, options in sections.items():
        parts.append(f".SS {_quoted(heading)}\n")
        parts += [_item(f"{option.key} =", f"{option.help}{_default(option)}{_others(option)}") for option in options]
    parts.append(_see("konnectd(8)"))
    return "".join(parts)


def _head(name: str, section: int, title: str) -> str:
    """Return the beginning of a page."""
    note = '.\\" Generated from the table of options; make generate writes it.'
    return f'{note}\n.TH {name} {section} "" konnectd "{title}"\n'


def _section(heading: str, text: str) -> str:
    """Return a section of paragraphs."""
    paragraphs = (_text(" ".join(paragraph.split())) for paragraph in text.strip().split("\n\n"))
    return f".SH {_quoted(heading)}\n" + ".PP\n".join(f"{paragraph}\n" for paragraph in paragraphs)


def _item(head: str, text: str) -> str:
    """Return one entry of a list."""
    return f".TP\n.B {_escaped(head)}\n{_text(text.strip())}\n"


def _see(*pages: str) -> str:
    """Return what to read next."""
    return (
        ".SH SEE ALSO\n"
        + ",\n".join(f".BR {name} ({rest}" for name, _, rest in (p.partition("(") for p in pages))
        + "\n"
    )


def _default(option: Option) -> str:
    """Return the sentence about a default."""
    value = shown.default(option)
    return f" Default: {value}." if value else ""


def _variables(option: Option) -> str:
    """Return the sentence about the environment."""
    return f"Environment: {', '.join(name for name, _ in variables_of(option))}."


def _others(option: Option) -> str:
    """Return the sentence about further names of a key."""
    others: Iterable[str] = keys_of(option)[1:]
    named = [*others, *([f"{option.key}_file"] if option.secret else [])]
    return f" Also: {', '.join(named)}." if named else ""


def _text(text: str) -> str:
    """Return a paragraph, in lines that are no macros."""
    lines = fill(text, _WIDTH, break_on_hyphens=False, break_long_words=False).splitlines()
    return "\n".join(f"\\&{line}" if line[:1] in {".", "'"} else line for line in map(_escaped, lines))


def _escaped(text: str) -> str:
    """Return text with everything that means something to troff written so that it means itself."""
    for character, written in (("\\", "\\e"), ("-", "\\-"), ("~", "\\(ti"), ("^", "\\(ha"), ("`", "\\(ga")):
        text = text.replace(character, written)
    return text


def _quoted(text: str) -> str:
    """Return text as one argument of a macro."""
    return f'"{_escaped(text)}"'
