"""Where our own pages are, and what travels to them in their address."""

from urllib.parse import parse_qsl

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.paths import Paths
from konnectd.protocol.authorize import INTERNAL_PARAMETERS, fingerprint
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters, parse_form
from konnectd.web.urls import LONGEST_LOCATION, Urls, checked, with_query, with_request
from tests.support.requests import form, sent
from tests.support.strategies import TEXT


class UrlsTests(SynchronousTestCase):
    """Addresses of pages."""

    def test_inner_pages(self) -> None:
        """Pages that must know who is signed in are where the logon cookie is sent to, under any base path."""
        for base in ("", "/sso", "/a/b"):
            paths = Paths.below(base)
            urls = Urls(paths=paths, sign_in=paths.identifier, signed_out=paths.goodbye)
            pages = (urls.sign_in_form, urls.chooser, urls.consent, urls.welcome, urls.goodbye)

            self.assertEqual(len(set(pages)), 5)
            for page in (*pages, paths.authorize, paths.endsession):
                self.assertTrue(page.startswith(f"{base}/signin/v1/identifier/_/"), page)


class QueryTests(SynchronousTestCase):
    """Requests in addresses."""

    def test_nothing(self) -> None:
        """No parameters make no question mark."""
        self.assertEqual((with_query(form()), with_request(form(), "")), ("", ""))

    def test_our_additions(self) -> None:
        """The next page gets the client's request, the progress, and what is new; what was added before is replaced."""
        old = sent(interaction="old", flow="oidc", konnect="old", retry="old", claims_scope="old")
        pairs = dict(parse_form(with_request(old, "new", "consent", konnect="k")[1:]))

        self.assertEqual(
            {name: pairs[name] for name in INTERNAL_PARAMETERS if name in pairs},
            {"flow": "consent", "interaction": "new", "konnect": "k"},
        )
        self.assertEqual(
            {name: value for name, value in pairs.items() if name not in INTERNAL_PARAMETERS}, dict(sent().items())
        )

    def test_way_back(self) -> None:
        """The way back to the authorization endpoint carries the request and the progress alone."""
        pairs = dict(parse_form(with_request(sent(flow="oidc", retry="r"), "i")[1:]))

        self.assertEqual(pairs, {**dict(sent().items()), "interaction": "i"})

    @settings(deadline=None)
    @given(st.dictionaries(TEXT, TEXT, max_size=8), TEXT)
    def test_round_trip(self, values: dict[str, str], interaction: str) -> None:
        """Whatever a client sent arrives at the next page as it is, as the same request, in printable ASCII."""
        clean = {n: v for n, v in values.items() if v and all(c >= " " and c != "\x7f" for c in n + v)}
        parameters = Parameters.from_pairs(clean.items())
        for query in (with_query(parameters), with_request(parameters, "sealed")):
            arrived = Parameters.from_pairs(parse_form(query[1:]))

            self.assertRegex(query or "?", r"\A\?[A-Za-z0-9%&=_.~-]*\Z")
            self.assertEqual(fingerprint(arrived), fingerprint(parameters))
            self.assertEqual(parse_qsl(query[1:], keep_blank_values=True), list(parse_form(query[1:])))


class LengthTests(SynchronousTestCase):
    """Addresses that would be cut on their way."""

    def test_longest(self) -> None:
        """The longest address goes through, one character more is refused."""
        longest = "/" * LONGEST_LOCATION

        self.assertEqual(checked(longest), longest)
        with self.assertRaises(OAuthError) as caught:
            checked(longest + "/")
        self.assertEqual(caught.exception.code, "invalid_request")
