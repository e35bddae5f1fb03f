"""Reloading: whoever asks for it, one at a time, and nobody's wish is lost.

What a reload reads and what it changes is `konnectd.generations`; here is only when. Anything in the daemon may ask for
one, a signal or a timer, and waits for the outcome or does not.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from konnectd.option import ConfigError

log = Logger(namespace="konnectd")

# It carries no types.
_Service: Any = Service


@frozen(kw_only=True)
class Outcome:
    """What came of a reload.

    Attributes:
        done: what was read counts from now on; if not, what counted before still does.
        faults: why not, all of them; none when the daemon stops, or when it was our fault, which is logged.
        restart: options that have changed and only count after a restart.
    """

    done: bool
    faults: tuple[ConfigError, ...] = ()
    restart: tuple[str, ...] = ()


NOT_DONE = Outcome(done=False)

#: Reads everything anew and lets it count; told why.
Work: TypeAlias = Callable[[str], Awaitable[Outcome]]


class Reloads(_Service):  # type: ignore[misc] # without types
    """Reloads while the daemon runs."""

    name = "reloads"

    def __init__(self, work: Work) -> None:
        """Keep what a reload does."""
        self._work = work
        self._waiting: list[tuple[str, Deferred[Outcome]]] = []
        self._busy = False

    async def reload(self, reason: str) -> Outcome:
        """Read everything anew and let it count, or tell why not.

        While a reload is under way, what it reads may be older than the wish; so there is one more after it, and one is
        enough for all who wished meanwhile. Never raises, and may be called without waiting for what it returns.

        Args:
            reason: for the log, such as ``SIGHUP``.
        """
        if not self.running:
            return NOT_DONE
        outcome: Deferred[Outcome] = Deferred()
        self._waiting.append((reason, outcome))
        if not self._busy:
            self._busy = True
            Deferred.fromCoroutine(self._turn())
        return await outcome

    async def _turn(self) -> None:
        """Reload until nobody wishes it any more."""
        while self._waiting:
            asked, self._waiting = self._waiting, []
            outcome = await self._once(", ".join(dict.fromkeys(reason for reason, _ in asked)))
            for _, waiting in asked:
                if not waiting.called:  # nobody waits any more
                    waiting.callback(outcome)
        self._busy = False

    async def _once(self, reason: str) -> Outcome:
        """Reload once."""
        if not self.running:
            return NOT_DONE
        try:
            return await self._work(reason)
        except Exception:  # a fault of ours must not keep the next one from being tried
            log.failure("reloading failed: our fault")
            return NOT_DONE
