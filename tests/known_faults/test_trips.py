"""Row 27: trips to external authorities that led others in, or where nobody wanted to go.

What is not here is where the rest of it is tested. Each test sees that one check is there.
"""

from collections.abc import Mapping
from urllib.parse import urlencode, urljoin

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authorities._oidc_settings import OidcSettings
from konnectd.authority import ExternalIdentity, Returned
from konnectd.authority_entry import IdentityRules
from konnectd.flows.federate import LONGEST_NAME
from konnectd.protocol.end_user import EndUser
from tests.support.fakes import FixedClock, People
from tests.support.federation import ENTRY, IDENTIFIER, Federation, entry, is_at_the_client, query_of
from tests.support.federation_case import FederationCase
from tests.support.people import ALICE
from tests.support.requests import sent
from tests.web.test_federation_leaving import KeepingStore


class Asked(People):
    """A backend that keeps the names it was asked for."""

    def __init__(self) -> None:
        """Know one person."""
        super().__init__(ALICE)
        self.names: list[str] = []

    async def find_by_username(self, username: str) -> EndUser | None:
        """Keep the name."""
        self.names.append(username)
        return await super().find_by_username(username)


class Row27IdTokenTests(SynchronousTestCase):
    """An ID token in the answer, which the provider does not see again."""

    def setUp(self) -> None:
        """Ask for one."""
        settings = ENTRY.settings
        if not isinstance(settings, OidcSettings):
            raise TypeError
        self.world = Federation(entries=(evolve(ENTRY, settings=evolve(settings, response_type="id_token")),))

    def test_row_27_twice(self) -> None:
        """It signs in once, although the browser has kept its cookie."""
        page = self.world.sign_in(self.world.request())
        jar = dict(self.world.here.jar)
        self.world.here.post(urljoin(page.url, page.action), page.fields)
        self.world.here.jar.clear()
        self.world.here.jar.update(jar)
        again = self.world.here.post(urljoin(page.url, page.action), page.fields)

        self.assertFalse(is_at_the_client(again))


class Row27Tests(FederationCase):
    """Somebody who is to go, or comes back."""

    def asked(self, local: str) -> list[str]:
        """Return what the backend was asked for after somebody came back who is called so here."""
        backend = Asked()
        rules = IdentityRules(aliases=(("alice", local),))
        self.begin(entries=(entry(identity=rules),), backend=backend)
        self.world.through(self.world.request())
        return backend.names

    def test_row_27_frame(self) -> None:
        """A page that is opened with prompt=none goes nowhere: it is in a frame."""
        query = urlencode([("client_id", "mail"), *sent(client_id="mail", prompt="none").without("client_id").items()])
        visit = self.world.here.open(f"{IDENTIFIER}?{query}")

        self.assertFalse(visit.left)

    def test_row_27_long_name(self) -> None:
        """A name without end reaches no backend."""
        self.assertEqual(self.asked("a" * (LONGEST_NAME + 1)), [])

    def test_row_27_lines_in_a_name(self) -> None:
        """Nor does one of two lines."""
        self.assertEqual(self.asked("alice\nbob"), [])

    def test_row_27_max_age(self) -> None:
        """The authority is told how long ago it may be that somebody has proved who they are."""
        self.assertEqual(query_of(self.world.request(max_age="10").url).get("max_age"), "10")

    def test_row_27_proved_before(self) -> None:
        """Who was signed in there for long has not proved just now who they are."""
        self.world.through(self.world.request())
        self.world.advance(1000)
        self.world.here.jar.clear()
        self.world.through(self.world.request())
        visit = self.world.request(prompt="none", max_age="500")

        self.assertEqual(query_of(visit.url).get("error"), "login_required")

    def test_row_27_much_held(self) -> None:
        """An authority does not fill the store with what it says."""
        store = KeepingStore(FixedClock())
        self.begin(store=store)
        authority = self.world.rp.world.authorities["corp"]
        arrive = authority.arrive

        async def talkative(returned: Returned, remembered: Mapping[str, object]) -> ExternalIdentity:
            return evolve(await arrive(returned, remembered), held={"words": "w" * 40_000})

        self.patch(authority, "arrive", talkative)
        self.world.through(self.world.request())

        self.assertLess(max(len(value) for value in store.values), 10_000)
