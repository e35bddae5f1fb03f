"""Tests of the operator's scopes."""

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.scopes import load_scopes
from konnectd.option import ConfigErrors
from konnectd.protocol.local_text import LocalText
from konnectd.protocol.scope import Scope, ScopeCatalog, ScopeDefinition
from tests.support.files import write

EXAMPLE = Path(__file__).resolve().parents[2] / "etc" / "scopes.yaml"


class ScopesTests(SynchronousTestCase):
    """What further scopes mean to people."""

    def load(self, text: str) -> ScopeCatalog:
        """Read scopes; warnings go to ``self.warnings``."""
        self.warnings: list[str] = []
        return load_scopes(write(self, "s.yaml", text), warn=self.warnings.append)

    def faults(self, text: str) -> list[str]:
        """Return the faults of a file of scopes."""
        error = self.assertRaises(ConfigErrors, self.load, text)
        return [f"{Path(fault.source).name}: {fault.option}: {fault.problem}" for fault in error.faults]

    def test_scopes(self) -> None:
        """Definitions are shown for the scopes mapped to them, and are scopes themselves."""
        catalog = self.load(
            "mapping: {cal.read: cal, cal.write: cal}\nscopes:\n  cal: {description: Calendar, priority: 50}\n  x:\n"
        )
        lines = catalog.lines(Scope(("openid", "cal.read", "cal.write", "x")))

        self.assertEqual(
            lines,
            (
                ("cal", ScopeDefinition(description=LocalText("Calendar"), priority=50)),
                ("basic", ScopeDefinition(id="scope_alias_basic", priority=20)),
                ("x", ScopeDefinition()),
            ),
        )
        self.assertEqual(catalog.supported, ("cal", "x"))

    def test_languages(self) -> None:
        """A description can be there in several languages."""
        catalog = self.load("scopes:\n  cal: {description: Calendar, 'description#de': Kalender}\n")

        self.assertEqual(catalog.definitions["cal"].description, LocalText("Calendar", {"de": "Kalender"}))

    def test_empty(self) -> None:
        """Without entries there are the built-in scopes."""
        self.assertEqual([self.load(text) for text in ("", "mapping:\nscopes:\n")], [ScopeCatalog()] * 2)

    def test_example(self) -> None:
        """The file that is delivered is right, and so are the entries in its comments."""
        text = EXAMPLE.read_text(encoding="utf-8")
        entries = re.sub("(?m)^#(?! [^ ])", "", text)

        self.assertEqual(self.load(text), ScopeCatalog())
        self.assertEqual(self.load(entries).supported, ("calendar",))

    def test_faults(self) -> None:
        """All faults are told with their lines."""
        found = self.faults(
            "mapping:\n  'a b': x\n  c:\n  d: [x]\nscopes:\n  'e\"': {}\n  f: {priority: high}\n  g: [x]\n"
        )

        self.assertEqual(
            [fault.split(": ")[:3] for fault in found],
            [
                ["s.yaml:2", "mapping", "a b"],
                ["s.yaml:3", "mapping", "c"],
                ["s.yaml:4", "mapping", "d"],
                ["s.yaml:4", "mapping", "d"],
                ["s.yaml:6", "scopes", 'e"'],
                ["s.yaml:7", "scope f", "priority"],
                ["s.yaml:8", "scopes", "g"],
            ],
        )

    def test_long_description(self) -> None:
        """A description is a sentence, not a page."""
        self.assertIn("more than 1000", self.faults(f"scopes: {{a: {{description: {'x' * 1001}}}}}")[0])

    def test_unknown_keys(self) -> None:
        """A typing error does not pass unseen."""
        self.load("scopes:\n  a: {descripton: x}\nscope: x\n")

        self.assertEqual(
            [warning.partition(": ")[2] for warning in self.warnings],
            ["scope a: descripton: is not known and has no effect", "scope: is not known and has no effect"],
        )
