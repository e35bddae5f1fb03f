"""Where the parts of an answer stand, in every response mode there is."""

from urllib.parse import parse_qsl, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd import loader
from konnectd.modes import form_post, fragment, query
from konnectd.protocol.authorize import RESPONSE_PARAMETERS, ReturnAddress
from konnectd.protocol.client import Client
from tests.support.requests import CALLBACK, NOTES
from tests.support.strategies import TEXT

ANSWERS = st.lists(st.tuples(st.sampled_from(sorted(RESPONSE_PARAMETERS)), TEXT), unique_by=lambda pair: pair[0])


def address(uri: str = CALLBACK, state: str = "") -> ReturnAddress:
    """Return a proof for a registered URI."""
    client = Client(client_id="rp", redirect_uris=(uri,))
    return ReturnAddress(client, uri, state)


class QueryTests(SynchronousTestCase):
    """In the query."""

    def test_registered_query_stays(self) -> None:
        """What the registered URI says in its query is kept, unless it could be taken for ours."""
        delivery = query.deliver(address(f"{CALLBACK}?a=%20b&code=planted"), (("code", "c-1"),))

        self.assertEqual((delivery.location, delivery.fields), (f"{CALLBACK}?a=%20b&code=c-1", ()))


class FragmentTests(SynchronousTestCase):
    """In the fragment, where no server sees it."""

    def test_nothing_in_the_query(self) -> None:
        """Nothing of the answer is in the query, and what could be taken for it is removed from there."""
        delivery = fragment.deliver(address(f"{CALLBACK}?a=1&access_token=x"), (("access_token", "t"), ("state", "s")))

        self.assertEqual(delivery.location, f"{CALLBACK}?a=1#access_token=t&state=s")

    @settings(deadline=None)
    @given(ANSWERS)
    def test_values_survive(self, pairs: list[tuple[str, str]]) -> None:
        """Whatever stands in an answer is read again as it was, plus signs and ampersands included."""
        parts = urlsplit(fragment.deliver(address(), tuple(pairs)).location)

        self.assertEqual(parse_qsl(parts.fragment, keep_blank_values=True), pairs)


class FormPostTests(SynchronousTestCase):
    """In a form."""

    def test_nothing_in_the_address(self) -> None:
        """The parts are the form's fields; the address is the registered one."""
        delivery = form_post.deliver(address(f"{CALLBACK}?a=1"), (("code", "c-1"), ("state", "s")))

        self.assertEqual((delivery.location, delivery.fields), (f"{CALLBACK}?a=1", (("code", "c-1"), ("state", "s"))))


class EveryModeTests(SynchronousTestCase):
    """What all of them have in common."""

    def test_never_elsewhere(self) -> None:
        """No mode leads away from the registered URI."""
        for name in loader.names("konnectd.modes"):
            deliver = loader.load("konnectd.modes", name).deliver
            delivery = deliver(ReturnAddress(NOTES, CALLBACK), (("code", "https://evil.example/"),))

            self.assertEqual(delivery.location.partition("#")[0].partition("?")[0], CALLBACK, name)
