"""Where the demo application keeps what it must remember: in memory, a limited number of things for a limited time."""

from collections import OrderedDict
from hashlib import sha256
from typing import Generic, TypeVar

from konnectd.interfaces import Clock

Thing = TypeVar("Thing")


class Shelf(Generic[Thing]):
    """Things by a name nobody can guess; the oldest make room for new ones."""

    def __init__(self, clock: Clock, *, most: int, ttl: int) -> None:
        """Begin with nothing.

        Args:
            clock: tells when things are too old.
            most: how many there can be at one time.
            ttl: seconds after which something is forgotten.
        """
        self._clock = clock
        self._most = most
        self._ttl = ttl
        self._things: OrderedDict[bytes, tuple[int, Thing]] = OrderedDict()

    def put(self, name: str, thing: Thing) -> None:
        """Keep something, replacing what had that name; its time begins anew."""
        key = _key(name)
        self._things.pop(key, None)
        self._things[key] = (self._clock.now() + self._ttl, thing)
        while len(self._things) > self._most:
            self._things.popitem(last=False)

    def get(self, name: str) -> Thing | None:
        """Return something that is there."""
        expires_at, thing = self._things.get(_key(name), (0, None))
        return thing if self._clock.now() < expires_at else None

    def take(self, name: str) -> Thing | None:
        """Return something and forget it, so that nobody gets it twice."""
        thing = self.get(name)
        self._things.pop(_key(name), None)
        return thing

    def __len__(self) -> int:
        """Count what is kept, whether or not it is too old."""
        return len(self._things)


def _key(name: str) -> bytes:
    """Return what a thing is found by; a digest, so that the time a look-up takes tells nothing about other names."""
    return sha256(name.encode("utf-8", "surrogatepass")).digest()
