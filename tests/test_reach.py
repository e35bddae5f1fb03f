"""Which machines a client may make us ask."""

from ipaddress import IPv4Address, IPv6Address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.reach import Reach, network

PUBLIC = (
    "8.8.8.8",
    "93.184.216.34",
    "1.1.1.1",
    "172.32.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
)
#: What stands beside a daemon, in every spelling a resolver or a client may come up with.
INSIDE = (
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",  # noqa: S104 - nothing listens here
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
)
NONSENSE = (
    "",
    "localhost",
    "example.com",
    "127.1",
    "0x7f000001",
    "2130706433",
    "010.0.0.1",
    "8.8.8.8/32",
    "[::1]",
    " 8.8.8.8",
)


class ReachTests(SynchronousTestCase):
    """Public machines, and those the operator names."""

    def test_public(self) -> None:
        """What anybody can ask may be asked."""
        self.assertEqual([address for address in PUBLIC if not Reach().permits(address)], [])

    def test_row_16_inside(self) -> None:
        """Loopback, link-local, private, multicast and all that wraps them may not. Security history, row 16."""
        self.assertEqual([address for address in (*INSIDE, *NONSENSE) if Reach().permits(address)], [])

    def test_allowed(self) -> None:
        """A network that the operator names may be asked, in each spelling of its addresses, and nothing beside it."""
        reach = Reach((ip_network("10.1.0.0/16"), ip_network("::1"), ip_network("fd00:1::/48")))
        cases = {
            "10.1.2.3": True,
            "::ffff:10.1.2.3": True,
            "10.2.0.1": False,
            "::1": True,
            "127.0.0.1": False,
            "fd00:1::5": True,
            "fd00:2::5": False,
            "8.8.8.8": True,
            "fd00:1::5%eth0": False,
        }

        self.assertEqual({address: reach.permits(address) for address in cases}, cases)

    @settings(deadline=None)
    @given(st.integers(0, 2**32 - 1).map(IPv4Address))
    def test_spelled_as_ipv6(self, address: IPv4Address) -> None:
        """Whether an IPv4 address may be asked does not depend on how it is spelled."""
        mapped = IPv6Address(0xFFFF_0000_0000 | int(address))

        self.assertEqual(Reach().permits(str(mapped)), Reach().permits(str(address)))

    @settings(deadline=None)
    @given(st.integers(0, 2**128 - 1).map(IPv6Address))
    def test_nothing_private(self, address: IPv6Address) -> None:
        """Nothing is public here that Python knows to be private."""
        if Reach().permits(str(address)):
            self.assertFalse(address.is_private or address.is_multicast or address.is_reserved)


class NetworkTests(SynchronousTestCase):
    """Networks as operators write them."""

    def test_read(self) -> None:
        """A network, or one machine."""
        self.assertEqual(
            [str(network(text)) for text in ("10.1.0.0/16", "fd00::/8", "::1", "10.1.2.3")],
            [
                "10.1.0.0/16",
                "fd00::/8",
                "::1/128",
                "10.1.2.3/32",
            ],
        )

    def test_refused(self) -> None:
        """A name, a machine inside a network, and what is no address are told."""
        for text in ("", "localhost", "10.1.2.3/16", "10.1.0.0/33", "10.1", "*"):
            error = self.assertRaises(ValueError, network, text)

            self.assertIn("must be a network", str(error))
