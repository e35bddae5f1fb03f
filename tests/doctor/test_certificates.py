"""What is said about certificates: until when they are good, and why nobody trusts them."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.doctor.certificates import fits, judge, judge_untrusted
from konnectd.doctor.finding import Level
from konnectd.doctor.probe import Tls
from tests.support.certificates import NOW, certificate

HOST = "id.example.com"


class EndTests(SynchronousTestCase):
    """Certificates that are trusted."""

    def test_days(self) -> None:
        """The nearer the end, the louder; what ends first in the chain counts."""
        cases = ((90, Level.GOOD), (22, Level.GOOD), (21, Level.WARNING), (4, Level.WARNING), (3, Level.FAULT))
        for days, level in cases:
            with self.subTest(days=days):
                chain = (certificate(HOST), certificate(days=days))
                (found,) = judge(Tls(version="TLSv1.3", chain=chain), NOW)

                self.assertEqual((found.level, f"{days} more days" in found.says), (level, True))

    def test_protocol(self) -> None:
        """The protocol is told."""
        (found,) = judge(Tls(version="TLSv1.2", chain=(certificate(HOST),)), NOW)

        self.assertIn("TLSv1.2", found.says)

    def test_nothing_shown(self) -> None:
        """A connection without certificates is odd."""
        self.assertEqual([found.level for found in judge(Tls(version="", chain=()), NOW)], [Level.WARNING])


class UntrustedTests(SynchronousTestCase):
    """Certificates that are not trusted: the reason that can be mended."""

    def test_reasons(self) -> None:
        """Each has a reason of its own."""
        leaf = certificate(HOST)
        cases = (
            ((certificate(HOST, days=-2),), "has ended on"),
            ((leaf, certificate(days=-1)), "has ended on"),
            ((certificate(HOST, begins=1),), "is good from"),
            ((certificate("other.example.com", "10.0.0.1"),), "it is for other.example.com, 10.0.0.1, and not for"),
            ((certificate(),), "without alternative names"),
            ((certificate(HOST, issuer="me", subject="me"),), "signed by itself"),
            ((leaf,), "no other certificate was shown"),
            ((leaf, certificate(issuer="Root")), "ends at CN=Root"),
        )
        for chain, says in cases:
            with self.subTest(says=says):
                found = judge_untrusted(Tls(version="TLSv1.3", chain=chain), HOST, NOW)

                self.assertIn(says, found.says)
                self.assertEqual((found.level, bool(found.cause), bool(found.mend)), (Level.FAULT, True, True))

    def test_no_look(self) -> None:
        """Where not even a look is possible, that is told."""
        self.assertEqual(judge_untrusted(None, HOST, NOW).level, Level.FAULT)


class NameTests(SynchronousTestCase):
    """Whom a certificate is for. Spec: RFC 9525 6.3."""

    def test_names(self) -> None:
        """A star stands for one label; addresses are compared as addresses."""
        found = certificate(HOST, "*.apps.example.com", "127.0.0.1")
        cases = {
            HOST: True,
            "ID.Example.com": True,
            "a.apps.example.com": True,
            "a.b.apps.example.com": False,
            "apps.example.com": False,
            "127.0.0.1": True,
            "127.0.0.2": False,
            "x.example.com": False,
        }

        self.assertEqual({host: fits(found, host) for host in cases}, cases)
