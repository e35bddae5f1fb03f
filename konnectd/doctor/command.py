"""``konnectd doctor``: everything that keeps people from signing in, looked for in the order in which it is mended."""

import json
import sys
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from konnectd.commands.words import FAULTY, OK, Words, asks_for_help, filled, misused, shown, usage
from konnectd.doctor import files, inside, people, registered, storage
from konnectd.doctor.finding import Finding, Level, fault, good, warning
from konnectd.doctor.outside import Outside
from konnectd.doctor.people import Sight
from konnectd.doctor.probe import Asks, Probe
from konnectd.inspection import Inspection, inspect, overheard
from konnectd.interfaces import Fetch
from konnectd.late_authorities import build_ask
from konnectd.option import ConfigError, ConfigErrors, Option, seconds, switch
from konnectd.parts import World
from konnectd.service import build_fetch

if TYPE_CHECKING:
    from konnectd.authority import Ask

_LONGEST_WAIT = 60


def patience(text: str) -> int:
    """Read how long a question may take, in seconds.

    Raises:
        ValueError: it is no number, 0, or more than a minute.
    """
    found = seconds(text)
    if not 0 < found <= _LONGEST_WAIT:
        raise ValueError(f"must be between 1 and {_LONGEST_WAIT} seconds")
    return found


OWN_OPTIONS: tuple[Option, ...] = (
    Option(
        name="as-user",
        help="Also look this person up, by the name they sign in with, and show what an application gets to know.",
        parse=filled,
        default="",
        metavar="NAME",
    ),
    Option(
        name="client",
        help="With --as-user: the application, by its client_id. Without it, one with public subjects.",
        parse=filled,
        default="",
        metavar="ID",
    ),
    Option(
        name="scope",
        help='With --as-user: what the application asks for, such as "openid profile email". Without it, everything.',
        parse=filled,
        default="",
        metavar="SCOPES",
    ),
    Option(name="timeout", help="How long each question may take.", parse=patience, default=10, metavar="SECONDS"),
    Option(name="json", help="Print JSON: ok, findings and person.", parse=switch, default=False, metavar=""),
)
SYNOPSIS = "konnectd doctor [options] [BACKEND]"
_PURPOSE = (
    "Looks for what keeps people from signing in: files and keys, store, backend, the daemon where it listens, and the"
    " issuer at the address that everybody knows, with certificate, clock and proxy. Each finding has its cause and"
    " what to do about it, in the order in which to do it. Nothing is changed, and no secret is shown."
)
_FURTHER = "Give the options that the daemon is started with; konnectd serve --help lists them."
_MARKS = {Level.GOOD: "good", Level.HINT: "hint", Level.WARNING: "WARNING", Level.FAULT: "FAULT"}
_INDENT = " " * 9
_WIDTH = 100


@frozen(kw_only=True)
class Wanted:
    """What somebody wants to know.

    Attributes:
        username: who is looked up; empty for nobody.
        client_id: which application it is for; empty for none in particular.
        scope: what that asks for; empty for everything.
        timeout: how long each question may take, in seconds.
    """

    username: str = ""
    client_id: str = ""
    scope: str = ""
    timeout: int = 10


@frozen(kw_only=True)
class Report:
    """What was found.

    Attributes:
        findings: in the order in which they are mended.
        sight: what an application would get to know of a person; None if nobody asked.
    """

    findings: tuple[Finding, ...]
    sight: Sight | None = field(default=None, repr=False)

    @property
    def well(self) -> bool:
        """Whether there is no fault."""
        return all(finding.level is not Level.FAULT for finding in self.findings)


async def examine(found: Inspection, wanted: Wanted, probe: Asks, fetch: Fetch, ask: "Ask | None" = None) -> Report:
    """Look at everything.

    Args:
        found: what is known about the configuration.
        wanted: what somebody wants to know besides.
        probe: asks the daemon and the issuer.
        fetch: asks addresses that clients chose.
        ask: asks external authorities.
    """
    findings = list(_configuration(found))
    settings, sight = found.settings, None
    if found.faults or found.contents is None or found.backend is None or found.store is None:
        return Report(findings=tuple(findings))
    world = World.build(settings, found.contents, found.backend, found.store, None, fetch, ask)
    warned: list[str] = []
    try:
        with overheard(warned):
            findings += files.look(settings, world.clock.now)
            findings += await storage.look(settings, found.store)
            findings += await people.look_at_backend(world)
        findings += [_logged(text) for text in dict.fromkeys(warned)]
        if wanted.username:
            more, sight = await people.look_at_person(world, wanted.username, wanted.client_id, wanted.scope)
            findings += more
        findings += await inside.look(settings, probe)
        outside = Outside(settings=settings, probe=probe, keys=found.contents.keys, now=world.clock.now)
        findings += await outside.look()
        findings += await registered.look(found.contents.registry.clients, fetch)
        findings += await _authorities(world)
    finally:
        await found.backend.close()
        await found.store.close()
    return Report(findings=tuple(findings), sight=sight)


async def _authorities(world: World) -> list[Finding]:
    """Look at the external authorities, where there are some."""
    if not world.authorities:
        return []
    from konnectd.doctor import authorities  # noqa: PLC0415 - only where there is something to look at

    return await authorities.look(world.authorities.values())


def _configuration(found: Inspection) -> list[Finding]:
    """Tell what is wrong with the configuration; while something is, the rest can not be looked at."""
    faults = [
        fault(
            "configuration",
            str(each),
            cause="The daemon does not start with this.",
            mend="Mend it where it stands, and call this again; konnectd check-config tells the same.",
        )
        for each in found.faults
    ]
    return [*faults, *(_logged(text) for text in found.warnings)] or [good("configuration", "everything can be read")]


def _logged(text: str) -> Finding:
    """Tell what a start would warn of."""
    return warning("configuration", text, cause="Said when the daemon starts.", mend="Look at what it names.")


def run(
    argv: Sequence[str],
    environ: Mapping[str, str],
    reactor: Any,  # noqa: ANN401 - Twisted's reactor
) -> int:
    """Examine, tell, and return the exit status.

    Args:
        argv: the words after the command.
        environ: the environment variables.
        reactor: not running yet; it runs until everything was looked at.
    """
    if asks_for_help(argv):
        sys.stdout.write(usage(SYNOPSIS, _PURPOSE, OWN_OPTIONS, _FURTHER))
        return OK
    try:
        words = Words.parse(argv, OWN_OPTIONS)
        _check_together(words)
    except ConfigErrors as error:
        return misused("doctor", error)
    wanted = Wanted(
        username=str(words.own["as_user"]),
        client_id=str(words.own["client"]),
        scope=str(words.own["scope"]),
        timeout=int(str(words.own["timeout"])),
    )
    report = _driven(words.rest, environ, wanted, reactor)
    sys.stdout.write(as_json(report) if words.own["json"] else as_text(report))
    return OK if report.well else FAULTY


def _check_together(words: Words) -> None:
    """Refuse options that would do nothing.

    Raises:
        ConfigErrors: nobody is named whom they could be about.
    """
    alone = [name for name in ("client", "scope") if words.own[name] and not words.own["as_user"]]
    if alone:
        raise ConfigErrors(ConfigError(f"--{name}", "needs --as-user") for name in alone)


def _driven(argv: Sequence[str], environ: Mapping[str, str], wanted: Wanted, reactor: Any) -> Report:  # noqa: ANN401
    """Examine while the reactor runs."""
    outcome: list[Report | Failure] = []
    found = inspect(argv, environ, reactor)
    probe, fetch = Probe(reactor=reactor, seconds=wanted.timeout), build_fetch(found.settings, reactor)
    ask = build_ask(found.settings, reactor)

    def begin() -> None:
        Deferred.fromCoroutine(examine(found, wanted, probe, fetch, ask)).addBoth(end)

    def end(result: Report | Failure) -> None:
        outcome.append(result)
        reactor.stop()

    reactor.callWhenRunning(begin)
    reactor.run()
    match outcome:
        case [Report() as report]:
            return report
        case [Failure() as failure]:
            failure.raiseException()
    # Somebody has ended it with a signal.
    return Report(findings=(fault("doctor", "was stopped before everything was looked at", mend="Call it again."),))


def as_json(report: Report) -> str:
    """Write what was found, for programs."""
    findings = [
        {
            "level": finding.level.value,
            "about": finding.about,
            "says": finding.says,
            "cause": finding.cause,
            "mend": finding.mend,
        }
        for finding in report.findings
    ]
    document: dict[str, object] = {"ok": report.well, "findings": findings}
    sight = report.sight
    if sight is not None:
        document["person"] = {
            "client_id": sight.client_id,
            "scope": " ".join(sight.scope),
            "id_token": dict(sight.id_token),
            "userinfo": dict(sight.userinfo),
        }
    return json.dumps(document, indent=2) + "\n"


def as_text(report: Report) -> str:
    """Write what was found, for people."""
    lines = [line for finding in report.findings for line in _lines(finding)]
    if report.sight is not None:
        lines += ["", *_sight_lines(report.sight)]
    count = sum(finding.level is Level.FAULT for finding in report.findings)
    verdict = (
        "No fault was found."
        if not count
        else f"{count} {'fault' if count == 1 else 'faults'}; mend the first one first."
    )
    return "\n".join([*lines, "", verdict, ""])


def _lines(finding: Finding) -> list[str]:
    """Write one finding."""
    lines = [_filled(f"{_MARKS[finding.level]:<9}{finding.about}: {finding.says}", "")]
    for label, text in (("Cause: ", finding.cause), ("To do: ", finding.mend)):
        lines += [_filled(label + text, _INDENT)] if text else []
    return lines


def _filled(text: str, indent: str) -> str:
    """Break text into lines; nothing in it plays with a terminal."""
    return fill(
        shown(text),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _sight_lines(sight: Sight) -> list[str]:
    """Write what an application gets to know."""
    name = sight.client_id or "an application that is not registered"
    lines = [shown(f"What {name} gets to know with the scope {' '.join(sight.scope)}:")]
    for place, claims in (("ID token", sight.id_token), ("userinfo", sight.userinfo)):
        lines.append(f"  {place}:")
        lines += [shown(f"    {claim} = {json.dumps(value, ensure_ascii=False)}") for claim, value in claims.items()]
    return lines
