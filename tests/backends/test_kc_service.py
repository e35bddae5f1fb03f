"""The session of the service at a groupware server: kept alive, lost, begun anew."""

from twisted.internet.defer import Deferred

from konnectd.interfaces import SessionLostError
from tests.support.kopano import codes
from tests.support.kopano.troubles import CloseBefore, Hang, Refuse
from tests.support.kopano_case import SERVICE, Case
from tests.support.loglines import LogLines


class ServiceTests(Case):
    """Everybody is asked about in one session."""

    options = SERVICE

    def keep_alives(self) -> int:
        """Return how often the session was used for nothing but to live on."""
        return len([asked for asked in self.server.calls_of("resolveUsername") if asked.username == "SYSTEM"])

    def logons(self) -> int:
        """Return how often the service has signed in."""
        return len([asked for asked in self.server.calls_of("logon") if asked.flags == 0])

    def test_late(self) -> None:
        """Nobody connects before there is something to ask: a daemon may still have to fork."""
        self.reactor.wait(1000)

        self.assertEqual((self.server.count, self.logons()), (0, 0))

    def test_one(self) -> None:
        """All people share one session, and asking about somebody is one call."""
        alice, bob = self.sign_in(), self.sign_in("bob")
        self.calls()
        self.find(alice)
        self.find(bob)

        self.assertEqual(self.calls(), ["getUser", "getUser"])
        self.assertEqual(len(self.server.sessions), 1)

    def test_flags(self) -> None:
        """Only the service's own logon lets the server look at who runs the daemon; those of people only check."""
        self.sign_in()

        flags = {(asked.username, asked.flags) for asked in self.server.calls_of("logon")}

        self.assertEqual(flags, {("SYSTEM", 3), ("svc", 3), ("svc", 0), ("alice", 3)})

    def test_kept_alive(self) -> None:
        """Unused, it is used for nothing, in time."""
        self.sign_in()
        self.reactor.wait(1300)

        self.assertEqual((self.keep_alives(), self.logons(), len(self.server.sessions)), (5, 1, 1))

    def test_used(self) -> None:
        """Used, it lives by that alone."""
        alice = self.sign_in()
        for _ in range(20):
            self.reactor.wait(200)
            self.find(alice)

        self.assertEqual((self.keep_alives(), self.logons()), (0, 1))

    def test_keep_alive_without_answer(self) -> None:
        """That keeping it alive fails for a while does not end it."""
        alice = self.sign_in()
        self.server.troubles.plan(Refuse(0x80000007), "resolveUsername")
        self.reactor.wait(242)
        self.server.troubles.plan(CloseBefore(), "resolveUsername", times=2)
        self.reactor.wait(10)

        self.assertEqual((self.find(alice), self.logons()), (alice, 1))

    def test_lost_unnoticed(self) -> None:
        """Who asks first after it was lost gets an answer all the same, and the log says what has happened."""
        alice = self.sign_in()
        log = LogLines(self)
        self.server.restart()
        self.calls()

        self.assertEqual(self.find(alice), alice)
        self.assertEqual(self.calls(), ["getUser", "logon", "getUser"])
        self.assertEqual(len(log.about("Kopano server file:///run/kopano/server.sock has ended the session")), 1)

    def test_probed_again(self) -> None:
        """A server that has lost it was started anew, so nobody signs in before it was seen to look at passwords."""
        alice = self.sign_in()
        self.server.restart()
        self.find(alice)
        self.server.asked.clear()
        self.sign_in()

        self.assertEqual([asked.username for asked in self.server.calls_of("logon")], ["SYSTEM", "svc", "alice"])

    def test_lost_while_nobody_asks(self) -> None:
        """When keeping it alive shows that it is lost, there is another one at once."""
        self.sign_in()
        self.server.restart()
        self.reactor.wait(250)

        self.assertEqual((self.logons(), len(self.server.sessions)), (2, 1))

    def test_lost_for_all(self) -> None:
        """All who notice at the same time share the new one."""
        alice = self.sign_in()
        self.server.restart()
        finding = [Deferred.fromCoroutine(self.backend.find(alice.user_id)) for _ in range(20)]
        self.reactor.turn()

        self.assertEqual([self.successResultOf(each) for each in finding], [alice] * 20)
        self.assertEqual(self.logons(), 2)

    def test_lost_twice(self) -> None:
        """A session that is refused as soon as it has begun is not begun again and again."""
        alice = self.sign_in()
        self.server.troubles.plan(Refuse(codes.END_OF_SESSION), "getUser", times=5)
        self.calls()

        self.trouble(self.backend.find(alice.user_id))

        self.assertEqual(self.calls(), ["getUser", "logon", "getUser", "logon"])

    def test_never_a_person_s(self) -> None:
        """What is lost is the service's session, never a person's."""
        alice = self.sign_in()
        self.server.people.remove("svc")
        self.server.restart()
        error = self.failureResultOf(self.begin(self.backend.find(alice.user_id)))

        self.assertNotIsInstance(error.value, SessionLostError)

    def test_tried_again(self) -> None:
        """When it can not sign in it tries every five seconds, and says so once."""
        self.sign_in()
        log = LogLines(self)
        self.server.restart()
        self.server.troubles.plan(Refuse(codes.LOGON_FAILED), "logon", times=3)
        self.trouble(self.backend.find_by_username("alice"))
        before = self.logons()
        self.reactor.wait(14)
        self.reactor.wait(2)

        self.assertEqual((before, self.logons(), len(self.server.sessions)), (2, 5, 1))
        self.assertEqual(len(log.about("does not let the service in", "warn")), 1)
        self.assertEqual(len(log.about("lets the service in again")), 1)

    def test_known_to_be_down(self) -> None:
        """While it is known that there is no session nobody waits for one."""
        self.sign_in()
        self.server.restart()
        self.server.troubles.plan(Refuse(codes.LOGON_FAILED), "logon", times=3)
        self.trouble(self.backend.find_by_username("alice"))
        self.calls()

        self.assertIn("no session of the service", self.trouble(self.backend.find_by_username("alice")))
        self.assertEqual(self.calls(), [])

    def test_waits_a_little(self) -> None:
        """Who asks while it signs in waits for that."""
        alice = self.sign_in()
        self.server.restart()
        self.server.troubles.delays["logon"] = 2
        finding = self.begin(self.backend.find(alice.user_id))
        self.reactor.wait(2)

        self.assertEqual(self.successResultOf(finding), alice)

    def test_waits_not_long(self) -> None:
        """But not for ever."""
        alice = self.sign_in()
        self.server.restart()
        self.server.troubles.plan(Hang(), "logon")
        finding = self.begin(self.backend.find(alice.user_id))
        self.reactor.wait(5)

        self.assertIn("waited for 5 seconds", self.failureResultOf(finding).getErrorMessage())

    def test_sign_out(self) -> None:
        """At the end the service signs out, within some seconds, and nothing is left to happen."""
        self.sign_in()
        self.done(self.backend.close())

        self.assertEqual(len(self.server.sessions), 0)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_sign_out_in_vain(self) -> None:
        """A server that hangs does not keep the daemon from stopping."""
        self.sign_in()
        self.server.troubles.plan(Hang(), "logoff")
        closing = self.begin(self.backend.close())
        self.reactor.wait(5)

        self.assertIsNone(self.successResultOf(closing))

    def test_stop_while_it_begins(self) -> None:
        """A daemon that stops does not try again."""
        self.reactor.endpoint.is_down = True
        self.trouble(self.backend.find_by_username("alice"))
        self.done(self.backend.close())
        self.reactor.endpoint.is_down = False
        self.reactor.wait(60)

        self.assertEqual(self.server.count, 0)
