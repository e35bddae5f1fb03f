"""The form of configuration files: ``key = value`` lines with comments, quoted as in systemd's environment files.

Files of Konnect are read by systemd, so the rules for quotes and backslashes are the same; what systemd would join over
several lines is refused instead. What the keys mean is not here.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from konnectd.config.given import LONGEST_FILE, Given
from konnectd.option import ConfigError

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPED_ANYTHING = re.compile(r"\\(.)")
#: Inside double quotes a backslash protects these alone and otherwise stands for itself.
_ESCAPED_SPECIAL = re.compile(r"\\([\"\\`$])")
_DOUBLE_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SINGLE_QUOTED = re.compile(r"'([^']*)'")
#: How the names of files of launchers end; the whole names are `konnectd.config.launcher`'s.
_OF_A_LAUNCHER = ".cfg"


@frozen(kw_only=True)
class Lines:
    """A configuration file as read.

    Attributes:
        values: one for each line that says something.
        faults: one for each line that can not be understood.
    """

    values: tuple[Given, ...]
    faults: tuple[ConfigError, ...]


def read(path: Path, place: Given) -> Lines:
    """Read a configuration file.

    Args:
        path: the file.
        place: where its path was given, for the message when it can not be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except OSError as error:
        return Lines(values=(), faults=(place.fault(f"{path} can not be read: {error.strerror}"),))
    if len(content) > LONGEST_FILE:
        return Lines(values=(), faults=(place.fault(f"{path} is larger than {LONGEST_FILE} bytes"),))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Lines(values=(), faults=(ConfigError("config", "is not UTF-8 text", f"{path}:{line}"),))
    return parse(text, str(path))


def left_out(places: Sequence[Given], *, to_make: bool = False) -> tuple[Given, ...]:
    """Return what counts where a file says nothing; that is something only for files of launchers like Konnect's.

    Args:
        places: where the path of the file was given; none without a file.
        to_make: files that are not there yet are named as well, for who is going to make them.
    """
    if not places or not places[0].text.endswith(_OF_A_LAUNCHER):
        return ()
    from konnectd.config import launcher  # noqa: PLC0415 - only who comes from there needs it

    return launcher.left_out(Path(places[0].text), to_make=to_make)


def parse(text: str, name: str) -> Lines:
    """Read the lines of a configuration file.

    Args:
        text: what is in it.
        name: what it is called in messages.
    """
    values: list[Given] = []
    faults: list[ConfigError] = []
    for found in _lines(text, name):
        if isinstance(found, Given):
            values.append(found)
        else:
            faults.append(found)
    return Lines(values=tuple(values), faults=tuple(faults))


def _lines(text: str, name: str) -> Iterator[Given | ConfigError]:
    """Yield what each line says, or what is wrong with it."""
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        source = f"{name}:{number}"
        key, equals, value = line.partition("=")
        key = key.rstrip()
        if not equals or _KEY.fullmatch(key) is None:
            yield ConfigError(_shown(key, line), "is not a line of the form key = value", source)
            continue
        try:
            yield Given(name=key, text=unquote(value.strip()), source=source)
        except ValueError as error:
            yield ConfigError(key, str(error), source)


def _shown(key: str, line: str) -> str:
    """Return how a line that is not understood is named; what follows its first word may be a secret."""
    return (key if "=" in line else line.split(maxsplit=1)[0])[:40]


def unquote(text: str) -> str:
    """Take away quotes and backslashes as systemd does.

    Raises:
        ValueError: a quote is not closed, or something follows it, or there are control characters.
    """
    if any(ord(character) < ord(" ") and character != "\t" for character in text):
        raise ValueError("has control characters")
    if text.startswith('"'):
        return _ESCAPED_SPECIAL.sub(r"\1", _quoted(_DOUBLE_QUOTED, text))
    if text.startswith("'"):
        return _quoted(_SINGLE_QUOTED, text)
    # An odd number of backslashes at the end would swallow the line break.
    if (len(text) - len(text.rstrip("\\"))) % 2:
        raise ValueError("ends in a backslash; a value stands in one line")
    return _ESCAPED_ANYTHING.sub(r"\1", text)


def _quoted(form: re.Pattern[str], text: str) -> str:
    """Return what is between quotes when nothing else is there."""
    match = form.match(text)
    if match is None:
        raise ValueError("begins with a quote that is not closed in the same line")
    if match.end() != len(text):
        raise ValueError("has something after the closing quote")
    return match[1]
