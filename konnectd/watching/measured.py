"""Backends and stores that are watched: each call is timed, and how it ended is told.

They stand in the place of the real ones where metrics are wanted, and nowhere else, so whoever wants none pays nothing.
"""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Protocol, TypeVar

from attrs import frozen
from twisted.internet.defer import CancelledError

from konnectd.interfaces import (
    Backend,
    BackendUnavailableError,
    LogonAnswer,
    NamingBackend,
    PasswordBackend,
    Refused,
    SessionBackend,
    SessionLostError,
    Store,
    Vouch,
)
from konnectd.protocol.end_user import EndUser
from konnectd.sources import Acquaintances, BrowserBackend, Carried, Seen

Answer = TypeVar("Answer")

#: How a call may end, in words that are all there are.
OK, REFUSED = "ok", "refused"
SESSION_LOST, UNAVAILABLE, CANCELED, FAILED = "session_lost", "unavailable", "canceled", "failed"


class Timed(Protocol):
    """Takes what was measured."""

    def __call__(self, call: str, outcome: str, seconds: float) -> None:
        """Count a call of some kind."""


@frozen
class Stopwatch:
    """Times calls.

    Attributes:
        seconds: a clock for durations.
        tell: told of each call.
    """

    seconds: Callable[[], float]
    tell: Timed

    async def time(self, call: str, answering: Awaitable[Answer]) -> Answer:
        """Return the answer of a call, and tell how long it took; what it raises goes through."""
        began, outcome = self.seconds(), FAILED
        try:
            answer = await answering
        except SessionLostError:
            outcome = SESSION_LOST
            raise
        except BackendUnavailableError:
            outcome = UNAVAILABLE
            raise
        except CancelledError:
            outcome = CANCELED
            raise
        else:
            outcome = _outcome(answer)
            return answer
        finally:
            self.tell(call, outcome, self.seconds() - began)


def _outcome(answer: object) -> str:
    """Return how a call ended that did not fail."""
    if isinstance(answer, Refused):
        return REFUSED
    return OK


class MeasuredBackend:
    """A source of users.

    Attributes:
        inner: the real one.
    """

    def __init__(self, backend: Backend, watch: Stopwatch) -> None:
        """Stand before a backend."""
        self.inner = backend
        self._backend = backend
        self._watch = watch
        self.name = backend.name
        self.scopes = backend.scopes
        self.claims = backend.claims

    async def check(self) -> None:
        """Try the settings; as the backend does."""
        await self._watch.time("check", self._backend.check())

    async def find(self, user_id: str) -> EndUser | None:
        """Return a person as they are now; as the backend does."""
        return await self._watch.time("find", self._backend.find(user_id))

    async def close(self) -> None:
        """Let go of connections and timers."""
        await self._backend.close()


class _Passwords:
    """What a backend can that checks passwords."""

    _backend: PasswordBackend
    _watch: Stopwatch

    async def logon(self, username: str, password: str) -> LogonAnswer:
        """Check a name and a password; as the backend does."""
        return await self._watch.time("logon", self._backend.logon(username, password))


class _Naming:
    """What a backend can that finds people by name."""

    _backend: NamingBackend
    _watch: Stopwatch

    async def find_by_username(self, username: str) -> EndUser | None:
        """Return the person a name means; as the backend does."""
        return await self._watch.time("find_by_username", self._backend.find_by_username(username))


class _Sessions:
    """What a backend can that has sessions of its own."""

    _backend: SessionBackend
    _watch: Stopwatch

    @property
    def longest_access_token(self) -> int | None:
        """How long access tokens may live, in seconds."""
        return self._backend.longest_access_token

    def rely_on(self, vouch: Vouch) -> None:
        """Take what makes tokens."""
        self._backend.rely_on(vouch)

    async def leave(self, user_id: str) -> None:
        """End what it has for a person; as the backend does."""
        await self._watch.time("leave", self._backend.leave(user_id))


class _Browsers:
    """What a backend can that knows people by what their browsers carry."""

    _backend: BrowserBackend
    _watch: Stopwatch

    @property
    def cookie_names(self) -> tuple[str, ...] | None:
        """Which cookies it has to see."""
        return self._backend.cookie_names

    @property
    def signs_in_elsewhere(self) -> bool:
        """Whether there is a page of somebody else's where people sign in."""
        return self._backend.signs_in_elsewhere

    def keep_with(self, acquaintances: Acquaintances) -> None:
        """Take what keeps people between their visits."""
        self._backend.keep_with(acquaintances)

    async def look(self, carried: Carried) -> Seen | None:
        """Return who somebody is; as the backend does."""
        return await self._watch.time("look", self._backend.look(carried))


#: What some backends can, and what can it in their place.
_ABILITIES: tuple[tuple[Any, type], ...] = (
    (PasswordBackend, _Passwords),
    (NamingBackend, _Naming),
    (SessionBackend, _Sessions),
    (BrowserBackend, _Browsers),
)


@cache
def _kind(abilities: tuple[type, ...]) -> Any:  # noqa: ANN401 - a class that is made here
    """Return the class of measured backends that can some things."""
    return type("MeasuredBackend", (MeasuredBackend, *abilities), {})


def measured_backend(backend: Backend, watch: Stopwatch) -> Backend:
    """Return a backend that can whatever another one can, and is timed."""
    abilities = tuple(ability for interface, ability in _ABILITIES if isinstance(backend, interface))
    measured: Backend = _kind(abilities)(backend, watch)
    return measured


class MeasuredStore:
    """A store that is timed.

    Attributes:
        inner: the real one.
    """

    def __init__(self, store: Store, watch: Stopwatch) -> None:
        """Stand before a store."""
        self.inner = store
        self._store = store
        self._watch = watch

    async def put(self, key: str, value: str, ttl: int) -> None:
        """Keep a value; as the store does."""
        await self._watch.time("put", self._store.put(key, value, ttl))

    async def add(self, key: str, value: str, ttl: int) -> bool:
        """Keep a value unless there is one; as the store does."""
        return await self._watch.time("add", self._store.add(key, value, ttl))

    async def get(self, key: str) -> str | None:
        """Return a value; as the store does."""
        return await self._watch.time("get", self._store.get(key))

    async def get_each(self, *keys: str) -> tuple[str | None, ...]:
        """Return several values; as the store does."""
        return await self._watch.time("get_each", self._store.get_each(*keys))

    async def take(self, key: str) -> str | None:
        """Return a value and forget it; as the store does."""
        return await self._watch.time("take", self._store.take(key))

    async def increment(self, key: str, ttl: int) -> int:
        """Add one to a counter; as the store does."""
        return await self._watch.time("increment", self._store.increment(key, ttl))

    async def close(self) -> None:
        """Let go of connections and timers."""
        await self._store.close()


def bare(measured: object) -> object:
    """Return the real one of something that may be measured."""
    return measured.inner if isinstance(measured, MeasuredBackend | MeasuredStore) else measured
