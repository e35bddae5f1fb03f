"""A reactor of a test's own, run only while the test waits: for parts that wait for threads or for sockets."""

import time
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.epollreactor import EPollReactor

Answer = TypeVar("Answer")

#: How long something may take, in seconds; much longer than it does.
PATIENCE = 20.0
#: How often it is looked whether the patience is at its end, in seconds.
_PAUSE = 0.5


class Pump:
    """Runs a reactor until an answer is there.

    Attributes:
        reactor: it; nobody else has it.
    """

    def __init__(self) -> None:
        """Make a reactor, and let it begin."""
        self.reactor: Any = EPollReactor()
        self.reactor.startRunning(installSignalHandlers=False)

    def answer(self, coroutine: Coroutine[Any, Any, Answer], patience: float = PATIENCE) -> Answer:
        """Drive a coroutine and return its answer."""
        return self.wait_for(Deferred.fromCoroutine(coroutine), patience)

    def together(self, coroutines: Sequence[Coroutine[Any, Any, Answer]]) -> list[Answer]:
        """Drive coroutines that all begin before anything is waited for, and return their answers."""
        return self.wait_for(gatherResults([Deferred.fromCoroutine(each) for each in coroutines], consumeErrors=True))

    def wait_for(self, deferred: Deferred[Answer], patience: float = PATIENCE) -> Answer:
        """Return what a Deferred comes to, or raise it."""
        outcome: list[Answer] = []
        failures: list[BaseException] = []
        deferred.addCallbacks(outcome.append, lambda failure: failures.append(failure.value))
        give_up = time.monotonic() + patience
        while True:
            self.reactor.runUntilCurrent()
            if outcome or failures:
                break
            if time.monotonic() > give_up:
                raise AssertionError("there was no answer in time")
            due = self.reactor.timeout()
            self.reactor.doIteration(_PAUSE if due is None else min(due, _PAUSE))
        if failures:
            raise failures[0]
        return outcome[0]

    def spend(self, seconds: float) -> None:
        """Let time go by."""
        waited: Deferred[None] = Deferred()
        self.reactor.callLater(seconds, waited.callback, None)
        self.wait_for(waited, seconds + PATIENCE)

    def close(self) -> None:
        """End its threads, and let go of what it has open."""
        self.reactor.stop()
        self.reactor.iterate(0)
        self.reactor.disconnectAll()
        for reader in self.reactor.removeAll():
            reader.connectionLost(None)
