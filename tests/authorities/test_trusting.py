"""The fake that other tests use, held to the contract of the real kinds."""

from urllib.parse import parse_qsl, urlsplit

from twisted.trial.unittest import SynchronousTestCase

from konnectd.authority import Departure, Returned
from konnectd.authority_entry import AuthorityEntry
from konnectd.protocol.parameters import Parameters
from tests.contracts.authorities import AuthorityContract
from tests.support.authorities import TrustingAuthority


class TrustingContractTests(AuthorityContract, SynchronousTestCase):
    """It is an authority."""

    def make_authority(self) -> TrustingAuthority:
        """Return one."""
        self.trusting = TrustingAuthority(AuthorityEntry(authority_id="a", name="a", kind="trusting"))
        return self.trusting

    def silence(self) -> None:
        """Let it not be ready."""
        self.trusting.silent = True

    def returned(self, departure: Departure, **more: str) -> Returned:
        """Return what a browser brings back."""
        asked = dict(parse_qsl(urlsplit(departure.location).query))
        return Returned(doorway="oauth2/cb", parameters=Parameters({**asked, **more}))

    def consent(self, departure: Departure) -> Returned:
        """Sign in."""
        return self.returned(departure, name="alice", ref="r1")

    def refusal(self, departure: Departure) -> Returned:
        """Say no."""
        return self.returned(departure, no="1")
