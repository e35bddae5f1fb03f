"""The simplest thing that could be a store, and steps to hold stores against it."""

from collections.abc import Iterable, Iterator

from hypothesis import strategies as st

from konnectd.interfaces import Store
from tests.support.fakes import FixedClock, run

#: One step: a method, one of a few keys, a life.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "add", "get", "get_each", "take", "increment", "wait"]),
        st.sampled_from(["a", "b", "c"]),
        st.integers(-1, 200),
    ),
    max_size=60,
)


class Model:
    """A dictionary of values with ends."""

    def __init__(self) -> None:
        """Begin empty."""
        self.values: dict[str, tuple[str, int]] = {}

    def get(self, now: int, key: str) -> str | None:
        """Return a value."""
        value, end = self.values.get(key, ("", 0))
        return value if now < end else None

    def get_each(self, now: int, *keys: str) -> tuple[str | None, ...]:
        """Return several values."""
        return tuple(self.get(now, key) for key in keys)

    def put(self, now: int, key: str, value: str, ttl: int) -> None:
        """Keep a value."""
        self.values[key] = (value, now + ttl)

    def add(self, now: int, key: str, value: str, ttl: int) -> bool:
        """Keep a value unless there is one."""
        if self.get(now, key) is not None:
            return False
        self.put(now, key, value, ttl)
        return True

    def take(self, now: int, key: str) -> str | None:
        """Return a value and forget it."""
        value = self.get(now, key)
        self.values.pop(key, None)
        return value

    def increment(self, now: int, key: str, ttl: int) -> int:
        """Count."""
        value = self.get(now, key)
        if value is None:
            self.put(now, key, "1", ttl)
            return 1
        self.values[key] = (str(int(value) + 1), self.values[key][1])
        return int(value) + 1


def play(
    store: Store, model: Model, clock: FixedClock, steps: Iterable[tuple[str, str, int]]
) -> Iterator[tuple[object, object]]:
    """Take steps with a store and with the model, and yield what each of them answered."""
    for number, (method, key, ttl) in enumerate(steps):
        if method == "wait":
            clock.advance(abs(ttl))
            continue
        others = {"get": (), "get_each": ("c", "a", "a"), "take": (), "increment": (ttl,)}
        arguments = others.get(method, (str(number), ttl))
        yield (
            run(getattr(store, method)(key, *arguments)),
            getattr(model, method)(clock.now(), key, *arguments),
        )
