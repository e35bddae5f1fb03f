"""Short-lived facts in the memory of this process: for one daemon that may forget everything at a restart.

Nothing waits, so every method is one atomic step. No timer runs: each write clears away a few entries whose life is
over, more than it adds, so that what nobody asks for again is freed all the same and no single write takes long.

The number of entries has a limit. At the limit new facts are refused and old ones stay: forgetting that a code was
used or a token revoked, only to make room, would hand a way in to whoever can fill the store. What lives for more than
a day has a part of the room only: each sign-out leaves a fact that lasts as long as a refresh token may, and however
many there are, people can still sign in.
"""

from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Any, Final

from attrs import field, frozen

from konnectd.interfaces import BackendUnavailableError, Clock
from konnectd.option import Option

OPTIONS: tuple[Option, ...] = ()

#: How many entries are kept at most; some hundred bytes each.
LIMIT: Final = 500_000
#: Entries that live longer than this many seconds may take so much of the room, and no more.
LASTING: Final = 24 * 3600
SHARE_OF_LASTING: Final = 0.8
#: Entries whose life ends within the same span of seconds are cleared away together.
SPAN: Final = 64
#: How many dead entries one write clears away at most.
SWEEP: Final = 16


@frozen
class Entry:
    """A value and the moment from which it counts as absent."""

    value: str = field(repr=False)
    expires_at: int
    lasting: bool = False

    @property
    def span(self) -> int:
        """The span of seconds in which its life ends."""
        return self.expires_at // SPAN


class MemoryStore:
    """A store that lasts as long as the process and is seen by it alone."""

    def __init__(self, clock: Clock, limit: int = LIMIT) -> None:
        """Begin empty."""
        self._clock = clock
        self._limit = limit
        self._most_lasting = int(limit * SHARE_OF_LASTING)
        self._lasting = 0
        self._entries: dict[str, Entry] = {}
        self._ends: dict[int, set[str]] = {}
        # Each span that has a set in `_ends`, once, the earliest first.
        self._spans: list[int] = []

    def __len__(self) -> int:
        """Return how many entries take up memory, dead ones not yet cleared away included."""
        return len(self._entries)

    async def put(self, key: str, value: str, ttl: int) -> None:
        """Keep a value, replacing what was there; without any life left it is only forgotten.

        Raises:
            BackendUnavailableError: the store is full.
        """
        self._keep(key, value, self._clock.now(), ttl)

    async def add(self, key: str, value: str, ttl: int) -> bool:
        """Keep a value unless there is one already; return whether it was kept.

        Raises:
            BackendUnavailableError: the store is full.
        """
        now = self._clock.now()
        if self._find(key, now) is not None:
            return False
        self._keep(key, value, now, ttl)
        return True

    async def get(self, key: str) -> str | None:
        """Return a value."""
        entry = self._find(key, self._clock.now())
        return None if entry is None else entry.value

    async def get_each(self, *keys: str) -> tuple[str | None, ...]:
        """Return several values in the order of their keys."""
        now = self._clock.now()
        entries = [self._find(key, now) for key in keys]
        return tuple([None if entry is None else entry.value for entry in entries])

    async def take(self, key: str) -> str | None:
        """Return a value and forget it: of any number of takers one gets it."""
        entry = self._find(key, self._clock.now())
        self._forget(key)
        return None if entry is None else entry.value

    async def increment(self, key: str, ttl: int) -> int:
        """Add one to a counter and return it; its life begins with the first increment and is not prolonged.

        Raises:
            BackendUnavailableError: the store is full.
        """
        now = self._clock.now()
        entry = self._find(key, now)
        if entry is None:
            self._keep(key, "1", now, ttl)
            return 1
        count = int(entry.value) + 1
        self._entries[key] = Entry(str(count), entry.expires_at, entry.lasting)
        return count

    async def close(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._lasting = 0
        self._ends.clear()
        self._spans.clear()

    def _find(self, key: str, now: int) -> Entry | None:
        """Return an entry that is alive."""
        entry = self._entries.get(key)
        return entry if entry is not None and now < entry.expires_at else None

    def _keep(self, key: str, value: str, now: int, ttl: int) -> None:
        """Replace an entry and clear away a few dead ones.

        Raises:
            BackendUnavailableError: the store is full of entries that are alive.
        """
        self._sweep(now)
        before, lasting = self._entries.get(key), ttl > LASTING
        if before is None and len(self._entries) >= self._limit:
            raise BackendUnavailableError(f"the memory store is full ({self._limit} entries)")
        if lasting and self._lasting >= self._most_lasting and not (before is not None and before.lasting):
            raise BackendUnavailableError(f"the memory store is full ({self._lasting} entries that last)")
        self._forget(key)
        if ttl <= 0:
            return
        entry = Entry(value, now + ttl, lasting)
        self._entries[key] = entry
        self._lasting += lasting
        if entry.span not in self._ends:
            self._ends[entry.span] = set()
            heappush(self._spans, entry.span)
        self._ends[entry.span].add(key)

    def _forget(self, key: str) -> None:
        """Drop an entry, if there is one.

        Its span's set stays even when it is empty now: otherwise putting and taking over and over would leave the
        span in the heap once for each time.
        """
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._lasting -= entry.lasting
            self._ends[entry.span].discard(key)

    def _sweep(self, now: int) -> None:
        """Clear away a few entries of spans that are over, the oldest first."""
        today, most = now // SPAN, SWEEP
        while self._spans and self._spans[0] < today:
            keys = self._ends[self._spans[0]]
            while keys and most:
                self._lasting -= self._entries.pop(keys.pop()).lasting
                most -= 1
            if keys:
                return
            del self._ends[heappop(self._spans)]


def build(
    options: Mapping[str, Any],  # noqa: ARG001 - loader contract
    reactor: Any,  # noqa: ANN401, ARG001 - loader contract
    clock: Clock,
    *,
    insecure: bool = False,  # noqa: ARG001 - loader contract
) -> MemoryStore:
    """Make a store; it has no options and needs no reactor."""
    return MemoryStore(clock)
