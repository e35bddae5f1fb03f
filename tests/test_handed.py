"""Which addresses are served by sockets that were handed over, and which are opened."""

import socket

from twisted.trial.unittest import SynchronousTestCase

from konnectd.handed import Handed, left_to_open

TCP = Handed(fileno=3, family=socket.AF_INET, host="127.0.0.1", port=8777, reactor=None, backlog=1)
ANY = Handed(fileno=4, family=socket.AF_INET, host="0.0.0.0", port=80, reactor=None, backlog=1)  # noqa: S104 - what a socket says
SIX = Handed(fileno=5, family=socket.AF_INET6, host="::1", port=8777, reactor=None, backlog=1)
FILE = Handed(fileno=6, family=socket.AF_UNIX, path="/run/k.sock", reactor=None, backlog=1)


class LeftTests(SynchronousTestCase):
    """The table of addresses."""

    def test_served(self) -> None:
        """An address is the same however it is written."""
        texts = ("127.0.0.1:8777", ":80", "0.0.0.0:80", "[::1]:8777", "[0:0::1]:8777", "unix:/run/k.sock:mode=600")

        self.assertEqual(left_to_open(texts, (TCP, ANY, SIX, FILE)), ())

    def test_not_served(self) -> None:
        """Another host, port, path or kind is another address; what is no address is left to whoever opens it."""
        texts = ("127.0.0.1:8778", "localhost:8777", ":8777", "unix:/run/l.sock", "tcp:8777", "nonsense")

        self.assertEqual(left_to_open(texts, (TCP, ANY, SIX, FILE)), texts)

    def test_said(self) -> None:
        """The log says where it is and whose."""
        said = [each.address.text for each in (TCP, SIX, FILE)]

        self.assertEqual(
            said,
            [
                "127.0.0.1:8777, a socket of systemd",
                "[::1]:8777, a socket of systemd",
                "unix:/run/k.sock, a socket of systemd",
            ],
        )

    def test_file_is_not_ours(self) -> None:
        """Nobody removes a file that systemd has made."""
        self.assertEqual(FILE.address.path, "")
