"""The command line: which words are flags, which are their values, which stand for themselves.

Flags look as in Konnect: ``--name=value`` or ``--name value``, in any order with other words; a switch takes its value
only after ``=``. Abbreviations are refused, because they change their meaning when options are added.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from attrs import frozen

from konnectd.config.given import Given
from konnectd.option import ConfigError, Option

SOURCE = "command line"

#: Finds the option of a flag, and whether the flag names a file with the value.
FindFlag: TypeAlias = Callable[[str], tuple[Option, bool] | None]


@frozen(kw_only=True)
class Flag:
    """A flag that was given.

    Attributes:
        option: the option it sets; None if there is none of that name.
        given: its value.
    """

    option: Option | None
    given: Given


@frozen(kw_only=True)
class Arguments:
    """A command line in parts.

    Attributes:
        flags: in the order they were given.
        words: what is no flag and no value of one.
        faults: what can not be understood.
    """

    flags: tuple[Flag, ...]
    words: tuple[str, ...]
    faults: tuple[ConfigError, ...]

    def of(self, option: Option) -> tuple[Given, ...]:
        """Return what was given for an option."""
        return tuple(flag.given for flag in self.flags if flag.option is option)


class _Words:
    """Words yet to be looked at."""

    def __init__(self, argv: Sequence[str]) -> None:
        """Keep them, the next one last."""
        self.words = list(reversed(argv))

    def __iter__(self) -> Iterator[str]:
        """Yield and remove each."""
        while self.words:
            yield self.words.pop()

    def take_value(self) -> str | None:
        """Return and remove the next word unless it is a flag."""
        if not self.words or self.words[-1].startswith("--"):
            return None
        return self.words.pop()

    def take_rest(self) -> list[str]:
        """Return and remove all that are left."""
        return list(self)


def parse(argv: Sequence[str], find: FindFlag) -> Arguments:
    """Take a command line apart.

    Args:
        argv: the words after the name of the command.
        find: knows the flags.
    """
    flags: list[Flag] = []
    words: list[str] = []
    faults: list[ConfigError] = []
    left = _Words(argv)
    for word in left:
        if word == "--":
            words += left.take_rest()
        elif not word.startswith("-") or word == "-":
            words.append(word)
        elif not word.startswith("--"):
            faults.append(
                ConfigError(word.partition("=")[0], "is not an option; options begin with two dashes", SOURCE)
            )
        else:
            try:
                flags.append(_flag(word, left, find))
            except ConfigError as fault:
                faults.append(fault)
    return Arguments(flags=tuple(flags), words=tuple(words), faults=tuple(faults))


def _flag(word: str, left: _Words, find: FindFlag) -> Flag:
    """Read one flag, with the next word if that is its value."""
    shown, equals, text = word.partition("=")
    found = find(shown.removeprefix("--"))
    if found is None:
        return Flag(option=None, given=Given(name=shown, text=text, source=SOURCE))
    option, from_file = found
    value: str | None = text
    if not equals:
        value = left.take_value() if option.metavar else "yes"
    if value is None:
        raise ConfigError(shown, f"needs a value: {shown}={option.metavar}", SOURCE)
    return Flag(option=option, given=Given(name=shown, text=value, source=SOURCE, from_file=from_file))


#: The command line without words.
NONE = Arguments(flags=(), words=(), faults=())
