"""Who is a trusted proxy, what is believed of what it says, and what is not."""

from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from konnectd.http import HttpRequest
from konnectd.web.proxies import LONGEST_NAME, Proxies, UnclearHeaderError, name_in
from tests.support.connection import Bench, Connection, Heard, request, route
from tests.support.endpoints import Seen
from tests.support.loglines import LogLines

PROXIES = Proxies(networks=(ip_network("192.0.2.0/28"), ip_network("2001:db8::/64")))
PROXY = IPv4Address("TCP", "192.0.2.7", 1)
STRANGER = IPv4Address("TCP", "192.0.2.99", 1)
SOCKET = UNIXAddress(b"/run/konnectd.sock")
ALICE = "X-Forwarded-User: alice"


class ClientTests(SynchronousTestCase):
    """Which address is that of the browser."""

    def test_last_one_that_is_no_proxy(self) -> None:
        """From the end of the list, proxies are passed over; what stands before the browser may be invented."""
        cases = {
            "": "",
            "198.51.100.9": "198.51.100.9",
            "203.0.113.1, 198.51.100.9": "198.51.100.9",
            "203.0.113.1, 198.51.100.9, 192.0.2.3": "198.51.100.9",
            "192.0.2.4,198.51.100.9,192.0.2.3 , 2001:db8::5": "198.51.100.9",
            "192.0.2.4, 192.0.2.3": "192.0.2.4",
            "2001:db8:1::9": "2001:db8:1::9",
            "::ffff:198.51.100.9": "198.51.100.9",
            "198.51.100.9:40000": "198.51.100.9",
            "[2001:db8:1::9]:443": "2001:db8:1::9",
        }

        for text, wanted in cases.items():
            self.assertEqual(PROXIES.client((text.encode(),)), wanted, text)

    def test_what_is_no_address_ends_the_list(self) -> None:
        """Behind what can not be read nothing is believed: the nearest proxy that was named is all there is to say."""
        cases = {
            "unknown": "",
            "198.51.100.9, garbage": "",
            "198.51.100.9, ,": "",
            "198.51.100.9, _x, 192.0.2.3": "192.0.2.3",
        }

        for text, wanted in cases.items():
            self.assertEqual(PROXIES.client((text.encode(),)), wanted, text)

    def test_several_headers_are_one_list(self) -> None:
        """A proxy that adds a header of its own has the last word, as one that adds to the header."""
        self.assertEqual(PROXIES.client((b"203.0.113.1", b"198.51.100.9")), "198.51.100.9")

    @given(st.binary(max_size=300))
    def test_anything(self, raw: bytes) -> None:
        """Whatever is in the header, there is an answer, and it can not break a line of the log."""
        self.assertTrue(PROXIES.client((raw,)).isprintable())

    @given(st.binary(max_size=100))
    def test_no_word_of_a_browser_counts(self, raw: bytes) -> None:
        """Whatever a browser sends, the address that the proxy adds to it is the one that counts."""
        self.assertEqual(PROXIES.client((raw, b"198.51.100.9")), "198.51.100.9")


class NameTests(SynchronousTestCase):
    """What can be the name of somebody whom a proxy has recognized."""

    def test_names(self) -> None:
        """A name is text; blanks around it are nothing, and without it nobody is named."""
        cases = {b"": "", b" \t": "", b" alice ": "alice", b"a b@EXAMPLE.ORG": "a b@EXAMPLE.ORG"}
        cases |= {"Zoë".encode(): "Zoë", b"SYSTEM": "SYSTEM", b"a" * LONGEST_NAME: "a" * LONGEST_NAME}

        self.assertEqual(name_in(()), "")
        for raw, wanted in cases.items():
            self.assertEqual(name_in((raw,)), wanted, raw)

    def test_twice(self) -> None:
        """A header that is there twice is nobody's, even if both say the same or one of them nothing."""
        for names in ((b"alice", b"mallory"), (b"alice", b"alice"), (b"", b"alice")):
            with self.assertRaises(UnclearHeaderError, msg=names):
                name_in(names)

    def test_no_names(self) -> None:
        """What can not be a name, or could be two, is refused rather than understood in one way or the other."""
        odd = (
            b"alice, mallory",
            b"alice\x00",
            b"al\x01ice",
            b"al\tice",
            b"\xff\xfe",
            b"Zo\xeb",
            b"a" * (LONGEST_NAME + 1),
        )
        for raw in (*odd, "al\u2028ice".encode(), "al\u202eice".encode()):
            with self.assertRaises(UnclearHeaderError, msg=raw):
                name_in((raw,))


class EdgeCase(SynchronousTestCase):
    """One endpoint behind the edge."""

    def setUp(self) -> None:
        """Begin with nothing seen and nothing logged."""
        self.seen = Seen()
        self.log = LogLines(self)

    def ask(self, proxies: Proxies | None, peer: IAddress, *headers: str, body: bytes = b"") -> Heard:
        """Ask once."""
        bench = Bench.of(route("/a/b", self.seen), proxies=proxies, access_log=True)
        wire = StringTransport(peerAddress=peer, lenient=True)
        return Connection(bench.site, wire).ask(request("POST", "/a/b", *headers, body=body))

    def told(self, proxies: Proxies | None, peer: IAddress, *headers: str) -> HttpRequest:
        """Ask once and return what the endpoint got to see."""
        self.ask(proxies, peer, *headers)
        return self.seen.requests[-1]


class TrustTests(EdgeCase):
    """From whom anything is believed."""

    def test_proxy(self) -> None:
        """A trusted proxy says who is there, and where; the body is none the worse for it."""
        self.ask(PROXIES, PROXY, ALICE, "X-Forwarded-For: 203.0.113.1, 198.51.100.9", body=b"a=b")
        (seen,) = self.seen.requests

        self.assertEqual((seen.recognized, seen.client, seen.peer), ("alice", "198.51.100.9", "192.0.2.7"))
        self.assertEqual(seen.body, b"a=b")

    def test_stranger(self) -> None:
        """From anybody else the headers are as if they were not there, and say nothing about being trusted, either."""
        seen = self.told(PROXIES, STRANGER, ALICE, "X-Forwarded-For: 192.0.2.7", "Forwarded: for=192.0.2.7")

        self.assertEqual((seen.recognized, seen.client), ("", "192.0.2.99"))

    def test_stranger_twice(self) -> None:
        """What would be refused of a proxy does not matter to anybody else."""
        self.assertEqual(self.ask(PROXIES, STRANGER, ALICE, ALICE).status, 200)

    def test_nobody_is_trusted_by_default(self) -> None:
        """Neither this very machine nor a unix socket."""
        home = (IPv4Address("TCP", "127.0.0.1", 1), IPv6Address("TCP", "::1", 1), SOCKET)
        for proxies in (None, PROXIES):
            for peer in home:
                self.assertEqual(self.told(proxies, peer, ALICE).recognized, "", (proxies, peer))

    def test_unix_socket(self) -> None:
        """A proxy at a unix socket is one when that was said, and then nobody else is."""
        proxies = Proxies(unix=True)

        self.assertEqual(self.told(proxies, SOCKET, ALICE, "X-Forwarded-For: 198.51.100.9").client, "198.51.100.9")
        self.assertEqual([self.told(proxies, peer, ALICE).recognized for peer in (SOCKET, PROXY)], ["alice", ""])

    def test_either_family(self) -> None:
        """An IPv4 proxy is one by an IPv6 socket as well, and an IPv6 network is one, too."""
        peers = (IPv6Address("TCP", "::ffff:192.0.2.7", 1), IPv6Address("TCP", "2001:db8::7", 1))
        others = (IPv6Address("TCP", "::ffff:192.0.2.99", 1), IPv6Address("TCP", "2001:db8:1::7", 1))

        self.assertEqual([self.told(PROXIES, peer, ALICE).recognized for peer in peers], ["alice"] * 2)
        self.assertEqual([self.told(PROXIES, peer, ALICE).recognized for peer in others], [""] * 2)


class SmugglingTests(EdgeCase):
    """Headers that others have taken for the ones that count."""

    def test_other_spellings(self) -> None:
        """An underscore is no hyphen, and neither is a blank or nothing; another case is the same header."""
        for name in ("X_Forwarded_User", "X-Forwarded_User", "XForwardedUser", "X-Forwarded-User-", "Remote-User"):
            self.assertEqual(self.told(PROXIES, PROXY, f"{name}: mallory").recognized, "", name)
        self.assertEqual(self.told(PROXIES, PROXY, "x-fOrWaRdEd-uSeR: alice").recognized, "alice")

    def test_other_spelling_beside(self) -> None:
        """What a browser smuggles past the proxy in another spelling does not touch what the proxy says."""
        self.assertEqual(self.told(PROXIES, PROXY, "X_Forwarded_User: mallory", ALICE).recognized, "alice")

    def test_twice(self) -> None:
        """A proxy that does not replace a browser's header lets nobody in, and its operator is told in clear words."""
        for second in ("X-Forwarded-User: mallory", "x-forwarded-user: alice", "X-Forwarded-User:"):
            answer = self.ask(PROXIES, PROXY, ALICE, second)
            self.assertEqual((answer.status, self.seen.requests), (400, []), second)

        lines = self.log.about("X-Forwarded-User is there more than once", "warn")
        self.assertEqual((len(lines), "192.0.2.7" in lines[0], "mallory" in self.log.text()), (3, True, False))

    def test_odd_values(self) -> None:
        """A value that can not be a name is refused, whatever was asked for; no line of the log repeats it."""
        for value in ("al\x01ice", "alice, mallory", "a" * 300, "\xff"):
            self.assertEqual(self.ask(PROXIES, PROXY, f"X-Forwarded-User: {value}").status, 400, value)
        self.assertEqual(len(self.log.about("refused a request of the trusted proxy 192.0.2.7", "warn")), 4)
        self.assertNotIn("a" * 300, self.log.text())

    def test_empty(self) -> None:
        """An empty header says that nobody was recognized."""
        self.assertEqual(self.told(PROXIES, PROXY, "X-Forwarded-User:  ").recognized, "")


class RequestLogTests(EdgeCase):
    """Whose address is in the request log."""

    def test_address(self) -> None:
        """The browser's, where it is believed; else that of whoever connected."""
        self.ask(PROXIES, PROXY, "X-Forwarded-For: 198.51.100.9")
        self.ask(PROXIES, STRANGER, "X-Forwarded-For: 198.51.100.9")
        lines = self.log.about("/a/b", "debug")

        self.assertEqual(
            [line.partition(" event=")[0].split()[-1].strip('"') for line in lines], ["198.51.100.9", "192.0.2.99"]
        )

    def test_elsewhere(self) -> None:
        """Also for an address that leads nowhere."""
        bench = Bench.of(proxies=PROXIES, access_log=True)
        bench.connect().ask(request("GET", "/nowhere", "X-Forwarded-For: 198.51.100.9"))

        self.assertIn("198.51.100.9", self.log.about("/nowhere", "debug")[-1])
