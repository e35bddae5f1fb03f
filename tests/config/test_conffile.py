"""Tests of the form of configuration files."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config import conffile
from konnectd.config.given import LONGEST_FILE, Given
from tests.support.files import write

PLACE = Given(name="--config", text="x", source="command line")


class ParseTests(SynchronousTestCase):
    """Lines are keys with values, comments, or faults."""

    def test_lines(self) -> None:
        """Blanks around keys and values do not count, and comments are left out."""
        lines = conffile.parse("# a\n; b = c\n\n listen=127.0.0.1:1 \niss = https://x\r\nempty =\n", "k.conf")

        self.assertEqual(
            [(value.name, value.text, value.source) for value in lines.values],
            [("listen", "127.0.0.1:1", "k.conf:4"), ("iss", "https://x", "k.conf:5"), ("empty", "", "k.conf:6")],
        )

    def test_no_comment_behind_a_value(self) -> None:
        """A value may contain what begins a comment elsewhere, as in systemd."""
        lines = conffile.parse("secret = a # b", "k.conf")

        self.assertEqual(lines.values[0].text, "a # b")

    def test_faults(self) -> None:
        """Every line that is no key with a value is a fault with its number."""
        lines = conffile.parse("listen\n= x\na b = c\n2x = y\nok = 1\nquote = 'x\n", "k.conf")

        self.assertEqual([fault.source.partition(":")[2] for fault in lines.faults], ["1", "2", "3", "4", "6"])

    def test_secret_in_a_broken_line(self) -> None:
        """What follows the first word of a broken line may be a secret and is not repeated."""
        lines = conffile.parse("ldap_bindpw hunter2", "k.conf")

        self.assertNotIn("hunter2", str(lines.faults[0]))


class UnquoteTests(SynchronousTestCase):
    """Quotes and backslashes mean what they mean to systemd."""

    def test_values(self) -> None:
        """The table of what comes out."""
        for text, value in (
            ("plain", "plain"),
            ('"a b"', "a b"),
            ("'a \"b\" \\c'", 'a "b" \\c'),
            ('"a \\"b\\" \\\\ \\$ \\` \\n"', 'a "b" \\ $ ` \\n'),
            (r"cn=a\\,b", r"cn=a\,b"),
            (r"cn=a\,b", "cn=a,b"),
            (r"end\\", "end\\"),
            ("it's", "it's"),
            ("", ""),
            ('""', ""),
        ):
            with self.subTest(text=text):
                self.assertEqual(conffile.unquote(text), value)

    def test_faults(self) -> None:
        """What systemd would join with other lines or words is refused."""
        for text in ('"open', "'open", '"a"b', "'a' 'b'", "a\\", '"a\\"', "a\x00b", "a\x1bb"):
            with self.subTest(text=text):
                self.assertRaises(ValueError, conffile.unquote, text)

    @given(st.text(st.characters(blacklist_categories=("Cc", "Cs"))))
    @settings(deadline=None, max_examples=200)
    def test_single_quotes(self, text: str) -> None:
        """Whatever has no single quote is itself between single quotes."""
        value = text.replace("'", "")

        self.assertEqual(conffile.unquote(f"'{value}'"), value)


class ReadTests(SynchronousTestCase):
    """Files that can not be read are one fault."""

    def test_missing(self) -> None:
        """The fault stands where the file was named."""
        lines = conffile.read(Path("nowhere.conf"), PLACE)

        self.assertEqual(
            str(lines.faults[0]), "command line: --config: nowhere.conf can not be read: No such file or directory"
        )

    def test_too_large(self) -> None:
        """A file that is no configuration is not read to its end."""
        path = write(self, "k.conf", b"#" * (LONGEST_FILE + 1))

        self.assertIn("is larger than", str(conffile.read(path, PLACE).faults[0]))

    def test_binary(self) -> None:
        """A byte that is no text is found in its line."""
        path = write(self, "k.conf", b"a = 1\nb = \xff\n")

        self.assertEqual(conffile.read(path, PLACE).faults[0].source, f"{path}:2")

    def test_byte_order_mark(self) -> None:
        """What some editors put at the head of a file does not count."""
        path = write(self, "k.conf", b"\xef\xbb\xbfa = 1\n")

        self.assertEqual(conffile.read(path, PLACE).values[0].name, "a")
