"""Tests of YAML files as tables that know their lines."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config import yamlfile
from konnectd.config.given import LONGEST_FILE
from konnectd.config.yamlfile import Table
from konnectd.option import ConfigError, ConfigErrors
from tests.support.files import write


class YamlTestCase(SynchronousTestCase):
    """Reads YAML."""

    def read(self, content: str | bytes) -> Table:
        """Read a document; faults go to ``self.faults``."""
        self.faults: list[ConfigError] = []
        return yamlfile.read(write(self, "x.yaml", content), "file_option", self.faults)

    def found(self) -> list[str]:
        """Return the faults with files called by their last name."""
        return [str(ConfigError(fault.option, fault.problem, Path(fault.source).name)) for fault in self.faults]

    def refused(self, content: str | bytes) -> str:
        """Return the fault of a document that can not be read at all."""
        error = self.assertRaises(ConfigErrors, self.read, content)
        return str(ConfigError(error.faults[0].option, error.faults[0].problem, Path(error.faults[0].source).name))


class ValueTests(YamlTestCase):
    """What each kind of value reads as."""

    def test_values(self) -> None:
        """Text stays as it is spelled, and lists, numbers and switches are what they look like."""
        table = self.read("id: 0123\non: yes\noff: No\nnumber: -5\nitems: [a, 1, yes]\nnull: null\nempty:\n")

        self.assertEqual(
            (table.text("id"), table.text("null"), table.text("empty"), table.text("missing")), ("0123", "", "", "")
        )
        self.assertEqual(
            (table.switch("on"), table.switch("off"), table.switch("missing"), table.number("number")),
            (True, False, False, -5),
        )
        self.assertEqual(table.texts("items"), ("a", "1", "yes"))
        self.assertEqual(self.found(), [])

    def test_wrong_kinds(self) -> None:
        """Each value of the wrong kind is a fault in its line, and reads as absent."""
        table = self.read('a: [x]\nb: "yes"\nc: text\nd: [[x]]\ne: 1.5\nf: text\ng: {h: 1}\ni: [text]\n')
        found = (table.text("a"), table.switch("b"), table.items("c"), table.items("d"), table.number("e"))
        tables = (tuple(table.table("f")), table.tables("g"), [tuple(entry) for entry in table.tables("i")])

        self.assertEqual((found, tables), (("", False, (), (), 0), ((), (), [()])))
        self.assertEqual(
            self.found(),
            [
                "x.yaml:1: a: must be a text",
                "x.yaml:2: b: must be yes or no, without quotes",
                "x.yaml:3: c: must be a list",
                "x.yaml:4: d: must be a list of texts",
                "x.yaml:5: e: must be a whole number",
                "x.yaml:6: f: must be made of key: value",
                "x.yaml:7: g: must be a list",
                "x.yaml:8: i: must be made of key: value",
            ],
        )

    def test_unknown(self) -> None:
        """Keys nobody asked for are known, with their lines."""
        table = self.read("a: 1\nb: 2\n")
        table.text("a")

        self.assertEqual([item.text for item in table.unknown()], ["b"])
        self.assertTrue(next(table.unknown()).source.endswith("x.yaml:2"))

    def test_key_twice(self) -> None:
        """The second of two equal keys does not silently win."""
        table = self.read("a: 1\na: 2\n")

        self.assertEqual((table.text("a"), self.found()), ("1", ["x.yaml:2: a: stands here twice"]))

    def test_plain(self) -> None:
        """A subtree becomes lists, dictionaries, texts and booleans."""
        table = self.read("jwks: {keys: [{kty: RSA, ext: true, n: null, e: 65537}]}\n")

        self.assertEqual(table.plain("jwks"), {"keys": [{"kty": "RSA", "ext": True, "n": None, "e": "65537"}]})

    def test_empty(self) -> None:
        """An empty file, and one of comments, is an empty table."""
        self.assertEqual([tuple(self.read(content)) for content in ("", "# x\n", "---\n", "null\n")], [()] * 4)


class MergeTests(YamlTestCase):
    """Anchors, aliases and merge keys work, within reason."""

    def test_merge(self) -> None:
        """Own keys win over merged ones, and earlier sources over later ones."""
        table = self.read("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\n").table("c")

        self.assertEqual([table.text(key) for key in "xyz"], ["3", "1", "2"])

    def test_merge_of_a_text(self) -> None:
        """Only mappings can be merged in."""
        self.read("a: &a text\nb: {<<: *a}\n").table("b")

        self.assertEqual(self.found(), ["x.yaml:2: <<: can only take in mappings"])

    def test_bomb(self) -> None:
        """Aliases of aliases of aliases do not use up the memory."""
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

        self.assertEqual(
            self.refused("\n".join(lines)), "x.yaml: file_option: has aliases that multiply beyond measure"
        )

    def test_circle(self) -> None:
        """An alias that leads into itself does not go on for ever."""
        self.assertIn("multiply", self.refused("a: &a [*a]\n"))


class BrokenTests(YamlTestCase):
    """Files that are no YAML, or not such as are written by hand."""

    def test_syntax(self) -> None:
        """A fault names the line, and two documents are one too many."""
        self.assertTrue(self.refused("a: 1\nb: [1\n").startswith("x.yaml:3: file_option: is not YAML"))
        self.assertIn("is not YAML", self.refused("a: 1\n---\nb: 1\n"))
        self.assertIn("is not YAML", self.refused("a: *nobody\n"))
        self.assertIn("found character '\\t' that cannot start any token", self.refused("a:\n\tb: 1\n"))

    def test_not_a_mapping(self) -> None:
        """The outermost value has keys."""
        self.assertIn("must be made of key: value", self.refused("- a\n"))

    def test_depth(self) -> None:
        """Nesting that would exhaust the stack is refused."""
        self.assertEqual(self.refused("a: " + "[" * 5000), "x.yaml:1: file_option: is nested too deeply")

    def test_size(self) -> None:
        """A very large file is not read to its end."""
        self.assertIn("is larger than", self.refused(b"#" * (LONGEST_FILE + 1)))

    def test_bytes(self) -> None:
        """Bytes that are no text, and characters YAML does not have, are refused."""
        self.assertIn("is not UTF-8", self.refused(b"a: \xff\n"))
        self.assertIn("characters that are not allowed", self.refused("a: \x01\n"))

    def test_missing(self) -> None:
        """A file that is not there is a fault of the option that names it."""
        error = self.assertRaises(ConfigErrors, yamlfile.read, Path("nowhere.yaml"), "file_option", [])

        self.assertEqual(str(error), "file_option: nowhere.yaml can not be read: No such file or directory")

    @given(st.text(alphabet=":-[]{}&*<>#'\"|?!%@ \nab1", max_size=60))
    @settings(deadline=None, max_examples=200)
    def test_nothing_else_is_raised(self, text: str) -> None:
        """Whatever is in a file, it is read, or refused with a reason."""
        try:
            table = self.read(text)
            for key in tuple(table):
                table.plain(key)
                table.table(key)
        except ConfigErrors as error:
            self.assertTrue(str(error))
