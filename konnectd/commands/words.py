"""The words of a command that takes options of its own beside those of the daemon."""

import sys
from collections.abc import Mapping, Sequence
from textwrap import wrap

from attrs import frozen

from konnectd.config.arguments import SOURCE
from konnectd.config.given import Given
from konnectd.option import ConfigError, ConfigErrors, Option

OK, FAULTY, MISUSED = 0, 1, 2
_WIDTH = 100
_HELP_FLAGS = frozenset({"--help", "-h"})


@frozen(kw_only=True)
class Words:
    """A command line in two parts.

    Attributes:
        own: the command's own options, by name with underscores.
        rest: everything else, which is for the daemon's options.
    """

    own: Mapping[str, object]
    rest: tuple[str, ...]

    @classmethod
    def parse(cls, argv: Sequence[str], options: Sequence[Option]) -> "Words":
        """Take the command's own options out of a command line.

        Args:
            argv: the words after the command.
            options: its own ones.

        Raises:
            ConfigErrors: some of its own ones are wrong.
        """
        by_name = {option.name: option for option in options}
        own: dict[str, object] = {option.dest: option.default for option in options}
        faults: list[ConfigError] = []
        rest: list[str] = []
        left = list(reversed(argv))
        while left:
            word = left.pop()
            if word == "--":
                rest += [word, *reversed(left)]
                break
            name, equals, text = word.partition("=")
            option = by_name.get(name.removeprefix("--")) if name.startswith("--") else None
            if option is None:
                rest.append(word)
                continue
            if not equals:
                text = _next(left) if option.metavar else "yes"
            try:
                own[option.dest] = option.parse(text)
            except ValueError as error:
                faults.append(Given(name=name, text=text, source=SOURCE).fault(str(error)))
        if faults:
            raise ConfigErrors(faults)
        return cls(own=own, rest=tuple(rest))


def _next(left: list[str]) -> str:
    """Take the value of an option that stands in a word of its own; empty if there is none."""
    return left.pop() if left and not left[-1].startswith("--") else ""


def filled(text: str) -> str:
    """Read text that may not be empty.

    Raises:
        ValueError: it is.
    """
    if not text.strip():
        raise ValueError("needs a value")
    return text


def asks_for_help(argv: Sequence[str]) -> bool:
    """Tell whether somebody wants to know what can be said."""
    return bool(_HELP_FLAGS & set(argv))


def usage(synopsis: str, purpose: str, options: Sequence[Option], further: str = "") -> str:
    """Return the help of a command.

    Args:
        synopsis: how it is called.
        purpose: what it does, in a sentence or more.
        options: its own ones.
        further: what else can be said; empty for nothing.
    """
    lines = [f"Usage: {synopsis}", "", *wrap(purpose, _WIDTH), ""]
    for option in options:
        flag = f"--{option.name}={option.metavar}" if option.metavar else f"--{option.name}"
        lines += [f"  {flag}", *wrap(option.help, _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)]
    lines += ["", *wrap(further, _WIDTH)] if further else []
    return "\n".join([*lines, ""])


def shown(text: str) -> str:
    """Return text that plays with no terminal: what does not print is a question mark."""
    return "".join(character if character.isprintable() else "?" for character in text)


def complain(command: str, text: str) -> None:
    """Tell what is wrong, in one line on standard error."""
    sys.stderr.write(f"konnectd: {command}: {shown(text)}\n")


def misused(command: str, error: ConfigErrors) -> int:
    """Tell everything that is wrong about a command line, and return the exit status."""
    for fault in error.faults:
        complain(command, f"{fault.option}: {fault.problem}")
    return MISUSED
