"""How operators write where to listen."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.address import Address


class AddressTests(SynchronousTestCase):
    """How addresses are written."""

    def test_addresses(self) -> None:
        """Host and port, a path, or whatever Twisted knows."""
        for text, host, port, path, mode in (
            ("127.0.0.1:8777", "127.0.0.1", 8777, "", 0o660),
            (" localhost:80 ", "localhost", 80, "", 0o660),
            (":8777", "", 8777, "", 0o660),
            ("[::1]:8777", "::1", 8777, "", 0o660),
            ("[::]:0", "::", 0, "", 0o660),
            ("[fe80::1%eth0]:1", "fe80::1%eth0", 1, "", 0o660),
            ("unix:/run/konnectd/http.sock", "", -1, "/run/konnectd/http.sock", 0o660),
            ("unix:/run/k.sock:mode=600", "", -1, "/run/k.sock", 0o600),
            ("unix:/run/k.sock:mode=0666", "", -1, "/run/k.sock", 0o666),
            ("systemd:domain=INET:index=0", "", -1, "", 0o660),
            ("tcp:8777:interface=127.0.0.1", "", -1, "", 0o660),
            ("tcp:8777", "", -1, "", 0o660),
        ):
            address = Address.parse(text)
            with self.subTest(text=text):
                self.assertEqual((address.host, address.port, address.path, address.mode), (host, port, path, mode))

    def test_no_addresses(self) -> None:
        """Each with a word about what it should be."""
        for text in (
            "",
            "8777",
            "localhost",
            "::1:8777",
            "[::1]",
            "a:65536",
            "unix:k.sock",
            "/run/k.sock",
            "http//x",
            "a b:1",
        ):
            with self.subTest(text=text), self.assertRaises(ValueError):
                Address.parse(text)
