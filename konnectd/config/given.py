"""What somebody wrote, and where: the form in which flags, variables and lines of a file meet before they are read."""

from attrs import field, frozen

from konnectd.option import ConfigError, Option

#: Longest file that is read as configuration, in bytes; more is a mistake or an attack.
LONGEST_FILE = 1 << 20


@frozen(kw_only=True)
class Given:
    """One value as somebody wrote it.

    Attributes:
        name: of the option as they spelled it, for messages.
        text: the value.
        source: where it stands, such as ``konnectd.conf:12``.
        from_file: the text is the path of the file that holds the value.
    """

    name: str
    text: str = field(repr=False)
    source: str
    from_file: bool = False

    def fault(self, problem: str) -> ConfigError:
        """Say what is wrong with it."""
        return ConfigError(self.name, problem, self.source)


@frozen(kw_only=True)
class Names:
    """Every spelling of some options, each to its option; the names of secrets may end in ``file``.

    Attributes:
        options: those that are known.
    """

    options: tuple[Option, ...]

    def find_flag(self, name: str) -> tuple[Option, bool] | None:
        """Return the option of a flag (without dashes), and whether the flag names a file with its value."""
        for option in self.options:
            if name == option.name or name in option.aliases:
                return option, False
            if option.file and name == f"{option.name}-file":
                return option, True
        return None

    def find_key(self, key: str) -> tuple[Option, bool] | None:
        """Return the option of a key in the file; a key may also be spelled as the environment variable."""
        for option in self.options:
            if key in keys_of(option):
                return option, False
            if option.file and key.removesuffix("_file") in keys_of(option):
                return option, True
            for variable, from_file in variables_of(option):
                if key == variable:
                    return option, from_file
        return None


def keys_of(option: Option) -> tuple[str, ...]:
    """Return the names of an option in the file, the one to write first."""
    return tuple(dict.fromkeys((*option.keys, option.dest, *(name.replace("-", "_") for name in option.aliases))))


def variables_of(option: Option) -> tuple[tuple[str, bool], ...]:
    """Return the environment variables of an option, the one to write first, and whether each names a file."""
    names = tuple(dict.fromkeys((*option.env, f"KONNECTD_{option.dest.upper()}")))
    plain = tuple((name, False) for name in names)
    return plain + tuple((f"{name}_FILE", True) for name in names) if option.file else plain
