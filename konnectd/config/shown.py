"""How an option and its default are written, wherever people read about them."""

from konnectd.option import Option


def flag(option: Option) -> str:
    """Return an option as it is written on the command line."""
    if option.metavar:
        return f"--{option.name}={option.metavar}"
    return f"--{option.name}" if option.default is False else f"--{option.name}=no"


def default(option: Option) -> str:
    """Return a default as it would be written; empty if there is none, or if it is a secret."""
    value = option.default
    if value is None or option.secret:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(str(part) for part in value)
    return str(value)
