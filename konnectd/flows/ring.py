"""Short lists in a store that has none: a fixed number of numbered places for each owner.

An entry goes to the next free place; when there is none, the oldest one is pushed out. Every step is one atomic step of
the store, and no entry is ever read, changed and written back: so of any number of writers each has its entry in the
list at the end, or has seen it pushed out, and nobody waits for anybody. Reading a list costs one question for each
place, which is for pages that few people open; nothing on the way to a token reads one.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from attrs import field, frozen

from konnectd.interfaces import Store

#: How long a list is believed to be full after a search for room, in seconds. Without that everybody who adds to a full
#: list would ask for each of its places, and that is on the way to a token.
FULL_TTL = 300

#: What has to happen to an entry before it is pushed out: its place, and its value.
PushOut: TypeAlias = Callable[[int, str], Awaitable[None]]


@frozen
class Place:
    """One entry of a list."""

    slot: int
    value: str = field(repr=False)


@frozen(kw_only=True)
class Ring:
    """Lists of one kind.

    Attributes:
        kind: begins the names of its entries; carries the version of what is in them.
        size: how many places each list has.
        ttl: the life of an entry in seconds.
    """

    store: Store
    kind: str
    size: int
    ttl: int

    async def keep(self, owner: str, value: str, push_out: PushOut) -> int:
        """Add an entry and return its place.

        Args:
            owner: whose list.
            value: the entry.
            push_out: is run for an entry before it loses its place, so that a fault in between leaves it in the list.
                It may be run twice, when two writers meet.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        number = await self.store.increment(f"{self.kind}:{owner}", self.ttl)
        slot = number % self.size
        key = self._key(owner, slot)
        if await self.store.add(key, value, self.ttl):
            return slot
        free = await self._settle(owner, value, slot)
        if free is not None:
            return free
        while not await self.store.add(key, value, self.ttl):
            oldest = await self.store.get(key)
            if oldest is None:  # somebody has just made room
                continue
            await push_out(slot, oldest)
            await self._take(owner, Place(slot, oldest), push_out)
        return slot

    async def _settle(self, owner: str, value: str, taken: int) -> int | None:
        """Add an entry to the first free place after one that is taken; None when the list is full, or was just now."""
        full = self._full_key(owner)
        if await self.store.get(full) is not None:
            return None
        for slot in ((taken + step) % self.size for step in range(1, self.size)):
            if await self.store.add(self._key(owner, slot), value, self.ttl):
                return slot
        await self.store.put(full, "1", min(FULL_TTL, self.ttl))
        return None

    async def overflowed(self, owner: str) -> bool:
        """Tell whether entries may have left a list because there was no more room.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        count = await self.store.get(f"{self.kind}:{owner}")
        return count is not None and int(count) > self.size

    async def begin_anew(self, owner: str) -> None:
        """Forget how many entries a list has had; those that are in it stay.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        await self.store.take(f"{self.kind}:{owner}")

    async def holds(self, owner: str, place: Place) -> bool:
        """Tell whether an entry is still in its place.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        return await self.store.get(self._key(owner, place.slot)) == place.value

    async def places(self, owner: str) -> tuple[Place, ...]:
        """Return a list, in no order.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        found = [(slot, await self.store.get(self._key(owner, slot))) for slot in range(self.size)]
        return tuple(Place(slot, value) for slot, value in found if value is not None)

    async def remove(self, owner: str, place: Place, push_out: PushOut) -> None:
        """Take an entry out; what somebody else has put into its place in the meantime stays in the list.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        await self._take(owner, place, push_out)
        await self.store.take(self._full_key(owner))

    async def _take(self, owner: str, place: Place, push_out: PushOut) -> None:
        """Take an entry out, and put back what it turns out to be if that is another one."""
        taken = await self.store.take(self._key(owner, place.slot))
        if taken is not None and taken != place.value:
            await self.keep(owner, taken, push_out)

    def _full_key(self, owner: str) -> str:
        """Name the mark of a full list."""
        return f"{self.kind}:{owner}:full"

    def _key(self, owner: str, slot: int) -> str:
        """Name a place."""
        return f"{self.kind}:{owner}:{slot}"
