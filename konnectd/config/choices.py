"""What can be chosen by its file name, a backend or a store, and who owns an option: the one its name begins with."""

from attrs import Factory, define, field

from konnectd import loader
from konnectd.config import backends
from konnectd.config.backends import BackendOptions
from konnectd.config.given import Given, Names
from konnectd.option import ConfigError, Option


@define(kw_only=True)
class Choice:
    """One thing to choose, and those there are.

    Attributes:
        kind: what it is, in words for operators.
        option: the name of the option that chooses, in parsed options.
        package: where they are found.
        available: their names.
        faults: what is wrong with those that were asked.
    """

    kind: str
    option: str
    package: str
    available: tuple[str, ...] = field(
        init=False, default=Factory(lambda self: loader.names(self.package), takes_self=True)
    )
    faults: list[ConfigError] = field(factory=list)
    _described: dict[str, BackendOptions] = field(factory=dict, init=False)

    def describe(self, name: str) -> BackendOptions:
        """Return what one that exists says about its options, asking it once."""
        if name not in self._described:
            try:
                self._described[name] = backends.describe(self.package, name)
            except ImportError as error:
                self.faults.append(ConfigError(self.option, f"the {self.kind} {name} can not be loaded: {error}"))
                self._described[name] = BackendOptions()
        return self._described[name]

    def check(self, given: Given) -> str | None:
        """Return the name that was given; None, with a fault, when there is none of that name."""
        if given.text not in self.available:
            there = ", ".join(self.available) or "none"
            self.faults.append(given.fault(f"there is no {self.kind} {given.text}; there is {there}"))
            return None
        return given.text

    def find_owner(self, name: str) -> str | None:
        """Return the one whose name an option begins with."""
        return backends.find_owner(self.package, name)

    def find_flag(self, name: str) -> tuple[Option, bool] | None:
        """Return the option of a flag, and whether the flag names a file with its value."""
        owner = self.find_owner(name)
        return None if owner is None else Names(options=self.describe(owner).options).find_flag(name)

    def is_foreign(self, key: str, chosen: str | None) -> bool:
        """Tell whether an option belongs to one that was not chosen."""
        owner = self.find_owner(key)
        return owner is not None and owner != chosen
