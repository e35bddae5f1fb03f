"""Connections that are kept, shared and replaced."""

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import CancelledError

from konnectd.backends._ldap_dial import LONGEST_REST, SHORTEST_REST
from konnectd.backends._ldap_pool import SPARED_AFTER, TENDED_EVERY
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.end_user import EndUser
from tests.support.fakes import run
from tests.support.ldap_case import TwoServersCase
from tests.support.ldap_people import SERVICE


class ReconnectTests(TwoServersCase):
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


class SizeTests(TwoServersCase):
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


class TendingTests(TwoServersCase):
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
