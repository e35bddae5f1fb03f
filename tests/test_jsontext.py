"""JSON that we write ourselves and read again."""

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.jsontext import read, read_strictly, texts, write, write_text
from konnectd.protocol.vocabulary import Prompt

#: Everything JSON has that has one spelling: any text, lone surrogates included, and integers of any size.
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=12,
)


class JsonTextTests(SynchronousTestCase):
    """Writing and reading."""

    @given(VALUES)
    def test_others_read_it(self, value: object) -> None:
        """Whatever is written, Python's own library reads the same from it."""
        self.assertEqual(json.loads(write(value).decode("utf-8")), value)

    @given(VALUES)
    def test_inverse(self, value: object) -> None:
        """Reading returns what was written."""
        self.assertEqual((read(write(value)), read(write_text(value))), (value, value))

    @given(VALUES)
    def test_text(self, value: object) -> None:
        """As text it is the same."""
        self.assertEqual(write_text(value).encode("utf-8"), write(value))

    def test_compact(self) -> None:
        """No blanks; tuples are lists; words of ours are text; what is not ASCII stands as it is."""
        value = {"a": (1, True, None), "b": Prompt.NONE, "é": "日本"}

        self.assertEqual(write_text(value), '{"a":[1,true,null],"b":"none","é":"日本"}')

    def test_lone_surrogate(self) -> None:
        """What UTF-8 can not write is escaped, and read again."""
        written = write({"typed": "a\ud800b", "é": 1})

        self.assertEqual(written, b' {"typed":"a\\ud800b","\\u00e9":1}')
        self.assertEqual(read(written), {"typed": "a\ud800b", "é": 1})

    def test_large_number(self) -> None:
        """A number of more than 64 bit is written as it is."""
        self.assertEqual(write(2**70), b" 1180591620717411303424")

    def test_older_values(self) -> None:
        """Lone surrogates as older versions sealed them are still read."""
        self.assertEqual(read('{"typed":"a\ud800b"}'.encode("utf-8", "surrogatepass")), {"typed": "a\ud800b"})

    def test_strictly(self) -> None:
        """What somebody else wrote has each member once, at any depth, and no number that JSON has not."""
        self.assertEqual(
            read_strictly('{"a":[1,{"b":1e3}],"c":{"a":null}}'), {"a": [1, {"b": 1000.0}], "c": {"a": None}}
        )
        for text in ('{"a":1,"a":1}', '[{"b":{"a":1,"a":2}}]', '{"a":NaN}', "[-Infinity]", "", "\ufeff{}", "{} {}"):
            with self.subTest(text=text):
                self.assertRaises(ValueError, lambda text=text: read_strictly(text))

    def test_members_that_are_texts(self) -> None:
        """They come in the order that was asked for, and without one of them there is none."""
        value = {"a": "1", "b": "2", "c": 3, "d": None}

        self.assertEqual(texts(value, "b", "a"), ["2", "1"])
        for names in (("a", "c"), ("d", "a"), ("a", "e")):
            self.assertIsNone(texts(value, *names))

    def test_no_json(self) -> None:
        """What is none is refused, and not written."""
        self.assertRaises(ValueError, lambda: read("{"))
        self.assertRaises(TypeError, lambda: write({"a": b"bytes"}))
