"""The registered applications."""

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.doctor import registered
from konnectd.doctor.finding import Finding, Level
from konnectd.interfaces import FetchError
from konnectd.late_fetch import NoFetch
from konnectd.protocol.authorize import Pairs
from konnectd.protocol.client import Client
from tests.support.asked import told, worst
from tests.support.fakes import run

SECRET = "a-secret-that-is-long-enough-for-anybody"
APP = Client(client_id="app", secret=SECRET, redirect_uris=("https://app.example.com/cb",))


class Stands:
    """A `konnectd.interfaces.Fetch` that finds the same everywhere."""

    def __init__(self, content: bytes) -> None:
        """Keep it."""
        self.content = content
        self.asked: list[str] = []

    async def get(self, url: str) -> bytes:
        """Return it."""
        self.asked.append(url)
        return self.content

    async def post(self, url: str, fields: Pairs) -> int:
        """Refuse."""
        raise FetchError(url)


class RegisteredTests(SynchronousTestCase):
    """Clients of every kind."""

    def look(self, *clients: Client, content: bytes | None = None) -> list[Finding]:
        """Look."""
        self.fetch = Stands(content or b"")
        return run(registered.look(clients, NoFetch() if content is None else self.fetch))

    def test_good(self) -> None:
        """There is nothing to complain about; native applications may use this very machine."""
        native = Client(client_id="native", redirect_uris=("http://127.0.0.1/cb", "org.example.app:/cb"))

        self.assertEqual([each.level for each in self.look(APP, native)], [Level.GOOD])

    def test_none(self) -> None:
        """No client at all is worth a hint."""
        self.assertEqual([each.level for each in self.look()], [Level.HINT])

    def test_in_the_clear(self) -> None:
        """An http address is told, without what follows the host."""
        found = self.look(evolve(APP, redirect_uris=("http://app.example.com/cb?key=hidden",)))

        self.assertEqual((worst(found), "hidden" in told(found)), ([("warning", "clients")], False))

    def test_insecure(self) -> None:
        """So is an entry for trying things out."""
        self.assertIn("insecure is set", told(self.look(evolve(APP, insecure=True))))

    def test_short_secret(self) -> None:
        """A short secret is told by its length."""
        found = self.look(evolve(APP, secret="swordfish"))

        self.assertEqual(("9 characters" in told(found), "swordfish" in told(found)), (True, False))

    def test_same_secret(self) -> None:
        """Two that have the same one are told."""
        found = self.look(APP, evolve(APP, client_id="other"))

        self.assertEqual(("app, other have the same" in told(found), SECRET in told(found)), (True, False))

    def test_keys(self) -> None:
        """Keys are fetched, and have to be some."""
        client = evolve(APP, jwks_uri="https://app.example.com/jwks")
        wrong = (b"{}", b"[]", b"x", b'{"keys": []}', b'{"keys": 1}')

        self.assertEqual(worst(self.look(client, content=b'{"keys": [{}]}')), [])
        self.assertEqual(
            [worst(self.look(client, content=each)) for each in wrong], [[("fault", "clients")]] * len(wrong)
        )

    def test_no_keys(self) -> None:
        """An address that can not be asked is a fault."""
        self.assertEqual(worst(self.look(evolve(APP, jwks_uri="https://app.example.com/jwks"))), [("fault", "clients")])

    def test_many(self) -> None:
        """There is an end to what is fetched."""
        clients = [
            Client(client_id=f"c{number}", redirect_uris=APP.redirect_uris, jwks_uri=f"https://c{number}.example.com/")
            for number in range(60)
        ]
        found = self.look(*clients, content=b'{"keys": [{}]}')

        self.assertEqual((len(self.fetch.asked), "10 further clients" in told(found)), (50, True))
