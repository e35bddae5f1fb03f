"""Text that wants to be more than text: whatever is put into a view, its page stays the same page."""

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.local_text import LocalText
from konnectd.web.views import Account, FarewellLine, FarewellPage, PartyState, ScopeLine, SignedOutPage, SignInPage
from tests.support.hostile import HOSTILE, filled, texts
from tests.support.markup import elements, one, shape, text_of, xml_shape
from tests.support.rendering import page
from tests.support.views import CHOOSER, CONSENT, SAMPLES, SIGN_IN, SIGNED_OUT

#: Good addresses with characters that mean something in a page.
LINKS = ("https://a.example/?a=1&lt;b&amp;c=%22", "https://a.example/'onclick='x", "https://a.example/?q=&lt&x=$1")
TERMS = ("policy_uri", "tos_uri")


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

    def test_every_field_is_filled(self) -> None:
        """No text of any page is left out of these tests, however deep in a view it stands."""
        for name, view in SAMPLES.items():
            left = [text for text in texts(filled(view, "planted")) if text and "planted" not in text]

            self.assertEqual(left, [], name)

    def test_links_stay_links(self) -> None:
        """An address that leads somewhere is one attribute of one link, whatever characters are in it."""
        for uri in LINKS:
            for view, fields in ((SIGN_IN, TERMS), (CONSENT, ("client_uri", *TERMS)), (SIGNED_OUT, ("return_uri",))):
                body = page(attrs.evolve(view, **dict.fromkeys(fields, uri)))
                links = [element.attributes["href"] for element in elements(body) if element.name == "a"]

                self.assertEqual(links, [uri] * len(fields))
                self.assertEqual(shape(body), xml_shape(body))

    def test_frames_stay_frames(self) -> None:
        """The address that tells an application of a sign-out is one attribute of one frame."""
        for uri in LINKS:
            lines = (FarewellLine(name="Notes", state=PartyState.IN_FRAME, frame=uri),)
            body = page(FarewellPage(lines=lines))

            self.assertEqual(one(body, "iframe").attributes["src"], uri)
            self.assertEqual(shape(body), xml_shape(body))

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
        body = page(attrs.evolve(CHOOSER, accounts=(Account(username),)))

        for button in ("account", "signout"):
            self.assertEqual(one(body, "button", name=button).attributes["value"], username)

    def test_operator_text_is_not_translated_or_filled(self) -> None:
        """A scope description with percent signs and markup is shown as it is."""
        text = "100 % of %(name)s <b>"
        body = page(attrs.evolve(CONSENT, lines=(ScopeLine(description=LocalText(text), token="t"),)))

        self.assertIn(text, text_of(body))
