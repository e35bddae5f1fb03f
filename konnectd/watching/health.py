"""Whether the daemon lives, and whether requests should be sent to it; for supervisors and load balancers.

*Live* says that the reactor turns, and looks at nothing else: to restart a daemon because a directory is away helps
nobody. *Ready* says whether somebody who has other daemons should send requests here. One whose backend or store is
away still serves keys, metadata and pages, and all others that ask the same directory are in the same state, so it
stays ready and says what is missing. Only one that sees neither of the two is not: then it is its own network that
is away, and another daemon may be better off. Nor is one that is about to end.

Whoever asks makes at most one question a second to what is behind us, however often they ask.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TooLateError
from twisted.logger import Logger

from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.web.errors import as_json
from konnectd.web.route import Route

log = Logger()

LIVE, READY = "/healthz/live", "/healthz/ready"
#: How long an answer is kept, in seconds.
KEPT = 1.0
#: How long one that is behind us may take to answer, in seconds: less than a load balancer waits.
PATIENCE = 2.0

# It carries no types.
_Service: Any = Service

Probe: TypeAlias = Callable[[], Awaitable[object]]


class Health(_Service):  # type: ignore[misc] # without types
    """Knows how we are, and stops with the daemon.

    Attributes:
        draining: the daemon is about to end.
    """

    def __init__(self, reactor: Any, probes: Mapping[str, Probe]) -> None:  # noqa: ANN401 - Twisted's reactor
        """Keep what can be asked.

        Args:
            reactor: for time.
            probes: by a word for what they ask; each raises `BackendUnavailableError` when there is no answer.
        """
        self.draining = False
        self._reactor = reactor
        self._probes = probes
        self._missing: tuple[str, ...] = ()
        self._seen_at = float("-inf")
        self._looking = False
        self._waiting: list[Deferred[None]] = []

    def startService(self) -> None:
        """Be there."""
        super().startService()
        self.draining = False

    def stopService(self) -> None:
        """Know that requests should go elsewhere."""
        super().stopService()
        self.draining = True

    def routes(self) -> tuple[Route, ...]:
        """Return the two addresses, which are at the root like that of the health check."""
        both = ("GET", "POST")
        return (
            Route(path=LIVE, methods=both, respond=self.on_live, face=as_json, name="live"),
            Route(path=READY, methods=both, respond=self.on_ready, face=as_json, name="ready"),
        )

    async def on_live(self, request: HttpRequest) -> HttpResponse:  # noqa: ARG002 - what answers is a Respond
        """Say that the reactor turns."""
        return HttpResponse.json({"status": "live"})

    async def on_ready(self, request: HttpRequest) -> HttpResponse:  # noqa: ARG002 - what answers is a Respond
        """Say whether requests should be sent here, and what they can not get."""
        if self.draining:
            return HttpResponse.json({"status": "draining"}, status=503)
        missing = await self._look()
        if not missing:
            return HttpResponse.json({"status": "ready"})
        alone = len(missing) == len(self._probes) > 1
        word, status = ("unavailable", 503) if alone else ("degraded", 200)
        return HttpResponse.json({"status": word, "degraded": list(missing)}, status=status)

    async def _look(self) -> tuple[str, ...]:
        """Return what does not answer, as it was less than a second ago."""
        if self._reactor.seconds() - self._seen_at < KEPT:
            return self._missing
        if not self._looking:
            self._looking = True
            Deferred.fromCoroutine(self._ask_all())
        if self._looking:
            waiting: Deferred[None] = Deferred()
            self._waiting.append(waiting)
            await waiting
        return self._missing

    async def _ask_all(self) -> None:
        """Ask everything at once; nobody's own, so that one who leaves does not end it for others."""
        asked = {name: Deferred.fromCoroutine(self._answers(probe)) for name, probe in self._probes.items()}
        found = {name: await answer for name, answer in asked.items()}
        self._missing = tuple(name for name, answers in found.items() if not answers)
        self._seen_at = self._reactor.seconds()
        self._looking = False
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.called:
                one.callback(None)

    async def _answers(self, probe: Probe) -> bool:
        """Tell whether something answers in time."""
        try:
            await Deferred.fromCoroutine(_ask(probe)).addTimeout(PATIENCE, self._reactor)
        except (BackendUnavailableError, TooLateError):
            return False
        except Exception:  # a fault of ours in one of them must not keep everybody waiting
            log.failure("it could not be found out what answers")
            return False
        return True


async def _ask(probe: Probe) -> None:
    """Ask."""
    await probe()
