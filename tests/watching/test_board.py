"""The board for Grafana and the alert rules ask for figures that exist, with labels and words that they have."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import yaml
from twisted.trial.unittest import SynchronousTestCase

import konnectd
from konnectd.happenings import Happening
from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import RefusalReason
from konnectd.vitals import PoolUse
from konnectd.watching import measured
from konnectd.watching.metrics import Key, Metrics
from konnectd.web.happened import TOO_MANY_TRIES
from tests.support.fakes import run
from tests.watching.test_audit_events import every
from tests.watching.test_metrics import GET

FOLDER = Path(konnectd.__file__).parent.parent / "docs" / "operate" / "grafana"
NAME = re.compile(r"\b((?:konnectd|process|python)_[a-z_]+)(?:\{([^}]*)\})?")
BY = re.compile(r"\bby \(([^)]*)\)")
MATCH = re.compile(r"([a-z_]+)(=~|=)\"([^\"]*)\"")
#: Everything that may happen.
KINDS = get_args(Happening)
#: What Prometheus adds itself.
ADDED = {"instance", "job", "le"}
#: The words of labels that the rules name.
WORDS = {
    "outcome": {*map(str, RefusalReason), TOO_MANY_TRIES, "signed_in", measured.OK, measured.UNAVAILABLE},
    "status": {"2xx", "3xx", "4xx", "5xx"},
}


class Audit:
    """How an audit log is."""

    lost = 1
    waiting = 2


def series() -> dict[str, set[str]]:
    """Return every series there is when everything has happened once, with its labels."""
    metrics = Metrics(backend="ldap", store="redis")
    metrics.watch_pools(lambda: [PoolUse(name="x", busy=1, idle=1, limit=1, waiting=1)])
    metrics.watch_keys([Key(kid="k", since=0.0)], lambda: 1.0)
    metrics.watch_connections(lambda: 1)
    metrics.watch_audit(Audit())
    metrics.delay(0.1)
    metrics.reloaded(done=True)
    metrics.backend_call("find", "ok", 0.1)
    metrics.store_call("get", "ok", 0.1)
    happened = tuple(each for kind in KINDS for each in every(kind))
    for name in ("token", "authorize"):
        route: Any = type("Named", (), {"name": name})()
        metrics.observe(route, HttpRequest(method="GET", path="/"), HttpResponse(happened=happened), 0.1)
    found: dict[str, set[str]] = {}
    for line in run(metrics.on_metrics(GET)).body.decode().splitlines():
        match = re.match(r"([a-z_]+)(?:\{(.*)\})? ", line)
        if match is not None and not line.startswith("#"):
            found.setdefault(match[1], set()).update(re.findall(r'([a-z_]+)="', match[2] or ""))
    return found


class BoardTests(SynchronousTestCase):
    """What they ask for."""

    def setUp(self) -> None:
        """Read both."""
        board = json.loads((FOLDER / "konnectd.json").read_text(encoding="utf-8"))
        rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
        self.board = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
        self.rules = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
        self.panels = board["panels"]
        self.series = series()

    def test_figures_exist(self) -> None:
        """Nothing is asked for that is not there."""
        asked = {match[1] for text in self.board + self.rules for match in NAME.finditer(text)}

        self.assertGreater(len(asked), 15)
        self.assertEqual(asked - set(self.series), set())

    def test_figures_are_shown(self) -> None:
        """Every figure of ours is on the board."""
        shown = {re.sub("_(bucket|sum|count)$", "", match[1]) for text in self.board for match in NAME.finditer(text)}
        ours = {re.sub("_(bucket|sum|count)$", "", name) for name in self.series if name.startswith("konnectd_")}

        self.assertEqual(ours - shown, set())

    def test_labels_exist(self) -> None:
        """Labels that are chosen or grouped by are there."""
        wrong = []
        for text in self.board + self.rules:
            found = list(NAME.finditer(text))
            known = ADDED.union(*(self.series[match[1]] for match in found)) if found else ADDED
            chosen = {label for match in found for label, _, _ in MATCH.findall(match[2] or "")}
            grouped = {label.strip() for group in BY.findall(text) for label in group.split(",")}
            wrong += [(text, label) for label in (chosen | grouped) - known]

        self.assertEqual(wrong, [])

    def test_words_exist(self) -> None:
        """A rule waits for words that a label can have."""
        wrong = []
        for text in self.board + self.rules:
            for label, _, words in MATCH.findall(text):
                if label in WORDS:
                    wrong += [(text, word) for word in words.split("|") if word not in WORDS[label]]

        self.assertEqual(wrong, [])

    def test_panels_are_told_apart(self) -> None:
        """Each panel has a number of its own and something to show."""
        numbers = [panel["id"] for panel in self.panels]

        self.assertEqual(len(set(numbers)), len(numbers))
        self.assertEqual([panel["title"] for panel in self.panels if not panel["targets"]], [])
