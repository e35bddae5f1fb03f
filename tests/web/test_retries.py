"""Why a sign-in page is shown again, on its way in the page's address."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.jose.sealing import SecretSealer
from konnectd.web.retries import Retries, Retry
from konnectd.web.views import SignInFault
from tests.support.fakes import FixedClock, ReadableSealer
from tests.support.strategies import JSON, TEXT


class RetryTests(SynchronousTestCase):
    """Sealing and opening."""

    def setUp(self) -> None:
        """Take a real sealer and a clock that stands."""
        self.clock = FixedClock()
        self.retries = Retries(sealer=SecretSealer(bytes(32)), clock=self.clock)

    @settings(deadline=None)
    @given(st.sampled_from(SignInFault), TEXT)
    def test_round_trip(self, fault: SignInFault, username: str) -> None:
        """Reading what was written gives the same value."""
        retry = Retry(fault=fault, username=username)

        self.assertEqual(self.retries.open(self.retries.seal(retry)), retry)

    def test_long_name(self) -> None:
        """What nobody is called is cut, so that the address stays short."""
        sealed = self.retries.seal(Retry(fault=SignInFault.WRONG_CREDENTIALS, username="a" * 60000))
        opened = self.retries.open(sealed)

        self.assertLess(len(sealed), 1000)
        self.assertEqual(opened, Retry(fault=SignInFault.WRONG_CREDENTIALS, username="a" * 256))

    def test_name_is_not_readable(self) -> None:
        """Somebody may have typed a password into the field for the name; an address is kept and logged."""
        sealed = self.retries.seal(Retry(fault=SignInFault.WRONG_CREDENTIALS, username="wonderland"))

        self.assertNotIn("wonderland", sealed)
        self.assertNotIn("wonderland", repr(Retry(fault=SignInFault.WRONG_CREDENTIALS, username="wonderland")))

    def test_ten_minutes(self) -> None:
        """Then it is forgotten."""
        sealed = self.retries.seal(Retry(fault=SignInFault.STALE_FORM))
        self.clock.advance(599)
        self.assertIsNotNone(self.retries.open(sealed))
        self.clock.advance(1)

        self.assertIsNone(self.retries.open(sealed))

    def test_not_ours(self) -> None:
        """What is not there, made up, or sealed for another purpose says nothing."""
        other = SecretSealer(bytes(32)).seal("KKT", {"fault": "unavailable", "un": "a"}, self.clock.now() + 60)
        for text in (None, "", "x", "AAAA", "\u00e9", other):
            with self.subTest(text=text):
                self.assertIsNone(self.retries.open(text))

    @settings(deadline=None)
    @given(st.dictionaries(st.sampled_from(["fault", "un", "x"]), JSON))
    def test_odd_contents(self, claims: dict[str, object]) -> None:
        """What another version of ours sealed is read as what it is, or as nothing."""
        sealer = ReadableSealer()
        sealed = sealer.seal("retry", claims, self.clock.now() + 60)
        opened = Retries(sealer=sealer, clock=self.clock).open(sealed)

        self.assertTrue(opened is None or (opened.fault, opened.username) == (claims["fault"], claims["un"]))
