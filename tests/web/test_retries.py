"""Why a sign-in page is shown again."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.jose.sealing import SecretSealer
from konnectd.web.retries import Retries, Retry
from konnectd.web.views import SignInFault
from tests.support.fakes import FixedClock
from tests.support.strategies import JSON, TEXT


class RetriesTests(SynchronousTestCase):
    """Sealing and opening what went wrong."""

    def setUp(self) -> None:
        """Take the real sealer."""
        self.clock = FixedClock()
        self.sealer = SecretSealer(b"s" * 32)
        self.retries = Retries(sealer=self.sealer, clock=self.clock)

    @settings(deadline=None)
    @given(st.sampled_from(SignInFault), TEXT)
    def test_round_trip(self, fault: SignInFault, username: str) -> None:
        """Reading what was written gives the same."""
        retry = Retry(fault=fault, username=username)

        self.assertEqual(self.retries.open(self.retries.seal(retry)), retry)

    def test_name_is_cut(self) -> None:
        """A name of any length does not make an address that no server takes."""
        sealed = self.retries.seal(Retry(fault=SignInFault.WRONG_CREDENTIALS, username="a" * 10_000))
        retry = self.retries.open(sealed)

        self.assertEqual(retry.username if retry else None, "a" * 256)
        self.assertLess(len(sealed), 1000)

    def test_not_for_long(self) -> None:
        """After ten minutes the page says nothing about it any more."""
        sealed = self.retries.seal(Retry(fault=SignInFault.UNAVAILABLE))
        self.clock.advance(599)
        self.assertEqual(self.retries.open(sealed), Retry(fault=SignInFault.UNAVAILABLE))
        self.clock.advance(1)

        self.assertIsNone(self.retries.open(sealed))

    def test_not_ours(self) -> None:
        """Nothing, noise, and what was sealed for another purpose say nothing, so nobody can put words on our page."""
        end = self.clock.now() + 60
        claims = {"fault": "wrong_credentials", "un": "Call 555-1234"}
        sealed = self.retries.seal(Retry(fault=SignInFault.UNAVAILABLE))
        changed = ("B" if sealed[40] == "A" else "A").join((sealed[:40], sealed[41:]))
        strangers = SecretSealer(b"t" * 32).seal("retry", claims, end)

        for text in (
            None,
            "",
            "x",
            changed,
            strangers,
            *(self.sealer.seal(p, claims, end) for p in ("KKT", "consent")),
        ):
            self.assertIsNone(self.retries.open(text), text)

    @settings(deadline=None)
    @given(st.one_of(JSON, st.sampled_from(["no_such_fault", ""])), JSON)
    def test_strange_contents(self, fault: object, username: object) -> None:
        """What another version has sealed is understood or passed over."""
        sealed = self.sealer.seal("retry", {"fault": fault, "un": username}, self.clock.now() + 60)

        self.assertIsNone(self.retries.open(sealed))

    def test_name_is_not_shown(self) -> None:
        """A name, which may be a mistyped password, does not get into a log."""
        self.assertNotIn("hunter2", repr(Retry(fault=SignInFault.WRONG_CREDENTIALS, username="hunter2")))
