"""What backends and stores tell of how they are: use of connections, and whether they answer."""

from konnectd.interfaces import BackendUnavailableError
from konnectd.vitals import Pooled, PoolUse, Probed
from tests.stores.redis_case import RedisCase
from tests.support.fakes import run
from tests.support.kopano_case import PersonCase
from tests.support.ldap_case import Case


class LdapTests(Case):
    """A directory."""

    def test_pools(self) -> None:
        """Connections for searches and for passwords are told apart, and are idle when nobody asks."""
        self.signed_in()
        search, bind = self.backend.pools()

        self.assertIsInstance(self.backend, Pooled)
        self.assertEqual((search.name, search.busy, search.idle, search.waiting), ("ldap-search", 0, 1, 0))
        self.assertEqual((bind.name, bind.busy, bind.idle), ("ldap-bind", 0, 1))

    def test_probe(self) -> None:
        """It answers when the directory does, over a connection that is there."""
        self.assertIsInstance(self.backend, Probed)
        for _ in range(5):
            run(self.backend.probe())

        self.assertEqual(self.backend.pools()[0].idle, 1)

    def test_probe_without_a_directory(self) -> None:
        """It does not when there is none."""
        self.directory.down = True

        self.assertRaises(BackendUnavailableError, run, self.backend.probe())

    def test_probe_after_the_end(self) -> None:
        """A backend that was closed does not answer."""
        run(self.backend.close())

        self.assertRaises(BackendUnavailableError, run, self.backend.probe())


class RedisTests(RedisCase):
    """A store in Redis."""

    def test_pools(self) -> None:
        """It has one connection, or none."""
        before = self.made.pools()
        self.done(self.made.get("x"))

        self.assertEqual(before, (PoolUse(name="redis", busy=0, idle=0, limit=1, waiting=0),))
        self.assertEqual(self.made.pools(), (PoolUse(name="redis", busy=0, idle=1, limit=1, waiting=0),))


class KopanoTests(PersonCase):
    """A Kopano server."""

    def test_pools(self) -> None:
        """Calls under way and those that wait are told."""
        (people,) = self.backend.pools()

        self.assertIsInstance(self.backend, Pooled)
        self.assertEqual((people.name, people.busy, people.waiting), ("kopano-people", 0, 0))
        self.assertEqual(people.idle, people.limit)

    def test_probe(self) -> None:
        """It answers when the server does."""
        self.done(self.backend.probe())

        self.assertIsInstance(self.backend, Probed)

    def test_probe_without_a_server(self) -> None:
        """It does not when there is none."""
        self.reactor.endpoint.is_down = True

        self.trouble(self.backend.probe())
        self.assertEqual(self.backend.pools()[0].waiting, 0)
