"""Which backends and stores there are and which options each brings, found by file name; building one is not here."""

from types import ModuleType

from attrs import evolve, frozen

from konnectd import loader
from konnectd.option import Option

PACKAGE = "konnectd.backends"
STORES = "konnectd.stores"


@frozen(kw_only=True)
class BackendOptions:
    """What a backend's file says about its settings.

    Attributes:
        options: its rows, with the environment variables that follow from their names.
        arguments: what stands for further words after its name; empty if it takes none.
    """

    options: tuple[Option, ...] = ()
    arguments: str = ""


def describe(package: str, name: str) -> BackendOptions:
    """Return what a backend's file says about its settings.

    Raises:
        LookupError: there is no such backend.
        ImportError: something it needs is not installed.
    """
    module: ModuleType = loader.load(package, name)
    options: tuple[Option, ...] = getattr(module, "OPTIONS", ())
    return BackendOptions(
        options=tuple(evolve(option, env=_variables(option)) for option in options),
        arguments=getattr(module, "ARGUMENTS", ""),
    )


def _variables(option: Option) -> tuple[str, ...]:
    """Return the variables of a backend's option: its own, and its name in capitals, as Konnect has for LDAP."""
    return tuple(dict.fromkeys((*option.env, option.dest.upper())))


def find_owner(package: str, name: str) -> str | None:
    """Return the backend whose name an option begins with, whatever dashes, underscores and capitals it has."""
    dest = name.replace("-", "_").lower()
    owners = [backend for backend in loader.names(package) if dest.startswith(f"{backend}_")]
    return max(owners, key=len, default=None)
