"""The command ``konnectd explain``: from a reference, or a line of the log, to the decision behind it, in words.

It reads every form that our lines come in: as text and as JSON, with and without the time, as twistd has them in a
log of its own, and as a journal or a container hands them on. Only a whole line of one of these forms counts. What
somebody typed stands in some lines as well, and may look like a decision; it never is at the beginning of one.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path
from textwrap import fill
from typing import IO, TextIO

from attrs import frozen

from konnectd.protocol.reason import Move, Reason
from konnectd.protocol.reasons import BY_NAME, FAULT
from konnectd.protocol.trail import Told, Trail

USAGE = "konnectd explain [--log=FILE] REFERENCE|LINE|-"
#: More lines than this are not explained at once, and no more bytes of a line are looked at.
MOST_SHOWN = 100
LONGEST_LINE = 65536
_WIDTH = 110
_LABEL = 18

#: What a journal or a container puts before our lines.
_BEFORE = (
    r"(?:[\w.@-]{1,64} *\| +)?"
    r"(?:(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.,+Z-]{8,32})"
    r" [\w.:-]{1,255} [\w.@/-]{1,64}(?:\[[0-9]{1,10}\])?: )?"
)
_OURS = re.compile(
    _BEFORE
    + r'(?:time=(?P<time>[0-9T:.Z-]{1,32}) )?level=[a-z]{1,10} msg="(?P<msg>(?:[^"\\]|\\.)*)"'
    + r'(?P<facts>(?: [A-Za-z_]\w{0,63}=(?:"(?:[^"\\]|\\.)*"|[^\s"=\\]+))*)'
)
_AS_JSON = re.compile(_BEFORE + r"(?P<object>\{.*\})")
_TWISTD = re.compile(
    _BEFORE
    + r"(?:(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{4}) )?"
    + r"\[konnectd[\w.]{0,64}#[a-z]{1,10}\] (?P<msg>.*)"
)
_PATH = re.compile(r' path=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s"=\\]+))')
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.)")
_FAULT = re.compile(r"(?P<at>[\w-]{1,64}): our fault, reference (?P<reference>[A-Za-z0-9_-]{1,64})(?:: (?P<kind>\w+))?")
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{4,64}")

_MOVES = {
    Move.PERSON: "the person's",
    Move.DEVELOPER: "of the people who run the application",
    Move.ADMINISTRATOR: "yours",
}
_ANSWERS = {
    "page": "with a page",
    "json": "with a message to the program that asked",
    "redirect": "by sending the browser back to the application",
    "sign-in": "with the sign-in page",
    "chooser": "with the account chooser",
    "consent": "with the consent page",
}
_PARTS = {
    "scheme": "http or https",
    "host": "host or port",
    "slash": "a slash at the end",
    "case": "capital letters",
}
DROPPED = (
    "A scope that is dropped is not known here or not allowed: look at allowed_scopes in the options, at the file of"
    " identifier_scopes_conf and, for groups, at ldap_groups."
)


@frozen(kw_only=True)
class Line:
    """A line of the log that is about a decision.

    Attributes:
        time: when; empty when the line does not say.
        told: what was decided.
        path: that leads nowhere; empty when it does not matter.
    """

    time: str
    told: Told
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> "Line | None":
        """Read a line; None when it is about something else, or of no form that we know."""
        text = text.rstrip("\r\n")[:LONGEST_LINE]
        match = _AS_JSON.fullmatch(text)
        if match is not None:
            return cls._of_object(match["object"])
        match = _OURS.fullmatch(text)
        if match is not None:
            told, facts = _told(_unescaped(match["msg"])), match["facts"]
        else:
            match, facts = _TWISTD.fullmatch(text), ""
            told = _told(match["msg"]) if match is not None else None
        if match is None or told is None:
            return None
        path = _PATH.search(facts)
        shown = "" if path is None else path["plain"] or _unescaped(path["quoted"])
        return cls(time=match["time"] or "", told=told, path=shown)

    @classmethod
    def _of_object(cls, text: str) -> "Line | None":
        """Read a line of the log as JSON."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return None
        match found:
            case {"level": str(), "event": str(), "msg": str(sentence), **more}:
                told = _told(sentence)
            case _:
                return None
        if told is None:
            return None
        fields, time = more.get("fields"), more.get("time", "")
        path = fields.get("path", "") if isinstance(fields, dict) else ""
        return cls(time=time if isinstance(time, str) else "", told=told, path=path if isinstance(path, str) else "")


def _told(sentence: str) -> Told | None:
    """Read a sentence; our own faults have another one, which comes with a traceback."""
    match = _FAULT.fullmatch(sentence)
    if match is None:
        return Told.parse(sentence)
    trail = Trail(at=match["at"], status="500", reason=FAULT.name)
    return Told(refused=True, words=match["kind"] or "", reference=match["reference"], trail=trail)


def _unescaped(text: str) -> str:
    """Take the escapes of `konnectd.logs` back."""

    def one(match: re.Match[str]) -> str:
        escape = match[1]
        if len(escape) > 1:
            number = int(escape[1:], 16)
            return chr(number) if number <= sys.maxunicode else "?"
        return {"n": "\n", "t": "\t", "r": "\r"}.get(escape, escape)

    return _ESCAPE.sub(one, text)


def explained(line: Line) -> str:
    """Return a decision in words, line by line."""
    told, trail = line.told, line.told.trail
    rows = [
        ("Reference", told.reference),
        ("When", line.time),
        ("Where", " ".join(part for part in (trail.at, line.path) if part)),
        ("Outcome", _outcome(told)),
        ("Application", trail.client or "not known"),
        *_asked(trail),
        ("Backend", trail.backend.replace("_", " ")),
    ]
    if told.refused:
        rows += _why(told, BY_NAME.get(trail.reason))
    if trail.dropped:
        rows.append(("Dropped scopes", DROPPED))
    return "".join(_row(label, text) for label, text in rows if text)


def _outcome(told: Told) -> str:
    """Say what the request got."""
    trail = told.trail
    how = _ANSWERS.get(trail.answered, "")
    status = f"status {trail.status}" if trail.status else ""
    return ", ".join(part for part in (" ".join(("refused" if told.refused else "answered", how)), status) if part)


def _asked(trail: Trail) -> Iterator[tuple[str, str]]:
    """Yield what was asked for, and what came of it."""
    yield (
        "Asked for",
        ", ".join(
            f"{name} {value}"
            for name, value in (
                ("response_type", trail.response_type),
                ("response_mode", trail.response_mode),
                ("grant_type", trail.grant_type),
                ("prompt", trail.prompt),
            )
            if value
        ),
    )
    yield "Scopes asked", " ".join(trail.asked)
    yield "Scopes granted", " ".join(trail.granted)
    yield "Scopes dropped", " ".join(trail.dropped)
    yield "Address leads to", trail.host
    yield "Address differs", ", ".join(_PARTS.get(part, part) for part in trail.differs.split())


def _why(told: Told, reason: Reason | None) -> list[tuple[str, str]]:
    """Return the rule that was broken, and what can be done."""
    rows = [("Told to client", told.trail.error), ("In words", told.words)]
    if reason is None:
        return [*rows, ("Reason", f"{told.trail.reason or 'none'}, which this version of konnectd does not know")]
    return [
        *rows,
        ("Reason", reason.name),
        ("Why", reason.why),
        ("Rule", reason.clause),
        ("Whose move", _MOVES[reason.move]),
        ("What to do", reason.advice),
        ("For the person", reason.person),
    ]


def _row(label: str, text: str) -> str:
    """Return one row; nothing in it plays with a terminal."""
    shown = "".join(character if character.isprintable() else "?" for character in text)
    indent = " " * _LABEL
    return fill(f"{label + ':':<{_LABEL}}{shown}", _WIDTH, subsequent_indent=indent, break_on_hyphens=False) + "\n"


def run(word: str, log: str, stdin: TextIO | None = None) -> int:
    """Explain, and return the exit status: 0 when there was something to explain.

    Args:
        word: a reference, a whole line, or ``-`` for every line of a log.
        log: the file to look into; empty or ``-`` for standard input.
        stdin: standard input.
    """
    given = stdin or sys.stdin
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal of another character set is no reason to say nothing.
        sys.stdout.reconfigure(errors="backslashreplace")
    if word != "-" and _REFERENCE.fullmatch(word.strip("[] ")) is None:
        return _explain_line(word)
    wanted, named = ("" if word == "-" else word.strip("[] ")), log not in {"", "-"}
    if not named and given.isatty():
        sys.stderr.write(f"konnectd: explain: where is the log? {USAGE}, or hand it over:\n")
        sys.stderr.write(f"    journalctl -u konnectd | konnectd explain {wanted or '-'}\n")
        return 1
    if not named:
        if isinstance(given, TextIOWrapper):
            given.reconfigure(errors="replace", newline="\n")
        return _explain_all(_bounded(given), wanted, "standard input")
    try:
        with Path(log).open(encoding="utf-8", errors="replace", newline="\n") as stream:
            return _explain_all(_bounded(stream), wanted, log)
    except OSError as error:
        sys.stderr.write(f"konnectd: explain: {log}: {error.strerror}\n")
        return 1


def _explain_line(text: str) -> int:
    """Explain one line that was given as a word."""
    line = Line.parse(text.strip())
    if line is None:
        sys.stderr.write(
            "konnectd: explain: this is neither a reference nor a whole line about a decision; tried the forms of"
            " konnectd, of twistd and of a journal, which have 'refused:' or 'our fault' in them\n"
        )
        return 1
    sys.stdout.write(explained(line))
    return 0


def _bounded(stream: IO[str]) -> Iterator[str]:
    """Yield the lines of a stream; of one that is too long, the rest is passed over."""
    whole = True
    while text := stream.readline(LONGEST_LINE):
        if whole:
            yield text
        whole = text.endswith("\n")


def _explain_all(lines: Iterable[str], wanted: str, source: str) -> int:
    """Explain each line with a reference, or simply each one.

    Args:
        lines: of the log.
        wanted: the reference; empty for any.
        source: what they are read from, for those who look in the wrong place.
    """
    read = about = shown = 0
    for text in lines:
        read += 1
        line = Line.parse(text)
        if line is None:
            continue
        about += 1
        if shown < MOST_SHOWN and wanted in {"", line.told.reference}:
            sys.stdout.write(("\n" if shown else "") + explained(line))
            shown += 1
    if shown:
        return 0
    sought = f"the reference {wanted} is in none of them" if wanted else "there is nothing to explain"
    sys.stderr.write(
        f"konnectd: explain: {source}: {read} lines, {about} of them about decisions; {sought}. The log may have been"
        " rotated, and what happens every day is written at log_level = debug only\n"
    )
    return 1
