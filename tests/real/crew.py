"""Threads that do something all the time, for as long as a test has them do it."""

import threading
from types import TracebackType
from typing import Self


class Crew:
    """Works within a ``with``; what it does, and when it has to stop, is up to whoever is one."""

    _threads: list[threading.Thread]
    _stop: threading.Event

    def __enter__(self) -> Self:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, when the last answers are there."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
