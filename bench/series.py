"""What was measured, round by round, and the rows of the table that come of it."""

from collections.abc import Callable
from statistics import median
from typing import TypeAlias

from attrs import define, field

from bench.processes import Server

#: A name, a figure, its bound, and whether that is met.
Row: TypeAlias = tuple[str, str, str, bool]


@define
class Series:
    """What was measured, round by round: units per CPU second."""

    rates: dict[str, list[float]] = field(factory=dict)

    def add(self, name: str, units: int, seconds: float) -> None:
        """Add one measure."""
        self.rates.setdefault(name, []).append(units / seconds)

    def ratio(self, name: str, bound: str, factor: float = 1.0) -> float:
        """Return the median of the ratios taken in the same round."""
        pairs = zip(self.rates[name], self.rates[bound], strict=True)
        return median(factor * rate / other for rate, other in pairs)

    def measure(self, name: str, server: Server, run: Callable[[], int], *, more: bool = False) -> None:
        """Measure one thing; with ``more`` it is joined to the last measure of its name."""
        before = server.cpu
        units = run()
        rate = units / (server.cpu - before)
        if more:
            self.rates[name][-1] = (self.rates[name][-1] + rate) / 2
        else:
            self.rates.setdefault(name, []).append(rate)


def at_least(name: str, value: float, bound: float) -> Row:
    """Make a row of something that should be large."""
    return name, f"{value:.2f}", f"at least {bound:.2f}" if bound else "", value >= bound


def at_most(name: str, value: float, bound: float) -> Row:
    """Make a row of something that should be small."""
    return name, f"{value:.2f}", f"at most {bound:.2f}", value <= bound


def keep(place: list[str], found: list[str]) -> int:
    """Keep what a run found and return how much it was."""
    place += found
    return len(found)
