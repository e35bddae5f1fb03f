"""How what watches the daemon is put together: only what somebody asks for, around a daemon that knows nothing of it.

It is listened at addresses of its own, which are open before those of the daemon and until its last answer.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from konnectd import __version__
from konnectd.config.changes import Changes
from konnectd.config.contents import Contents
from konnectd.config.settings import Settings
from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import Backend, Store
from konnectd.jose.sealing import SecretSealer
from konnectd.listener import Listener
from konnectd.reloading import Reloads
from konnectd.vitals import Pooled, PoolUse
from konnectd.watching import audit_events, fingerprints
from konnectd.watching.audit_log import FAILED, AuditLog, open_target
from konnectd.watching.delay import ReactorDelay
from konnectd.watching.health import Health
from konnectd.watching.measured import MeasuredStore, Stopwatch, measured_backend
from konnectd.watching.pprof import Pprof
from konnectd.web.edge import Observe
from konnectd.web.errors import failure, not_found
from konnectd.web.limits import Limits
from konnectd.web.route import Route
from konnectd.web.site import Site, make_site
from konnectd.world import SystemEntropy

if TYPE_CHECKING:
    from konnectd.watching.metrics import Metrics

log = Logger(namespace="konnectd")

#: How long whoever looks at figures or profiles may take to be answered when the daemon ends, in seconds.
_DRAIN = 1.0
#: A profile takes its time; connections there are few.
_LIMITS = Limits(handling_seconds=75.0, connections=50)
_REFERENCE_BYTES = 9
_MEMORY = "memory"

#: Does what may block.
InThread: TypeAlias = Callable[[Callable[[], None]], Deferred[None]]

# It carries no types.
_Service: Any = Service


@frozen
class Auditing:
    """Writes what answers came of into the audit log.

    Attributes:
        log: takes entries.
        now: the time of day, in seconds.
    """

    log: AuditLog
    now: Callable[[], float]

    def observe(self, route: Route | None, request: HttpRequest, answer: HttpResponse, _seconds: float) -> None:
        """Write the entries of an answer."""
        if answer.happened:
            name = "-" if route is None else route.name
            for line in audit_events.entries(name, answer.happened, request.client, self.now()):
                self.log.write(line)

    def write(self, event: str, **members: audit_events.Value) -> None:
        """Write an entry that belongs to no answer."""
        self.log.write(audit_events.entry(event, self.now(), **members))

    def reloaded(self, reason: str, changes: Changes) -> None:
        """Write what a reload has changed."""
        self.write("reload", reason=reason, **audit_events.changes(changes.clients, changes.keys))

    def configured(self, settings: Settings, contents: Contents) -> None:
        """Write which keys and which configuration count from now on; at start, and whenever they were read anew."""
        sealer = SecretSealer(contents.encryption_secret)

        def tag(text: str) -> str:
            return sealer.tag("audit", text)

        self.write("keys", keys=fingerprints.of_keys(contents), method=contents.keys.method)
        self.write(
            "configuration",
            options=fingerprints.of_options(settings, tag),
            files=fingerprints.of_files(settings, tag),
            clients=len(contents.registry.clients),
        )


class Watch:
    """What watches a daemon.

    Attributes:
        observe: told of every answer.
    """

    def __init__(
        self,
        settings: Settings,
        contents: Contents,
        reactor: Any,  # noqa: ANN401 - Twisted's reactor has no one type
        metrics: "Metrics | None",
        auditing: Auditing | None,
    ) -> None:
        """Keep what there is."""
        self._settings = settings
        self._contents = contents
        self._reactor = reactor
        self._metrics = metrics
        self._auditing = auditing
        self._begun = time.time()
        self._pooled: list[Pooled] = []
        self.observe = _both(metrics.observe if metrics else None, auditing.observe if auditing else None)

    @classmethod
    def build(cls, settings: Settings, contents: Contents, reactor: Any) -> "Watch":  # noqa: ANN401 - see above
        """Make what the settings ask for.

        Raises:
            ConfigErrors: the audit log can not be written to.
        """
        return cls(settings, contents, reactor, _metrics(settings), _auditing(settings, reactor))

    def reloaded(self, reason: str, settings: Settings, contents: Contents, changes: Changes) -> None:
        """Count a reload, show the keys there are now, and write down what has changed."""
        if self._metrics is not None:
            self._metrics.reloaded(done=True)
            self._show_keys(self._metrics, settings, contents)
        if self._auditing is not None:
            self._auditing.reloaded(reason, changes)
            self._auditing.configured(settings, contents)

    def not_reloaded(self, reason: str, faults: int) -> None:
        """Count a reload that changes nothing, and write it down."""
        if self._metrics is not None:
            self._metrics.reloaded(done=False)
        if self._auditing is not None:
            self._auditing.write("reload-refused", reason=reason, faults=faults)

    def rotated(self, change: str, key: str, instead_of: str) -> None:
        """Write down what has become of a key that the daemon rotates.

        Args:
            change: what it was.
            key: its id.
            instead_of: the id of the key whose place it takes; empty when it takes none.
        """
        if self._auditing is not None:
            self._auditing.write(f"key-{change}", key=key, instead_of=instead_of)

    def measured(self, backend: Backend, store: Store) -> tuple[Backend, Store]:
        """Return backend and store as they are used: timed, if there are metrics.

        The store in memory is not, because to look at the clock takes as long as to ask it.
        """
        metrics, seconds = self._metrics, self._reactor.seconds
        if metrics is None:
            return backend, store
        self._pooled = [one for one in (backend, store) if isinstance(one, Pooled)]
        if self._settings.store != _MEMORY:
            store = MeasuredStore(store, Stopwatch(seconds, metrics.store_call))
        return measured_backend(backend, Stopwatch(seconds, metrics.backend_call)), store

    def around(self, daemon: Any, health: Health, site: Site, grant_types: Collection[str]) -> "WatchedDaemon":  # noqa: ANN401
        """Put what watches around a daemon.

        Args:
            daemon: its service.
            health: how it is.
            site: makes its connections.
            grant_types: that are on.

        Raises:
            ConfigErrors: something is listened at that is no address.
        """
        others: list[Any] = []
        watching, reactor = self._settings.watching, self._reactor
        if self._metrics is not None:
            self._look(self._metrics, site, grant_types)
            others.append(ReactorDelay(reactor, self._metrics.delay))
            routes = (*self._metrics.routes(), *health.routes())
            others.append(_listener(watching.metrics_listen, "metrics_listen", routes, reactor))
        if watching.with_pprof:
            pprof = Pprof(reactor, remote=watching.pprof_remote)
            others += [pprof, _listener(watching.pprof_listen, "pprof_listen", pprof.routes(), reactor)]
        return WatchedDaemon(daemon, others, self._settings, self._contents, self._auditing, threads_of(reactor))

    def _look(self, metrics: "Metrics", site: Site, grant_types: Collection[str]) -> None:
        """Let metrics see what can be seen from outside."""
        metrics.know_grants(grant_types)
        metrics.watch_connections(lambda: site.connections)
        metrics.watch_pools(self._pools)
        self._show_keys(metrics, self._settings, self._contents)
        if self._auditing is not None:
            metrics.watch_audit(self._auditing.log)

    def _show_keys(self, metrics: "Metrics", settings: Settings, contents: Contents) -> None:
        """Let metrics show since when there are the keys that sign now."""
        from konnectd.watching.metrics import Key  # noqa: PLC0415 - see above

        found = _since(settings, contents, self._begun)
        metrics.watch_keys([Key(kid=kid, since=since) for kid, since in found], time.time)

    def _pools(self) -> tuple[PoolUse, ...]:
        """Return how connections of backend and store are used."""
        return tuple(use for pooled in self._pooled for use in pooled.pools())


class WatchedDaemon(_Service):  # type: ignore[misc] # without types
    """A daemon, and what watches it from its first moment to its last."""

    def __init__(
        self,
        daemon: Any,  # noqa: ANN401 - services carry no types
        others: Sequence[Any],
        settings: Settings,
        contents: Contents,
        auditing: Auditing | None,
        in_thread: InThread,
    ) -> None:
        """Take a daemon in.

        Args:
            daemon: its service.
            others: services that begin before and end after it.
            settings: of the daemon.
            contents: what counts at start.
            auditing: writes the audit log.
            in_thread: does what may block.
        """
        self._daemon = daemon
        self._others = tuple(others)
        self._settings = settings
        self._contents = contents
        self._auditing = auditing
        self._in_thread = in_thread

    def privilegedStartService(self) -> None:
        """Open addresses."""
        super().privilegedStartService()
        for service in (*self._others, self._daemon):
            service.privilegedStartService()

    def startService(self) -> None:
        """Begin."""
        super().startService()
        if self._auditing is not None:
            settings = self._settings
            self._auditing.log.start()
            self._auditing.write(
                "start", version=__version__, issuer=settings.iss, backend=settings.backend, store=settings.store
            )
            self._auditing.configured(settings, self._contents)
        for service in (*self._others, self._daemon):
            service.startService()

    def stopService(self) -> Deferred[None]:
        """End the daemon, then what watches it."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        """End everything, the audit log last."""
        await maybeDeferred(self._daemon.stopService)
        for service in self._others:
            await maybeDeferred(service.stopService)
        if self._auditing is not None:
            self._auditing.write("stop")
            await self._in_thread(self.close_logs)

    @property
    def reloads(self) -> Reloads | None:
        """What lets count what files say now; None where nothing is read anew."""
        found: Reloads | None = self._daemon.reloads
        return found

    def reopen_logs(self, signal_name: str) -> None:
        """Open the audit log anew, because its file was moved away."""
        if self._auditing is not None:
            log.info("the audit log is opened again, because of {signal}", signal=signal_name)
            self._auditing.log.reopen()

    def close_logs(self) -> None:
        """Write what waits to be written; blocks for some seconds at most."""
        left = self._auditing.log.close() if self._auditing is not None else 0
        if left:
            log.error("the daemon ends before {left} entries of the audit log are written", left=left)


def threads_of(reactor: Any) -> InThread:  # noqa: ANN401 - Twisted's reactor has no one type
    """Return what does something in one of the reactor's threads."""
    return lambda work: deferToThreadPool(reactor, reactor.getThreadPool(), work)


def _metrics(settings: Settings) -> "Metrics | None":
    """Begin to count, if anybody wants to know."""
    if not settings.watching.with_metrics:
        return None
    from konnectd.watching.metrics import Metrics  # noqa: PLC0415 - brings a library that others do not need

    return Metrics(backend=settings.backend, store=settings.store)


def _auditing(settings: Settings, reactor: Any) -> Auditing | None:  # noqa: ANN401 - see above
    """Open the audit log, if there is to be one.

    Raises:
        ConfigErrors: it can not be written to.
    """
    place = settings.watching.audit_log
    if place is None:
        return None

    def told(what: str, words: str) -> None:
        reactor.callFromThread(tell, what, words)

    def tell(what: str, words: str) -> None:
        if what == FAILED:
            log.error(
                "the audit log can not be written, {waiting} entries wait: {error}", waiting=made.waiting, error=words
            )
        else:
            log.warn("the audit log is written again, {lost} entries are lost", lost=made.lost)

    made = AuditLog(open_target(place), told)
    return Auditing(made, time.time)


def _listener(address: str, option: str, routes: tuple[Route, ...], reactor: Any) -> Listener:  # noqa: ANN401 - see above
    """Listen for those who look.

    Raises:
        ConfigErrors: it is no address.
    """
    entropy = SystemEntropy()
    site = make_site(
        routes,
        reactor=reactor,
        not_found=not_found,
        failure=failure,
        reference=lambda: "E" + entropy.token(_REFERENCE_BYTES),
        limits=_LIMITS,
    )
    return Listener((address,), site, reactor, _DRAIN, option=option)


def _since(settings: Settings, contents: Contents, begun: float) -> Iterator[tuple[str, float]]:
    """Yield since when there are the keys that sign: since their files were changed; one that was made up since then.

    Args:
        settings: name the files.
        contents: what they hold.
        begun: when the daemon was started, in seconds since the epoch.
    """
    paths, keys = settings.signing_private_key, contents.keys.signing
    for number, key in enumerate(keys):
        path = paths[number] if len(paths) == len(keys) else None
        try:
            yield key.kid, begun if path is None else path.stat().st_mtime
        except OSError:
            continue


def _both(first: Observe | None, second: Observe | None) -> Observe | None:
    """Return what tells two observers, or the one there is."""
    if first is None or second is None:
        return first or second

    def observe(route: Route | None, request: HttpRequest, answer: HttpResponse, seconds: float) -> None:
        first(route, request, answer, seconds)
        second(route, request, answer, seconds)

    return observe
