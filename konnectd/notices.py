"""The word that the daemon sends to the service manager that started it: ready, alive, reloading, stopping.

Run by hand, or by something that does not want to know, the daemon sends nothing.
"""

import time
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from konnectd.supervisor import Supervisor

log = Logger(namespace="konnectd")

# They carry no types.
_Service: Any = Service
_looping_call: Any = LoopingCall


class Notices(_Service):  # type: ignore[misc] # without types
    """Tells the service manager when people can be served, that the daemon is alive, and when it stops."""

    name = "notices"

    def __init__(
        self,
        supervisor: Supervisor,
        reactor: Any,  # noqa: ANN401 - Twisted's reactor has no one type
        status: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep whom to tell.

        Args:
            supervisor: hears it.
            reactor: measures time. A sign of life comes from it, so a reactor that hangs gives none.
            status: what people read who ask the service manager how the daemon is.
            monotonic: the clock that the service manager has too, in seconds.
        """
        self._supervisor = supervisor
        self._reactor = reactor
        self._status = status
        self._monotonic = monotonic
        self._begun = False
        self._signs: Any = None
        self._heard = True

    def ready(self) -> None:
        """Say that people can be served, as soon as the reactor runs."""
        if self._supervisor.address:
            self._reactor.callWhenRunning(self._begin)

    def reloading(self) -> None:
        """Say that files are read anew; requests are answered all the same."""
        if self._begun and self.running:
            self._tell("RELOADING=1", f"MONOTONIC_USEC={int(self._monotonic() * 1_000_000)}")

    def reloaded(self, *, faults: int = 0) -> None:
        """Say that this is over; that there were faults is for people, as the service manager has no word for it."""
        if self._begun and self.running:
            count = f"{faults} {'fault' if faults == 1 else 'faults'}"
            more = f"; the last reload was refused because of {count}, which the log names" if faults else ""
            self._tell("READY=1", f"STATUS={self._status}{more}")

    def stopService(self) -> None:
        """Say that the daemon stops; what is asked of it is still answered."""
        super().stopService()
        signs, self._signs = self._signs, None
        if signs is not None:
            signs.stop()
        if self._supervisor.address:
            self._tell("STOPPING=1", "STATUS=Answering what was asked")

    def _begin(self) -> None:
        """Say that all is well, and go on saying so twice as often as it is asked for."""
        if not self.running:
            return
        self._begun = True
        self._tell("READY=1", f"STATUS={self._status}")
        if self._supervisor.patience:
            self._signs = _looping_call(self._tell, "WATCHDOG=1")
            self._signs.clock = self._reactor
            self._signs.start(self._supervisor.patience / 2)

    def _tell(self, *lines: str) -> None:
        """Send word; that nobody hears it is logged once, because the daemon can work all the same."""
        try:
            self._supervisor.tell(*lines)
        except OSError as error:
            if self._heard:
                log.warn("the service manager does not hear: {reason}", reason=error.strerror)
            self._heard = False
        else:
            self._heard = True
