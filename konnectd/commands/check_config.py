"""``konnectd check-config``: what a start would say about the configuration, without starting anything.

Everything is read that a start reads, and put together as it would be. Nothing is connected to, listened at, locked or
written. A daemon that reads its configuration anew can ask the same question first: `inspect`.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from attrs import field, frozen
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer

from konnectd.assembly import assemble
from konnectd.background import Background
from konnectd.commands.words import FAULTY, OK, Words, asks_for_help, complain, misused, shown, usage
from konnectd.config import backends
from konnectd.config.branding import read_branding
from konnectd.config.contents import Contents, read_contents
from konnectd.config.options import OPTIONS
from konnectd.config.settings import Settings, survey
from konnectd.interfaces import Backend, Store
from konnectd.listener import Listener
from konnectd.looks import Looks
from konnectd.option import ConfigError, ConfigErrors, Option, switch
from konnectd.parts import World
from konnectd.service import build_backend, build_store, fault_of_templates
from konnectd.web.locales import BrokenCatalogError
from konnectd.web.template_check import BrokenTemplateError
from konnectd.world import SystemEntropy

OWN_OPTIONS: tuple[Option, ...] = (
    Option(
        name="json",
        help="Print JSON: ok, faults, warnings and settings, for programs.",
        parse=switch,
        default=False,
        metavar="",
    ),
)
SYNOPSIS = "konnectd check-config [options] [BACKEND]"
_PURPOSE = (
    "Reads everything that konnectd serve would read with the same options, connects to nothing and writes nothing."
    " Tells all faults, or the settings that count and where each comes from."
)
_FURTHER = "All options of konnectd serve can be given; konnectd serve --help lists them."
#: What stands for a secret.
MASK = "(not shown)"
_DEFAULT = "default"
_Made = TypeVar("_Made")


@frozen(kw_only=True)
class Inspection:
    """What is known about a configuration.

    Attributes:
        settings: of use only when there are no faults.
        faults: why the daemon would not start.
        warnings: what an operator should look at.
        contents: what the files hold; None when some of them are wrong.
        backend: None when its settings are wrong. It has not connected to anything.
        store: as for the backend.
    """

    settings: Settings
    faults: tuple[ConfigError, ...]
    warnings: tuple[str, ...]
    contents: Contents | None = None
    backend: Backend | None = None
    store: Store | None = None


@frozen(kw_only=True)
class Row:
    """A setting that counts.

    Attributes:
        name: in the configuration file.
        value: as it would be written there; a secret is not shown.
        source: where it stands.
    """

    name: str
    value: str = field(repr=False)
    source: str


def inspect(
    argv: Sequence[str],
    environ: Mapping[str, str],
    reactor: Any,  # noqa: ANN401 - a reactor is many interfaces at once
) -> Inspection:
    """Read everything that a start would read, and put it together.

    Args:
        argv: the words after ``serve``.
        environ: the environment variables.
        reactor: is not run, and nothing is opened with it.
    """
    settings, faults_of_settings = survey(argv, environ)
    found = list(faults_of_settings)
    warnings = [*settings.warnings]
    with overheard(warnings):
        contents = _kept(found, lambda: read_contents(settings, warn=warnings.append))
        backend = _kept(found, lambda: build_backend(settings, reactor)) if settings.backend else None
        store = _kept(found, lambda: build_store(settings, reactor))
        if contents is not None and backend is not None and store is not None:
            world = World.build(settings, contents, backend, store)
            _kept(found, lambda: _put_together(settings, world, reactor))
        else:
            _kept(found, lambda: _look(settings))
    return Inspection(
        settings=settings,
        faults=tuple(_once(found, faults_of_settings)),
        warnings=tuple(dict.fromkeys(warnings)),
        contents=contents,
        backend=backend,
        store=store,
    )


@contextmanager
def overheard(warnings: list[str]) -> Iterator[None]:
    """Collect what is logged meanwhile that an operator should look at."""
    observer: Any = _Overhearing(warnings)
    globalLogPublisher.addObserver(observer)
    try:
        yield
    finally:
        globalLogPublisher.removeObserver(observer)


@implementer(ILogObserver)
@frozen(eq=False)
class _Overhearing:
    """Keeps the text of warnings, and of what is worse."""

    warnings: list[str]

    def __call__(self, event: LogEvent) -> None:
        """Keep one."""
        if event.get("log_level", LogLevel.info) >= LogLevel.warn:
            self.warnings.append(formatEvent(event))


def _kept(faults: list[ConfigError], make: Callable[[], _Made]) -> _Made | None:
    """Make something; what is wrong with it is kept."""
    try:
        return make()
    except ConfigErrors as error:
        faults += error.faults
        return None


def _look(settings: Settings) -> None:
    """Read what makes pages, where the rest can not be put together.

    Raises:
        ConfigErrors: pictures, texts, templates or languages are wrong.
    """
    try:
        Looks.read(settings, read_branding(settings.branding), SystemEntropy())
    except (BrokenTemplateError, BrokenCatalogError, LookupError) as error:
        raise ConfigErrors([fault_of_templates(settings, error)]) from error


def _put_together(settings: Settings, world: World, reactor: Any) -> None:  # noqa: ANN401 - see above
    """Put the daemon together, and let go of it.

    Raises:
        ConfigErrors: templates, languages or addresses to listen at are wrong.
    """
    try:
        site = assemble(world, Background(reactor)).site(reactor)
    except (BrokenTemplateError, BrokenCatalogError, LookupError) as error:
        raise ConfigErrors([fault_of_templates(settings, error)]) from error
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


def rows(settings: Settings) -> tuple[Row, ...]:
    """Return the settings that count, in the order of the table of options."""
    options = (
        *OPTIONS,
        *backends.describe(backends.PACKAGE, settings.backend).options,
        *backends.describe(backends.STORES, settings.store).options,
    )
    return tuple(
        Row(
            name=option.key,
            value=_shown_value(option, settings.effective.get(option.dest)),
            source=settings.sources.get(option.dest, _DEFAULT),
        )
        for option in options
    )


def _shown_value(option: Option, value: object) -> str:
    """Return a value as it would be written."""
    if value is None or value in ("", ()):
        return ""
    if option.secret:
        return MASK
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def run(
    argv: Sequence[str],
    environ: Mapping[str, str],
    reactor: Any,  # noqa: ANN401 - a reactor is many interfaces at once
) -> int:
    """Check, tell, and return the exit status."""
    if asks_for_help(argv):
        sys.stdout.write(usage(SYNOPSIS, _PURPOSE, OWN_OPTIONS, _FURTHER))
        return OK
    try:
        words = Words.parse(argv, OWN_OPTIONS)
    except ConfigErrors as error:
        return misused("check-config", error)
    found = inspect(words.rest, environ, reactor)
    if words.own["json"]:
        sys.stdout.write(json.dumps(_document(found), indent=2) + "\n")
    else:
        _tell(found)
    return FAULTY if found.faults else OK


def _tell(found: Inspection) -> None:
    """Print what was found: problems on standard error, settings on standard output."""
    for warning in found.warnings:
        complain("check-config", f"warning: {warning}")
    for fault in found.faults:
        complain("check-config", str(fault))
    if found.faults:
        count = len(found.faults)
        complain("check-config", f"{count} {'fault' if count == 1 else 'faults'}; the daemon would not start")
        return
    for row in rows(found.settings):
        sys.stdout.write(f"{row.name} = {shown(row.value)}".rstrip() + f"    # {shown(row.source)}\n")


def _document(found: Inspection) -> Mapping[str, object]:
    """Return what was found, for programs."""
    settings = () if found.faults else rows(found.settings)
    return {
        "ok": not found.faults,
        "faults": [
            {"option": fault.option, "problem": fault.problem, "source": fault.source} for fault in found.faults
        ],
        "warnings": list(found.warnings),
        "settings": [{"name": row.name, "value": row.value, "source": row.source} for row in settings],
    }
