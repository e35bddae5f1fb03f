"""Something that is done once for everybody who waits for it: a probe, a logon.

Whoever waits may give up without ending it for the others. So it goes on when nobody waits any more, which is bounded:
each call to a server has a deadline.
"""

from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from konnectd.backends._kopano_dial import Reactor
from konnectd.interfaces import BackendUnavailableError

Answer = TypeVar("Answer")


class Flight(Generic[Answer]):
    """A coroutine that is under way, and those who wait for what comes of it.

    Attributes:
        landed: it has ended.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Answer]) -> None:
        """Begin."""
        self.landed = False
        self._outcome: Answer | Failure | None = None
        self._waiting: list[Deferred[Any]] = []
        self._running = Deferred.fromCoroutine(coroutine)
        self._running.addBoth(self._land)

    async def wait(self, reactor: Reactor | None = None, seconds: float = 0) -> Answer:
        """Return what comes of it, or raise what it ends with.

        Args:
            reactor: for time; None to wait as long as it takes.
            seconds: how long to wait.

        Raises:
            BackendUnavailableError: it takes too long, or was ended early.
        """
        waiting: Deferred[Any] = Deferred()
        if self.landed:
            waiting.callback(self._outcome)
        else:
            self._waiting.append(waiting)
        if reactor is not None:
            waiting.addTimeout(seconds, reactor, _too_late)
        try:
            answer: Answer = await waiting
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
        return answer

    def cancel(self) -> None:
        """End it early."""
        self._running.cancel()

    def _land(self, outcome: "Answer | Failure") -> None:
        """Tell everybody."""
        if isinstance(outcome, Failure) and outcome.check(CancelledError):  # type: ignore[no-untyped-call]
            outcome = Failure(BackendUnavailableError("the daemon is stopping"))  # type: ignore[no-untyped-call]
        self.landed, self._outcome = True, outcome
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(outcome)


def _too_late(_: object, seconds: float) -> None:
    """Say that waiting is over."""
    raise BackendUnavailableError(f"the Kopano server was waited for {seconds:g} seconds")
