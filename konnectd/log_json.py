"""The log as JSON: one object per line, for collectors that look into events instead of reading sentences.

``msg`` is the sentence of the other form, letter by letter, so that `konnectd.explain` reads both alike. The facts of a
decision are in ``fields`` one by one. Everything that is not ASCII is escaped, so no line can play with a terminal.
"""

import json
from collections.abc import Mapping

from attrs import fields as attributes_of
from twisted.logger import ILogObserver, LogEvent
from twisted.python.reflect import safe_str
from zope.interface import implementer

from konnectd.events import find_event
from konnectd.logs import Write, facts_of, is_ours, is_wanted, level_name, message, time_of, traceback_of
from konnectd.protocol.trail import Trail

#: Longest text of a fact, in characters.
_LONGEST = 10_000
#: The id of what libraries log, which have none of their own, and of what is not in the table.
LIBRARY, OTHER = "library", "other"
_REFERENCE = "reference"


@implementer(ILogObserver)
class JsonObserver:
    """Writes events as objects."""

    def __init__(self, write: Write, level: str = "info", *, timestamp: bool = True) -> None:
        """Set what is written and how.

        Args:
            write: takes the text.
            level: the least important events that are written, by Konnect's name for them.
            timestamp: each object has the time.
        """
        self._write = write
        self._level = level
        self._timestamp = timestamp

    def __call__(self, event: LogEvent) -> None:
        """Write an event unless it is less important than wanted."""
        if is_wanted(event, self._level):
            self._write(object_of(event, timestamp=self._timestamp) + "\n")


def object_of(event: LogEvent, *, timestamp: bool) -> str:
    """Return an event as an object in one line."""
    members: dict[str, object] = {"time": time_of(event)} if timestamp else {}
    members |= {"level": level_name(event), "event": event_id(event), "msg": message(event)}
    told = all_facts(event)
    reference = told.pop(_REFERENCE, None)
    if reference is not None:
        members[_REFERENCE] = reference
    if not is_ours(event) and event.get("log_namespace"):
        members["logger"] = str(event["log_namespace"])
    if told:
        members["fields"] = told
    trace = traceback_of(event)
    if trace:
        members["traceback"] = "\n".join(trace)
    return json.dumps(members, ensure_ascii=True, allow_nan=False)


def event_id(event: LogEvent) -> str:
    """Return the id of an event."""
    known = find_event(event.get("log_format"))
    if known is not None:
        return known.name
    return OTHER if is_ours(event) else LIBRARY


def all_facts(event: LogEvent) -> dict[str, object]:
    """Return the facts of an event, those of a trail one by one."""
    told: dict[str, object] = {}
    for name, value in facts_of(event):
        trail = Trail.from_text(value) if name == "trail" and isinstance(value, str) else None
        told |= {name: _plain(value)} if trail is None else _steps(trail)
    return told


def _steps(trail: Trail) -> Mapping[str, object]:
    """Return the facts of a decision that are known."""
    names = [attribute.name for attribute in attributes_of(Trail)]
    return {name: getattr(trail, name) for name in names if getattr(trail, name)}


def _plain(value: object) -> object:
    """Return a fact as JSON has it; what JSON does not have, or is endless, as text that is not."""
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 1 << 63):
        return value
    if isinstance(value, float) and abs(value) < float("inf"):
        return value
    return safe_str(value)[:_LONGEST]
