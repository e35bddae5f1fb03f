"""Which of several servers is asked, and what the operator reads about them."""

from collections.abc import Mapping
from typing import Any

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._ldap_dial import LONGEST_REST, Server
from konnectd.backends._ldap_pool import TENDED_EVERY
from konnectd.interfaces import BackendUnavailableError
from tests.support.fakes import run
from tests.support.ldap_case import TwoServersCase
from tests.support.ldap_people import SERVICE

TWO = {"ldap_uri": ("ldap://one.example", "ldap://two.example")}


class FailoverTests(TwoServersCase):
    """Two servers."""

    options: Mapping[str, Any] = TWO

    def test_first_preferred(self) -> None:
        """While the first server is well the second one is not bothered."""
        self.sign_in()

        self.assertEqual((self.one.connections, self.two.connections), (2, 0))

    def test_second(self) -> None:
        """When the first server is down the second one is asked, at once."""
        self.one.down = True
        self.sign_in()

        self.assertEqual(self.two.connections, 2)

    def test_goes_down(self) -> None:
        """When the first server goes down between sign-ins, nobody notices."""
        self.sign_in()
        self.one.down = True
        self.one.drop_all()
        self.sign_in()

    def test_comes_back(self) -> None:
        """When the first server is back, connections move back to it."""
        self.one.down = True
        self.sign_in()
        self.one.down = False
        self.clock.advance(TENDED_EVERY)
        self.two.requests.clear()
        self.sign_in()

        self.assertEqual(self.two.requests, [])
        self.assertEqual(self.two.servers, [])

    def test_stays_down(self) -> None:
        """While the first server stays down, trying it does not disturb the second one's connections."""
        self.one.down = True
        self.sign_in()
        self.clock.advance(TENDED_EVERY)
        self.sign_in()

        self.assertEqual(len(self.two.servers), 2)

    def test_stale_password(self) -> None:
        """A server that does not let the service in is left out like one that is down."""
        self.one.passwords[SERVICE] = "changed"
        self.sign_in()

        self.assertGreater(self.two.connections, 0)

    def test_both_down(self) -> None:
        """When no server answers, all reasons are told."""
        self.one.down = self.two.down = True

        self.assertRegex(self.fail_to(), r"one\.example.*refused.*two\.example.*refused")


class LogTests(TwoServersCase):
    """What operators read."""

    options: Mapping[str, Any] = TWO

    def lines(self, *, level: str = "warn") -> list[str]:
        """Return lines of a level that further sign-ins cause."""
        with capturedLogs() as events:
            run(self.tried())
        return [str(formatEvent(event)) for event in events if event["log_level"].name == level]

    async def tried(self) -> None:
        """Try to sign in, whatever comes of it."""
        try:
            await self.backend.logon("alice", "wonderland")
        except BackendUnavailableError:
            return

    def test_failover(self) -> None:
        """A server that is down is told once, and that it is back."""
        self.one.down = True
        (line,) = self.lines()
        self.assertRegex(line, r"\ALDAP server ldap://one\.example:389 can not be used: .*: connection refused\Z")
        self.two.drop_all()
        self.assertEqual(self.lines(), [])
        self.one.down = False
        self.two.drop_all()
        self.clock.advance(LONGEST_REST)

        self.assertEqual(self.lines(), ["LDAP server ldap://one.example:389 can be used again"])

    def test_service_password(self) -> None:
        """A wrong password of the service account is told with its code, and is not told itself."""
        self.one.passwords[SERVICE] = self.two.passwords[SERVICE] = "changed"
        first, second = self.lines()

        self.assertIn("refused the service account 'cn=konnectd,dc=example,dc=org': invalidCredentials (49)", first)
        self.assertIn("two.example", second)

    def test_base(self) -> None:
        """A base that is missing is told."""
        self.one.codes["search"] = (32, "")

        self.assertEqual(
            self.lines(),
            ["LDAP: the search base 'ou=people,dc=example,dc=org' can not be read: noSuchObject (32)"],
        )

    def test_no_secrets(self) -> None:
        """Nothing that is logged, at any level, has a password in it."""
        with capturedLogs() as events:
            for password in ("wonderland", "not-wonderland", "builder"):
                for name in ("alice", "nobody"):
                    run(self.backend.logon(name, password))
        text = repr([(formatEvent(event), event) for event in events])

        for secret in ("wonderland", "builder", "service-secret"):
            self.assertNotIn(secret, text)


class ServerTests(SynchronousTestCase):
    """URIs of servers."""

    def test_good(self) -> None:
        """Host, port and kind are read; what follows is not looked at."""
        table = {
            "ldap://a": ("a", 389, False, "ldap://a:389"),
            "LDAPS://A.example:1636/dc=x??sub": ("a.example", 1636, True, "ldaps://a.example:1636"),
            "ldap://[::1]:3389": ("::1", 3389, False, "ldap://[::1]:3389"),
        }
        for text, (host, port, tls, written) in table.items():
            server = Server.parse(text)
            self.assertEqual((server.host, server.port, server.tls, str(server)), (host, port, tls, written))

    def test_bad(self) -> None:
        """What Konnect took for a path on this machine, and other kinds of URI, are refused."""
        for text in ("a", "a:389", "//a", "http://a", "ldapi:///x", "ldap://", "ldap://:389", "ldap://a:0", "ldap://a:x",
                     "ldap://a:99999", "ldap://u:p@a", "ldap://[::1", ""):  # fmt: skip
            with self.assertRaises(ValueError, msg=text):
                Server.parse(text)

    def test_loopback(self) -> None:
        """Servers on this machine are known, since nobody listens on the way to them."""
        self.assertTrue(all(Server.parse(f"ldap://{host}").is_loopback for host in ("localhost", "127.0.0.1", "[::1]")))
        self.assertFalse(any(Server.parse(f"ldap://{host}").is_loopback for host in ("a", "localhost.x", "10.0.0.1")))
