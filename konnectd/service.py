"""The daemon as a service: what is read at start, what runs, and in which order it ends.

How its parts fit together is `konnectd.assembly`.
"""

from collections.abc import Callable
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from konnectd import __version__, loader
from konnectd.assembly import World, assemble
from konnectd.config.contents import Contents, read_contents
from konnectd.config.settings import Settings
from konnectd.interfaces import BackendUnavailableError, PasswordBackend
from konnectd.jose.signing import Defer
from konnectd.listener import Listener, end_process
from konnectd.option import ConfigError, ConfigErrors
from konnectd.web.locales import BrokenCatalogError
from konnectd.web.route import Route
from konnectd.web.template_check import BrokenTemplateError

log = Logger(namespace="konnectd")


def threads(reactor: Any) -> Defer:  # noqa: ANN401 - Twisted's reactor has no one type
    """Return what runs a slow signature in the reactor's threads."""

    def defer(function: Any, message: bytes, /) -> Deferred[bytes]:  # noqa: ANN401 - as `Defer` has it
        return deferToThreadPool(reactor, reactor.getThreadPool(), function, message)

    return defer


def build_backend(settings: Settings, reactor: Any) -> PasswordBackend:  # noqa: ANN401 - Twisted's reactor
    """Make the backend that the operator chose.

    Raises:
        ConfigErrors: its settings are wrong.
    """
    module = loader.load("konnectd.backends", settings.backend)
    try:
        backend: PasswordBackend = module.build(settings.backend_options, reactor, insecure=settings.insecure)
    except ConfigErrors as error:
        raise ConfigErrors(settings.locate(fault) for fault in error.faults) from error
    return backend


class BackendWatch(MultiService):
    """Tries the backend at start, and lets go of it when the services in it have ended: they are who needs it.

    A wrong setting ends the process. A backend that does not answer does not: it may come up after us, and keys,
    metadata and tokens can be served without it.
    """

    def __init__(
        self,
        settings: Settings,
        backend: PasswordBackend,
        reactor: Any,  # noqa: ANN401 - Twisted's reactor has no one type
        end: Callable[[Any, int], object] = end_process,
    ) -> None:
        """Keep what is watched, and what ends a process with a status."""
        super().__init__()  # type: ignore[no-untyped-call] # without types
        self._settings = settings
        self._backend = backend
        self._reactor = reactor
        self._end = end

    def startService(self) -> None:
        """Begin to try."""
        super().startService()  # type: ignore[no-untyped-call]
        Deferred.fromCoroutine(self._check())

    def stopService(self) -> Deferred[None]:
        """Let everybody end, then the backend."""
        return Deferred.fromCoroutine(self._stop(super().stopService()))  # type: ignore[no-untyped-call]

    async def _stop(self, ended: Deferred[Any]) -> None:
        """Close the backend after the rest has ended."""
        await ended
        await self._backend.close()

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


def make_service(settings: Settings, reactor: Any) -> MultiService:  # noqa: ANN401 - Twisted's reactor
    """Make the whole daemon.

    Raises:
        ConfigErrors: a file or a setting is wrong; all faults at once.
    """
    contents, backend = read_world(settings, reactor)
    world = World.build(settings, contents, backend, threads(reactor))
    try:
        return serve(settings, world, reactor)
    except (BrokenTemplateError, BrokenCatalogError, LookupError) as error:
        raise ConfigErrors([ConfigError("templates", str(error))]) from error


def read_world(settings: Settings, reactor: Any) -> tuple[Contents, PasswordBackend]:  # noqa: ANN401 - reactor
    """Read the files and make the backend.

    Raises:
        ConfigErrors: all faults of both.
    """
    faults: list[ConfigError] = []
    contents: Contents | None = None
    backend: PasswordBackend | None = None
    try:
        contents = read_contents(settings, warn=warn)
    except ConfigErrors as error:
        faults += error.faults
    try:
        backend = build_backend(settings, reactor)
    except ConfigErrors as error:
        faults += error.faults
    if contents is None or backend is None:
        raise ConfigErrors(faults)
    return contents, backend


def serve(settings: Settings, world: World, reactor: Any, *more: Route) -> MultiService:  # noqa: ANN401 - reactor
    """Make the services of a daemon, with further routes if there are any."""
    site = assemble(world).site(reactor, *more)
    log.info(
        "konnectd {version} is {issuer}, with users from the {backend} backend",
        version=__version__,
        issuer=settings.iss,
        backend=settings.backend,
    )
    service = BackendWatch(settings, world.backend, reactor)
    Listener(settings.listen, site, reactor).setServiceParent(service)
    return service


def warn(text: str) -> None:
    """Log what an operator should look at."""
    log.warn("{advice}", advice=text)
