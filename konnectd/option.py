"""What one configuration option is, and how a bad one is reported.

The table of options is `konnectd.config.options`; a backend declares those that begin with its name in its own file,
as ``OPTIONS``. Parsers of values that several tables need are here too.
"""

from collections.abc import Callable, Iterable

from attrs import field, frozen


class ConfigError(Exception):
    """The operator has to change something before the daemon can work.

    Attributes:
        option: the option's name, as in the file.
        problem: what is wrong with it, in words for an operator.
        source: where it was given, such as ``/etc/konnectd.conf:12`` or ``environment``; empty if nowhere.
    """

    def __init__(self, option: str, problem: str, source: str = "") -> None:
        """Keep the three facts; the text is made from them."""
        super().__init__(option, problem, source)
        self.option = option
        self.problem = problem
        self.source = source

    def __str__(self) -> str:
        """One line for the operator."""
        place = f"{self.source}: " if self.source else ""
        return f"{place}{self.option}: {self.problem}"


class ConfigErrors(Exception):
    """All faults found in one go, so that nobody has to start ten times to find ten faults."""

    def __init__(self, faults: Iterable[ConfigError]) -> None:
        """Keep the faults in the order they were found."""
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


@frozen(kw_only=True)
class Option:
    """One configuration option: its names everywhere, its value's form, its default and its help.

    Attributes:
        name: the flag without dashes, such as ``signing-private-key``; the key in parsed options with ``_`` for ``-``.
        help: one or two sentences for operators.
        parse: makes a value from text.
        default: the value when nobody gives one.
        keys: names in the configuration file, first the one to write; empty means ``name`` with ``_`` for ``-``.
        env: names of environment variables, first the one to write.
        aliases: further flags by which others know it; in the file with ``_`` for ``-``.
        metavar: what stands for the value in the help; empty for a switch.
        multiple: may be given several times; in file and environment separated by blanks.
        secret: never shown.
        file: may be given as a file with the suffix ``_FILE`` (environment) or ``_file`` (key); secrets always may.
        section: the heading under which it stands in generated files.
    """

    name: str
    help: str
    parse: Callable[[str], object] = str
    default: object = None
    keys: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    metavar: str = "VALUE"
    multiple: bool = False
    secret: bool = field(default=False)
    file: bool = field()
    section: str = ""

    @file.default
    def _file(self) -> bool:
        """Nobody has to write a secret where others read it."""
        return self.secret

    @property
    def key(self) -> str:
        """The name in the file that is written today."""
        return self.keys[0] if self.keys else self.dest

    @property
    def dest(self) -> str:
        """The name in parsed options."""
        return self.name.replace("-", "_")


def switch(text: str) -> bool:
    """Read yes or no in the words of configuration files.

    Raises:
        ValueError: it is neither.
    """
    word = text.strip().lower()
    if word in {"yes", "true", "on", "1"}:
        return True
    if word in {"no", "false", "off", "0", ""}:
        return False
    raise ValueError("must be yes or no")


def seconds(text: str) -> int:
    """Read a span in whole seconds.

    Raises:
        ValueError: not a number, or negative.
    """
    if not text.strip().isdecimal():
        raise ValueError("must be a whole number of seconds")
    return int(text)


def one_of(*words: str) -> Callable[[str], str]:
    """Make a parser that takes one of a few words, whatever their case."""
    by_lower = {word.lower(): word for word in words}

    def parse(text: str) -> str:
        found = by_lower.get(text.strip().lower())
        if found is None:
            raise ValueError(f"must be one of {', '.join(words)}")
        return found

    return parse
