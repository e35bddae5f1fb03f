"""Addresses as operators write them, and as they mistype them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.backends._kopano_address import LONGEST_PATH, Address, Kind


class AddressTests(SynchronousTestCase):
    """Where a server listens."""

    def test_good(self) -> None:
        """All three kinds are read, and written as operators write them."""
        table = {
            "http://127.0.0.1:236": (Kind.TCP, "127.0.0.1", 236, "/", "http://127.0.0.1:236"),
            "http://localhost:236/": (Kind.TCP, "localhost", 236, "/", "http://localhost:236"),
            "HTTPS://Kopano.Example:237": (Kind.TLS, "kopano.example", 237, "/", "https://kopano.example:237"),
            "http://kopano": (Kind.TCP, "kopano", 80, "/", "http://kopano:80"),
            "https://kopano/soap/": (Kind.TLS, "kopano", 443, "/soap/", "https://kopano:443/soap/"),
            "http://[::1]:236": (Kind.TCP, "::1", 236, "/", "http://[::1]:236"),
            "file:///run/kopano/server.sock": (
                Kind.UNIX, "", 0, "/run/kopano/server.sock", "file:///run/kopano/server.sock",
            ),
            "file://localhost/run/s": (Kind.UNIX, "", 0, "/run/s", "file:///run/s"),
            "file:/run/s": (Kind.UNIX, "", 0, "/run/s", "file:///run/s"),
            "file:///run/a%20b": (Kind.UNIX, "", 0, "/run/a b", "file:///run/a b"),
        }  # fmt: skip
        for text, expected in table.items():
            address = Address.parse(text)
            with self.subTest(text=text):
                found = (address.kind, address.host, address.port, address.path, str(address))
                self.assertEqual(found, expected)

    def test_requests(self) -> None:
        """Requests over a unix socket name a host, since every request does; others name their own, and the path."""
        addresses = [Address.parse(text) for text in ("file:///run/s", "http://[::1]:236/x", "https://kopano")]

        self.assertEqual([one.authority for one in addresses], ["localhost", "[::1]:236", "kopano:443"])
        self.assertEqual([one.url.removeprefix("http://localhost") for one in addresses], ["/", "/x", "/"])

    def test_bad(self) -> None:
        """Everything else is refused, with words for the operator."""
        table = {
            "must look like": (
                "", "kopano:236", "ldap://kopano", "//kopano", "unix:///run/s", "http://kopano:x", "http://kopano:99999",
                "http://[::1",
            ),
            "must have a host": (
                "http://", "http://:236", "http://kopano:0", "http://ko pano", "http://kop\xe4no", "http://a..b",
                "http://kopano_server:236", "http://-a", "http://" + "a" * 64, "http://kopano/a b",
            ),
            "name or a password": ("http://u@kopano", "http://u:p@kopano"),
            "query or a fragment": ("http://kopano?x", "http://kopano/?", "file:///run/s#x"),
            "three slashes": ("file://run/kopano/server.sock", "file://", "file:run", "file:///run/%00"),
            "at most": ("file:///" + "x" * LONGEST_PATH,),
        }  # fmt: skip
        for pattern, texts in table.items():
            for text in texts:
                with self.subTest(text=text), self.assertRaisesRegex(ValueError, pattern):
                    Address.parse(text)

    def test_password_is_not_repeated(self) -> None:
        """A password in the wrong place is not told to the log."""
        error = self.assertRaises(ValueError, Address.parse, "http://u:s3cret@kopano")

        self.assertNotIn("s3cret", str(error))

    def test_longest_path(self) -> None:
        """A path that a socket has just room for is taken."""
        self.assertEqual(len(Address.parse("file:///" + "x" * (LONGEST_PATH - 1)).path), LONGEST_PATH)

    @given(
        st.text(max_size=40) | st.text(max_size=40).map("http://".__add__) | st.text(max_size=40).map("file://".__add__)
    )
    @settings(deadline=None)
    def test_anything(self, text: str) -> None:
        """Whatever is written, it is an address that is read again as itself, or refused."""
        try:
            address = Address.parse(text)
        except ValueError:
            return
        if address.kind is not Kind.UNIX:
            self.assertEqual(Address.parse(str(address)), address)
