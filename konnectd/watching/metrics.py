"""Figures for Prometheus: what is counted, under which names and labels, and the page that shows them.

A label has one of a few words that stand in the code or that the operator chose: names of routes, never paths; codes of
errors and reasons, never what was sent. So nobody outside can make one more series by asking for something odd.

This module imports prometheus_client, so it is imported only where metrics are wanted.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import Any, Protocol

from attrs import frozen
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from konnectd import __version__
from konnectd.authority import Rebuff
from konnectd.happenings import Authorized, Happening, Rejected, SignedIn, SignInRefused, TokensIssued
from konnectd.http import NO_STORE, HttpRequest, HttpResponse
from konnectd.interfaces import RefusalReason
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.vitals import PoolUse
from konnectd.web.errors import as_json
from konnectd.web.happened import TOO_MANY_TRIES, UNAVAILABLE
from konnectd.web.route import Route

PATH = "/metrics"
#: What stands for a word that is not among those there are, and for no route at all.
OTHER, NO_ROUTE = "other", "-"
#: Seconds. Most answers take less than a millisecond; a directory may take its time.
_ANSWERS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_CALLS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_DELAYS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_REFUSALS = frozenset({*map(str, RefusalReason), TOO_MANY_TRIES, UNAVAILABLE})
#: Stands for the backend where an external authority says who somebody is; and why it does not.
_AUTHORITY = "authority"
_REBUFFS = frozenset({*map(str, Rebuff), UNAVAILABLE})
_CODES = frozenset(map(str, ErrorCode))
_TOKEN_ROUTE = "token"  # noqa: S105 - the name of a route


class Audit(Protocol):
    """What of the audit log is counted."""

    @property
    def lost(self) -> int:
        """Entries that were given up."""
        ...

    @property
    def waiting(self) -> int:
        """Entries that are not written yet."""
        ...


@frozen(kw_only=True)
class Key:
    """A key, and since when there is one.

    Attributes:
        kid: its id.
        since: when its file was changed last, in seconds since the epoch.
    """

    kid: str
    since: float


class Metrics:
    """Counts."""

    def __init__(self, *, backend: str, store: str) -> None:
        """Begin with nothing counted.

        Args:
            backend: its name.
            store: its name.
        """
        # A second series beside each, which says when the first began: Prometheus does not need it.
        quiet: Any = disable_created_metrics  # without types
        quiet()
        self.registry = CollectorRegistry()
        self._backend = backend
        self._store = store
        self._grant_types: frozenset[str] = frozenset()
        # Finding a series by its labels takes longer than counting.
        self._by_answer: dict[tuple[str, int], tuple[Any, Any]] = {}
        self._by_labels: dict[tuple[object, ...], Any] = {}
        self._requests = self._counter("http_requests", "Answers by route and class of status.", "route", "status")
        self._seconds = self._histogram(
            "http_request_duration_seconds", "Time from the whole request to its answer.", _ANSWERS, "route"
        )
        self._sign_ins = self._counter("sign_ins", "Attempts to sign in by their outcome.", "backend", "outcome")
        self._authorizations = self._counter("authorizations", "Answers to clients about people.", "outcome")
        self._tokens = self._counter(
            "token_requests", "Token requests by grant type and outcome.", "grant_type", "outcome"
        )
        self._errors = self._counter("token_errors", "Errors of the token endpoint by their code.", "code")
        self._reasons = self._counter("refusals", "Refused requests by route and reason.", "route", "reason")
        self._backend_calls = self._histogram(
            "backend_call_duration_seconds", "Time of calls to the backend.", _CALLS, "backend", "call", "outcome"
        )
        self._store_calls = self._histogram(
            "store_call_duration_seconds", "Time of calls to the store.", _CALLS, "store", "call", "outcome"
        )
        self._delay = self._histogram("reactor_delay_seconds", "How late the reactor is, once a second.", _DELAYS)
        self._reloads = self._counter("reloads", "Reloads by their outcome.", "outcome")
        self._refused = self._gauge("last_reload_refused", "Whether the last reload was refused: 1, or 0.")
        self._ages: Gauge | None = None
        self._gauge("build_info", "The version that runs.", "version").labels(__version__).set(1)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        """Make a counter."""
        return Counter(f"konnectd_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        """Make a gauge."""
        return Gauge(f"konnectd_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        """Make a histogram."""
        return Histogram(f"konnectd_{name}", text, labels, registry=self.registry, buckets=buckets)

    def observe(self, route: Route | None, _request: HttpRequest, answer: HttpResponse, seconds: float) -> None:
        """Count an answer and what it came of; the request itself is not looked at."""
        name = NO_ROUTE if route is None else route.name
        key = (name, answer.status // 100)
        children = self._by_answer.get(key)
        if children is None:
            children = (self._requests.labels(name, f"{key[1]}xx"), self._seconds.labels(name))
            self._by_answer[key] = children
        children[0].inc()
        children[1].observe(seconds)
        for happening in answer.happened:
            self._count(name, happening)

    def _count(self, route: str, happening: Happening) -> None:
        """Count what an answer came of."""
        match happening:
            case SignedIn(recognized=recognized, authority=authority):
                outcome = "recognized" if recognized else "signed_in"
                self._one(self._sign_ins, _AUTHORITY if authority else self._backend, outcome).inc()
            case SignInRefused(reason=reason, authority=authority):
                backend, words = (_AUTHORITY, _REBUFFS) if authority else (self._backend, _REFUSALS)
                self._one(self._sign_ins, backend, _among(reason, words)).inc()
            case Authorized():
                self._one(self._authorizations, "granted").inc()
            case TokensIssued(grant_type=grant_type):
                self._one(self._tokens, _among(grant_type, self._grant_types), "issued").inc()
            case Rejected():
                self._refuse(route, happening)
            case _:
                return

    def _one(self, metric: Counter | Histogram, *labels: str) -> Any:  # noqa: ANN401 - either kind
        """Return the series of some labels."""
        key = (metric, *labels)
        found = self._by_labels.get(key)
        if found is None:
            found = self._by_labels[key] = metric.labels(*labels)
        return found

    def _refuse(self, route: str, rejected: Rejected) -> None:
        """Count a refusal; the names of reasons stand in a table of ours."""
        self._one(self._reasons, route, rejected.reason).inc()
        if route == _TOKEN_ROUTE:
            self._one(self._tokens, _among(rejected.grant_type, self._grant_types), "refused").inc()
            self._one(self._errors, _among(rejected.error, _CODES)).inc()
        elif route == "authorize":
            self._one(self._authorizations, "refused").inc()

    def backend_call(self, call: str, outcome: str, seconds: float) -> None:
        """Count a call to the backend."""
        self._one(self._backend_calls, self._backend, call, outcome).observe(seconds)

    def store_call(self, call: str, outcome: str, seconds: float) -> None:
        """Count a call to the store."""
        self._one(self._store_calls, self._store, call, outcome).observe(seconds)

    def reloaded(self, *, done: bool) -> None:
        """Count a reload."""
        self._one(self._reloads, "done" if done else "refused").inc()
        self._refused.set(0 if done else 1)

    def delay(self, seconds: float) -> None:
        """Count how late the reactor is."""
        self._delay.observe(seconds)

    def know_grants(self, grant_types: Collection[str]) -> None:
        """Take the grant types that are on: the words that a label may have."""
        self._grant_types = frozenset(grant_types)

    def watch_connections(self, count: Callable[[], int]) -> None:
        """Show how many connections are open."""
        self._gauge("http_connections", "Open connections.").set_function(count)

    def watch_pools(self, pools: Callable[[], Iterable[PoolUse]]) -> None:
        """Show how connections to what is behind us are used."""
        self.registry.register(_Pools(pools))

    def watch_keys(self, keys: Iterable[Key], now: Callable[[], float]) -> None:
        """Show how old keys that sign are; of those that were shown before, nothing any more."""
        if self._ages is None:
            text = "Time since the file of a signing key was changed."
            self._ages = self._gauge("signing_key_age_seconds", text, "kid")
        self._ages.clear()
        for key in keys:
            self._ages.labels(key.kid).set_function(partial(_age, key, now))

    def watch_audit(self, audit: Audit) -> None:
        """Show how the audit log is."""
        self._gauge("audit_waiting", "Entries of the audit log that are not written yet.").set_function(
            lambda: audit.waiting
        )
        self.registry.register(_Lost(audit))

    def routes(self) -> tuple[Route, ...]:
        """Return the page for Prometheus."""
        return (Route(path=PATH, methods=("GET",), respond=self.on_metrics, face=as_json, name="metrics"),)

    async def on_metrics(self, request: HttpRequest) -> HttpResponse:  # noqa: ARG002 - what answers is a Respond
        """Show everything."""
        headers = ((b"Content-Type", CONTENT_TYPE_PLAIN_0_0_4.encode("ascii")), *NO_STORE)
        return HttpResponse(headers=headers, body=generate_latest(self.registry))


def _age(key: Key, now: Callable[[], float]) -> float:
    """Return how old a key is, in seconds; never less than nothing, whatever the clock says."""
    return max(now() - key.since, 0.0)


def _among(word: str, known: Collection[str]) -> str:
    """Return a word if it is one of those there are."""
    return word if word in known else OTHER


class _Pools(Collector):
    """Reads pools when somebody looks."""

    def __init__(self, pools: Callable[[], Iterable[PoolUse]]) -> None:
        """Keep what tells."""
        self._pools = pools

    def collect(self) -> Iterator[Metric]:
        """Yield what there is to see."""
        connections = GaugeMetricFamily(
            "konnectd_pool_connections", "Connections to what is behind us.", labels=["pool", "state"]
        )
        limits = GaugeMetricFamily("konnectd_pool_limit", "How many there may be.", labels=["pool"])
        waiting = GaugeMetricFamily("konnectd_pool_waiting", "What waits for one.", labels=["pool"])
        for use in self._pools():
            connections.add_metric([use.name, "busy"], use.busy)
            connections.add_metric([use.name, "idle"], use.idle)
            limits.add_metric([use.name], use.limit)
            waiting.add_metric([use.name], use.waiting)
        yield from (connections, limits, waiting)


class _Lost(Collector):
    """Reads how much of the audit log was lost."""

    def __init__(self, audit: Audit) -> None:
        """Keep what tells."""
        self._audit = audit

    def collect(self) -> Iterator[Metric]:
        """Yield the one figure."""
        yield CounterMetricFamily(
            "konnectd_audit_lost", "Entries of the audit log that were given up.", value=self._audit.lost
        )
