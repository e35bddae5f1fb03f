"""Tests of the table of events: it is held against every place that logs."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

import konnectd
from konnectd.events import EVENTS, find_event

PACKAGE = Path(konnectd.__file__).parent
#: The word in the log for each way to log.
LEVELS = {"debug": "debug", "info": "info", "warn": "warn", "error": "error", "critical": "fatal", "failure": "fatal"}


@frozen
class Place:
    """Where something is logged.

    Attributes:
        where: file and line.
        level: None where it depends.
        sentence: None where it is no text of ours.
        facts: names of what is told.
    """

    where: str
    level: str | None
    sentence: str | None
    facts: frozenset[str]


def texts_in(function: ast.AST) -> dict[str, str]:
    """Return the texts that have a name in a function."""
    found: dict[str, str] = {}
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign):
            continue
        target, value = node.targets[0], node.value
        pairs = zip(target.elts, value.elts) if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) else ()  # noqa: B905
        for one, text in ((target, value), *pairs):
            if isinstance(one, ast.Name) and isinstance(text, ast.Constant) and isinstance(text.value, str):
                found[one.id] = text.value
    return found


def level_of(call: ast.Call) -> str | None:
    """Return how a call logs; empty when it may be any level, None when it does not log."""
    match call.func:
        case ast.Attribute(attr=name, value=ast.Name(id="log") | ast.Attribute(attr="log")) if name in LEVELS:
            return LEVELS[name]
        case ast.Name(id="emit"):
            return ""
    return None


def places(path: Path) -> Iterator[Place]:
    """Yield every place of a file that logs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        named = texts_in(function)
        for call in ast.walk(function):
            level = level_of(call) if isinstance(call, ast.Call) else None
            if not isinstance(call, ast.Call) or level is None:
                continue
            first = call.args[0]
            sentence = first.value if isinstance(first, ast.Constant) else named.get(getattr(first, "id", ""))
            facts = frozenset(keyword.arg or "" for keyword in call.keywords) - {"failure"}
            yield Place(f"{path.name}:{call.lineno}", level or None, str(sentence) if sentence else None, facts)


class EventTests(SynchronousTestCase):
    """The table is true and complete."""

    def setUp(self) -> None:
        """Find every place that logs."""
        self.places = [place for path in sorted(PACKAGE.rglob("*.py")) for place in places(path)]

    def test_every_place_has_an_event(self) -> None:
        """Whatever is logged has an id, so its sentence is one of ours and in the table."""
        self.assertGreater(len(self.places), 80)
        self.assertEqual([place.where for place in self.places if find_event(place.sentence) is None], [])

    def test_every_event_is_logged(self) -> None:
        """Nothing stands in the manual that never happens."""
        said = {place.sentence for place in self.places}

        self.assertEqual([event.name for event in EVENTS if event.says not in said], [])

    def test_levels(self) -> None:
        """Each event says at which levels it is logged."""
        wrong = [
            place.where
            for place in self.places
            if place.level is not None
            and (event := find_event(place.sentence)) is not None
            and place.level not in event.levels
        ]

        self.assertEqual(wrong, [])

    def test_facts(self) -> None:
        """The manual names all facts, those that are not in the sentence as well."""
        wrong = [
            place.where
            for place in self.places
            if (event := find_event(place.sentence)) is not None and place.facts - set(event.fields)
        ]

        self.assertEqual(wrong, [])

    def test_ids_are_given_once(self) -> None:
        """An id means one thing, and so does a sentence."""
        twice = [name for name, count in Counter(event.name for event in EVENTS).items() if count > 1]
        twice += [says for says, count in Counter(event.says for event in EVENTS).items() if count > 1]

        self.assertEqual(twice, [])
