"""Signing in at a groupware server, against one in memory."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._kopano_errors import Code
from konnectd.backends.kc import KopanoBackend, KopanoServiceBackend, build
from konnectd.interfaces import NamingBackend, PasswordBackend, RefusalReason, Refused, SessionBackend
from tests.contracts.backends import PASSWORD, USERNAME, BackendContract, NamingContract, SessionContract
from tests.support.kopano import codes
from tests.support.kopano.troubles import CloseBefore, Hang, Refuse
from tests.support.kopano_case import SERVICE, URI, Case, MemoryReactor, PersonCase, Voucher

Answer = TypeVar("Answer")

WRONG = Refused(RefusalReason.WRONG_PASSWORD)


class _KopanoDrive(BackendContract):
    """What the contract needs to be driven by a server in memory."""

    reactor: MemoryReactor

    def drive(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        """Return what a coroutine returns."""
        begun = Deferred.fromCoroutine(coroutine)
        self.reactor.turn()
        answer: Answer = self.successResultOf(begun)
        return answer


class ContractTests(_KopanoDrive, SessionContract, SynchronousTestCase):
    """Sessions of people keep to the contract of all backends."""

    tells_who_is_known = False

    def make_backend(self) -> PasswordBackend:
        """Return a backend over a server in memory."""
        self.reactor = MemoryReactor()
        self.reactor.server.people.add(USERNAME, PASSWORD)
        backend = build({"kc_server_uri": URI}, self.reactor)
        if isinstance(backend, KopanoBackend):
            backend.rely_on(Voucher(self.reactor.server))
        return backend


class ServiceContractTests(_KopanoDrive, NamingContract, SynchronousTestCase):
    """A session of the service keeps to the contract of all backends."""

    def make_backend(self) -> PasswordBackend:
        """Return a backend over a server in memory."""
        self.reactor = MemoryReactor()
        self.reactor.server.people.add(USERNAME, PASSWORD)
        return build({"kc_server_uri": URI, **SERVICE}, self.reactor)


class KindTests(SynchronousTestCase):
    """What each way can do."""

    def test_sessions(self) -> None:
        """Only sessions of people are kept for people, and only a service finds people by their names."""
        person, service = (build({"kc_server_uri": URI, **more}, MemoryReactor()) for more in ({}, SERVICE))

        kinds = [(isinstance(each, SessionBackend), isinstance(each, NamingBackend)) for each in (person, service)]

        self.assertEqual(kinds, [(True, False), (False, True)])

    def test_longest_access_token(self) -> None:
        """Access tokens live a minute less than a session that nobody uses."""
        for options, expected in (({}, 240), ({"kc_session_timeout": 900}, 840)):
            backend = build({"kc_server_uri": URI, **options}, MemoryReactor())

            self.assertEqual(getattr(backend, "longest_access_token", None), expected)

    def test_system(self) -> None:
        """SYSTEM is a service without a password where the server knows who asks."""
        backend = build({"kc_server_uri": URI, "kc_server_username": "SYSTEM"}, MemoryReactor())

        self.assertIsInstance(backend, KopanoServiceBackend)


class SignInTests(PersonCase):
    """Names and passwords, where people have sessions of their own."""

    def test_cost(self) -> None:
        """A sign-in is two calls, once the server was seen to look at passwords: who is it?"""
        self.sign_in("bob")
        self.calls()

        user = self.sign_in()

        self.assertEqual(self.calls(), ["logon", "getUser"])
        self.assertEqual((user.username, user.subject), ("alice", "e3Ia1ed3TfSoazjHIj5hFQ"))

    def test_uid_is_not_looked_at(self) -> None:
        """Over a unix socket every logon of a person forbids to look at who runs the daemon."""
        self.sign_in()
        self.done(self.backend.logon("alice", "x"))

        flags = {asked.flags for asked in self.server.calls_of("logon") if asked.username == "alice"}

        self.assertEqual(flags, {codes.FLAG_NO_PEER})

    def test_one_answer(self) -> None:
        """No refusal tells whether there is somebody of that name, nor what is wrong with them."""
        for name, password in (
            ("alice", "wrong"),
            ("nobody", "alice-secret"),
            ("room1", "room-secret"),
            ("alice@example.test", "alice-secret"),
            (" alice", "alice-secret"),
            ("SYSTEM", "x"),
            ("system", "x"),
            (" System ", "x"),
        ):
            with self.subTest(name=name):
                self.assertEqual(self.done(self.backend.logon(name, password)), WRONG)

    def test_server_itself(self) -> None:
        """Nobody even tries to sign in as the server, nor with what can not be a name or a password."""
        for name, password in (
            ("SYSTEM", "x"),
            ("sYsTeM\t", "x"),
            ("", "x"),
            (" ", "x"),
            ("a" * 257, "x"),
            ("a\x01", "x"),
        ):
            self.done(self.backend.logon(name, password))
        for password in ("", "x" * 1025, "\x02", "a\0b", "\ud800", "\ufffe"):
            self.done(self.backend.logon("alice", password))

        self.assertEqual(self.calls(), [])

    def test_letters(self) -> None:
        """Letters of all kinds are part of names and passwords, and the case of a name does not matter."""
        password = "zoë-sécret <&> \"' 😀"

        users = [self.sign_in(name, password) for name in ("zoë", "ZOË")]

        self.assertEqual([user.username for user in users], ["zoë", "zoë"])

    def test_no_external_id(self) -> None:
        """An account without an external id could never be told from another one, so it does not get in."""
        self.change("bob", external="")

        answer = self.done(self.backend.logon("bob", "bob-secret"))

        self.assertEqual(answer, Refused(RefusalReason.DISABLED))
        self.assertEqual(len(self.server.sessions), 0)

    def test_other_codes(self) -> None:
        """Whatever else the server answers says nothing about a password, and is named in the log."""
        for code, name in ((codes.BAD_CHARWIDTH, "KCERR_BAD_CHARWIDTH"), (0x80000007, "KCERR_DATABASE_ERROR")):
            self.sign_in()
            self.server.troubles.plan(Refuse(code), "logon")

            self.assertIn(name, self.trouble(self.backend.logon("alice", "alice-secret")))

    def test_session_that_is_not_good(self) -> None:
        """A session that is refused just after the logon means that the server sees us come from several places."""
        self.sign_in()
        self.server.troubles.plan(Refuse(codes.END_OF_SESSION), "getUser")

        self.assertIn("how many addresses", self.trouble(self.backend.logon("alice", "alice-secret")))

    def test_nothing_is_left(self) -> None:
        """A session of somebody who is not let in after all does not stay at the server."""
        self.server.troubles.plan(Refuse(Code.KCERR_NO_ACCESS), "getUser")

        self.trouble(self.backend.logon("alice", "alice-secret"))
        self.reactor.turn()

        self.assertEqual(len(self.server.sessions), 0)

    def test_no_answer(self) -> None:
        """A server that hangs, or ends connections, costs the time of one call and is told from a wrong password."""
        self.sign_in()
        self.server.troubles.plan(CloseBefore(), "logon", times=2)
        self.trouble(self.backend.logon("alice", "alice-secret"))
        self.sign_in()
        self.server.troubles.plan(Hang(), "logon")
        waiting = self.begin(self.backend.logon("alice", "alice-secret"))
        self.reactor.wait(10)

        self.assertIn("no answer within 10 seconds", self.failureResultOf(waiting).getErrorMessage())

    def test_down(self) -> None:
        """Nobody gets in while the server is down, and everybody once it is up, with the connections of before gone."""
        self.sign_in()
        self.reactor.endpoint.is_down = True
        self.reactor.turn()
        for connection in tuple(self.server.connections):
            connection.crash()
        self.assertIn("connection refused", self.trouble(self.backend.logon("alice", "alice-secret")))
        self.reactor.endpoint.is_down = False

        self.sign_in()

    def test_given_up(self) -> None:
        """A person who does not wait any more leaves nothing behind that others would stumble over."""
        self.sign_in()
        self.server.troubles.plan(Hang(), "logon")
        waiting = self.begin(self.backend.logon("alice", "alice-secret"))
        waiting.cancel()
        self.failureResultOf(waiting)

        self.sign_in()


class CrowdTests(Case):
    """Many people at once, at a server that takes its time."""

    def crowd(self) -> float:
        """Return how long fifty people wait when each answer takes 200 ms, in seconds."""
        for number in range(50):
            self.server.people.add(f"p{number}", "secret")
        self.sign_in()
        self.server.troubles.delay = 0.2
        began = self.reactor.seconds()
        waiting = [Deferred.fromCoroutine(self.backend.logon(f"p{number}", "secret")) for number in range(50)]
        while not all(each.called for each in waiting):
            self.reactor.wait(0.05)
        names = [self.successResultOf(each).username for each in waiting]

        self.assertEqual(names, [f"p{number}" for number in range(50)])
        return self.reactor.seconds() - began

    def test_fifty(self) -> None:
        """Nobody waits for anybody else."""
        self.assertLess(self.crowd(), 0.5)


class ServiceCrowdTests(CrowdTests):
    """The same with a session of the service."""

    options = SERVICE


class ServiceSignInTests(Case):
    """Names and passwords, where people are looked up by a service."""

    options = SERVICE

    def test_cost(self) -> None:
        """A sign-in is three calls, two of them at the same time, and leaves no session."""
        self.sign_in("bob")
        self.calls()
        sessions = len(self.server.sessions)

        user = self.sign_in()

        self.assertEqual(sorted(self.calls()), ["getUser", "logon", "resolveUsername"])
        self.assertEqual((len(self.server.sessions), sessions), (1, 1))
        self.assertEqual((user.username, user.subject), ("alice", "e3Ia1ed3TfSoazjHIj5hFQ"))

    def test_at_the_same_time(self) -> None:
        """The name is looked up while the password is tried."""
        self.sign_in("bob")
        self.server.asked.clear()
        self.server.troubles.delay = 1

        waiting = self.begin(self.backend.logon("alice", "alice-secret"))
        self.reactor.wait(2)

        self.assertEqual(self.successResultOf(waiting).username, "alice")

    def test_refusals(self) -> None:
        """The log says whether there is somebody of a name, and attempts count on the account."""
        known = Refused(RefusalReason.WRONG_PASSWORD, principal="e3Ia1ed3TfSoazjHIj5hFQ")
        for name, password, expected in (
            ("alice", "wrong", known),
            ("ALICE", "wrong", known),
            ("nobody", "x", Refused(RefusalReason.UNKNOWN_USER)),
            ("SYSTEM", "x", WRONG),
            ("system ", "x", WRONG),
        ):
            answer = self.done(self.backend.logon(name, password))

            self.assertEqual((answer, answer.principal), (expected, expected.principal), name)

    def test_room(self) -> None:
        """Who has become a room while they sign in does not get in."""
        self.sign_in()
        self.server.troubles.delays["resolveUsername"] = 1
        waiting = self.begin(self.backend.logon("bob", "bob-secret"))
        self.change("bob", object_class=codes.CLASS_ROOM)
        self.reactor.wait(1)

        self.assertEqual(self.successResultOf(waiting), Refused(RefusalReason.DISABLED))

    def test_wrong_password_without_service(self) -> None:
        """A wrong password is one even while nobody can be looked up; the right one then is not answered."""
        self.sign_in()
        self.server.troubles.plan(Refuse(Code.KCERR_BUSY), "resolveUsername", times=2)

        self.assertEqual(self.done(self.backend.logon("alice", "wrong")), WRONG)
        self.assertIn("KCERR_BUSY", self.trouble(self.backend.logon("alice", "alice-secret")))

    def test_by_name(self) -> None:
        """Somebody is found by their name, whatever its case, and nobody by that of nobody, a room or the server."""
        names = ("alice", "ALICE", "nobody", "room1", "SYSTEM", "", "a\0", "Everyone")

        found = [self.done(self.backend.find_by_username(name)) for name in names]

        self.assertEqual(
            [user and user.username for user in found], ["alice", "alice", None, None, None, None, None, None]
        )
