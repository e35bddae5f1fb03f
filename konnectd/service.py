"""The daemon as a service: what is read at start, what runs, and in which order it ends.

How its parts fit together is `konnectd.assembly`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from konnectd import __version__, late_authorities, loader
from konnectd.assembly import assemble
from konnectd.background import Background
from konnectd.config.contents import Contents, read_contents
from konnectd.config.known_people import check_fit
from konnectd.config.settings import Settings
from konnectd.config.traces import digests
from konnectd.interfaces import Backend, BackendUnavailableError, Fetch, Store
from konnectd.jose.signing import Defer
from konnectd.late_fetch import LateFetch
from konnectd.late_generations import Standing, build_reloads
from konnectd.late_rotation import build_rotation
from konnectd.listener import Listener, end_process
from konnectd.looks import Looks
from konnectd.notices import Notices
from konnectd.option import ConfigError, ConfigErrors
from konnectd.parts import World
from konnectd.reach import Reach
from konnectd.reloading import Outcome, Reloads
from konnectd.supervisor import Supervisor
from konnectd.survey import Machine, Plan, Survey, stats
from konnectd.vitals import Probed
from konnectd.watching.health import Health, Probe
from konnectd.watching.measured import bare
from konnectd.web.locales import BrokenCatalogError
from konnectd.web.route import Route
from konnectd.web.template_check import BrokenTemplateError
from konnectd.world import SystemClock

if TYPE_CHECKING:
    from konnectd.watch_assembly import Watch

Made = TypeVar("Made")

log = Logger(namespace="konnectd")


def threads(reactor: Any) -> Defer:  # noqa: ANN401 - Twisted's reactor has no one type
    """Return what runs a slow signature in the reactor's threads."""

    def defer(function: Any, message: bytes, /) -> Deferred[bytes]:  # noqa: ANN401 - as `Defer` has it
        return deferToThreadPool(reactor, reactor.getThreadPool(), function, message)

    return defer


def build_backend(settings: Settings, reactor: Any) -> Backend:  # noqa: ANN401 - Twisted's reactor
    """Make the backend that the operator chose.

    Raises:
        ConfigErrors: its settings are wrong.
    """
    module = loader.load("konnectd.backends", settings.backend)
    try:
        # Only those that say that they take words are given some.
        words = {"words": settings.backend_args} if hasattr(module, "ARGUMENTS") else {}
        backend: Backend = module.build(settings.backend_options, reactor, insecure=settings.insecure, **words)
        check_fit(settings, backend)
    except ConfigErrors as error:
        raise ConfigErrors(settings.locate(fault) for fault in error.faults) from error
    return backend


def build_store(settings: Settings, reactor: Any) -> Store:  # noqa: ANN401 - Twisted's reactor
    """Make the store that the operator chose.

    Raises:
        ConfigErrors: its settings are wrong.
    """
    module = loader.load("konnectd.stores", settings.store)
    options = settings.store_options
    try:
        store: Store = module.build(options, reactor, SystemClock(), insecure=settings.insecure)
    except ConfigErrors as error:
        raise ConfigErrors(settings.locate(fault) for fault in error.faults) from error
    return store


def build_fetch(settings: Settings, reactor: Any) -> Fetch:  # noqa: ANN401 - Twisted's reactor
    """Return what asks addresses that clients chose."""

    def make() -> Fetch:
        from konnectd.fetch import GuardedFetch  # noqa: PLC0415 - brings Twisted's HTTP client, at the first request

        return GuardedFetch.over_network(reactor, Reach(settings.fetch_allow), insecure=settings.insecure)

    return LateFetch(make)


class BackendWatch(MultiService):
    """Tries backend and store at start, and lets go of them when the services in it, which need them, have ended.

    A wrong setting ends the process. A backend or a store that does not answer does not: it may come up after us, and
    keys, metadata and tokens can be served without it.

    Attributes:
        reloads: let what files say now count; None where nothing is read anew.
    """

    reloads: Reloads | None = None

    def __init__(
        self,
        settings: Settings,
        backend: Backend,
        reactor: Any,  # noqa: ANN401 - Twisted's reactor has no one type
        end: Callable[[Any, int], object] = end_process,
        *,
        store: Store,
    ) -> None:
        """Keep what is watched, and what ends a process with a status."""
        super().__init__()  # type: ignore[no-untyped-call] # without types
        self._settings = settings
        self._backend = backend
        self._store = store
        self._reactor = reactor
        self._end = end

    def startService(self) -> None:
        """Begin to try."""
        super().startService()  # type: ignore[no-untyped-call]
        Deferred.fromCoroutine(self._check())
        Deferred.fromCoroutine(self._check_store())

    def stopService(self) -> Deferred[None]:
        """Let everybody end, then backend and store."""
        return Deferred.fromCoroutine(self._stop(super().stopService()))  # type: ignore[no-untyped-call]

    async def _stop(self, ended: Deferred[Any]) -> None:
        """Close backend and store after the rest has ended."""
        await ended
        await self._backend.close()
        await self._store.close()

    async def _check(self) -> None:
        """Try the backend, and say in one line each what is wrong."""
        try:
            await self._backend.check()
        except ConfigErrors as error:
            for fault in error.faults:
                log.critical("{fault}", fault=str(self._settings.locate(fault)))
            self._end(self._reactor, 1)
        except BackendUnavailableError as error:
            if self.running:
                text = "the {backend} backend does not answer, nobody can sign in until it does: {error}"
                log.error(text, backend=self._settings.backend, error=str(error))
        except Exception:
            log.failure("checking the backend failed")

    async def _check_store(self) -> None:
        """Ask the store for something nobody has kept there, and say in one line when it does not answer."""
        try:
            await self._store.get("start")
        except BackendUnavailableError as error:
            if self.running:
                text = "the {store} store does not answer, nobody can sign in until it does: {error}"
                log.error(text, store=self._settings.store, error=str(error))
        except Exception:
            log.failure("checking the store failed")


def make_service(
    settings: Settings,
    reactor: Any,  # noqa: ANN401 - Twisted's reactor
    supervisor: Supervisor = Supervisor(),  # noqa: B008 - frozen
) -> Any:  # noqa: ANN401 - services carry no types
    """Make the whole daemon.

    Args:
        settings: what the operator wants.
        reactor: not running yet.
        supervisor: started the process.

    Raises:
        ConfigErrors: a file or a setting is wrong; all faults at once.
    """
    contents, backend, store = read_world(settings, reactor)
    watch = build_watch(settings, contents, reactor)
    if watch is not None:
        backend, store = watch.measured(backend, store)
    fetch, ask = build_fetch(settings, reactor), late_authorities.build_ask(settings, reactor)
    world = World.build(settings, contents, backend, store, threads(reactor), fetch, ask)
    try:
        service = serve(settings, world, reactor, supervisor=supervisor, watch=watch, reads_again=True)
    except (BrokenTemplateError, BrokenCatalogError, LookupError) as error:
        raise ConfigErrors([fault_of_templates(settings, error)]) from error
    # Not in `serve`, which the demo is made of as well.
    survey = build_survey(settings, contents.encryption_secret, reactor)
    if survey is not None:
        survey.setServiceParent(service)  # type: ignore[no-untyped-call] # without types
    return service


def build_survey(settings: Settings, secret: bytes, reactor: Any) -> Survey | None:  # noqa: ANN401 - Twisted's reactor
    """Return what sends the usage survey; None if it is not sent."""
    said = settings.survey
    if not said.is_sent(settings.iss):
        return None
    values = stats(Machine.read(), secret=secret, issuer=settings.iss, version=__version__, backend=settings.backend)

    async def post(body: bytes) -> None:
        from konnectd.survey_post import SurveyPost  # noqa: PLC0415 - brings treq, at the first report

        await SurveyPost(reactor, said.survey_url, insecure=said.survey_insecure)(body)

    plan = Plan(start_delay=said.survey_start_delay, error_delay=said.survey_error_delay, interval=said.survey_interval)
    return Survey(plan, values, said.survey_url, post, reactor)


def fault_of_templates(settings: Settings, error: Exception) -> ConfigError:
    """Say what is wrong with a template; of one of the operator's, where it is."""
    over = settings.branding.templates_path
    if over is None:
        return ConfigError("templates", str(error))
    if isinstance(error, BrokenTemplateError) and (over / error.name).is_file():
        source = f"{over / error.name}:{error.line}" if error.line else str(over / error.name)
        return ConfigError("templates_path", error.problem, source)
    return settings.locate(ConfigError("templates_path", str(error)))


def read_world(settings: Settings, reactor: Any) -> tuple[Contents, Backend, Store]:  # noqa: ANN401 - reactor
    """Read the files and make the backend and the store.

    Raises:
        ConfigErrors: all faults of all three.
    """
    faults: list[ConfigError] = []
    contents = _keep_faults(faults, lambda: read_contents(settings, warn=warn))
    backend = _keep_faults(faults, lambda: build_backend(settings, reactor))
    store = _keep_faults(faults, lambda: build_store(settings, reactor))
    _keep_faults(faults, lambda: late_authorities.check_ways_in(settings, contents, backend))
    if faults or contents is None or backend is None or store is None:
        raise ConfigErrors(faults)
    return contents, backend, store


def _keep_faults(faults: list[ConfigError], make: Callable[[], Made]) -> Made | None:
    """Make something; what is wrong with it is kept, to be told together with the rest."""
    try:
        return make()
    except ConfigErrors as error:
        faults += error.faults
        return None


def build_watch(settings: Settings, contents: Contents, reactor: Any) -> "Watch | None":  # noqa: ANN401 - reactor
    """Make what watches the daemon; None when nobody asks for it, who then need not wait for it to be imported.

    Raises:
        ConfigErrors: the audit log can not be written, or something is listened at that is no address.
    """
    wanted = settings.watching
    if not (wanted.with_metrics or wanted.with_pprof or wanted.audit_log):
        return None
    from konnectd.watch_assembly import Watch  # noqa: PLC0415 - see above

    try:
        return Watch.build(settings, contents, reactor)
    except ConfigErrors as error:
        raise ConfigErrors(settings.locate(fault) for fault in error.faults) from error


def probes(world: World) -> dict[str, Probe]:
    """Return how to find out whether backend and store answer; a backend that asks nobody always does."""
    backend, store = bare(world.backend), world.store
    found: dict[str, Probe] = {"store": lambda: store.get("ready")}
    return {"backend": backend.probe, **found} if isinstance(backend, Probed) else found


def serve(
    settings: Settings,
    world: World,
    reactor: Any,  # noqa: ANN401 - Twisted's reactor has no one type
    *more: Route,
    supervisor: Supervisor = Supervisor(),  # noqa: B008 - frozen
    watch: "Watch | None" = None,
    reads_again: bool = False,
) -> Any:  # noqa: ANN401 - services carry no types
    """Make the services of a daemon.

    Args:
        settings: what the operator wants.
        world: what it is built on.
        reactor: not running yet.
        more: further routes.
        supervisor: started the process.
        watch: watches it; None for nobody.
        reads_again: whether its world is what files say, so that they can be read anew.

    Raises:
        ConfigErrors: there is something wrong with an address.
    """
    background, health = Background(reactor), Health(reactor, probes(world))
    assembly, further = assemble(world, background), (*health.routes(), *more)
    site = assembly.site(reactor, *further, observe=watch.observe if watch is not None else None)
    tell(settings, world)
    service = BackendWatch(settings, world.backend, reactor, store=world.store)
    background.setServiceParent(service)  # type: ignore[no-untyped-call] # without types
    late_authorities.watch(world.authorities.values(), service)
    health.setServiceParent(service)
    notices = Notices(supervisor, reactor, f"Serving {settings.iss}")
    # Where nobody said where to listen, sockets that were handed over say it better than the default.
    addresses = settings.listen if "listen" in settings.sources or not supervisor.descriptors else ()
    listener = Listener(addresses, site, reactor, descriptors=supervisor.descriptors, opened=notices.ready)
    listener.setServiceParent(service)
    notices.setServiceParent(service)
    if reads_again:
        standing = Standing(
            site=site,
            background=background,
            more=further,
            reactor=reactor,
            defer=threads(reactor),
            files=digests(settings.backend_options),
            watching=watch,
        )
        read_again(service, world, assembly.looks, standing, notices, watch)
    return service if watch is None else watch.around(service, health, site, tuple(world.grants()))


def read_again(
    service: BackendWatch,
    world: World,
    looks: Looks,
    standing: Standing,
    notices: Notices,
    watch: "Watch | None",
) -> None:
    """Let a daemon read its files anew, and rotate its keys where that is wanted.

    Args:
        service: the daemon.
        world: counts now.
        looks: the same.
        standing: what those that follow have in common with it.
        notices: tell who started the process.
        watch: watches it; None for nobody.
    """

    async def reload(reason: str) -> Outcome:
        return await reloads.reload(reason)

    rotation = build_rotation(world, standing.reactor, reload, watch)
    if rotation is not None:
        standing = evolve(standing, watching=rotation)
    service.reloads = reloads = build_reloads(world, looks, standing, notices)
    reloads.setServiceParent(service)
    if rotation is not None:
        rotation.setServiceParent(service)


def tell(settings: Settings, world: World) -> None:
    """Log who we are, and what is not as it was asked for."""
    asked, lives = settings.access_token_expiration, world.lifetimes.access_token
    if lives < asked:
        text = (
            "access tokens live {lives} seconds, not {asked}: sessions of the {backend} backend may be over after that"
        )
        log.warn(text, lives=lives, asked=asked, backend=settings.backend)
    log.info(
        "konnectd {version} is {issuer}, with users from the {backend} backend",
        version=__version__,
        issuer=settings.iss,
        backend=settings.backend,
    )


def warn(text: str) -> None:
    """Log what an operator should look at."""
    log.warn("{advice}", advice=text)
