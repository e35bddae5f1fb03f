"""A profile by sampling: where the threads of the process are, many times a second, for some seconds.

A thread looks, so that a reactor that is kept by something shows what keeps it. Only names of code are kept: of
arguments and local variables nothing is read, so there is nothing secret in it.
"""

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath
from types import FrameType
from typing import TypeAlias

from attrs import frozen

#: Between two looks, in seconds. Not a divisor of what timers use, so that it does not keep step with them.
INTERVAL = 0.0097
#: A profile takes at least and at most so long, in seconds.
SHORTEST, LONGEST = 1, 60
#: Deeper stacks are cut at their beginning; more different ones are counted together.
DEEPEST = 128
MOST_STACKS = 20_000
_TOO_MANY = ("(too many different stacks)",)

#: Frames from the outermost to the innermost.
Stack: TypeAlias = tuple[str, ...]
Frames: TypeAlias = Callable[[], Mapping[int, FrameType]]


@frozen
class Profile:
    """What was seen.

    Attributes:
        counts: how often each stack was seen.
        interval: between two looks, in seconds.
    """

    counts: Mapping[Stack, int]
    interval: float = INTERVAL

    def collapsed(self) -> str:
        """Write it as lines of frames with ``;`` between, and a count: what flame graphs are made from."""
        return "".join(f"{';'.join(stack)} {count}\n" for stack, count in sorted(self.counts.items()))

    def speedscope(self, name: str) -> dict[str, object]:
        """Write it as https://www.speedscope.app reads it."""
        numbers: dict[str, int] = {}
        samples = [[numbers.setdefault(frame, len(numbers)) for frame in stack] for stack in self.counts]
        weights = [count * self.interval for count in self.counts.values()]
        return {
            "$schema": "https://www.speedscope.app/file-format-schema.json",
            "name": name,
            "shared": {"frames": [{"name": frame} for frame in numbers]},
            "profiles": [
                {
                    "type": "sampled",
                    "name": name,
                    "unit": "seconds",
                    "startValue": 0,
                    "endValue": sum(weights),
                    "samples": samples,
                    "weights": weights,
                }
            ],
        }


def sample(seconds: float, stop: threading.Event, frames: Frames | None = None) -> Profile:
    """Look for some seconds, or until somebody says stop; blocks, so it is called in a thread of its own.

    Args:
        seconds: how long.
        stop: ends it early.
        frames: the innermost frame of each thread; those of this process if left out.
    """
    look = frames or sys._current_frames  # noqa: SLF001 - there is no other way to see them
    counts: Counter[Stack] = Counter()
    own, end = threading.get_ident(), time.monotonic() + seconds
    while time.monotonic() < end and not stop.wait(INTERVAL):
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for ident, frame in look().items():
            if ident != own:
                stack = (_plain(names.get(ident, "thread")), *stack_of(frame))
                counts[stack if stack in counts or len(counts) < MOST_STACKS else _TOO_MANY] += 1
    return Profile(counts)


def stack_of(frame: FrameType | None) -> Stack:
    """Return the stack that ends in a frame."""
    found: list[str] = []
    while frame is not None and len(found) < DEEPEST:
        found.append(_name(frame))
        frame = frame.f_back
    return tuple(reversed(found))


def _name(frame: FrameType) -> str:
    """Name the code of a frame, and where it is."""
    code = frame.f_code
    return _plain(f"{code.co_qualname} ({_short(code.co_filename)}:{frame.f_lineno})")


def _short(path: str) -> str:
    """Return the end of a path, which says enough."""
    return "/".join(PurePath(path).parts[-2:])


def _plain(text: str) -> str:
    """Return a name that neither ends a line nor a frame."""
    return "".join(character if character.isprintable() and character != ";" else "?" for character in text)


def listing(stacks: Iterable[tuple[str, Stack]]) -> str:
    """Write stacks for people, each under a heading."""
    return "".join(f"{heading}\n" + "".join(f"    {frame}\n" for frame in stack) for heading, stack in stacks)
