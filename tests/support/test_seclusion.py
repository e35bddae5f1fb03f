"""That no test, and so no run of them anywhere, can reach another machine."""

import os
import socket
from urllib.parse import urlsplit

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.survey import URL
from tests.support.seclusion import SecludedError


class SeclusionTests(SynchronousTestCase):
    """What this very process may do."""

    def test_survey(self) -> None:
        """The receiver of the usage survey is not even looked up."""
        host = urlsplit(URL).hostname

        self.assertRaises(SecludedError, socket.getaddrinfo, host, 443)

    def test_other_machines(self) -> None:
        """Neither by name nor by number, neither by connection nor by datagram."""
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as one, socket.socket(socket.AF_INET6, kind) as other:
                self.assertRaises(SecludedError, one.connect, ("192.0.2.1", 9))
                self.assertRaises(SecludedError, one.connect_ex, ("192.0.2.1", 9))
                self.assertRaises(SecludedError, one.sendto, b"", ("192.0.2.1", 9))
                self.assertRaises(SecludedError, other.connect, ("2001:db8::1", 9))
        self.assertRaises(SecludedError, socket.gethostbyname, "example.com")

    def test_this_machine(self) -> None:
        """What is on this machine can be reached."""
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as peer:
            self.assertEqual(peer.getpeername(), server.getsockname())

    def test_daemons_are_silent(self) -> None:
        """What this process starts has the survey switched off."""
        self.assertEqual(os.environ["KOPANO_SURVEYCLIENT_AUTOSURVEY"], "no")
