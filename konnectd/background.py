"""What the daemon does while nobody waits for it: work that begins after some time, and ends with the daemon.

Nothing here is kept: what was planned when the daemon stops is not done any more.
"""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

log = Logger(namespace="konnectd")

#: More than this is never planned at the same time; whoever fills it up must not fill up the memory.
MOST_PLANNED = 10_000


class Background(Service):
    """Timers, and the work that they begin."""

    def __init__(self, reactor: Any) -> None:  # noqa: ANN401 - Twisted's reactor has no one type
        """Keep what measures time."""
        self._reactor = reactor
        self._numbers = count()
        self._planned: dict[int, Any] = {}
        self._running: set[Deferred[None]] = set()
        self._stopped = False

    def after(self, seconds: int, work: Callable[[], Awaitable[None]]) -> None:
        """Do something after some seconds; not when the daemon stops, or has far too much to do."""
        if self._stopped:
            return
        if len(self._planned) >= MOST_PLANNED:
            log.error("there is too much to do in the background; something is left out")
            return
        number = next(self._numbers)
        self._planned[number] = self._reactor.callLater(seconds, self._begin, number, work)

    def complain(self, client_id: str, problem: str) -> None:
        """Tell the operator that a client could not be reached."""
        log.warn("client {client} was not told of a sign-out: {problem}", client=client_id, problem=problem)

    def startService(self) -> None:
        """Take work."""
        super().startService()  # type: ignore[no-untyped-call] # without types
        self._stopped = False

    def stopService(self) -> None:
        """Drop what is planned, and break off what is under way."""
        super().stopService()  # type: ignore[no-untyped-call]
        self._stopped = True
        for call in self._planned.values():
            call.cancel()
        self._planned.clear()
        for running in tuple(self._running):
            running.cancel()

    def _begin(self, number: int, work: Callable[[], Awaitable[None]]) -> None:
        """Begin what was planned."""
        del self._planned[number]
        running = Deferred.fromCoroutine(_run(work))
        if not running.called:
            self._running.add(running)
            running.addBoth(lambda _: self._running.discard(running))


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    """Do something, and log what goes wrong with it."""
    try:
        await work()
    except CancelledError:
        log.info("work in the background was broken off, because the daemon stops")
    except Exception:
        log.failure("work in the background failed")
