"""The log as text: one line per event with time, level, message, facts and id, in the form Konnect's log has.

Whatever a browser or a directory sent can stand in a fact, so nothing in a line can end it or begin another one. What
is worth logging, and what must never be, is decided where it is logged.
"""

import string
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from twisted.python.failure import Failure
from twisted.python.reflect import safe_str
from zope.interface import implementer

from konnectd.events import find_event

#: Writes one or more whole lines at once.
Write: TypeAlias = Callable[[str], object]

#: The least level of Twisted that each level of Konnect lets through.
_LEAST: Mapping[str, LogLevel] = {
    "panic": LogLevel.critical,
    "fatal": LogLevel.critical,
    "error": LogLevel.error,
    "warn": LogLevel.warn,
    "info": LogLevel.info,
    "debug": LogLevel.debug,
    "trace": LogLevel.debug,
}
_NAMES = {LogLevel.critical: "fatal"}
#: What Twisted itself puts into old-style events.
_NOT_FACTS = frozenset({"format", "failure", "isError", "message", "printed", "system", "time", "why"})
_PLAIN = frozenset(string.ascii_letters + string.digits + "-._/@^+:,~%*()[]{}<>|;!?&$#")
_OURS = "konnectd"


@implementer(ILogObserver)
class TextObserver:
    """Writes events as lines of text."""

    def __init__(self, write: Write, level: str = "info", *, timestamp: bool = True) -> None:
        """Set what is written and how.

        Args:
            write: takes the text.
            level: the least important events that are written, by Konnect's name for them.
            timestamp: each line begins with the time.
        """
        self._write = write
        self._least = _LEAST[level]
        self._timestamp = timestamp

    def __call__(self, event: LogEvent) -> None:
        """Write an event unless it is less important than wanted."""
        if level_of(event) < self._least:
            return
        self._write(line_of(event, timestamp=self._timestamp))


def line_of(event: LogEvent, *, timestamp: bool) -> str:
    """Return an event as its line, and the lines of its traceback if there is one."""
    parts = [f"level={level_name(event)}", f"msg={_quote(message(event), always=True)}"]
    if timestamp:
        parts.insert(0, f"time={time_of(event)}")
    parts += [f"{name}={_quote(text)}" for name, text in _facts(event)]
    known = find_event(event.get("log_format"))
    if known is not None:
        parts.append(f"event={known.name}")
    trace = "".join(f"    {one_line(line)}\n" for line in traceback_of(event))
    return " ".join(parts) + "\n" + trace


def is_wanted(event: LogEvent, level: str) -> bool:
    """Tell whether an event is important enough for a level, by Konnect's name for it."""
    return bool(level_of(event) >= _LEAST[level])


def level_name(event: LogEvent) -> str:
    """Return the word for how important an event is."""
    level = level_of(event)
    return str(_NAMES.get(level, level.name))


def level_of(event: LogEvent) -> Any:  # noqa: ANN401 - the levels of Twisted carry no types
    """Return how important an event is; what libraries find worth telling is for those who look for faults."""
    level = event.get("log_level") or LogLevel.info
    return LogLevel.debug if level == LogLevel.info and not is_ours(event) else level


def is_ours(event: LogEvent) -> bool:
    """Tell whether our own code logged an event."""
    namespace = str(event.get("log_namespace", ""))
    return namespace == _OURS or namespace.startswith(f"{_OURS}.")


def time_of(event: LogEvent) -> str:
    """Return when it happened, in milliseconds and UTC, so that lines of several machines sort."""
    moment = datetime.fromtimestamp(event.get("log_time", 0.0), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def message(event: LogEvent) -> str:
    """Return the sentence; a failure without one speaks for itself."""
    failure = _failure(event)
    if failure is None:
        return formatEvent(event)
    # An old-style event's text has the traceback in it.
    text = str(event.get("why") or "") if "failure" in event else formatEvent(event)
    kind = getattr(failure.type, "__name__", "failure")
    return f"{text}: {kind}" if text else f"{kind}: {failure.getErrorMessage()}"


def _failure(event: LogEvent) -> Failure | None:
    """Return what failed, whichever of Twisted's logs the event came by."""
    found = event.get("log_failure") or event.get("failure")
    return found if isinstance(found, Failure) else None


def facts_of(event: LogEvent) -> Iterator[tuple[str, object]]:
    """Yield the fields of an event that whoever logged it has given."""
    for name, value in event.items():
        if not name.startswith("log_") and name not in _NOT_FACTS and name.isidentifier():
            yield name, value


def _facts(event: LogEvent) -> Iterator[tuple[str, str]]:
    """Yield the fields of an event that its sentence does not show already."""
    shown = _shown_fields(event)
    for name, value in facts_of(event):
        if name not in shown:
            yield name, safe_str(value)  # a fact that can not be shown must not cost the line
    if not is_ours(event) and event.get("log_namespace"):
        yield "logger", str(event["log_namespace"])


def _shown_fields(event: LogEvent) -> frozenset[str]:
    """Return the names of fields that stand in the sentence."""
    template = event.get("log_format")
    if not isinstance(template, str):
        return frozenset()
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(template) if field]
    except ValueError:
        return frozenset()
    return frozenset(field.split("(")[0].split(".")[0].split("[")[0] for field in fields)


def _quote(text: str, *, always: bool = False) -> str:
    """Return text so that it stays in one line and can be told from what comes after it."""
    if text and not always and _PLAIN.issuperset(text):
        return text
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(character: str) -> str:
    """Return a character, or a way to write it that neither ends a line or quote nor plays with a terminal."""
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character) or character.encode("unicode_escape").decode("ascii")


def traceback_of(event: LogEvent) -> list[str]:
    """Return the lines of the traceback of a failure; those who write them keep them from looking like events."""
    failure = _failure(event)
    if failure is None:
        return []
    text: str = failure.getTraceback()
    return text.rstrip().split("\n")


def one_line(text: str) -> str:
    """Return text for people in which nothing ends the line or plays with a terminal."""
    return "".join(character if character in '"\\' else _escape(character) for character in text)
