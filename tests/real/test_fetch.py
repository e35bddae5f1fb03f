"""Addresses of clients, asked over real TLS on loopback."""

from ipaddress import ip_network

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from konnectd.fetch import LONGEST_ANSWER, GuardedFetch
from konnectd.interfaces import FetchError
from konnectd.reach import Reach
from tests.real.slapd import write_certificates
from tests.real.tls_server import TlsServer
from tests.support.files import folder

HERE = Reach((ip_network("127.0.0.1"),))
KEYS = b'{"keys":[]}'


def answer(content: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """Return an answer with some content."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content


class FetchTests(TestCase):
    """One server, which belongs to this very machine."""

    timeout = 30

    def setUp(self) -> None:
        """Start it."""
        place = folder(self)
        write_certificates(place)
        self.server = TlsServer(place)
        self.server.answer = answer(KEYS)
        self.running = True
        self.addCleanup(self.stop)

    def stop(self) -> None:
        """Stop it, once."""
        if self.running:
            self.server.stop()
        self.running = False

    def url(self, host: str = "localhost") -> str:
        """Return an address of the server."""
        return f"https://{host}:{self.server.port}/keys"

    def fetch(self, reach: Reach = HERE, *, insecure: bool = True) -> GuardedFetch:
        """Return what asks; the server's authority is not known to this machine."""
        return GuardedFetch.over_network(reactor, reach, insecure=insecure)

    async def problem(self, fetch: GuardedFetch, host: str = "localhost") -> str:
        """Return why there is no answer."""
        try:
            await fetch.get(self.url(host))
        except FetchError as error:
            return f"{error} {error.__cause__}"
        raise AssertionError("there is an answer")

    async def test_allowed(self) -> None:
        """By name and by address, for keys as for forms."""
        for host in ("localhost", "127.0.0.1"):
            self.assertEqual(await self.fetch().get(self.url(host)), KEYS)
        self.assertEqual(await self.fetch().post(self.url(), (("logout_token", "a b"),)), 200)

        self.assertIn(b"GET /keys HTTP/1.1", self.server.asked[0])
        self.assertIn(f"Host: localhost:{self.server.port}".encode(), self.server.asked[0])
        self.assertTrue(self.server.asked[2].endswith(b"\r\n\r\nlogout_token=a+b"))

    async def test_row_16_loopback(self) -> None:
        """Unless the operator says so, this machine is not asked, by whatever name. Security history, row 16."""
        for host in ("localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]"):
            self.assertIn("not public", await self.problem(self.fetch(Reach()), host), host)

        self.assertEqual(self.server.asked, [])

    async def test_certificate(self) -> None:
        """A certificate that nobody we know has signed is refused before anything is asked."""
        self.assertIn("certificate verify failed", await self.problem(self.fetch(insecure=False)))
        self.assertEqual(self.server.asked, [])

    async def test_row_16_redirect(self) -> None:
        """A redirect is not followed. Security history, row 16."""
        self.server.answer = answer(b"", "302 Found", f"Location: {self.url()}/other")

        self.assertIn("302", await self.problem(self.fetch()))
        self.assertEqual(len(self.server.asked), 1)

    async def test_lingering(self) -> None:
        """A server that never lets go of a connection does not keep it: trial fails when one is left open."""
        self.server.lingering = True

        self.assertEqual(await self.fetch().get(self.url()), KEYS)

    async def test_lingering_form(self) -> None:
        """Nor after a form whose answer is not read."""
        self.server.lingering = True

        self.assertEqual(await self.fetch().post(self.url(), ()), 200)

    async def test_endless_headers(self) -> None:
        """A server that never comes to the point is cut off."""
        self.server.answer, self.server.flood = b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 1000 + b"\r\n"

        self.assertIn("did not answer", await self.problem(self.fetch()))

    async def test_endless_body(self) -> None:
        """Nor does a body fill the memory."""
        self.server.answer, self.server.flood = b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 10_000

        self.assertIn(str(LONGEST_ANSWER), await self.problem(self.fetch()))

    async def test_nobody(self) -> None:
        """A port where nobody listens is told as such, and no name at all too."""
        self.stop()

        self.assertIn("did not answer", await self.problem(self.fetch()))
        self.assertIn("did not answer", await self.problem(self.fetch(), "no-such-host.invalid"))
