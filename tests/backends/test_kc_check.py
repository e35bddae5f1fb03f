"""What is tried at start and before people sign in: does the server look at passwords, and let the service in?"""

from OpenSSL import SSL
from twisted.internet.ssl import VerificationError
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web._newclient import ResponseNeverReceived

from konnectd.backends._kopano_blame import find_fault
from konnectd.interfaces import BackendUnavailableError
from konnectd.option import ConfigErrors
from tests.support.kopano import answers, codes, framing
from tests.support.kopano.troubles import Raw, Refuse
from tests.support.kopano_case import ROOT, SERVICE, TUNNEL, Case, PersonCase
from tests.support.loglines import LogLines


class ProbeTests(PersonCase):
    """A password that nobody has is tried before any other one."""

    def probes(self) -> int:
        """Return how often that was done."""
        return len([asked for asked in self.server.calls_of("logon") if asked.username == "SYSTEM"])

    def test_at_start(self) -> None:
        """The check at start tries one on the server's own account, without a session, and the uid is not looked at."""
        self.done(self.backend.check())

        self.assertEqual([(asked.username, asked.flags) for asked in self.server.asked], [("SYSTEM", 3)])
        self.assertEqual(len(self.server.sessions), 0)

    def test_by_chance(self) -> None:
        """No two passwords are the same."""
        for _ in range(3):
            self.backend = self.make()
            self.done(self.backend.check())
        tried = {asked.values["szPassword"] for asked in self.server.asked}

        self.assertEqual((len(tried), min(map(len, tried)) >= 40), (3, True))

    def test_bypass(self) -> None:
        """A daemon whose server lets anybody in does not start, and says why."""
        self.reactor.connect_as(TUNNEL)

        error = self.failureResultOf(self.begin(self.backend.check()), ConfigErrors).value

        self.assertEqual([fault.option for fault in error.faults], ["kc_server_uri"])
        self.assertIn("anybody could sign in as anybody", str(error))

    def test_bypass_found_late(self) -> None:
        """When the server comes up after the daemon, nobody signs in before it was tried."""
        self.reactor.endpoint.is_down = True
        self.trouble(self.backend.check())
        self.reactor.connect_as(TUNNEL)

        self.assertIn("anybody", self.trouble(self.backend.logon("alice", "wrong")))
        self.assertEqual({asked.username for asked in self.server.asked}, {"SYSTEM"})

    def test_bypass_that_goes(self) -> None:
        """Once the hole is closed people sign in."""
        self.reactor.connect_as(TUNNEL)
        self.trouble(self.backend.logon("alice", "alice-secret"))
        for connection in tuple(self.server.connections):
            connection.crash()
        self.reactor.connect_as(ROOT)
        self.reactor.turn()

        self.assertEqual(self.sign_in().username, "alice")

    def test_once(self) -> None:
        """It is tried once for many people, and the check at start counts."""
        self.done(self.backend.check())
        for name in ("alice", "bob", "carol"):
            self.sign_in(name)

        self.assertEqual(self.probes(), 1)

    def test_many_at_once(self) -> None:
        """People who come at the same time share one."""
        waiting = [self.begin(self.backend.logon(name, f"{name}-secret")) for name in ("alice", "bob", "carol")]
        for each in waiting:
            self.successResultOf(each)

        self.assertEqual(self.probes(), 1)

    def test_again_after_trouble(self) -> None:
        """A server that did not answer may be another one afterwards."""
        self.sign_in()
        self.reactor.endpoint.is_down = True
        for connection in tuple(self.server.connections):
            connection.crash()
        self.trouble(self.backend.logon("alice", "alice-secret"))
        self.reactor.connect_as(TUNNEL)

        self.assertIn("anybody", self.trouble(self.backend.logon("alice", "wrong")))

    def test_again_after_a_restart(self) -> None:
        """A server that has forgotten a session too early was started anew, and perhaps with other settings."""
        alice = self.sign_in()
        self.server.restart()
        self.find(alice)
        self.sign_in()

        self.assertEqual(self.probes(), 2)

    def test_again_after_a_while(self) -> None:
        """Nothing is relied on for ever."""
        self.sign_in()
        self.reactor.wait(301)
        self.sign_in()

        self.assertEqual(self.probes(), 2)

    def test_refused_for_another_reason(self) -> None:
        """A probe that is refused for another reason proves nothing, so nobody signs in."""
        self.server.troubles.plan(Refuse(0x80000007), "logon")

        self.assertIn("KCERR_DATABASE_ERROR", self.trouble(self.backend.logon("alice", "alice-secret")))
        self.assertEqual(self.probes(), 1)

    def test_log(self) -> None:
        """The log says which server is asked, how, and of which version it is once that is known."""
        log = LogLines(self)
        self.done(self.backend.check())
        self.sign_in()
        self.sign_in("bob")

        lines = log.about("file:///run/kopano/server.sock", "info")

        self.assertEqual(len(lines), 2)
        self.assertIn("session of each person's own", lines[0])
        self.assertIn("version 0,11,0,2", lines[1])

    def test_in_the_clear(self) -> None:
        """Passwords that leave the machine without TLS are warned of, others are not."""
        self.reactor.endpoint.is_down = True
        log = LogLines(self)
        for uri in (
            "http://192.0.2.1:236",
            "http://kopano.example",
            "http://127.0.0.1:236",
            "http://localhost",
            "https://x",
        ):
            self.begin(self.make(kc_server_uri=uri).check()).addErrback(lambda _: None)

        self.assertEqual(len(log.about("in the clear", "warn")), 2)


class ClusterTests(PersonCase):
    """Several servers behind one address."""

    def test_log(self) -> None:
        """Each is told once, however often they take turns."""
        log = LogLines(self)
        for guid in ("UOS6KIvlQvO0g8nk+K27ZQ==", "AAAAAAAAAAAAAAAAAAAAAA==") * 3:
            content = (
                answers.logon("logonResponse", 0, 4711, 0)
                .to_bytes()
                .replace(b"UOS6KIvlQvO0g8nk+K27ZQ==", guid.encode())
            )
            self.sign_in("bob")
            self.server.troubles.plan(
                Raw(framing.response(framing.OK, content, keeps_alive=True, chunked=False)), "logon"
            )
            self.begin(self.backend.logon("alice", "alice-secret")).addErrback(lambda _: None)

        self.assertEqual(len(log.about("has version")), 2)


class BlameTests(SynchronousTestCase):
    """Trouble that a setting is to blame for."""

    def test_blamed(self) -> None:
        """However deep TLS is in the trouble, the option that can mend it is found."""
        for cause, option in (
            (VerificationError(errors=[]), "kc_server_uri"),
            (SSL.Error([("SSL routines", "", "wrong version number")]), "kc_server_uri"),
            (SSL.Error([("SSL routines", "", "certificate verify failed")]), "kc_tls_cacert"),
            (SSL.Error([("SSL routines", "", "tlsv1 alert unknown ca")]), "kc_client_certificate"),
        ):
            error = BackendUnavailableError("Kopano server https://x: logon: some words")
            error.__cause__ = ResponseNeverReceived([Failure(cause)])
            fault = find_fault(error)

            self.assertEqual(fault and fault.option, option)
            self.assertIn("some words", str(fault))

    def test_none(self) -> None:
        """That nobody listens is nobody's fault."""
        error = BackendUnavailableError("x")
        error.__cause__ = ConnectionRefusedError()

        self.assertIsNone(find_fault(error))


class ServiceProbeTests(Case):
    """The same, where people are looked up by a service."""

    options = SERVICE

    def test_at_start(self) -> None:
        """Both accounts are tried, and then the service signs in."""
        log = LogLines(self)
        self.done(self.backend.check())

        tried = [(asked.username, asked.flags) for asked in self.server.asked]
        self.assertEqual(tried, [("SYSTEM", 3), ("svc", 3), ("svc", 0)])
        self.assertEqual(len(log.about("asked in a session of svc")), 1)

    def test_bypass(self) -> None:
        """The service does not even sign in at a server that lets anybody in."""
        self.reactor.connect_as(TUNNEL)

        self.failureResultOf(self.begin(self.backend.check()), ConfigErrors)

        self.assertEqual({asked.flags for asked in self.server.asked}, {3})

    def test_wrong_credentials(self) -> None:
        """A service that is not let in is a wrong setting."""
        # Without being root's, or this one would be let in anyway.
        self.server.settings.local_admins = frozenset()
        self.backend = self.make(kc_server_password="wrong")

        error = self.failureResultOf(self.begin(self.backend.check()), ConfigErrors).value

        self.assertIn(
            "kc_server_username: Kopano server file:///run/kopano/server.sock does not let svc in", str(error)
        )
        self.assertNotIn("wrong\n", str(error))

    def test_system_is_not_trusted(self) -> None:
        """SYSTEM needs a server that trusts whoever runs the daemon, and the line says so."""
        self.server.settings.local_admins = frozenset()
        self.backend = self.make(kc_server_username="SYSTEM", kc_server_password="")

        error = self.failureResultOf(self.begin(self.backend.check()), ConfigErrors).value

        self.assertIn("local_admin_users", str(error))

    def test_system(self) -> None:
        """SYSTEM is let in without a password over a unix socket."""
        self.backend = self.make(kc_server_username="SYSTEM", kc_server_password="")
        self.done(self.backend.check())

        self.assertEqual(self.sign_in().username, "alice")

    def test_other_trouble(self) -> None:
        """A server that can not say now may be well later, so the daemon goes on and tries again."""
        self.server.troubles.plan(Refuse(codes.LOGON_FAILED), "logon", times=2)
        self.server.troubles.plan(Refuse(0x80000007), "logon")
        self.assertIn("KCERR_DATABASE_ERROR", self.trouble(self.backend.check()))
        self.reactor.wait(5)

        self.assertEqual(len(self.server.sessions), 1)
