"""The header of the PROXY protocol: which bytes are one, whose address it names, and that nothing else is taken."""

import struct
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.web.proxy_header import LONGEST_HEADER, LONGEST_LINE, BadHeaderError, ProxyHeader, read_header

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
LINE = b"PROXY TCP4 198.51.100.9 192.0.2.7 40000 443\r\n"
LONGEST_ADDRESS = b"ffff:" * 7 + b"ffff"


def version_2(body: bytes = b"", *, command: int = 0x21, family: int = 0x11, length: int | None = None) -> bytes:
    """Write a header of version 2."""
    return SIGNATURE + struct.pack("!BBH", command, family, len(body) if length is None else length) + body


def four(source: str = "198.51.100.9", port: int = 40000) -> bytes:
    """Write the addresses of an IPv4 connection."""
    return ip_address(source).packed + ip_address("192.0.2.7").packed + struct.pack("!HH", port, 443)


def six(source: str = "2001:db8:1::9", port: int = 40000) -> bytes:
    """Write the addresses of an IPv6 connection."""
    return ip_address(source).packed + ip_address("2001:db8::7").packed + struct.pack("!HH", port, 443)


#: Headers as proxies send them, and whom they name.
GOOD = {
    LINE: ("198.51.100.9", 40000),
    b"PROXY TCP6 2001:DB8:1::9 2001:db8::7 0 65535\r\n": ("2001:db8:1::9", 0),
    b"PROXY TCP6 " + LONGEST_ADDRESS + b" " + LONGEST_ADDRESS + b" 65535 65535\r\n": (LONGEST_ADDRESS.decode(), 65535),
    b"PROXY UNKNOWN\r\n": ("", 0),
    b"PROXY UNKNOWN ffff:: ::1 65535 65535\r\n": ("", 0),
    version_2(four()): ("198.51.100.9", 40000),
    version_2(four() + b"\x04\x00\x01x"): ("198.51.100.9", 40000),
    version_2(six(), family=0x21): ("2001:db8:1::9", 40000),
    version_2(six("::ffff:198.51.100.9"), family=0x21): ("198.51.100.9", 40000),
    version_2(b"/run/x".ljust(216, b"\0"), family=0x31): ("", 0),
    version_2(command=0x20, family=0): ("", 0),
    version_2(four(), command=0x20): ("", 0),
    version_2(family=0): ("", 0),
    version_2(four().ljust(LONGEST_HEADER - 16, b"x")): ("198.51.100.9", 40000),
}


class GoodTests(SynchronousTestCase):
    """Headers of both versions."""

    def test_whose(self) -> None:
        """The address is that of who connected to the proxy; none where it does not say."""
        for raw, (host, port) in GOOD.items():
            self.assertEqual(read_header(raw), ProxyHeader(len(raw), host, port), raw)

    def test_what_follows(self) -> None:
        """What comes behind the header is not part of it."""
        for raw, (host, port) in GOOD.items():
            self.assertEqual(read_header(raw + b"GET / HTTP/1.1\r\n\r\n"), ProxyHeader(len(raw), host, port), raw)

    def test_in_pieces(self) -> None:
        """However few bytes have come, they are waited for, never taken for something else."""
        for raw in GOOD:
            self.assertEqual({read_header(raw[:end]) for end in range(len(raw))}, {None}, raw)


class BadTests(SynchronousTestCase):
    """What is no header."""

    def assert_bad(self, *raws: bytes) -> None:
        """Check that all of them are refused."""
        for raw in raws:
            with self.subTest(raw=raw):
                self.assertRaises(BadHeaderError, read_header, raw)

    def test_something_else(self) -> None:
        """HTTP, TLS, and beginnings that only look right are refused at the first byte that is wrong."""
        self.assert_bad(b"G", b"\x16\x03\x01", b"POST", b"PROXYX", b"proxy tcp4", b"\r\n\r\n\x01", b"\n", b" PROXY")

    def test_addresses_that_are_none(self) -> None:
        """An address is one of its family, written in full; a name or a trick of the log is none."""
        for source in (
            b"localhost",
            b"999.1.1.1",
            b"1.2.3",
            b"01.2.3.4",
            b"2001:db8::9",
            b"1.2.3.4\n",
            b"",
            b"::%eth0",
        ):
            self.assert_bad(b"PROXY TCP4 " + source + b" 192.0.2.7 1 2\r\n")
        self.assert_bad(b"PROXY TCP6 198.51.100.9 2001:db8::7 1 2\r\n", b"PROXY TCP4 198.51.100.9 2001:db8::7 1 2\r\n")

    def test_ports_that_are_none(self) -> None:
        """A port is a number of its size, without a sign or zeros in front."""
        for port in (b"65536", b"99999", b"-1", b"+1", b"01", b"", b"x", b"1 ", b"100000"):
            self.assert_bad(b"PROXY TCP4 198.51.100.9 192.0.2.7 " + port + b" 443\r\n")
            self.assert_bad(b"PROXY TCP4 198.51.100.9 192.0.2.7 443 " + port + b"\r\n")

    def test_form_of_the_line(self) -> None:
        """One blank between words, no word more, no other protocol, the end as written."""
        self.assert_bad(
            b"PROXY  TCP4 198.51.100.9 192.0.2.7 1 2\r\n",
            b"PROXY TCP4 198.51.100.9 192.0.2.7 1 2 3\r\n",
            b"PROXY UDP4 198.51.100.9 192.0.2.7 1 2\r\n",
            b"PROXY UNKNOWNS\r\n",
            b"PROXY TCP4\r\n",
            b"PROXY \r\n",
            LINE.replace(b"\r", b"").ljust(LONGEST_LINE, b" "),
        )

    def test_endless_line(self) -> None:
        """A line that does not end in time is not waited for, nor is its end looked for behind that."""
        self.assertIs(read_header(b"PROXY UNKNOWN ".ljust(LONGEST_LINE - 1, b"x")), None)
        self.assert_bad(
            b"PROXY UNKNOWN ".ljust(LONGEST_LINE, b"x"), b"PROXY UNKNOWN ".ljust(LONGEST_LINE, b"x") + b"\r\n"
        )

    def test_versions_and_commands(self) -> None:
        """What nobody has defined is not guessed."""
        self.assert_bad(*(version_2(four(), command=command) for command in (0x01, 0x11, 0x22, 0x2F, 0x31, 0xFF)))

    def test_families(self) -> None:
        """Datagrams and what nobody has defined are not streams of ours."""
        self.assert_bad(
            *(version_2(b"x" * 300, family=family) for family in (0x01, 0x10, 0x12, 0x22, 0x32, 0x41, 0xFF))
        )

    def test_too_short(self) -> None:
        """Addresses that do not fit into the length are never read from what follows."""
        self.assert_bad(
            version_2(four()[:-1]) + b"GET /",
            version_2(b""),
            version_2(four(), family=0x21),
            version_2(b"x" * 215, family=0x31),
        )

    def test_too_long(self) -> None:
        """A length beyond the limit is refused before anything of it is kept."""
        self.assert_bad(version_2(length=LONGEST_HEADER - 15), version_2(length=65535))
        self.assert_bad(version_2(command=0x20, family=0, length=65535))

    @given(st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda rest: b"PROXY TCP4 " + rest)))
    def test_anything(self, raw: bytes) -> None:
        """Whatever comes is waited for, refused, or names an address and not more bytes than there are."""
        try:
            header = read_header(raw)
        except BadHeaderError:
            return
        if header is not None:
            self.assertTrue(header.size <= len(raw) and (not header.host or ip_address(header.host)))
