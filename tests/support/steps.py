"""Driving several coroutines in turns, to see what happens when requests meet."""

from collections.abc import Coroutine, Generator, Iterable
from typing import Any, Generic, TypeVar

from konnectd.interfaces import Fetch, LogonAnswer, PasswordBackend, Store
from konnectd.protocol.authorize import Pairs
from konnectd.protocol.end_user import EndUser

Answer = TypeVar("Answer")


class Pause:
    """Something to wait for: one turn."""

    def __await__(self) -> Generator[None, None, None]:
        """Let the others go on."""
        yield


class Run(Generic[Answer]):
    """A coroutine on its way: after its last step it has an answer or a fault."""

    def __init__(self, coroutine: Coroutine[Any, Any, Answer]) -> None:
        """Begin before the first step."""
        self.coroutine = coroutine
        self.done = False
        self.answer: Answer | None = None
        self.fault: Exception | None = None

    def step(self) -> None:
        """Go on to where it waits next; nothing once it is done."""
        if self.done:
            return
        try:
            self.coroutine.send(None)
        except StopIteration as stop:
            self.done, self.answer = True, stop.value
        except Exception as fault:
            self.done, self.fault = True, fault


def in_turns(turns: Iterable[int], *coroutines: Coroutine[Any, Any, Answer]) -> list[Run[Answer]]:
    """Drive coroutines in the given order of turns, then all in turn to their ends."""
    runs = [Run(coroutine) for coroutine in coroutines]
    for turn in turns:
        runs[turn % len(runs)].step()
    while not all(run.done for run in runs):
        for run in runs:
            run.step()
    return runs


class WaitingStore:
    """A store behind a wire: every call waits once on its way there and once on its way back."""

    def __init__(self, store: Store) -> None:
        """Stand before a store."""
        self.store = store

    async def put(self, key: str, value: str, ttl: int) -> None:
        """Keep a value."""
        await Pause()
        await self.store.put(key, value, ttl)
        await Pause()

    async def add(self, key: str, value: str, ttl: int) -> bool:
        """Keep a value unless there is one."""
        await Pause()
        kept = await self.store.add(key, value, ttl)
        await Pause()
        return kept

    async def get(self, key: str) -> str | None:
        """Return a value."""
        await Pause()
        value = await self.store.get(key)
        await Pause()
        return value

    async def get_each(self, *keys: str) -> tuple[str | None, ...]:
        """Return several values."""
        await Pause()
        values = await self.store.get_each(*keys)
        await Pause()
        return values

    async def take(self, key: str) -> str | None:
        """Return a value and forget it."""
        await Pause()
        value = await self.store.take(key)
        await Pause()
        return value

    async def increment(self, key: str, ttl: int) -> int:
        """Count."""
        await Pause()
        count = await self.store.increment(key, ttl)
        await Pause()
        return count

    async def close(self) -> None:
        """Let go of the store."""
        await self.store.close()


class WaitingBackend:
    """A backend behind a wire: every question waits once."""

    def __init__(self, backend: PasswordBackend) -> None:
        """Stand before a backend."""
        self.backend = backend
        self.name = backend.name
        self.scopes = backend.scopes
        self.claims = backend.claims

    async def check(self) -> None:
        """Try the settings."""
        await self.backend.check()

    async def find(self, user_id: str) -> EndUser | None:
        """Return a person."""
        await Pause()
        return await self.backend.find(user_id)

    async def logon(self, username: str, password: str) -> LogonAnswer:
        """Check a name and a password."""
        await Pause()
        return await self.backend.logon(username, password)

    async def close(self) -> None:
        """Let go."""
        await self.backend.close()


class WaitingFetch:
    """The web behind a wire: every question waits once on its way there and once on its way back."""

    def __init__(self, fetch: Fetch) -> None:
        """Stand before a web."""
        self.fetch = fetch

    async def get(self, url: str) -> bytes:
        """Return what stands at an address."""
        await Pause()
        try:
            return await self.fetch.get(url)
        finally:
            await Pause()

    async def post(self, url: str, fields: Pairs) -> int:
        """Post a form."""
        await Pause()
        status = await self.fetch.post(url, fields)
        await Pause()
        return status
