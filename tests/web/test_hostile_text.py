"""Text that wants to be more than text: whatever is put into a view, its page stays the same page."""

from enum import Enum

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.web.views import Account, ScopeLine, SignedOutPage, SignInPage, View
from tests.support.markup import elements, one, shape, text_of, xml_shape
from tests.support.rendering import page
from tests.support.views import CHOOSER, CONSENT, SAMPLES, SIGN_IN

HOSTILE = (
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "</title></main><h1>",
    "{{7*7}}{% raw %}{#",
    "%(name)s %s %",
    "&lt;b&gt; &amp;amp; &#x3c;",
    "]]><!--<![CDATA[",
    "javascript:alert(1)//",
    "".join(map(chr, range(0x20))) + "\x7f\x85\x9f",
    "\ud800\udfff\ufffe\uffff\ufdd0",
    "\u202egro.live\u202c \u2066\u2067\u200f",
    "x" * 10_000,
    "<" * 10_000,
)


def filled(view: View, text: str) -> View:
    """Return a view with the same text in every field that holds any, made different by the field's name."""
    changes: dict[str, object] = {}
    for field in attrs.fields(type(view)):  # type: ignore[arg-type]
        value = getattr(view, field.name)
        if isinstance(value, str) and not isinstance(value, Enum):
            changes[field.name] = text + field.name
        elif isinstance(value, Account):
            changes[field.name] = Account(text + "username", text + "name")
        elif field.name == "fields":
            changes[field.name] = tuple((name, text + name) for name, _ in value)
        elif isinstance(value, tuple) and not any(isinstance(line, ScopeLine) for line in value):
            changes[field.name] = tuple(filled(line, text) for line in value)
        elif isinstance(value, tuple):
            changes[field.name] = (
                ScopeLine(description=text, token="t"),
                ScopeLine(id=text, token=text),
                ScopeLine(token=text),
            )
    return attrs.evolve(view, **changes)  # type: ignore[misc]


class HostileTextTests(SynchronousTestCase):
    """Nobody's name, hint or address changes a page around it."""

    def test_same_elements(self) -> None:
        """Whatever is written in all fields, the page has the same elements and attributes, for both readers."""
        for name, view in SAMPLES.items():
            expected = shape(page(filled(view, "plain")))
            for text in HOSTILE:
                body = page(filled(view, text))

                self.assertEqual(shape(body), expected, f"{name}: {text[:40]!r}")
                self.assertEqual(xml_shape(body), expected, f"{name}: {text[:40]!r}")

    @settings(deadline=None, max_examples=150)
    @given(st.text(st.characters(), min_size=1, max_size=60), st.sampled_from(sorted(SAMPLES)))
    def test_any_text(self, text: str, name: str) -> None:
        """No text at all changes the elements of any page."""
        # A name that consists of nothing is no name, so there is always a letter in it.
        expected = shape(page(filled(SAMPLES[name], "plain")))

        self.assertEqual(shape(page(filled(SAMPLES[name], f"a{text}"))), expected)

    def test_no_script_address(self) -> None:
        """A link leads to no address that a browser would run."""
        for uri in ("javascript:alert(1)", " javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", "vbscript:x"):
            consent = attrs.evolve(CONSENT, client_uri=uri, policy_uri=uri, tos_uri=uri)
            bodies = page(SignedOutPage(return_uri=uri)), page(consent)
            for body in bodies:
                self.assertEqual([element for element in elements(body) if element.name == "a"], [], uri)

    def test_addresses_keep_their_meaning(self) -> None:
        """A query with several parameters arrives as it was given."""
        form = one(page(SIGN_IN), "form")

        self.assertEqual(form.attributes["action"], "/signin?a=1&b=2")

    def test_username_comes_back(self) -> None:
        """What somebody typed stands in the field again, to the letter."""
        for username in ("  a  b", "<i>&amp;", '"quoted"', "\u202eabc", "{{7*7}}", "Ünïcødé"):
            field = one(page(SignInPage(action="/", csrf="c", username=username)), "input", name="username")

            self.assertEqual(field.attributes["value"], username)

    def test_account_value_comes_back(self) -> None:
        """The button of an account posts its exact username, however it is shown."""
        username = "x" * 500 + "\u200bá<"
        body = page(attrs.evolve(CHOOSER, account=Account(username)))

        self.assertEqual(one(body, "button", name="account").attributes["value"], username)

    def test_operator_text_is_not_translated_or_filled(self) -> None:
        """A scope description with percent signs and markup is shown as it is."""
        text = "100 % of %(name)s <b>"
        body = page(attrs.evolve(CONSENT, lines=(ScopeLine(description=text, token="t"),)))

        self.assertIn(text, text_of(body))
