"""The usage survey over real sockets, to a receiver on this machine: what arrives, and what a bad receiver can do."""

import json
import time
from http.client import parse_headers
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Thread
from typing import Any

import yaml
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from konnectd import __version__
from konnectd.survey import Machine, NotSentError
from konnectd.survey_post import SurveyPost
from tests.real.daemon import daemon
from tests.real.slapd import write_certificates
from tests.real.tls_server import TlsServer
from tests.support.files import folder
from tests.support.keys import quick_hash

PUBLIC = "--iss=https://id.konnectd-survey.de"
REPORT = b'{"version": 2}'
TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


class PostTests(TestCase):
    """One request to a receiver with TLS."""

    timeout = 30

    def setUp(self) -> None:
        """Start the receiver."""
        place = folder(self)
        write_certificates(place)
        self.server = TlsServer(place)
        self.addCleanup(self.server.stop)
        self.server.answer = TAKEN

    def post(self, path: str = "/api/stats/v1/submit", *, insecure: bool = True) -> Deferred[None]:
        """Send a report."""
        send = SurveyPost(reactor, f"https://localhost:{self.server.port}{path}", insecure=insecure)
        return Deferred.fromCoroutine(send(REPORT))

    async def problem(self, *, insecure: bool = True) -> str:
        """Return why a report did not arrive."""
        try:
            await self.post(insecure=insecure)
        except NotSentError as error:
            return str(error)
        raise AssertionError("it arrived")

    async def test_request(self) -> None:
        """Method, address, headers and body are those that receivers know."""
        await self.post()
        (asked,) = self.server.asked
        head, _, body = asked.partition(b"\r\n\r\n")
        line, _, fields = head.partition(b"\r\n")
        headers = parse_headers(BytesIO(fields + b"\r\n\r\n"))
        names = ("X-Kopano-Stats-Request", "Content-Type", "User-Agent", "Connection")

        self.assertEqual((line, body), (b"POST /api/stats/v1/submit HTTP/1.1", REPORT))
        self.assertEqual(
            [headers[name] for name in names], ["1", "application/json", f"konnectd/{__version__}", "close"]
        )

    async def test_certificate(self) -> None:
        """A receiver that nobody vouches for gets nothing."""
        await self.problem(insecure=False)

        self.assertEqual(self.server.asked, [])

    async def test_no_redirects(self) -> None:
        """Nobody is asked whom the operator did not name."""
        self.server.answer = f"HTTP/1.1 307 x\r\nLocation: https://localhost:{self.server.port}/x\r\n\r\n".encode()

        self.assertEqual(await self.problem(), "it was answered with status 307")
        self.assertEqual(len(self.server.asked), 1)

    async def test_refusal(self) -> None:
        """A receiver that does not want it is one that did not get it."""
        self.server.answer = b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n"

        self.assertEqual(await self.problem(), "it was answered with status 503")

    async def test_endless_body(self) -> None:
        """What a receiver has to say is not heard, however much it is."""
        self.server.answer, self.server.flood = b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536

        self.assertIsNone(await self.post())

    async def test_endless_head(self) -> None:
        """A head that does not end does."""
        self.server.answer, self.server.flood = b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"b" * 1000 + b"\r\n"

        self.assertIn("Response", await self.problem())

    async def test_nonsense(self) -> None:
        """What is no answer is none."""
        self.server.answer = b"\x00\xff\r\n\r\n"

        self.assertIn("Response", await self.problem())

    async def test_broken_off(self) -> None:
        """When the daemon stops it does not wait for a receiver that says nothing."""
        self.server.answer, self.server.lingering = b"", True
        sending = self.post()
        later: Any = reactor
        later.callLater(0.5, sending.cancel)
        begun = time.monotonic()
        try:
            await sending
        except (NotSentError, CancelledError):
            self.assertLess(time.monotonic() - begun, 5)
        else:
            raise AssertionError("it arrived")


class Receiver:
    """Keeps what it is sent, and says that it is well once it has refused as often as it is to.

    Attributes:
        bodies: what it was sent.
        refusals: how often it still refuses.
    """

    def __init__(self, case: SynchronousTestCase) -> None:
        """Listen, until the test ends."""
        self.bodies: list[bytes] = []
        self.refusals = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            def do_POST(self) -> None:
                """Keep the body."""
                receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.refusals -= 1
                self.send_response(503 if receiver.refusals >= 0 else 204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/submit"
        Thread(target=server.serve_forever, daemon=True).start()
        case.addCleanup(server.server_close)
        case.addCleanup(server.shutdown)

    def wait(self, count: int) -> None:
        """Wait until it was sent so many."""
        give_up = time.monotonic() + 20
        while len(self.bodies) < count and time.monotonic() < give_up:
            time.sleep(0.05)


class DaemonTests(SynchronousTestCase):
    """The real daemon, for an issuer of the internet."""

    def setUp(self) -> None:
        """Write what it needs, and start a receiver."""
        place = folder(self)
        users = place / "users.yaml"
        users.write_text(yaml.safe_dump({"users": [{"username": "alice", "password": quick_hash("wonderland")}]}))
        users.chmod(0o600)
        self.words = (PUBLIC, f"--file-users={users}", "--log-level=debug", "file")
        self.receiver = Receiver(self)
        self.on = {
            "KOPANO_SURVEYCLIENT_AUTOSURVEY": "yes",
            "KOPANO_SURVEYCLIENT_URL": self.receiver.url,
            "KOPANO_SURVEYCLIENT_START_DELAY": "0",
            "KOPANO_SURVEYCLIENT_ERROR_DELAY": "1",
            "KOPANO_SURVEYCLIENT_INTERVAL": "1",
        }

    def test_sent(self) -> None:
        """With Konnect's variables it arrives, again after the interval, and has nothing of this machine's id."""
        with daemon(*self.words, environ=self.on) as running:
            self.receiver.wait(2)
            log = running.log
        first, second = (json.loads(body)["stats"] for body in self.receiver.bodies[:2])

        self.assertEqual((first, first["userplugin"]["value"]), (second, "file"))
        self.assertIn(f"a usage survey goes to {self.receiver.url}", log)
        machine = Machine.read().machine_id or "no id"
        self.assertNotIn(machine.encode(), self.receiver.bodies[0])
        self.assertNotIn(machine, log)

    def test_refused(self) -> None:
        """After a failure it is tried again after the error delay, and it is no trouble for anybody."""
        self.receiver.refusals = 1
        with daemon(*self.words, environ={**self.on, "KOPANO_SURVEYCLIENT_INTERVAL": "0"}) as running:
            self.receiver.wait(2)
            status, log = running.stop(), running.log

        self.assertEqual((len(self.receiver.bodies), status), (2, 0))
        self.assertEqual(
            [line for line in log.splitlines() if "survey was not" in line and "level=debug" not in line], []
        )

    def test_off_in_tests(self) -> None:
        """As tests start daemons, the survey is off: the default receiver can not be reached by any of them."""
        with daemon(*self.words) as running:
            log = running.log

        self.assertNotIn("usage survey", log)

    def test_switched_off(self) -> None:
        """Either variable is enough."""
        for name in ("KOPANO_SURVEYCLIENT_AUTOSURVEY", "KOPANO_SURVEYCLIENT_ENABLED"):
            with daemon(*self.words, environ={**self.on, name: "no"}) as running:
                time.sleep(1)
                log = running.log
            self.assertEqual((self.receiver.bodies, "usage survey" in log), ([], False), name)
