"""Endpoints that do what a test needs: fail, note what reaches them, or keep everybody waiting."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from twisted.internet.defer import CancelledError, Deferred

from konnectd.http import HttpRequest, HttpResponse

Respond: TypeAlias = Callable[[HttpRequest], Awaitable[HttpResponse]]


def raising(error: BaseException) -> Respond:
    """Make an endpoint that fails."""

    async def respond(_request: HttpRequest) -> HttpResponse:
        raise error

    return respond


class Seen:
    """An endpoint that notes what reaches it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.requests: list[HttpRequest] = []

    async def __call__(self, seen: HttpRequest) -> HttpResponse:
        """Note it."""
        self.requests.append(seen)
        return HttpResponse.text("seen")


class Waits:
    """An endpoint whose answer arrives when the test lets it.

    Attributes:
        started: how often it was asked.
        canceled: how often it was told that nobody waits any more.
    """

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self.started = 0
        self.canceled = 0
        self._waiting: list[Deferred[str]] = []

    async def __call__(self, _seen: HttpRequest) -> HttpResponse:
        """Wait twice, as for two questions to a backend."""
        self.started += 1
        try:
            first = await self._next()
            return HttpResponse.text(first + await self._next())
        except CancelledError:
            self.canceled += 1
            raise

    def _next(self) -> Deferred[str]:
        self._waiting.append(Deferred())
        return self._waiting[-1]

    def arrive(self, text: str) -> None:
        """Let the oldest wait end."""
        self._waiting.pop(0).callback(text)

    def fail(self, error: Exception) -> None:
        """Let the oldest wait end badly."""
        self._waiting.pop(0).errback(error)


class Slow:
    """An endpoint whose answers arrive in the order the test wants."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self.waiting: dict[str, Deferred[str]] = {}
        self.asked: list[str] = []

    async def __call__(self, seen: HttpRequest) -> HttpResponse:
        """Wait for the test."""
        self.asked.append(seen.query)
        self.waiting[seen.query] = Deferred()
        return HttpResponse.text(await self.waiting[seen.query])
