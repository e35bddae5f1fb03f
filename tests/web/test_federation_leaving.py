"""The end of a session that began at an external authority."""

from konnectd.interfaces import Clock
from konnectd.stores.memory import MemoryStore
from tests.support.fakes import FixedClock
from tests.support.federation import IDENTIFIER, Federation, entry, is_at_the_client, query_of
from tests.support.federation_case import FederationCase
from tests.support.visitor import Visit


class KeepingStore(MemoryStore):
    """A store that shows what was put into it.

    Attributes:
        values: all of it.
    """

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing."""
        super().__init__(clock)
        self.values: list[str] = []

    async def put(self, key: str, value: str, ttl: int) -> None:
        """Keep a value."""
        self.values.append(value)
        await super().put(key, value, ttl)


class EndTests(FederationCase):
    """The end of a session that began elsewhere."""

    def leave(self) -> Visit:
        """Sign out on our own page, as somebody does."""
        visit = self.world.here.open(f"{IDENTIFIER}/_/goodbye")
        return self.world.here.submit(visit, signout="1")

    def test_sent_there(self) -> None:
        """Whoever signs out here is sent there, with a proof of who it is."""
        self.world.through(self.world.request())
        visit = self.leave()

        self.assertEqual((visit.left, "id_token_hint" in query_of(visit.url)), (True, True))

    def test_row_27_and_back(self) -> None:
        """And is signed out in both places in the end."""
        self.world.through(self.world.request())
        there = self.world.there.open(self.leave().url)
        visit = self.world.here.open(there.url)

        self.assertIn("signed out", visit.text)

    def test_signed_out_there(self) -> None:
        """So that the next one at the computer is asked who they are."""
        self.world.through(self.world.request())
        self.world.here.open(self.world.there.open(self.leave().url).url)
        page = self.world.there.open(self.world.request().url)

        self.assertIn("password", page.fields)

    def test_back_to_the_client(self) -> None:
        """An application that asks for it gets its person back afterwards."""
        self.world.through(self.world.request("signed"))
        visit = self.world.here.open(
            f"{IDENTIFIER}/_/endsession?client_id=signed&state=bye"
            "&post_logout_redirect_uri=https%3A%2F%2Fnotes.example.org%2Fbye"
        )
        there = self.world.there.open(self.world.here.submit(visit, signout="1").url)

        self.assertEqual(self.world.here.open(there.url).url, "https://notes.example.org/bye?state=bye")

    def test_not_enabled(self) -> None:
        """Where the entry does not say so, signing out is our business alone."""
        self.begin(entries=(entry(end_session_enabled=False),))
        self.world.through(self.world.request())

        self.assertIn("signed out", self.leave().text)

    def test_password(self) -> None:
        """Whoever signed in with a password is not sent anywhere."""
        visit = self.world.here.open(f"{IDENTIFIER}/_/signin?identifier=must")
        self.world.here.submit(visit, username="alice", password="wonderland")

        self.assertIn("signed out", self.leave().text)

    def test_nothing_large_in_cookies(self) -> None:
        """The token of the authority is in no cookie."""
        self.world.through(self.world.request())

        self.assertLess(max(len(cookie.value) for cookie in self.world.here.jar.values()), 600)

    def test_row_25_nothing_to_read_in_the_store(self) -> None:
        """Nor can it be read in the store."""
        store = KeepingStore(FixedClock())
        self.begin(store=store)
        self.world.through(self.world.request())

        self.assertEqual([value for value in store.values if ".eyJ" in value], [])

    def test_row_27_authority_is_gone(self) -> None:
        """When its entry is taken out, whoever came from there is nobody."""
        self.world.through(self.world.request())
        daemon = Federation(entries=(entry(authority_id="other"),)).rp
        self.world.here.daemon = daemon
        visit = self.world.request(prompt="none")

        self.assertEqual(query_of(visit.url)["error"], "login_required")

    def test_authority_is_still_there(self) -> None:
        """While it is there, they stay who they are, whether it answers or not."""
        self.world.through(self.world.request())
        federation = Federation()
        federation.across.silent = True
        self.world.here.daemon = federation.rp

        self.assertTrue(is_at_the_client(self.world.request(prompt="none")))
