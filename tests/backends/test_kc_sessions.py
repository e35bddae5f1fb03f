"""Sessions of people at a groupware server: how they are used, lost, begun anew and ended."""

from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred

from konnectd.interfaces import BackendUnavailableError, SessionLostError
from tests.support.kopano import codes
from tests.support.kopano.troubles import CloseBefore, Hang, Refuse
from tests.support.kopano_case import Case, PersonCase, small
from tests.support.loglines import LogLines


class FindTests(PersonCase):
    """Somebody who is signed in is asked about in their own session."""

    def test_cost(self) -> None:
        """Each question is one call."""
        alice = self.sign_in()
        self.calls()

        self.assertEqual(self.find(alice), alice)
        self.assertEqual(self.calls(), ["getUser"])

    def test_as_they_are_now(self) -> None:
        """What the server knows now counts, not what it knew at sign-in."""
        alice = self.sign_in()
        self.change("alice", mail="a@example.test")

        found = self.find(alice)

        self.assertEqual(found and found.email, "a@example.test")

    def test_gone(self) -> None:
        """Who is not there any more is nobody, and so is who was made a room."""
        alice, bob = self.sign_in(), self.sign_in("bob")
        self.server.people.remove("alice")
        self.change("bob", object_class=codes.CLASS_ROOM)

        self.assertEqual([self.find(alice), self.find(bob)], [None, None])

    def test_hidden(self) -> None:
        """An id that the server does not know or can not read is nobody's; one that may not be seen is somebody's."""
        alice = self.sign_in()
        for code in (0x80000002, 0x80000014, 0x80000016):
            self.server.troubles.plan(Refuse(code), "getUser")

            self.assertIsNone(self.find(alice))
        self.server.troubles.plan(Refuse(0x80000003), "getUser")
        self.assertIn("KCERR_NO_ACCESS", self.trouble(self.backend.find(alice.user_id)))

    def test_somebody_else(self) -> None:
        """An answer about another account than was asked for is about nobody."""
        alice = self.sign_in()
        log = LogLines(self)
        person = self.server.people.by_name("bob")
        if person is None:
            self.fail("no bob")
        self.server.people.by_entry_id = lambda _: person  # type: ignore[method-assign] # a server that errs

        self.assertIsNone(self.find(alice))
        self.assertEqual(len(log.about("somebody else", "error")), 1)

    def test_number_of_another_server(self) -> None:
        """The number in an id is one server's own; somebody is the same whatever it is."""
        alice = self.sign_in()
        person = self.server.people.by_name("alice")
        if person is None:
            self.fail("no alice")
        self.server.people.remove("alice")
        self.server.people.replace(evolve(person, number=4711))
        self.backend = self.make()
        self.backend.rely_on(self.vouch)

        found = self.find(alice)

        self.assertEqual(found and (found.subject, found.numeric_id), (alice.subject, 4711))

    def test_network_trouble(self) -> None:
        """A session outlives a network that does not work for a while."""
        alice = self.sign_in()
        self.reactor.endpoint.is_down = True
        self.server.troubles.plan(CloseBefore(), "getUser")
        self.trouble(self.backend.find(alice.user_id))
        self.reactor.endpoint.is_down = False
        self.calls()

        self.assertEqual(self.find(alice), alice)
        self.assertEqual(self.calls(), ["getUser"])

    def test_no_session_for_the_id(self) -> None:
        """Ids that can be nobody's are not asked about."""
        self.calls()
        for user_id in ("", "x", "AAAA", "AAAAAKwhqVBA0+5Isxn7p1MwRCUAAAAABgAAAAIAAAAAAAAA"):
            self.assertIsNone(self.done(self.backend.find(user_id)))
        self.assertEqual(self.calls(), [])


class RenewTests(PersonCase):
    """A session that has ended is begun anew with a token."""

    def test_after_its_time(self) -> None:
        """Who comes back late notices nothing."""
        alice = self.sign_in()
        self.reactor.wait(400)
        self.calls()

        self.assertEqual(self.find(alice), alice)
        self.assertEqual(self.calls(), ["getUser", "ssoLogon", "getUser"])
        self.assertEqual(self.vouch.made, [alice.user_id])

    def test_after_a_restart_of_ours(self) -> None:
        """A daemon that was started anew has no session, and begins one."""
        alice = self.sign_in()
        self.backend = self.make()
        self.backend.rely_on(self.vouch)
        self.calls()

        self.assertEqual(self.find(alice), alice)
        self.assertEqual(self.calls(), ["ssoLogon", "getUser"])

    def test_used_again(self) -> None:
        """The new session is kept."""
        alice = self.sign_in()
        self.server.restart()
        self.find(alice)
        self.calls()

        self.find(alice)

        self.assertEqual(self.calls(), ["getUser"])

    def test_once_for_all(self) -> None:
        """All requests of a person at that moment share one new session."""
        alice = self.sign_in()
        self.server.restart()
        self.calls()

        finding = [Deferred.fromCoroutine(self.backend.find(alice.user_id)) for _ in range(5)]
        self.reactor.turn()

        self.assertEqual([self.successResultOf(each) for each in finding], [alice] * 5)
        self.assertEqual((self.calls().count("ssoLogon"), len(self.server.sessions)), (1, 1))

    def test_each_their_own(self) -> None:
        """Different people do not wait for each other."""
        people = [self.sign_in(), self.sign_in("bob")]
        self.server.restart()
        self.calls()

        finding = [self.begin(self.backend.find(user.user_id)) for user in people]

        self.assertEqual([self.successResultOf(each) for each in finding], people)
        self.assertEqual(self.calls().count("ssoLogon"), 2)

    def test_one_gives_up(self) -> None:
        """Whoever stops waiting does not end it for the others."""
        alice = self.sign_in()
        self.server.restart()
        self.server.troubles.delays["ssoLogon"] = 1
        first, second = (self.begin(self.backend.find(alice.user_id)) for _ in range(2))
        first.cancel()
        self.failureResultOf(first)
        self.reactor.wait(1)

        self.assertEqual(self.successResultOf(second), alice)

    def test_sign_in_meanwhile(self) -> None:
        """A sign-in that comes first wins, and the other session is ended."""
        alice = self.sign_in()
        self.server.restart()
        self.server.troubles.delays["ssoLogon"] = 1
        finding = self.begin(self.backend.find(alice.user_id))
        self.sign_in()
        self.reactor.wait(1)

        self.assertEqual(self.successResultOf(finding), alice)
        self.assertEqual(len(self.server.sessions), 1)

    def test_only_once(self) -> None:
        """A session that is refused as soon as it has begun is not begun again and again."""
        alice = self.sign_in()
        self.server.troubles.plan(Refuse(codes.END_OF_SESSION), "getUser", times=5)
        self.calls()

        self.trouble(self.backend.find(alice.user_id))

        self.assertEqual(self.calls(), ["getUser", "ssoLogon", "getUser"])

    def test_no_answer(self) -> None:
        """A server that does not answer says nothing about tokens; the next request tries again."""
        alice = self.sign_in()
        self.server.restart()
        for code in (0x80000007, 0x80000002, 0x80000003):
            self.server.troubles.plan(Refuse(code), "ssoLogon")
            error = self.failureResultOf(self.begin(self.backend.find(alice.user_id)), BackendUnavailableError)

            self.assertNotIsInstance(error.value, SessionLostError)
        self.assertEqual(self.find(alice), alice)


class LostTests(PersonCase):
    """A server that takes no tokens has people sign in again."""

    def setUp(self) -> None:
        """Sign in at such a server, which then forgets."""
        super().setUp()
        self.server.settings.enable_sso = False
        self.alice = self.sign_in()
        self.server.restart()

    def lose(self) -> None:
        """Ask about alice, and be told that her session is lost."""
        self.failureResultOf(self.begin(self.backend.find(self.alice.user_id)), SessionLostError)

    def test_lost(self) -> None:
        """Nothing is said about her before she signs in again, and then everything."""
        self.lose()
        self.sign_in()

        self.assertEqual(self.find(self.alice), self.alice)

    def test_log(self) -> None:
        """What the server needs is told once, not for each request, and once more after it has worked."""
        log = LogLines(self)
        self.lose()
        self.lose()
        once = len(log.about("enable_sso", "warn"))
        self.server.settings.enable_sso = True
        self.find(self.alice)
        self.server.settings.enable_sso = False
        self.server.restart()
        self.lose()

        self.assertEqual((once, len(log.about("enable_sso", "warn"))), (1, 2))

    def test_gate_stays(self) -> None:
        """That a server takes no tokens is no reason to try again whether it looks at passwords."""
        self.lose()
        self.sign_in()
        self.server.sessions.idle_limit = 245
        self.reactor.wait(250)
        self.lose()
        self.calls()

        self.sign_in("bob")

        self.assertNotIn("SYSTEM", [asked.username for asked in self.server.asked])


class NobodyVouchesTests(Case):
    """A backend that was given nothing to make tokens with."""

    def test_lost(self) -> None:
        """A session that has ended is lost."""
        alice = self.sign_in()
        self.server.restart()

        self.failureResultOf(self.begin(self.backend.find(alice.user_id)), SessionLostError)


class EndTests(PersonCase):
    """Sessions are ended when nobody needs them any more."""

    def test_sign_out(self) -> None:
        """Who signs out has no session any more."""
        alice = self.sign_in()
        self.calls()

        self.done(self.backend.leave(alice.user_id))

        self.assertEqual((self.calls(), len(self.server.sessions)), (["logoff"], 0))

    def test_sign_out_of_nobody(self) -> None:
        """Signing somebody out who has no session, or is nobody, does nothing."""
        alice = self.sign_in()
        self.done(self.backend.leave(alice.user_id))
        self.calls()
        for user_id in (alice.user_id, "", "x"):
            self.done(self.backend.leave(user_id))

        self.assertEqual(self.calls(), [])

    def test_sign_out_with_trouble(self) -> None:
        """A server that refuses, hangs or is down does not keep anybody from signing out."""
        for trouble in (Refuse(codes.END_OF_SESSION), Hang(), CloseBefore()):
            alice = self.sign_in()
            self.server.troubles.plan(trouble, "logoff")

            self.assertIsNone(self.done(self.backend.leave(alice.user_id)))
        self.reactor.wait(10)

    def test_replaced(self) -> None:
        """A new sign-in ends the session of the one before, behind the person's back."""
        self.sign_in()
        self.server.troubles.plan(Hang(), "logoff")
        self.sign_in()
        self.sign_in()
        self.reactor.wait(10)

        self.assertEqual(len(self.server.sessions), 2 - 1)

    def test_too_many(self) -> None:
        """Of more sessions than are kept those end that nobody has used for the longest time."""
        self.backend = small(self.reactor, 2)
        self.backend.rely_on(self.vouch)
        alice, bob = self.sign_in(), self.sign_in("bob")
        self.find(alice)
        self.sign_in("carol")
        self.calls()

        self.find(alice)
        self.find(bob)

        self.assertEqual(self.calls(), ["getUser", "ssoLogon", "logoff", "getUser"])

    def test_stop(self) -> None:
        """At the end all sessions are ended, at the same time."""
        for name in ("alice", "bob", "carol"):
            self.sign_in(name)
        self.server.troubles.delay = 1

        closing = self.begin(self.backend.close())
        self.reactor.wait(1)

        self.assertIsNone(self.successResultOf(closing))
        self.assertEqual(len(self.server.sessions), 0)

    def test_stop_in_time(self) -> None:
        """A server that hangs does not keep the daemon from stopping."""
        for name in ("alice", "bob", "carol"):
            self.sign_in(name)
        self.server.troubles.plan(Hang(), "logoff", times=3)
        log = LogLines(self)

        closing = self.begin(self.backend.close())
        self.reactor.wait(5)

        self.assertIsNone(self.successResultOf(closing))
        self.assertEqual(len(log.about("3 sessions were left")), 1)

    def test_stop_while_it_begins(self) -> None:
        """A session that is just being begun when the daemon stops does not come about, and whoever waits is told."""
        alice = self.sign_in()
        self.server.restart()
        self.server.troubles.plan(Hang(), "ssoLogon")
        finding: Deferred[Any] = self.begin(self.backend.find(alice.user_id))
        self.done(self.backend.close())

        self.failureResultOf(finding, BackendUnavailableError)

    def test_after_the_end(self) -> None:
        """Nobody is let in any more, and nothing is asked."""
        self.done(self.backend.close())
        self.calls()

        self.trouble(self.backend.logon("alice", "alice-secret"))

        self.assertEqual(self.calls(), [])
