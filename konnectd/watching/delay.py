"""How late the reactor is: whatever keeps it, everybody waits for."""

from collections.abc import Callable
from typing import Any

from twisted.application.service import Service

#: How often it is looked, in seconds.
INTERVAL = 1.0

# It carries no types.
_Service: Any = Service


class ReactorDelay(_Service):  # type: ignore[misc] # without types
    """Asks for a moment again and again, and tells by how much it was missed."""

    def __init__(self, reactor: Any, tell: Callable[[float], object]) -> None:  # noqa: ANN401 - Twisted's reactor
        """Keep what measures time and who is told, in seconds."""
        self._reactor = reactor
        self._tell = tell
        self._due = 0.0
        self._call: Any = None

    def startService(self) -> None:
        """Begin."""
        super().startService()
        self._wait()

    def stopService(self) -> None:
        """End."""
        super().stopService()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _wait(self) -> None:
        """Ask for the next moment."""
        self._due = self._reactor.seconds() + INTERVAL
        self._call = self._reactor.callLater(INTERVAL, self._look)

    def _look(self) -> None:
        """Tell how late it is."""
        late = self._reactor.seconds() - self._due
        self._wait()
        self._tell(max(late, 0.0))
