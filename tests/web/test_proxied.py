"""Connections that trusted proxies pass on by the PROXY protocol: whose they are, and what becomes of all others."""

from ipaddress import ip_network

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest
from konnectd.web.proxies import Proxies
from tests.support.connection import SMALL, Bench, Connection, parse_answers, request, route
from tests.support.endpoints import Seen
from tests.support.loglines import LogLines
from tests.web.test_proxy_header import LINE, four, six, version_2

PROXIES = Proxies(networks=(ip_network("192.0.2.0/28"),), unix=True, proxy_protocol=True)
PROXY = IPv4Address("TCP", "192.0.2.7", 1)
STRANGER = IPv4Address("TCP", "192.0.2.99", 1)
ECHO = request("GET", "/echo")


class ProxiedCase(SynchronousTestCase):
    """A site that expects the header from a trusted proxy."""

    def setUp(self) -> None:
        """Mount an endpoint that notes what it is asked."""
        self.endpoint = Seen()
        self.bench = Bench.of(route("/echo", self.endpoint), limits=SMALL, proxies=PROXIES, access_log=True)

    def connect(self, peer: IAddress = PROXY) -> Connection:
        """Connect from somewhere."""
        return Connection(self.bench.site, StringTransport(peerAddress=peer, lenient=True))

    def seen(self, *pieces: bytes, peer: IAddress = PROXY) -> HttpRequest:
        """Send one request, and return it as the endpoint sees it."""
        self.connect(peer).send(*pieces)
        (one,) = self.endpoint.requests
        self.endpoint.requests.clear()
        return one


class WhoseTests(ProxiedCase):
    """Whose a connection is."""

    def test_both_versions(self) -> None:
        """The address is the one in the header, from a socket in the file system as well."""
        for peer in (PROXY, IPv6Address("TCP", "::ffff:192.0.2.7", 1), UNIXAddress(b"")):
            for header in (LINE, version_2(four()), version_2(six("::ffff:198.51.100.9"), family=0x21)):
                self.assertEqual(self.seen(header + ECHO, peer=peer).client, "198.51.100.9", header)

    def test_in_pieces(self) -> None:
        """Byte by byte it is the same."""
        for header in (LINE, version_2(four())):
            raw = header + ECHO
            found = self.seen(*(raw[at : at + 1] for at in range(len(raw))))
            self.assertEqual(found.client, "198.51.100.9")

    def test_for_all_requests(self) -> None:
        """The header is there once, for everything that comes by the connection."""
        peer = self.connect()
        peer.send(LINE, ECHO, ECHO + ECHO)

        self.assertEqual([each.client for each in self.endpoint.requests], ["198.51.100.9"] * 3)

    def test_access_log(self) -> None:
        """The log of requests has the address of the browser."""
        lines = LogLines(self)
        self.seen(LINE + ECHO)

        self.assertTrue(lines.about("ms 198.51.100.9", "debug"))

    def test_proxy_that_does_not_say(self) -> None:
        """Where the proxy names nobody, the connection is nobody's."""
        for header in (b"PROXY UNKNOWN\r\n", version_2(command=0x20, family=0), version_2(family=0)):
            self.assertEqual(self.seen(header + ECHO).client, "", header)


class TrustTests(ProxiedCase):
    """Who is believed about whom they have recognized."""

    def test_browsers_are_not(self) -> None:
        """BUG of Twisted's endpoints: what comes through a trusted proxy unread is not believed because it came so."""
        claims = request("GET", "/echo", "X-Forwarded-User: alice", "X-Forwarded-For: 203.0.113.1")
        for header in (LINE, b"PROXY UNKNOWN\r\n", version_2(command=0x20, family=0)):
            found = self.seen(header + claims)
            self.assertEqual((found.recognized, found.forwarded), ("", ""), header)

    def test_proxies_behind_proxies(self) -> None:
        """Whoever connected to the proxy and is trusted themselves is believed."""
        claims = request("GET", "/echo", "X-Forwarded-User: alice", "X-Forwarded-For: 203.0.113.1")
        found = self.seen(version_2(four("192.0.2.3")) + claims)

        self.assertEqual((found.recognized, found.client), ("alice", "203.0.113.1"))

    def test_strangers_name_nobody(self) -> None:
        """From anybody else a header is a request that makes no sense, whatever it says."""
        for header in (LINE, b"PROXY TCP4 192.0.2.3 192.0.2.7 1 2\r\n", version_2(four())):
            peer = self.connect(STRANGER)
            (answer,) = parse_answers(peer.send(header + ECHO))
            self.assertEqual((answer.status, peer.closed, self.endpoint.requests), (400, True, []), header)

    def test_strangers_without_a_header(self) -> None:
        """Who connects directly and speaks HTTP is served, as whom they are."""
        self.assertEqual(self.seen(ECHO, peer=STRANGER).client, "192.0.2.99")


class RefusalTests(ProxiedCase):
    """Trusted proxies that do not keep to it."""

    def test_no_header(self) -> None:
        """Without a header the connection is cut, and no request of it is looked at."""
        for raw in (ECHO, b"PROXY TCP4 x y 1 2\r\n" + ECHO, version_2(b"") + ECHO, b"\x16\x03\x01"):
            peer = self.connect()
            self.assertEqual((peer.send(raw), peer.cut, self.endpoint.requests), (b"", True, []), raw)

    def test_second_header(self) -> None:
        """A second one does not replace the first: it is no request."""
        (answer,) = parse_answers(self.connect().send(LINE + LINE + ECHO))

        self.assertEqual((answer.status, self.endpoint.requests), (400, []))

    def test_told_once(self) -> None:
        """The operator hears of a proxy that is set wrong, but not at every connection."""
        lines = LogLines(self)
        for _ in range(3):
            self.connect().send(ECHO)

        problem = "closed a connection: the trusted proxy 192.0.2.7 does not begin with a header of the PROXY protocol"
        (line,) = lines.about("closed a connection", "warn")
        self.assertIn(problem, line)

    def test_slow_header(self) -> None:
        """A header that drips has the time of a request, not of each byte; then the connection is cut."""
        peer = self.connect()
        for byte in LINE[:8]:
            self.bench.wait(1)
            peer.send(bytes((byte,)))

        self.assertEqual((peer.cut, peer.hear()), (True, b""))

    def test_nothing(self) -> None:
        """A connection by which nothing comes is let go of like any other that is idle."""
        peer = self.connect()
        self.bench.wait(SMALL.idle_seconds + 2)

        self.assertTrue(peer.closed)

    def test_idle_after_the_header(self) -> None:
        """After the header there is the time of an idle connection until a request begins."""
        peer = self.connect()
        peer.send(LINE)
        self.bench.wait(SMALL.read_seconds + 2)
        open_then = not peer.closed
        self.bench.wait(SMALL.idle_seconds)

        self.assertEqual((open_then, peer.closed), (True, True))
