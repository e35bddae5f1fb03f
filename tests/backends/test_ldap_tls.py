"""How the end of a connection is told; certificates themselves are met in tests/real."""

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.ssl import VerificationError
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends import _ldap_faults as faults
from konnectd.backends._ldap_tls import describe_end

PLAIN, TLS = "ldap://one.example:389", "ldaps://one.example:636"


class EndTests(SynchronousTestCase):
    """A connection that ends by itself."""

    def test_reasons(self) -> None:
        """The text names the server and what an operator can look at; only a loss is worth another try at once."""
        for server, reason, securing, heard, kind, hint in (
            (TLS, ConnectionLost(), True, False, faults.UnreachableError, "does this port speak it?"),
            (PLAIN, ConnectionLost(), True, True, faults.UnreachableError, "instead of beginning TLS"),
            (PLAIN, ConnectionDone(), False, False, faults.LostError, "does this port want TLS, that is ldaps://?"),
            (PLAIN, ConnectionDone(), False, True, faults.LostError, "ended the connection: "),
            (TLS, ConnectionDone(), False, False, faults.LostError, "ended the connection: "),
            (TLS, VerificationError(errors=[]), True, False, faults.WrongNameError, "for another name"),
        ):
            found = describe_end(server, Failure(reason), securing=securing, heard=heard)
            with self.subTest(server=server, reason=reason, securing=securing, heard=heard):
                self.assertIs(type(found), kind)
                self.assertTrue(str(found).startswith(server))
                self.assertIn(hint, str(found))

    def test_blame(self) -> None:
        """A certificate for another name is a matter of the address, one that is not trusted of the authorities."""
        blamed = [
            error.config_error().option for error in (faults.WrongNameError("x"), faults.UntrustedServerError("x"))
        ]

        self.assertEqual(blamed, ["ldap_uri", "ldap_tls_cacert"])
