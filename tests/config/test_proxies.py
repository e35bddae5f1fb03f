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


class ProxyProtocolTests(SettingsTestCase):
    """What goes together with it."""

    def test_forms(self) -> None:
        """Flag, variable and line; off unless somebody says so."""
        trusted = "--trusted-proxy=unix"
        found = (
            self.load(ISS, "ldap", trusted, "--proxy-protocol"),
            self.load(ISS, "ldap", trusted, environ={"KONNECTD_PROXY_PROTOCOL": "yes"}),
            self.load(ISS, "ldap", trusted, file="proxy_protocol = yes\n"),
            self.load(ISS, "ldap", trusted),
        )

        self.assertEqual([each.proxy_protocol for each in found], [True, True, True, False])

    def test_nobody_trusted(self) -> None:
        """Without a trusted proxy nobody could say anything: that is a mistake, told with its place."""
        (fault,) = self.faults(ISS, "ldap", file="proxy_protocol = yes\n")

        self.assertTrue(
            fault.endswith(":1: proxy_protocol: needs trusted_proxies: nobody else is believed about who connects")
        )

    def test_addresses_with_words_of_their_own(self) -> None:
        """TLS before the header, or a second reader of headers, would never get to see a request."""
        words = ("--trusted-proxy=192.0.2.7", "--proxy-protocol")
        for address in ("ssl:8443:privateKey=/x", "tls:8443:privateKey=/x", "haproxy:tcp:8777"):
            (fault,) = self.faults(ISS, "ldap", *words, f"--listen={address}")
            self.assertTrue(fault.startswith(f"command line: listen: {address}: "), fault)

    def test_endpoints_that_believe_everybody(self) -> None:
        """Twisted's own would let everybody who connects be a trusted proxy, so it can not be had at all."""
        (fault,) = self.faults(ISS, "ldap", "--listen=haproxy:tcp:8777")

        self.assertIn("believes everybody who connects; use proxy_protocol", fault)
