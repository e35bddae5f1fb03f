"""Going to an OpenID provider and coming back, in memory."""

from urllib.parse import parse_qsl, urlsplit

from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities import oidc
from konnectd.authority import AuthorityError, Departure, ExternalIdentity, Rebuff, Wish
from konnectd.authority_entry import AuthorityEntry
from tests.support.fakes import FixedClock, run
from tests.support.openid_provider import OpenIdProvider, oidc_entry, tools_for


class OidcCase(SynchronousTestCase):
    """Goes to a provider and comes back.

    Attributes:
        entry: of the authority.
    """

    entry = oidc_entry()

    def setUp(self) -> None:
        """Start the provider."""
        self.clock = FixedClock()
        self.provider = OpenIdProvider(self.clock)
        self.make(self.entry)

    def make(self, entry: AuthorityEntry) -> None:
        """Make another authority."""
        self.authority = oidc.build(entry, tools_for(self.provider))

    def depart(self, wish: Wish | None = None) -> Departure:
        """Go there."""
        return run(self.authority.depart(wish or Wish(), "st4te"))

    def asked(self, wish: Wish | None = None) -> dict[str, str]:
        """Return what the provider is asked."""
        return dict(parse_qsl(urlsplit(self.depart(wish).location).query))

    def arrive(self, wish: Wish | None = None, **more: str) -> ExternalIdentity:
        """Go there and come back."""
        departure = self.depart(wish)
        return run(self.authority.arrive(self.provider.returns(departure.location, **more), departure.remembered))

    def refused(self, wish: Wish | None = None, **more: str) -> tuple[Rebuff, str]:
        """Return why nobody is signed in, for the code and for the operator."""
        error = self.assertRaises(AuthorityError, self.arrive, wish, **more)
        return error.rebuff, str(error)

    def not_believed(self, wish: Wish | None = None, **more: str) -> str:
        """Return what is wrong with an ID token."""
        rebuff, text = self.refused(wish, **more)

        self.assertEqual(rebuff, Rebuff.INVALID)
        return text.removeprefix("its ID token is not believed: ")
