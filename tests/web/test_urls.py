"""Where browsers are sent: what is written into addresses, and what policies of pages have to allow for them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.paths import Paths
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters, parse_form
from konnectd.web.policy import page_headers
from konnectd.web.urls import LONGEST_LOCATION, Urls, checked, form_targets, with_query, with_request
from tests.support.requests import sent

WORD = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=20)
#: Parameters as they may come: text without control characters, never empty.
NAMED = st.dictionaries(WORD, WORD, max_size=5)


def read(address: str) -> dict[str, str]:
    """Read the query of an address as the next page does."""
    return dict(Parameters.from_pairs(parse_form(address.partition("?")[2])).items())


class QueryTests(SynchronousTestCase):
    """Parameters on their way from page to page."""

    @settings(deadline=None)
    @given(NAMED)
    def test_nothing_is_lost(self, values: dict[str, str]) -> None:
        """What one page writes the next one reads, byte for byte."""
        self.assertEqual(read(with_query(Parameters(values))), values)

    @settings(deadline=None)
    @given(NAMED)
    def test_only_plain_characters(self, values: dict[str, str]) -> None:
        """Whatever is in them, an address is ASCII without anything that could end it."""
        self.assertRegex(with_query(Parameters(values)), r"\A(?:\?[A-Za-z0-9._~%=&-]+)?\Z")

    def test_nothing(self) -> None:
        """No parameters, no question mark."""
        self.assertEqual((with_query(Parameters()), with_request(Parameters(), "")), ("", ""))

    def test_a_request(self) -> None:
        """Ours are added, and what a client sent under names of ours is left out."""
        request = sent(
            interaction="planted", flow="planted", konnect="planted", retry="planted", claims_scope="planted"
        )
        there = read(with_request(request, "i-1", flow="oidc"))
        back = read(with_request(request, "i-1", konnect="k-1"))

        self.assertEqual(there, {**dict(sent().items()), "flow": "oidc", "interaction": "i-1"})
        self.assertEqual(back, {**dict(sent().items()), "interaction": "i-1", "konnect": "k-1"})

    def test_length(self) -> None:
        """The longest address that is sent is one that servers take."""
        self.assertEqual(checked("/" + "a" * (LONGEST_LOCATION - 1))[0], "/")
        with self.assertRaises(OAuthError):
            checked("/" + "a" * LONGEST_LOCATION)


class TargetTests(SynchronousTestCase):
    """What the policy of a page with a form allows."""

    def test_schemes(self) -> None:
        """The scheme of where it ends, and https for what an application does next; nothing for a path."""
        for location, targets in (
            ("https://notes.example.org/cb", ("https:",)),
            ("http://127.0.0.1:5555/cb?a=1", ("https:", "http:")),
            ("org.example.program:/cb", ("https:", "org.example.program:")),
            ("ORG.example+x-1:/cb", ("https:", "org.example+x-1:")),
            ("/signin/v1/goodbye", ()),
            ("", ()),
        ):
            with self.subTest(location=location):
                self.assertEqual(form_targets(location), targets)
                self.assertTrue(page_headers("n", targets))


class PlaceTests(SynchronousTestCase):
    """The inner pages."""

    def test_all_below_the_cookies_path(self) -> None:
        """Every page that has to know who is signed in is where the cookie goes."""
        for base in ("", "/sub"):
            paths = Paths.below(base)
            urls = Urls(paths=paths, sign_in="/in", signed_out="/out")
            pages = {urls.sign_in_form, urls.chooser, urls.consent, urls.welcome, urls.goodbye}
            with self.subTest(base=base):
                self.assertEqual(len(pages), 5)
                self.assertEqual({page for page in pages if not page.startswith(paths.inner)}, set())
