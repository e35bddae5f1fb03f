"""The daemon from the inside out."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.doctor import inside
from konnectd.doctor.finding import Finding
from konnectd.doctor.probe import NoAnswerError
from tests.support.asked import Asked, Between, at, told, worst
from tests.support.assembly import Daemon
from tests.support.fakes import run

DISCOVERY = "/.well-known/openid-configuration"


class InsideTests(SynchronousTestCase):
    """What answers where the daemon listens."""

    def look(self, *listen: str, between: Between | None = None, problem: NoAnswerError | None = None) -> list[Finding]:
        """Look."""
        daemon = Daemon(*(f"--listen={text}" for text in listen))
        self.asked = Asked(daemon)
        self.asked.problem = problem
        if between is not None:
            self.asked.between = between
        return run(inside.look(daemon.settings, self.asked))

    def test_every_address(self) -> None:
        """Each address is asked, a socket in the file system at its path."""
        found = self.look("0.0.0.0:8777", "[::]:8777", "unix:/run/k.sock")

        self.assertEqual((worst(found), len(found)), ([], 3))
        self.assertEqual(self.asked.sockets, ["", "", "", "", "/run/k.sock", "/run/k.sock"])

    def test_systemd(self) -> None:
        """Where a socket of systemd is, only systemd knows."""
        found = self.look("systemd:index=0")

        self.assertEqual((worst(found), self.asked.asked), ([], []))

    def test_nobody(self) -> None:
        """Nobody answers."""
        found = self.look("127.0.0.1:8777", problem=NoAnswerError("does not accept connections"))

        self.assertEqual(worst(found), [("fault", "daemon")])

    def test_not_well(self) -> None:
        """It answers that it is not well."""
        self.assertIn("status 503", told(self.look("127.0.0.1:8777", between=at("/health-check", status=503))))

    def test_somebody_else(self) -> None:
        """It is another daemon, or another program."""
        for body in (b'{"issuer": "https://other.example.com"}', b"<html>", b"[]", b"1"):
            with self.subTest(body=body):
                found = self.look("127.0.0.1:8777", between=at(DISCOVERY, body=body))

                self.assertEqual((worst(found), "another issuer" in told(found)), ([("fault", "daemon")], True))
