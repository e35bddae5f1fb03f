"""Modules of a package by file name: how a new backend, grant or store is found without being registered.

Only names that are files of the package are ever imported, so a configuration value can not name just any module.
"""

import pkgutil
from importlib import import_module
from types import ModuleType


def names(package: str) -> tuple[str, ...]:
    """Return the public module names of a package, sorted; a leading underscore marks a private one."""
    path = import_module(package).__path__
    return tuple(sorted(module.name for module in pkgutil.iter_modules(path) if not module.name.startswith("_")))


def load(package: str, name: str) -> ModuleType:
    """Import a module of a package by its file name.

    Raises:
        LookupError: the package has no such public module.
    """
    if name not in names(package):
        raise LookupError(name)
    return import_module(f"{package}.{name}")
