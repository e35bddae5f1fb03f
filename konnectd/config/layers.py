"""Which value of an option wins: flag, environment variable, line of the file, default; and what it becomes.

Faults are collected, never raised, so that all of them can be told at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attrs import evolve, field, frozen

from konnectd.config.arguments import Arguments
from konnectd.config.given import LONGEST_FILE, Given, Names, variables_of
from konnectd.option import ConfigError, Option

ENVIRONMENT = "environment"
#: Where systemd puts what a unit loads (``LoadCredential=``): a variable, and how a value begins that is in there.
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
CREDENTIALS = f"${{{CREDENTIALS_VARIABLE}}}"


@frozen(kw_only=True)
class Layers:
    """Everything that was given, each place by itself.

    Attributes:
        arguments: the command line.
        environ: the environment variables.
        lines: what the configuration file says.
    """

    arguments: Arguments
    environ: Mapping[str, str] = field(repr=False)
    lines: tuple[Given, ...] = ()

    def pick(self, option: Option) -> tuple[Given, ...]:
        """Return what was given for an option in the place that wins.

        An empty variable or line counts as not given, as for Konnect; an empty flag wins and asks for the default.
        """
        flags = self.arguments.of(option)
        if flags:
            wanted = flags if option.multiple else flags[-1:]
            return tuple(given for given in wanted if given.text)
        return tuple(_split(option, self._variables(option) or self._lines(option)))

    def _variables(self, option: Option) -> tuple[Given, ...]:
        """Return the first environment variable of an option that is set."""
        for name, from_file in variables_of(option):
            if self.environ.get(name, "").strip():
                return (Given(name=name, text=self.environ[name], source=ENVIRONMENT, from_file=from_file),)
        return ()

    def _lines(self, option: Option) -> tuple[Given, ...]:
        """Return the line of an option in the file."""
        names = Names(options=(option,))
        for line in self.lines:
            found = names.find_key(line.name)
            if found is not None and line.text:
                return (Given(name=line.name, text=line.text, source=line.source, from_file=found[1]),)
        return ()


def _split(option: Option, values: Iterable[Given]) -> Iterator[Given]:
    """Yield one value for each word where an option may have several."""
    for given in values:
        if not option.multiple:
            yield given
            continue
        for word in given.text.split():
            yield Given(name=given.name, text=word, source=given.source, from_file=given.from_file)


@frozen(kw_only=True)
class Reading:
    """Options as read.

    Attributes:
        values: by the name in parsed options.
        sources: where each that was given stands.
        faults: what is wrong.
        warnings: what an operator should look at.
    """

    values: Mapping[str, object] = field(repr=False)
    sources: Mapping[str, str]
    faults: tuple[ConfigError, ...]
    warnings: tuple[str, ...]


def read(options: Iterable[Option], layers: Layers) -> Reading:
    """Read some options; one that is wrong has its default among the values, and a fault."""
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    faults: list[ConfigError] = []
    warnings: list[str] = []
    for option in options:
        givens = layers.pick(option)
        parsed: list[object] = []
        for given in givens:
            try:
                parsed.append(_parse(option, _found(option, given, layers.environ)))
            except ConfigError as fault:
                faults.append(fault)
            sources[option.dest] = given.source
            if option.secret and not given.from_file and given.name.startswith("--"):
                warnings.append(f"{given.name} shows a secret to everybody on this machine; use {given.name}-file")
        values[option.dest] = _value(option, parsed)
    return Reading(values=values, sources=sources, faults=tuple(faults), warnings=tuple(warnings))


def _found(option: Option, given: Given, environ: Mapping[str, str]) -> Given:
    """Return a value with the folder of credentials in it, if it begins like that; a secret itself never does.

    Raises:
        ConfigError: there is no such folder.
    """
    rest = given.text.removeprefix(CREDENTIALS)
    if rest == given.text or rest[:1] not in {"", "/"} or (option.secret and not given.from_file):
        return given
    folder = environ.get(CREDENTIALS_VARIABLE, "")
    if not folder:
        raise given.fault(f"{CREDENTIALS} is not set; systemd does that for a unit with LoadCredential=")
    return evolve(given, text=folder + rest)


def _value(option: Option, parsed: list[object]) -> object:
    """Return what an option has in the end."""
    if not parsed:
        return option.default
    return tuple(dict.fromkeys(parsed)) if option.multiple else parsed[0]


def _parse(option: Option, given: Given) -> object:
    """Make the value of an option.

    Raises:
        ConfigError: its text is wrong, or the file it stands in can not be read.
    """
    text = read_secret(given) if given.from_file else given.text
    if option.metavar == "" and not text.strip():
        raise given.fault("must be yes or no")
    try:
        return option.parse(text)
    except ValueError as error:
        raise given.fault(str(error)) from error


def read_secret(given: Given) -> str:
    """Return the secret in a file, without the line break editors put at the end.

    Raises:
        ConfigError: the file can not be read, is empty or is no text.
    """
    path = Path(given.text)
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise given.fault(f"{path} can not be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise given.fault(f"{path} is not UTF-8 text") from error
    if len(content) > LONGEST_FILE:
        raise given.fault(f"{path} is larger than {LONGEST_FILE} bytes")
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise given.fault(f"{path} is empty")
    return text
