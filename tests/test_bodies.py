"""Reading bodies of answers to their end, wherever that is."""

from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from konnectd.bodies import read_body


class Response:
    """An answer that arrives by and by."""

    def deliverBody(self, reader: Protocol) -> None:  # noqa: N802 - Twisted's name
        """Take who reads it."""
        self.reader = reader


class ReadTests(SynchronousTestCase):
    """Whether an answer is all there."""

    def setUp(self) -> None:
        """Begin to read."""
        response = Response()
        self.body = read_body(response, 10, lambda: ValueError("too long"))
        response.reader.dataReceived(b"half")
        self.reader = response.reader

    def test_done(self) -> None:
        """One that says how long it is ends there."""
        self.reader.connectionLost(Failure(ResponseDone()))

        self.assertEqual(self.successResultOf(self.body), b"half")

    def test_end_of_the_connection(self) -> None:
        """One that does not say so ends with its connection."""
        self.reader.connectionLost(Failure(PotentialDataLoss()))

        self.assertEqual(self.successResultOf(self.body), b"half")

    def test_lost(self) -> None:
        """One whose connection breaks is none."""
        self.reader.connectionLost(Failure(ConnectionLost()))

        self.failureResultOf(self.body, ConnectionLost)
