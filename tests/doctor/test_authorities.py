"""The doctor asks every authority."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.doctor.authorities import look
from konnectd.doctor.finding import Finding, Level
from tests.support.authorities import TrustingAuthority
from tests.support.fakes import run
from tests.support.openid_provider import oidc_entry


class AuthorityTests(SynchronousTestCase):
    """What is found."""

    def setUp(self) -> None:
        """Have one."""
        self.authority = TrustingAuthority(oidc_entry())

    def found(self) -> list[Finding]:
        """Look at it."""
        return run(look([self.authority]))

    def test_ready(self) -> None:
        """One that answers is good."""
        self.assertEqual(
            [(each.level, each.about, each.says) for each in self.found()],
            [(Level.GOOD, "authority corp", "trusts everybody")],
        )

    def test_silent(self) -> None:
        """One that does not is a fault, with what to do."""
        self.authority.silent = True
        (found,) = self.found()

        self.assertEqual((found.level, found.says, bool(found.mend)), (Level.FAULT, "is not ready: it is silent", True))

    def test_insecure(self) -> None:
        """One whose certificate is not checked is warned of."""
        self.authority.entry = evolve(self.authority.entry, insecure=True)

        self.assertEqual([each.level for each in self.found()], [Level.WARNING, Level.GOOD])

    def test_let_go(self) -> None:
        """It is let go of afterwards."""
        self.found()

        self.assertTrue(self.authority.closed)
