"""A reactor in memory whose threads do their work at once, or when a test lets them."""

from collections.abc import Callable
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure


class ThreadedReactor(MemoryReactorClock):
    """Takes work for threads.

    Attributes:
        at_once: do it when it is handed over; else `work` does it.
    """

    at_once = True

    def __init__(self) -> None:
        """Have nothing to do."""
        super().__init__()
        self._work: list[Callable[[], None]] = []

    def callFromThread(self, call: Callable[..., object], *words: object) -> None:
        """Call at once."""
        call(*words)

    def getThreadPool(self) -> "ThreadedReactor":  # noqa: N802 - Twisted calls it
        """Be one."""
        return self

    def callInThreadWithCallback(self, told: Callable[..., object], work: Callable[[], Any], *words: Any) -> None:  # noqa: N802 - the same
        """Take some work."""

        def do() -> None:
            try:
                made = work(*words)
            except Exception:
                told(False, Failure())
            else:
                told(True, made)

        self._work.append(do)
        if self.at_once:
            self.work()

    def work(self) -> None:
        """Do all there is to do."""
        while self._work:
            self._work.pop(0)()
