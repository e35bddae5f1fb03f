"""Reading everything that a start would read, and putting it together, without starting anything.

Nothing is connected to, listened at, locked or written. ``konnectd check-config`` asks this, and so does a daemon that
reads its configuration anew; so what the one accepts, the other accepts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import get_ident
from typing import Any, TypeVar

from attrs import field, frozen
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer

from konnectd.assembly import put_together
from konnectd.background import Background
from konnectd.config.branding import read_branding
from konnectd.config.contents import Contents, read_contents
from konnectd.config.given import Given
from konnectd.config.options import OPTIONS
from konnectd.config.settings import Settings, survey
from konnectd.interfaces import Backend, Store
from konnectd.late_authorities import check_ways_in
from konnectd.listener import Listener
from konnectd.looks import Looks
from konnectd.option import ConfigError, ConfigErrors
from konnectd.parts import World
from konnectd.protocol.branding import PLAIN, Branding
from konnectd.service import build_backend, build_store, fault_of_templates
from konnectd.web.locales import BrokenCatalogError
from konnectd.web.template_check import BrokenTemplateError
from konnectd.world import SystemEntropy

_Made = TypeVar("_Made")


@frozen(kw_only=True)
class Inspection:
    """What is known about a configuration.

    Attributes:
        settings: of use only when there are no faults.
        faults: why the daemon would not start.
        warnings: what an operator should look at.
        advice: those of them that are not in the log.
        contents: what the files hold; None when some of them are wrong.
        looks: None when there is something wrong with templates.
        backend: None when its settings are wrong. It has not connected to anything.
        store: as for the backend.
    """

    settings: Settings
    faults: tuple[ConfigError, ...]
    warnings: tuple[str, ...]
    advice: tuple[str, ...] = ()
    contents: Contents | None = None
    looks: Looks | None = field(default=None, repr=False)
    backend: Backend | None = None
    store: Store | None = None


def inspect(
    argv: Sequence[str],
    environ: Mapping[str, str],
    reactor: Any,  # noqa: ANN401 - a reactor is many interfaces at once
    *,
    defaults: Sequence[Given] = (),
    earlier: Contents | None = None,
) -> Inspection:
    """Read everything that a start would read, and put it together.

    Args:
        argv: the words after ``serve``.
        environ: the environment variables.
        reactor: nothing is begun with it, so this may be done in a thread beside it.
        defaults: what counts where nobody said anything.
        earlier: what counts until now, in a daemon that runs.
    """
    settings, faults_of_settings = survey(argv, environ, defaults=defaults)
    found = list(faults_of_settings)
    advice, heard = [*settings.warnings], list[str]()
    with overheard(heard):
        contents = _kept(found, lambda: read_contents(settings, warn=advice.append, earlier=earlier))
        backend = _kept(found, lambda: build_backend(settings, reactor)) if settings.backend else None
        store = _kept(found, lambda: build_store(settings, reactor))
        _kept(found, lambda: check_ways_in(settings, contents, backend))
        # Of this, what is wrong has been told as well.
        branding = contents.branding if contents is not None else _kept([], lambda: read_branding(settings.branding))
        looks = _kept(found, lambda: read_looks(settings, branding or PLAIN))
        if contents is not None and backend is not None and store is not None and looks is not None:
            world = World.build(settings, contents, backend, store)
            _kept(found, lambda: _put_together(world, looks, reactor))
    return Inspection(
        settings=settings,
        faults=tuple(_once(found, faults_of_settings)),
        warnings=tuple(dict.fromkeys((*advice, *heard))),
        advice=tuple(dict.fromkeys(advice)),
        contents=contents,
        looks=looks,
        backend=backend,
        store=store,
    )


def read_looks(settings: Settings, branding: Branding) -> Looks:
    """Read what makes pages.

    Raises:
        ConfigErrors: pictures, texts, templates or languages are wrong.
    """
    try:
        return Looks.read(settings, branding, SystemEntropy())
    except (BrokenTemplateError, BrokenCatalogError, LookupError) as error:
        raise ConfigErrors([fault_of_templates(settings, error)]) from error


@contextmanager
def overheard(warnings: list[str]) -> Iterator[None]:
    """Collect what is logged meanwhile, in this very thread, that an operator should look at."""
    observer: Any = _Overhearing(warnings, get_ident())
    globalLogPublisher.addObserver(observer)
    try:
        yield
    finally:
        globalLogPublisher.removeObserver(observer)


@implementer(ILogObserver)
@frozen(eq=False)
class _Overhearing:
    """Keeps the text of warnings, and of what is worse; what happens beside it is somebody else's."""

    warnings: list[str]
    thread: int

    def __call__(self, event: LogEvent) -> None:
        """Keep one."""
        if event.get("log_level", LogLevel.info) >= LogLevel.warn and get_ident() == self.thread:
            self.warnings.append(formatEvent(event))


def _kept(faults: list[ConfigError], make: Callable[[], _Made]) -> _Made | None:
    """Make something; what is wrong with it is kept."""
    try:
        return make()
    except ConfigErrors as error:
        faults += error.faults
        return None


def _put_together(world: World, looks: Looks, reactor: Any) -> None:  # noqa: ANN401 - see above
    """Put the daemon together, and let go of it.

    Raises:
        ConfigErrors: addresses to listen at are wrong.
    """
    settings = world.settings
    world.introduce()
    site = put_together(world, Background(reactor), looks).site(reactor)
    # A socket that systemd hands over is there for the daemon alone.
    addresses = [text for text in settings.listen if not text.startswith("systemd:")]
    if addresses:
        try:
            Listener(addresses, site, reactor)
        except ConfigErrors as error:
            raise ConfigErrors(settings.locate(fault) for fault in error.faults) from error


def _once(found: Iterable[ConfigError], of_settings: tuple[ConfigError, ...]) -> Iterator[ConfigError]:
    """Yield each fault once, and none that only comes of a setting having given way to its default."""
    wrong = {_plain(fault.option) for fault in of_settings}
    told: set[str] = set()
    for fault in found:
        if str(fault) not in told and (fault in of_settings or _plain(fault.option) not in wrong):
            told.add(str(fault))
            yield fault


def _plain(name: str) -> str:
    """Return the name of an option without dashes and capitals, by whichever of its names it is called."""
    bare = name.removeprefix("--").replace("-", "_").lower()
    for option in OPTIONS:
        if bare in {option.dest, *(key.lower() for key in option.keys), *(key.lower() for key in option.env)}:
            return option.dest
    return bare
