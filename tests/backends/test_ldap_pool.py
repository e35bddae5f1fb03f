"""Connections that are kept, replaced, and moved between servers."""

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._ldap_dial import LONGEST_REST, SHORTEST_REST, Server
from konnectd.backends._ldap_pool import SPARED_AFTER, TENDED_EVERY
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.end_user import EndUser
from tests.support.fakes import run
from tests.support.ldap_people import SERVICE, backend, clock, directory

TWO = {"ldap_uri": ("ldap://one.example", "ldap://two.example")}


class Case(SynchronousTestCase):
    """Two directories with the same people, and a backend over them."""

    options: Mapping[str, Any] = {}

    def setUp(self) -> None:
        """Make all."""
        self.one, self.two = directory(), directory()
        self.clock = clock()
        self.backend = backend(self.options, self.clock, one=self.one, two=self.two)
        self.addCleanup(lambda: run(self.backend.close()))

    def begin(self, username: str = "alice", password: str = "wonderland") -> Deferred[Any]:
        """Begin a sign-in."""
        return Deferred.fromCoroutine(self.backend.logon(username, password))

    def sign_in(self) -> None:
        """Sign alice in."""
        self.assertIsInstance(self.successResultOf(self.begin()), EndUser)

    def fail_to(self) -> str:
        """Fail to sign alice in, and return why."""
        return str(self.failureResultOf(self.begin(), BackendUnavailableError).value)


class ReconnectTests(Case):
    """One server that comes and goes."""

    def test_dropped(self) -> None:
        """After the server closed all connections, the next sign-in makes new ones."""
        self.sign_in()
        self.one.drop_all()
        self.sign_in()

        self.assertEqual(self.one.connections, 4)

    def test_dropped_before_answer(self) -> None:
        """A connection that dies under a question is replaced, and the question asked again."""
        for kind in ("search", "bind"):
            self.sign_in()
            self.one.silent = {kind}
            waiting = self.begin()
            self.assertNoResult(waiting)
            self.one.silent = set()
            self.one.drop_all()

            self.assertIsInstance(self.successResultOf(waiting), EndUser)

    def test_dropped_each_time(self) -> None:
        """A question is asked again once, not for ever."""
        self.sign_in()
        self.one.silent = {"search"}
        waiting = self.begin()
        self.one.drop_all()
        self.one.drop_all()

        self.failureResultOf(waiting, BackendUnavailableError)

    def test_rest(self) -> None:
        """While a server rests after a failure it is not tried; the rest grows, to a limit."""
        self.one.down = True
        self.assertIn("refused", self.fail_to())
        self.one.down = False
        self.assertIn("refused", self.fail_to())
        self.assertEqual(self.one.connections, 0)
        self.clock.advance(SHORTEST_REST)
        self.sign_in()

    def test_half_made(self) -> None:
        """A connection on which the service is refused, or not answered, does not stay open."""
        self.one.passwords[SERVICE] = "changed"
        self.fail_to()
        self.assertEqual(self.one.servers, [])

        self.clock.advance(LONGEST_REST)
        self.one.silent = {"bind"}
        waiting = self.begin()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        run(self.backend.close())
        self.assertEqual(self.one.servers, [])

    def test_longest_rest(self) -> None:
        """However often a server failed, it is tried again after the longest rest."""
        self.one.down = True
        for _ in range(10):
            self.fail_to()
            self.clock.advance(LONGEST_REST)
        self.one.down = False

        self.sign_in()

    def test_lost_identity(self) -> None:
        """When the server forgot who a connection is, a new one is made and signed in."""
        self.sign_in()
        self.one.holding = {"search"}
        waiting = self.begin()
        self.one.codes["search"] = (1, "bind first")
        held = self.one.connections
        self.one.release()

        self.failureResultOf(waiting, BackendUnavailableError)
        del self.one.codes["search"]
        self.sign_in()
        self.assertGreater(self.one.connections, held)
        self.assertGreaterEqual([dn for dn, _ in self.one.arguments("bind")].count(SERVICE), 2)

    def test_stop_while_waiting(self) -> None:
        """Closing fails what waits, and leaves no timer behind."""
        self.one.silent = {"bind"}
        waiting = self.begin()
        run(self.backend.close())

        self.failureResultOf(waiting, BackendUnavailableError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_canceled(self) -> None:
        """When a browser leaves, its sign-in ends and its place is free again."""
        self.sign_in()
        self.one.silent = {"bind"}
        waiting = self.begin()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.one.silent = set()

        self.sign_in()


class SizeTests(Case):
    """Few connections for many people."""

    options: Mapping[str, Any] = {"ldap_bind_connections": 2}

    def test_burst(self) -> None:
        """Passwords are checked two at a time; the others wait their turn."""
        self.sign_in()
        self.one.holding = {"bind"}
        waiting = [self.begin() for _ in range(6)]
        binds = len(self.one.arguments("bind"))
        self.assertEqual(self.one.kinds().count("search"), 7)
        self.one.release()

        for one in waiting:
            self.assertIsInstance(self.successResultOf(one), EndUser)
        self.assertEqual((binds, self.one.connections), (4, 3))

    def test_no_turn(self) -> None:
        """Who does not get a turn in time is told that the directory is unavailable."""
        self.sign_in()
        self.one.silent = {"bind"}
        waiting = [self.begin() for _ in range(6)]
        self.clock.advance(10)

        for one, reason in ((waiting[0], "did not answer a bind"), (waiting[5], "no connection to LDAP was free")):
            self.assertIn(reason, str(self.failureResultOf(one, BackendUnavailableError).value))
        self.clock.advance(10)
        for one in waiting[1:5]:
            self.failureResultOf(one, BackendUnavailableError)

    def test_no_second_connection(self) -> None:
        """When a further connection can not be made, people wait for the one there is."""
        self.sign_in()
        self.one.holding = {"bind"}
        waiting = [self.begin()]
        self.one.down = True
        waiting += [self.begin() for _ in range(3)]
        for one in waiting:
            self.assertNoResult(one)
        self.one.release()

        self.assertEqual([type(self.successResultOf(one)) for one in waiting], [EndUser] * 4)

    def test_canceled_in_line(self) -> None:
        """Who leaves while waiting for a turn does not take one later."""
        self.sign_in()
        self.one.holding = {"bind"}
        waiting = [self.begin() for _ in range(3)]
        waiting[2].cancel()
        self.failureResultOf(waiting[2], CancelledError)
        asked = len(self.one.arguments("bind"))
        self.one.release()

        self.assertEqual(len(self.one.arguments("bind")), asked)

    def test_cold_burst(self) -> None:
        """Many at once on a cold start share one connection for searching."""
        self.one.holding = {"search"}
        waiting = [self.begin() for _ in range(20)]
        self.assertEqual(self.one.connections, 1)
        self.one.release()

        self.assertEqual([type(self.successResultOf(one)) for one in waiting], [EndUser] * 20)


class TendingTests(Case):
    """Connections nobody uses."""

    def test_probe(self) -> None:
        """Idle connections are tried, and replaced when they turn out to be dead."""
        self.sign_in()
        self.one.requests.clear()
        self.clock.advance(TENDED_EVERY)
        self.assertEqual(self.one.kinds(), ["search", "search"])
        self.assertEqual([request.baseObject for request in self.one.arguments("search")], [b"", b""])

        self.one.silent = {"*"}
        self.clock.advance(TENDED_EVERY)
        self.clock.advance(10)
        self.assertEqual(self.one.servers, [])
        self.one.silent = set()
        self.sign_in()

    def test_spare(self) -> None:
        """After a burst, connections that nobody needs any more are closed but for one."""
        self.one.holding = {"bind"}
        self.one.holding = set()
        self.sign_in()
        self.one.holding = {"bind"}
        waiting = [self.begin() for _ in range(4)]
        self.one.release()
        for one in waiting:
            self.successResultOf(one)
        self.assertEqual(len(self.one.servers), 5)
        for _ in range(int(SPARED_AFTER / TENDED_EVERY) + 1):
            self.clock.advance(TENDED_EVERY)

        self.assertEqual(len(self.one.servers), 2)

    def test_closed_once_idle(self) -> None:
        """A closed backend tends nothing."""
        self.sign_in()
        run(self.backend.close())

        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.one.servers, [])


class FailoverTests(Case):
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


class LogTests(Case):
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
