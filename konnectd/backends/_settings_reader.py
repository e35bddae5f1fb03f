"""Reading a backend's options: values as they were given, each held against its own parser once more.

The settings of a file or a flag have been parsed already; those that a program hands over have not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from konnectd.option import ConfigError, Option

Value = TypeVar("Value")


class Reader:
    """Reads values, and collects what is wrong with them.

    Attributes:
        faults: so far.
    """

    def __init__(self, table: Iterable[Option], given: Mapping[str, object]) -> None:
        """Lay what was given over the defaults.

        Args:
            table: the backend's options.
            given: by name with underscores.
        """
        options = tuple(table)
        self._values = {option.dest: option.default for option in options} | dict(given)
        self._parsers = {option.dest: option.parse for option in options}
        self.faults: list[ConfigError] = []

    def fault(self, option: str, problem: str) -> None:
        """Remember a fault."""
        self.faults.append(ConfigError(option, problem))

    def text(self, option: str) -> str:
        """Return a text that its own parser takes; the empty text when it does not."""
        return self.parsed(option, lambda text: str(self._parsers[option](text)), self.given(option), "")

    def given(self, option: str) -> str:
        """Return a text as it was given, for another parser than its own."""
        value = self._values.get(option)
        return "" if value is None else str(value)

    def flag(self, option: str) -> bool:
        """Return a switch."""
        return bool(self._values.get(option))

    def number(self, option: str) -> int:
        """Return a number that its own parser takes."""
        return int(self.text(option) or 0)

    def path(self, option: str) -> Path | None:
        """Return a path."""
        value = self._values.get(option)
        return Path(str(value)) if value else None

    def words(self, option: str) -> tuple[str, ...]:
        """Return several texts, whether they came one by one or separated by blanks or commas."""
        value = self._values.get(option) or ()
        given = [value] if isinstance(value, str) else list(value) if isinstance(value, Sequence) else []
        words = [word for text in given for word in str(text).replace(",", " ").split()]
        kept = (self.parsed(option, lambda text: str(self._parsers[option](text)), word, "") for word in words)
        return tuple(dict.fromkeys(word for word in kept if word))

    def parsed(self, option: str, parse: Callable[[str], Value], text: str, otherwise: Value) -> Value:
        """Return what a parser makes of a text; something else, and a fault, when it is not taken."""
        try:
            return parse(text)
        except ValueError as error:
            self.fault(option, str(error))
            return otherwise
