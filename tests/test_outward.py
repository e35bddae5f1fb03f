"""Connections outward: made to the very address that was checked."""

from ipaddress import ip_network
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.error import ConnectionRefusedError as NobodyThereError
from twisted.internet.interfaces import IReactorPluggableNameResolver
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import URI
from twisted.web.error import SchemeNotSupported
from zope.interface import implementer

from konnectd.interfaces import FetchError
from konnectd.outward import MOST_ADDRESSES, MOST_RECEIVED, GuardedEndpoint, GuardedEndpoints, LimitedEndpoint
from konnectd.reach import Reach

HOST = "client.example.org"
PORT = 8443


@implementer(IReactorPluggableNameResolver)
class Net(MemoryReactorClock):
    """A reactor whose names mean what a test says, each time something else if it wants."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        """Keep the answers of the resolver, in order; the last one stays."""
        super().__init__()
        self.answers = list(answers)
        self.asked: list[str] = []
        self.nameResolver = self

    def resolveHostName(  # noqa: N802 - Twisted's name
        self,
        receiver: Any,  # noqa: ANN401 - Twisted's
        host: str,
        portNumber: int = 0,  # noqa: N803 - Twisted's name
        *_others: object,
    ) -> None:
        """Answer at once."""
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        receiver.resolutionBegan(None)
        for text in answer:
            kind = IPv6Address if ":" in text else IPv4Address
            receiver.addressResolved(kind("TCP", text, portNumber))
        receiver.resolutionComplete()

    def targets(self) -> list[tuple[str, int]]:
        """Return where connections were begun to."""
        return [(client[0], client[1]) for client in self.tcpClients]

    def refuse(self, number: int) -> None:
        """Let one of the connections fail."""
        client = self.tcpClients[number]
        client[2].clientConnectionFailed(self.connectors[number], Failure(NobodyThereError()))

    def accept(self, number: int = 0) -> tuple[Any, "Wire"]:
        """Let one of the connections come about; return our end of it and what it is connected to."""
        transport = Wire()
        protocol = self.tcpClients[number][2].buildProtocol(None)
        protocol.makeConnection(transport)
        return protocol, transport


class Wire(StringTransport):
    """One connection.

    Attributes:
        cut: it was ended without waiting for the other end.
    """

    def __init__(self) -> None:
        """Begin open."""
        super().__init__()
        self.cut = False

    def abortConnection(self) -> None:
        """End at once."""
        self.cut = True
        super().abortConnection()


class Reader(Protocol):
    """Keeps what it hears."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.heard = b""

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.heard += data


class EndpointTests(SynchronousTestCase):
    """One connection."""

    def connect(self, net: Net, reach: Reach | None = None) -> Deferred[Any]:
        """Begin to connect to a name."""
        return GuardedEndpoint(net, HOST, PORT, reach or Reach()).connect(Factory.forProtocol(Reader))

    def test_public(self) -> None:
        """A public machine is connected to at its address, and what comes in gets through."""
        net = Net(("93.184.216.34",))
        connecting = self.connect(net)
        ours, _ = net.accept()
        ours.dataReceived(b"hello")

        self.assertEqual(net.targets(), [("93.184.216.34", PORT)])
        self.assertEqual(self.successResultOf(connecting).heard, b"hello")

    def test_row_16_after_resolution(self) -> None:
        """A name that means a machine inside is not connected to. Security history, row 16."""
        for addresses in (
            ("127.0.0.1",),
            ("::1",),
            ("169.254.169.254",),
            ("10.0.0.1", "fd00::1"),
            ("::ffff:127.0.0.1",),
        ):
            net = Net(addresses)
            error = self.failureResultOf(self.connect(net), FetchError).value

            self.assertEqual(net.targets(), [])
            self.assertIn("not public", str(error))

    def test_row_16_rebinding(self) -> None:
        """A name is resolved once; that it means something else a moment later gains nothing."""
        net = Net(("93.184.216.34",), ("127.0.0.1",))
        self.connect(net)

        self.assertEqual((net.asked, net.targets()), ([HOST], [("93.184.216.34", PORT)]))

    def test_row_16_mixed(self) -> None:
        """Of several addresses only public ones are tried, also after those have failed."""
        net = Net(("127.0.0.1", "93.184.216.34", "10.0.0.1", "2606:4700::1111"))
        connecting = self.connect(net)
        net.refuse(0)
        net.refuse(1)

        self.assertEqual(net.targets(), [("93.184.216.34", PORT), ("2606:4700::1111", PORT)])
        self.failureResultOf(connecting, ConnectError)

    def test_next_address(self) -> None:
        """When one address does not answer, the next does."""
        net = Net(("93.184.216.34", "93.184.216.35"))
        connecting = self.connect(net)
        net.refuse(0)
        net.accept(1)

        self.assertIsInstance(self.successResultOf(connecting), Reader)

    def test_few_addresses(self) -> None:
        """A name with very many addresses can not make us knock at all of them."""
        net = Net(tuple(f"93.184.216.{number}" for number in range(1, 100)))
        connecting = self.connect(net)
        for number in range(MOST_ADDRESSES):
            net.refuse(number)

        self.failureResultOf(connecting, ConnectError)
        self.assertEqual(len(net.targets()), MOST_ADDRESSES)

    def test_allowed(self) -> None:
        """Networks the operator names are connected to."""
        net = Net(("10.1.2.3",))
        self.connect(net, Reach((ip_network("10.1.0.0/16"),)))

        self.assertEqual(net.targets(), [("10.1.2.3", PORT)])

    def test_unknown_name(self) -> None:
        """A name that means nothing is told as such."""
        self.failureResultOf(self.connect(Net(())), DNSLookupError)

    def test_given_up(self) -> None:
        """Who gives up while a connection is begun leaves nothing behind."""
        net = Net(("93.184.216.34",))
        connecting = self.connect(net)
        connecting.cancel()

        self.failureResultOf(connecting)
        self.assertTrue(net.connectors[0].stoppedConnecting)


class LimitedTests(SynchronousTestCase):
    """What a server may do with a connection."""

    def connect(self) -> tuple[Reader, Any, "Wire"]:
        """Connect; return what reads, our end of the connection, and what it is connected to."""
        net = Net(("93.184.216.34",))
        endpoint = LimitedEndpoint(GuardedEndpoint(net, HOST, PORT, Reach()))
        connecting = endpoint.connect(Factory.forProtocol(Reader))
        ours, transport = net.accept()
        return self.successResultOf(connecting), ours, transport

    def test_flood(self) -> None:
        """A server that sends without end is cut off, whatever it sends: headers are not limited elsewhere."""
        reader, ours, transport = self.connect()
        ours.dataReceived(b"x" * MOST_RECEIVED)
        self.assertFalse(transport.cut)
        ours.dataReceived(b"x")

        self.assertTrue(transport.cut)
        self.assertEqual(len(reader.heard), MOST_RECEIVED)

    def test_lingering(self) -> None:
        """A connection that has served ends at once, without a word to wait for an answer to."""
        for end in ("loseConnection", "stopProducing", "abortConnection"):
            reader, _, transport = self.connect()
            getattr(reader.transport, end)()

            self.assertTrue(transport.cut, end)

    def test_failure(self) -> None:
        """Who can not be connected to is told as before."""
        endpoint = LimitedEndpoint(GuardedEndpoint(Net(("127.0.0.1",)), HOST, PORT, Reach()))

        self.failureResultOf(endpoint.connect(Factory.forProtocol(Reader)), FetchError)


class EndpointsTests(SynchronousTestCase):
    """What an agent is given."""

    def test_only_https(self) -> None:
        """Nothing but https is spoken."""
        for insecure in (False, True):
            endpoints = GuardedEndpoints(Net(("93.184.216.34",)), Reach(), insecure=insecure)
            for scheme in (b"http", b"ftp", b"file", b""):
                uri = URI.fromBytes(scheme + b"://client.example.org/keys")

                self.assertRaises(SchemeNotSupported, endpoints.endpointForURI, uri)

    def test_row_16_numbers_and_brackets(self) -> None:
        """An address in place of a name is checked like any other."""
        for address, host in ((b"https://127.0.0.1/", "127.0.0.1"), (b"https://[::1]:8443/", "::1")):
            for insecure in (False, True):
                net = Net((host,))
                endpoint: Any = GuardedEndpoints(net, Reach(), insecure=insecure).endpointForURI(URI.fromBytes(address))

                self.failureResultOf(endpoint.connect(Factory.forProtocol(Reader)), FetchError)
                self.assertEqual((net.asked, net.targets()), ([host], []))

    def test_secured(self) -> None:
        """What is sent first is the beginning of TLS, with the name of the host in it; not for an address."""
        for host, insecure, named in ((HOST, False, True), (HOST, True, True), ("93.184.216.34", True, False)):
            net = Net(("93.184.216.34",))
            uri = URI.fromBytes(f"https://{host}/".encode())
            endpoint: Any = GuardedEndpoints(net, Reach(), insecure=insecure).endpointForURI(uri)
            endpoint.connect(Factory.forProtocol(Reader))
            _, transport = net.accept()

            self.assertEqual(transport.value()[:2], b"\x16\x03")
            self.assertEqual(host.encode() in transport.value(), named)
