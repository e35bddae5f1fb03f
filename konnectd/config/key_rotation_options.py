"""The options about rotating keys while the daemon runs: rows of the one table, and the value they are read into."""

from collections.abc import Mapping
from typing import Any

from attrs import fields, frozen

from konnectd.option import ConfigError, Option
from konnectd.protocol.key_publication import AHEAD, LEAST_AHEAD, pace

_SECTION = "Keys"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_SPAN = 10 * 365 * 86_400


def span(text: str) -> int:
    """Read a span: ``90d``, ``36h``, ``10m``, or seconds.

    Raises:
        ValueError: it is none, or beyond ten years.
    """
    word = text.strip()
    number, unit = (word[:-1], word[-1:]) if word[-1:] in _UNITS else (word, "s")
    if not (number.isascii() and number.isdecimal()):
        raise ValueError("must be a span such as 90d, 36h, 10m or a number of seconds")
    seconds = int(number[:12]) * _UNITS[unit]
    if seconds > _LONGEST_SPAN:
        raise ValueError("must not be more than ten years")
    return seconds


def ahead(text: str) -> int:
    """Read for how long a key is published before it signs.

    Raises:
        ValueError: it is no span, or shorter than proxies and clients may keep the key set.
    """
    seconds = span(text)
    if seconds < LEAST_AHEAD:
        raise ValueError(f"must be at least {LEAST_AHEAD} seconds: so long others may keep the set of keys")
    return seconds


ROTATION_OPTIONS: tuple[Option, ...] = (
    Option(
        name="key-rotation",
        help=(
            "How long a key signs, such as 90d, before the daemon lets another one sign that it has made and published "
            "by itself, and takes the old one away when its tokens are over. Keys have to lie as konnectd setup lays "
            "them, where the daemon may write. 0: keys stay until somebody changes them."
        ),
        parse=span,
        default=0,
        metavar="SPAN",
        section=_SECTION,
    ),
    Option(
        name="key-rotation-ahead",
        help=(
            "How long a new key is published before it signs, such as 2d or 12h, so that everybody who keeps the set "
            "of keys has met it by then."
        ),
        parse=ahead,
        default=AHEAD,
        metavar="SPAN",
        section=_SECTION,
    ),
)


@frozen(kw_only=True)
class RotationSettings:
    """What the options say.

    Attributes:
        key_rotation: how long a key signs, in seconds; 0 for ever.
        key_rotation_ahead: how long it is published before, in seconds.
    """

    key_rotation: int = 0
    key_rotation_ahead: int = AHEAD

    @classmethod
    def take(cls, values: dict[str, Any]) -> "RotationSettings":
        """Take the values of these options out of those of all."""
        return cls(**{one.name: values.pop(one.name) for one in fields(cls)})


def rotation_faults(values: Mapping[str, Any], sources: Mapping[str, str]) -> tuple[ConfigError, ...]:
    """Return what is wrong with the options together.

    Args:
        values: of all options.
        sources: where options were given.
    """
    said = RotationSettings.take(dict(values))
    least = said.key_rotation_ahead + pace(said.key_rotation_ahead)
    if not said.key_rotation or said.key_rotation >= least:
        return ()
    problem = f"must be at least {least} seconds: so long it takes until a new key may sign (key_rotation_ahead)"
    return (ConfigError("key_rotation", problem, sources.get("key_rotation", "")),)
