"""Addresses of registered clients that are told when a session is over."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.registration import load_clients
from konnectd.option import ConfigErrors
from konnectd.protocol.client import Client
from tests.support.files import write

REDIRECT = "redirect_uris: [https://app.example.com/cb, https://app.example.com:8443/cb]"


class LogoutTests(SynchronousTestCase):
    """What stands in the file."""

    def client(self, *lines: str, loopback_issuer: bool = False, redirect: str = REDIRECT) -> Client:
        """Read a client with some lines."""
        text = "".join(f"    {line}\n" for line in (redirect, *lines))
        path = write(self, "clients.yaml", f"clients:\n  - id: app\n{text}")
        self.warnings: list[str] = []
        (client,) = load_clients(path, loopback_issuer=loopback_issuer, warn=self.warnings.append)
        return client

    def fault(self, *lines: str) -> str:
        """Return what is wrong with a client."""
        error: ConfigErrors = self.assertRaises(ConfigErrors, self.client, *lines)
        return " ".join(fault.problem for fault in error.faults)

    def test_both(self) -> None:
        """Both addresses are kept as they are written, and so is whether they need the session."""
        client = self.client(
            "frontchannel_logout_uri: https://app.example.com:8443/front?a=1",
            "frontchannel_logout_session_required: yes",
            "backchannel_logout_uri: https://inner.example.com/back",
            "backchannel_logout_session_required: true",
        )

        self.assertEqual(client.frontchannel_logout_uri, "https://app.example.com:8443/front?a=1")
        self.assertEqual(client.backchannel_logout_uri, "https://inner.example.com/back")
        self.assertTrue(client.frontchannel_logout_session_required and client.backchannel_logout_session_required)
        self.assertEqual(self.warnings, [])

    def test_neither(self) -> None:
        """Who says nothing is not told."""
        client = self.client()

        self.assertEqual((client.frontchannel_logout_uri, client.backchannel_logout_uri), ("", ""))

    def test_loopback(self) -> None:
        """On this very machine a browser may open http; we ask by https all the same."""
        redirect = "redirect_uris: [http://localhost:9000/cb]"
        client = self.client(
            "frontchannel_logout_uri: http://localhost:9000/front", loopback_issuer=True, redirect=redirect
        )

        self.assertEqual(client.frontchannel_logout_uri, "http://localhost:9000/front")

    def test_refused(self) -> None:
        """What could lead elsewhere stops the start, with the name of the key."""
        cases = (
            ("frontchannel_logout_uri: https://evil.example.com/front", "scheme, host and port"),
            ("frontchannel_logout_uri: https://app.example.com:9/front", "scheme, host and port"),
            ("frontchannel_logout_uri: http://app.example.com/front", "https://"),
            ("frontchannel_logout_uri: 'https://app.example.com/front#x'", "without fragment"),
            ("frontchannel_logout_uri: 'org.example.app:/front'", "https URL"),
            ("backchannel_logout_uri: http://app.example.com/back", "https://"),
            ("backchannel_logout_uri: 'https://user@app.example.com/back'", "user name"),
            ("backchannel_logout_uri: nonsense", "https URL"),
        )
        for line, words in cases:
            with self.subTest(line=line):
                problem = self.fault(line)
                self.assertIn(words, problem)
                self.assertIn(line.partition(":")[0], problem)

    def test_host(self) -> None:
        """A page can not name an address of IPv6 among those it opens."""
        problem = self.assertRaises(
            ConfigErrors,
            self.client,
            "frontchannel_logout_uri: 'https://[::1]/front'",
            redirect="redirect_uris: ['https://[::1]/cb']",
        )

        self.assertIn("a name or an IPv4 address", str(problem))
