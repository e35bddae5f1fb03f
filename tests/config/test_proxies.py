"""Which proxies are trusted, as operators write it."""

from ipaddress import ip_network

from tests.config.cases import ISS, SettingsTestCase


class TrustedProxyTests(SettingsTestCase):
    """The option in all its forms."""

    def test_forms(self) -> None:
        """An address, networks of both families, and what stands for a unix socket."""
        found = self.load(
            ISS, "ldap", "--trusted-proxy=192.0.2.7", "--trusted-proxy=2001:db8::/64", "--trusted-proxy=unix"
        )

        self.assertEqual(found.trusted_proxy, (ip_network("192.0.2.7"), ip_network("2001:db8::/64"), None))

    def test_line_of_the_file(self) -> None:
        """BUG, row 27 of Konnect's identifier: the line had no effect. It has, blanks between."""
        found = self.load(ISS, "ldap", file="trusted_proxies = 192.0.2.7 10.1.0.0/16\n")

        self.assertEqual(found.trusted_proxy, (ip_network("192.0.2.7"), ip_network("10.1.0.0/16")))

    def test_empty(self) -> None:
        """An empty line trusts nobody."""
        self.assertEqual(self.load(ISS, "ldap", file="trusted_proxies =\n").trusted_proxy, ())

    def test_faults(self) -> None:
        """What can not be read is a fault, where Konnect passed it over; so is what would never fit anybody."""
        for text in ("proxy.example", "10.1.0.1/16", "192.0.2.7:80", "*", "unix:/run/x", "::ffff:10.0.0.0/104"):
            (fault,) = self.faults(ISS, "ldap", f"--trusted-proxy={text}")
            self.assertIn("--trusted-proxy: must be", fault, text)

    def test_advice(self) -> None:
        """Who trusts is told what the proxy has to see to; who trusts everybody, what that means."""
        some = self.load(ISS, "ldap", "--trusted-proxy=192.0.2.7").warnings
        everybody = self.load(ISS, "ldap", "--trusted-proxy=0.0.0.0/0").warnings

        self.assertEqual((len(some), "X-Forwarded-User" in some[0]), (1, True))
        self.assertEqual((len(everybody), "everybody" in everybody[1]), (2, True))
