"""Each rule of `tests.support.source` finds the fault it is there for, and nothing in code that is right."""

from twisted.trial.unittest import SynchronousTestCase

from tests import test_architecture
from tests.support import source
from tests.support.source import Module, Rule


class RuleTests(SynchronousTestCase):
    """A planted fault is found by the guard that is meant for it."""

    def assert_finds(self, rule: Rule, wrong: str, right: str) -> None:
        """Check that a rule finds one thing in the first text and nothing in the second."""
        found = tuple(len(list(rule(Module("protocol/token.py", text)))) for text in (wrong, right))

        self.assertEqual(found, (1, 0))

    def test_framework_in_the_core(self) -> None:
        """Twisted does not enter the protocol layer, not even inside a function."""
        self.assert_finds(
            test_architecture.against_table,
            "def f():\n    from twisted.internet import defer",
            "from attrs import frozen\nfrom konnectd.protocol import scope\nimport json",
        )

    def test_layer_above(self) -> None:
        """The protocol layer does not know flows, however the import is written."""
        self.assert_finds(
            test_architecture.against_table, "from konnectd import flows", "from konnectd import protocol"
        )

    def test_new_folder(self) -> None:
        """A folder without a row is a question, not a hole."""
        found = list(test_architecture.against_table(Module("shortcuts/a.py", "")))

        self.assertEqual(found, ["shortcuts/a.py: shortcuts has no row in the table"])

    def test_clock_in_the_core(self) -> None:
        """Time is an argument."""
        self.assert_finds(test_architecture.impure, "from time import time", "from hashlib import sha256")

    def test_waiting_in_the_core(self) -> None:
        """Rules do not wait."""
        self.assert_finds(source.coroutines, "async def f(): ...", "def f(): ...")

    def test_relative_import(self) -> None:
        """An import says where from."""
        self.assert_finds(source.relative_imports, "from . import scope", "from konnectd.protocol import scope")

    def test_star_import(self) -> None:
        """An import says what."""
        self.assert_finds(source.star_imports, "from json import *", "from json import dumps")

    def test_assert(self) -> None:
        """A word in a text is not a statement."""
        self.assert_finds(source.assert_statements, "assert x", "'assert x'")

    def test_long_file(self) -> None:
        """The last line that is allowed is allowed."""
        self.assert_finds(source.long_files, "x = 1\n" * 401, "x = 1\n" * 400)

    def test_long_function(self) -> None:
        """A docstring does not make a function long."""
        body = "    x = 1\n"
        self.assert_finds(
            source.long_functions,
            "def f():\n" + body * 40,
            'def f():\n    """Do.\n' + "    much\n" * 20 + '    """\n' + body * 39,
        )

    def test_undocumented_method(self) -> None:
        """A public method is described; a private one, and a property of a Protocol, need not be."""
        self.assert_finds(
            source.undocumented,
            '"""M."""\nclass A:\n    """C."""\n    def f(self):\n        return 1',
            '"""M."""\nclass A:\n    """C."""\n    @property\n    def name(self): ...\n    def _f(self): ...',
        )

    def test_undocumented_module(self) -> None:
        """A file says what is in it."""
        self.assert_finds(source.undocumented, "import json", '"""Texts."""')

    def test_shown_secret(self) -> None:
        """A password is hidden; a switch about one needs not be."""
        self.assert_finds(
            source.shown_secrets,
            "@frozen(kw_only=True)\nclass A:\n    client_secret: str | None = None",
            "@frozen\nclass A:\n    client_secret: str = field(repr=False)\n    needs_secret: bool = True",
        )

    def test_class_without_repr(self) -> None:
        """A class that prints nothing hides all."""
        self.assert_finds(
            source.shown_secrets,
            "@attrs.frozen\nclass A:\n    password: str",
            "@frozen(repr=False)\nclass A:\n    password: str\nclass B:\n    password: str",
        )

    def test_construction(self) -> None:
        """A call is found under any name it can have, a mention is not."""
        wrong = (
            "class ReturnAddress:\n    def a(cls): return cls(1)",
            "ReturnAddress(1)",
            "authorize.ReturnAddress(1)",
        )
        right = "def f(address: ReturnAddress): return ReturnAddress.verify(1)\nclass B:\n    def a(cls): cls(1)"
        found = [len(list(source.constructions(Module("a.py", text), "ReturnAddress"))) for text in (*wrong, right)]

        self.assertEqual(found, [1, 1, 1, 0])

    def test_poor_name(self) -> None:
        """A name that fits everything is found as a word, not inside of one."""
        self.assert_finds(
            source.poor_names, "class KeyManager: ...", "class UserinfoAnswer: ...\ndef dataReceived(self, data): ..."
        )

    def test_poor_argument(self) -> None:
        """Arguments are names as well."""
        self.assert_finds(source.poor_names, "def read(data): ...", "def read(body): ...")

    def test_broad_except(self) -> None:
        """Everything that catches more than it can know is found."""
        wrong = ("try: f()\nexcept: g()", "try: f()\nexcept (KeyError, Exception): g()")
        right = "try: f()\nexcept LookupError: g()"
        found = [len(list(source.broad_excepts(Module("a.py", text)))) for text in (*wrong, right)]

        self.assertEqual(found, [1, 1, 0])
