"""Where somebody on this machine gets a profile of the process, and sees what it waits for.

Konnect had Go's tool of the same name here. Nobody is asked who they are, so only requests that were sent to this
machine by its own name are answered: a page of some web site that a browser on this machine shows could send others.
"""

import re
import threading
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from konnectd.http import HttpRequest, HttpResponse
from konnectd.watching.pending import describe
from konnectd.watching.profile import LONGEST, SHORTEST, Profile, sample
from konnectd.web.errors import as_json, plain
from konnectd.web.forms import query_of
from konnectd.web.route import Route

log = Logger()

INDEX, PROFILE, PENDING = "/debug/pprof/", "/debug/pprof/profile", "/debug/pprof/pending"
#: Seconds of a profile where nobody says how many.
USUAL = 10
_PORT = re.compile(r":[0-9]{1,5}\Z")
_INDEX = f"""\
{PROFILE}?seconds={USUAL}
    where the process spends its time, as lines that flame graphs are made from; {SHORTEST} to {LONGEST} seconds
{PROFILE}?seconds={USUAL}&format=speedscope
    the same for https://www.speedscope.app
{PENDING}
    what the process waits for: timers, connections, coroutines, threads
"""


# It carries no types.
_Service: Any = Service


class Pprof(_Service):  # type: ignore[misc] # without types
    """The pages; a profile that is taken ends with the daemon."""

    def __init__(self, reactor: Any, *, remote: bool = False) -> None:  # noqa: ANN401 - Twisted's reactor
        """Take no profile yet.

        Args:
            reactor: for threads, and to look into.
            remote: requests by another name than this machine's own are answered, too.
        """
        self._reactor = reactor
        self._remote = remote
        self._stop: threading.Event | None = None

    def routes(self) -> tuple[Route, ...]:
        """Return the pages."""
        pages: tuple[tuple[str, Callable[[HttpRequest], Any], str], ...] = (
            (INDEX, self.on_index, "pprof"),
            (PROFILE, self.on_profile, "pprof-profile"),
            (PENDING, self.on_pending, "pprof-pending"),
        )
        return tuple(
            Route(path=path, methods=("GET",), respond=respond, face=as_json, name=name)
            for path, respond, name in pages
        )

    def stopService(self) -> None:
        """End the profile that is taken, if one is."""
        super().stopService()
        if self._stop is not None:
            self._stop.set()

    async def on_index(self, request: HttpRequest) -> HttpResponse:
        """Say what there is."""
        return HttpResponse.text(_INDEX) if self._is_local(request) else plain(403)

    async def on_pending(self, request: HttpRequest) -> HttpResponse:
        """Show what the process waits for."""
        return HttpResponse.text(describe(self._reactor)) if self._is_local(request) else plain(403)

    async def on_profile(self, request: HttpRequest) -> HttpResponse:
        """Take a profile; one at a time, because two would see each other."""
        if not self._is_local(request):
            return plain(403)
        query = query_of(request)
        wanted, form = query.text("seconds") or str(USUAL), query.text("format") or "collapsed"
        if not (wanted.isascii() and wanted.isdecimal() and len(wanted) <= 2 and SHORTEST <= int(wanted) <= LONGEST):
            return HttpResponse.text(f"seconds must be {SHORTEST} to {LONGEST}\n", status=400)
        if form not in {"collapsed", "speedscope"}:
            return HttpResponse.text("format must be collapsed or speedscope\n", status=400)
        if self._stop is not None:
            return HttpResponse.text("a profile is being taken; try again later\n", status=503)
        log.warn("a profile of {seconds} s is taken for {peer}", seconds=int(wanted), peer=request.peer or "unix")
        profile = await self._take(int(wanted))
        if form == "speedscope":
            return HttpResponse.json(profile.speedscope("konnectd"))
        return HttpResponse.text(profile.collapsed())

    async def _take(self, seconds: int) -> Profile:
        """Take a profile in a thread; when whoever asked leaves, it ends."""
        stop = self._stop = threading.Event()
        pool = self._reactor.getThreadPool()
        try:
            taken: Profile = await deferToThreadPool(self._reactor, pool, sample, seconds, stop)
        except CancelledError:
            stop.set()
            raise
        finally:
            self._stop = None
        return taken

    def _is_local(self, request: HttpRequest) -> bool:
        """Tell whether a request was meant for this machine by whoever sent it."""
        if self._remote:
            return True
        host = _PORT.sub("", request.header("host"))
        if host == "localhost":
            return True
        try:
            return ip_address(host.strip("[]")).is_loopback
        except ValueError:
            return False
