"""Parameters: what is form-encoded is read as everybody reads it, and anything else is refused."""

from urllib.parse import parse_qsl, quote, urlencode

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.errors import UntrustedRequestError
from konnectd.protocol.parameters import MOST_PARAMETERS, Parameters, parse_form
from tests.support.requests import form
from tests.support.strategies import PAIRS, TEXT

#: Text with much of what has a meaning in forms.
FORM_LIKE = st.text(st.one_of(st.sampled_from("%&=+;#2fF0a"), st.characters()), max_size=60)


def is_clean(text: str) -> bool:
    """Tell whether no control character stands in a text, tab and line ends aside."""
    return all(character in "\t\n\r" or (character >= " " and character != "\x7f") for character in text)


class ParseFormTests(SynchronousTestCase):
    """Reading form-encoded text."""

    def test_good_texts(self) -> None:
        """What standards have as examples is read as they say."""
        cases = {
            "": (),
            "&&": (),
            "a=1&b=2": (("a", "1"), ("b", "2")),
            "a": (("a", ""),),
            "=1": (("", "1"),),
            "a=b=c": (("a", "b=c"),),
            "a=1&&b=2&": (("a", "1"), ("b", "2")),
            "a=x+y%20z": (("a", "x y z"),),
            "%61=%C3%A4%e2%82%ac": (("a", "ä€"),),
            "a=1;b=2": (("a", "1;b=2"),),
            "a=%0D%0A%09": (("a", "\r\n\t"),),
            "a=%2561": (("a", "%61"),),
            "s=~!*'()@:/?": (("s", "~!*'()@:/?"),),
        }

        self.assertEqual({text: parse_form(text) for text in cases}, cases)

    def test_refused_texts(self) -> None:
        """A broken escape, bytes that are no UTF-8, control and raw non-ASCII characters are refused."""
        refused = (
            "a=%",
            "a=%4",
            "a=%zz",
            "%=1",
            "a=%ff",
            "a=%C3",
            "a=%ED%A0%80",
            "a=%C0%AF",
            "a=ä",
            "ä=1",
            "a=\ud800",
            "a=%00",
            "a=\x00",
            "a=\n%00",
            "a=%7F",
            "%1B=1",
            "a=\x7f",
        )
        for text in refused:
            with self.assertRaises(UntrustedRequestError, msg=repr(text)):
                parse_form(text)

    def test_number_of_parameters(self) -> None:
        """As many parameters as allowed are read, one more is refused, empty ones counted."""
        most = "&".join(f"p{number}=1" for number in range(MOST_PARAMETERS))

        self.assertEqual(len(parse_form(most)), MOST_PARAMETERS)
        self.assertRaises(UntrustedRequestError, parse_form, most + "&x=1")
        self.assertRaises(UntrustedRequestError, parse_form, "&" * MOST_PARAMETERS)

    @settings(deadline=None)
    @given(PAIRS, st.sampled_from([quote, None]))
    def test_reads_what_was_written(self, pairs: list[tuple[str, str]], quoting: object) -> None:
        """Pairs without control characters are read back from either way of writing them."""
        wanted = [(name, value) for name, value in pairs if is_clean(name + value)]
        text = urlencode(wanted, quote_via=quote, safe="") if quoting else urlencode(wanted)

        self.assertEqual(list(parse_form(text)), wanted)

    @settings(deadline=None)
    @given(st.one_of(FORM_LIKE, st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
    @example("a=%u0041")
    @example("\udcff")
    def test_any_text(self, text: str) -> None:
        """Any text is refused in the one way there is, or read as the standard library reads it."""
        try:
            pairs = parse_form(text)
        except UntrustedRequestError:
            return

        self.assertEqual(list(pairs), parse_qsl(text, keep_blank_values=True, errors="strict"))
        self.assertTrue(all(is_clean(name + value) for name, value in pairs))


class ParametersTests(SynchronousTestCase):
    """What was sent, by name."""

    def test_repeated(self) -> None:
        """A parameter that stands there twice is refused, also when it is empty or the same."""
        for values in (("1", "2"), ("1", "1"), ("", "1"), ("1", ""), ("", "")):
            pairs = [("state", values[0]), ("x", "1"), ("state", values[1])]
            with self.assertRaises(UntrustedRequestError, msg=str(values)):
                Parameters.from_pairs(pairs)

    def test_empty_is_absent(self) -> None:
        """A parameter without a value is as if it had not been sent."""
        parameters = Parameters.from_pairs([("state", ""), ("nonce", "1")])

        self.assertEqual(
            (parameters.get("state"), parameters.text("state"), "state" in parameters, list(parameters.items())),
            (None, "", False, [("nonce", "1")]),
        )

    def test_names_are_case_sensitive(self) -> None:
        """State and state are two parameters."""
        parameters = Parameters.from_pairs([("State", "1"), ("state", "2")])

        self.assertEqual((parameters.get("state"), parameters.text("State"), "STATE" in parameters), ("2", "1", False))

    def test_without(self) -> None:
        """Some can be left out; what was there before stays as it is."""
        parameters = form(a="1", b="2", c="3")

        self.assertEqual(list(parameters.without("a", "c", "z").items()), [("b", "2")])
        self.assertEqual(len(list(parameters.items())), 3)

    def test_values_are_not_shown(self) -> None:
        """A secret does not get into a log with its parameters."""
        self.assertNotIn("hunter2", repr(form(client_secret="hunter2")))

    @settings(deadline=None)
    @given(st.dictionaries(TEXT, TEXT, max_size=10))
    def test_keeps_all_that_has_a_value(self, values: dict[str, str]) -> None:
        """Nothing that has a value is lost or added, and the order stays."""
        parameters = Parameters.from_pairs(values.items())

        self.assertEqual(list(parameters.items()), [(name, value) for name, value in values.items() if value])
