"""The HTTP server on real sockets: what memory does not show, such as resets and the kernel's buffers."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from konnectd.http import HttpRequest, HttpResponse
from konnectd.listener import Listener
from konnectd.web.errors import failure, not_found
from konnectd.web.limits import Limits
from konnectd.web.site import make_site
from tests.support.connection import echo, parse_answers, request, route

reactor: Any = _reactor

LIMITS = Limits(body_bytes=1000, header_bytes=4000, read_seconds=1, idle_seconds=2, handling_seconds=5, connections=8)
#: A test that hears nothing for so long has failed.
PATIENCE = 10
BIG = 10_000_000
LARGE = 100_000
#: More than the buffers of the kernel take together.
ENDLESS = 50_000_000
CLOSE = "Connection: close"


class ServerCase(TestCase):
    """A site that listens on loopback, and peers that run beside the reactor."""

    def setUp(self) -> None:
        """Listen."""
        self.canceled = 0
        self.large = 0
        self.begun: Deferred[None] = Deferred()

        async def slow(seen: HttpRequest) -> HttpResponse:
            if not self.begun.called:
                self.begun.callback(None)
            try:
                await deferLater(reactor, float(seen.query or "0.3"), lambda: None)
            except CancelledError:
                self.canceled += 1
                raise
            return HttpResponse.text("slow")

        async def big(_seen: HttpRequest) -> HttpResponse:
            return HttpResponse(body=b"x" * BIG)

        async def large(_seen: HttpRequest) -> HttpResponse:
            self.large += 1
            return HttpResponse(body=b"x" * LARGE)

        fast = (("/echo", echo), ("/slow", slow), ("/big", big), ("/large", large))
        self.site = make_site(
            [route("/klein", fast=False), *(route(path, respond) for path, respond in fast)],
            reactor=reactor,
            not_found=not_found,
            failure=failure,
            reference=lambda: "ref-1",
            limits=LIMITS,
        )
        self.listener = Listener(["127.0.0.1:0"], self.site, reactor, drain_seconds=3)
        self.listener.startService()
        self.port: int = self.listener.hosts[0].port

    def tearDown(self) -> Deferred[None]:
        """Stop listening."""
        return self.listener.stopService()

    @contextmanager
    def connected(self) -> Iterator[socket.socket]:
        """Connect a peer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as peer:
            yield peer

    def talk(self, *pieces: bytes, pause: float = 0.0) -> bytes:
        """Send pieces, then hear everything until the server closes; a reset loses nothing that was read before."""
        with self.connected() as peer:
            heard = b""
            try:
                for piece in pieces:
                    peer.sendall(piece)
                    time.sleep(pause)
            except (BrokenPipeError, ConnectionResetError):
                pass
            return heard + hear_all(peer)


def hear_all(peer: socket.socket) -> bytes:
    """Hear everything until the other end closes."""
    heard = b""
    while piece := peer.recv(65536):
        heard += piece
    return heard


def apart(body: Callable[[Any], None]) -> Callable[[Any], Deferred[None]]:
    """Run a test in a thread: its peer blocks, and the reactor must not."""

    @wraps(body)
    def run(case: Any) -> Deferred[None]:  # noqa: ANN401 - each class has its own
        return deferToThread(body, case)

    return run


def statuses(heard: bytes) -> list[int]:
    """Return the statuses of answers."""
    return [answer.status for answer in parse_answers(heard)]


class FramingTests(ServerCase):
    """Nothing is smuggled, nothing overtakes."""

    @apart
    def test_smuggling(self) -> None:
        """A request hidden in another one's body is not answered, whichever length is believed."""
        hidden = request("GET", "/echo?hidden")
        for lines in (
            (f"Content-Length: {len(hidden) + 5}", "Transfer-Encoding: chunked"),
            ("Content-Length: 5", "Content-Length: 50"),
            ("Content-Length: +5",),
            ("Content-Length: 0x5",),
            ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
            ("Transfer-Encoding : chunked",),
        ):
            heard = self.talk(request("POST", "/echo", *lines) + b"0\r\n\r\n" + hidden)
            with self.subTest(lines=lines):
                self.assertEqual(statuses(heard), [400])

    @apart
    def test_order(self) -> None:
        """Answers come in the order of the requests, though the first takes longest."""
        heard = self.talk(request("GET", "/slow") + request("GET", "/klein?2") + request("GET", "/echo?3", CLOSE))

        self.assertEqual([a.body for a in parse_answers(heard)], [b"slow", b"GET /klein 2 ", b"GET /echo 3 "])

    @apart
    def test_many_on_one_connection(self) -> None:
        """A connection serves as long as it is used."""
        with self.connected() as peer:
            for i in range(200):
                peer.sendall(request("POST", ("/echo", "/klein")[i % 2], body=b"x" * i))
                self.assertEqual(statuses(peer.recv(65536)), [200])

    @apart
    def test_path_tricks(self) -> None:
        """On the wire, too, there is one way to write a path."""
        for target in ("//echo", "/./echo", "/x/../echo", "/%2e/echo", "/echo%00", "/echo%2f", "/%65cho"):
            heard = self.talk(request("GET", target, CLOSE))
            with self.subTest(target=target):
                self.assertEqual(statuses(heard), [404])


class SizeTests(ServerCase):
    """Too much is refused, and the peer gets to know."""

    @apart
    def test_announced_body(self) -> None:
        """A peer that sends all of it before it listens still hears why it was in vain."""
        for size in (LIMITS.body_bytes + 1, 300_000):
            heard = self.talk(request("POST", "/echo", body=b"x" * size))
            with self.subTest(size=size):
                self.assertEqual(statuses(heard), [413])

    @apart
    def test_chunked_body(self) -> None:
        """The same without a length, where only counting helps."""
        chunk = b"200\r\n" + b"x" * 512 + b"\r\n"
        heard = self.talk(request("POST", "/klein", "Transfer-Encoding: chunked"), *[chunk] * 100)

        self.assertEqual(statuses(heard), [413])

    @apart
    def test_refusal_without_a_reset(self) -> None:
        """A peer that goes on for a while hears the end of the connection, not a failure that hides the answer."""
        with self.connected() as peer:
            peer.sendall(request("POST", "/echo", "Content-Length: 300000"))
            heard = [peer.recv(65536)]
            for _ in range(5):
                peer.sendall(b"x" * 50_000)
                time.sleep(0.05)
            heard.append(peer.recv(65536))

        self.assertEqual((statuses(heard[0]), heard[1]), ([413], b""))

    @apart
    def test_endless_body(self) -> None:
        """A peer that never stops is cut, and not a lot later."""
        sent = 0
        with self.connected() as peer:
            peer.sendall(request("POST", "/echo", "Content-Length: 999999999"))
            with self.assertRaises(OSError):
                while sent < ENDLESS:
                    sent += peer.send(b"x" * 65536)

        self.assertLess(sent, ENDLESS)

    @apart
    def test_endless_head(self) -> None:
        """So is one that never stops with headers."""
        heard = self.talk(b"GET /echo HTTP/1.1\r\n" + b"X: y\r\n" * 50_000)

        self.assertEqual(statuses(heard), [431])

    @apart
    def test_big_answer_to_a_slow_reader(self) -> None:
        """What the kernel does not take at once arrives all the same, and what follows comes after it."""
        with self.connected() as peer:
            peer.sendall(request("GET", "/big") + request("GET", "/echo?after", CLOSE))
            time.sleep(0.3)
            big, after = parse_answers(hear_all(peer))

        self.assertEqual((len(big.body), after.body), (BIG, b"GET /echo after "))

    @apart
    def test_nothing_overtakes(self) -> None:
        """Not even a small answer for which there is room, while some of a big one still waits to be sent."""
        with self.connected() as peer:
            peer.sendall(request("GET", "/big"))
            time.sleep(0.3)
            reactor.callFromThread(time.sleep, 0.5)  # it finds the peer's next request and the room at the same time
            time.sleep(0.1)
            heard = peer.recv(4_000_000, socket.MSG_WAITALL)
            peer.sendall(request("GET", "/echo?after", CLOSE))
            big, after = parse_answers(heard + hear_all(peer))

        self.assertEqual((big.body.count(b"x"), after.body), (BIG, b"GET /echo after "))

    @apart
    def test_peer_that_only_asks(self) -> None:
        """Its answers do not fill the memory: no more of them are made than the kernel takes."""
        with self.connected() as peer:
            peer.sendall(request("GET", "/large") * 2000)
            time.sleep(1)

        self.assertLess(self.large * LARGE, ENDLESS)


class TimeTests(ServerCase):
    """Slow peers do not keep the server."""

    @apart
    def test_slow_head(self) -> None:
        """A byte now and then is no reason to wait longer."""
        begun = time.monotonic()
        heard = self.talk(*[b"GET / HTTP/1.1\r\n"], *[b"X"] * 40, pause=0.1)

        self.assertEqual(statuses(heard), [408])
        self.assertGreater(time.monotonic() - begun, LIMITS.read_seconds - 0.1)

    @apart
    def test_slow_body(self) -> None:
        """Nor in a body."""
        heard = self.talk(request("POST", "/echo", "Content-Length: 40"), *[b"x"] * 39, pause=0.1)

        self.assertEqual(statuses(heard), [408])

    @apart
    def test_silence(self) -> None:
        """A connection without a request is closed after a while, without a word."""
        begun = time.monotonic()

        self.assertEqual(self.talk(), b"")
        self.assertGreater(time.monotonic() - begun, LIMITS.idle_seconds - 0.1)

    @apart
    def test_peer_that_does_not_read(self) -> None:
        """An answer nobody takes is given up."""
        with self.connected() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.sendall(request("GET", "/big"))
            until = time.monotonic() + PATIENCE
            while self.site.connections and time.monotonic() < until:
                time.sleep(0.1)

            self.assertEqual(self.site.connections, 0)

    @apart
    def test_too_many(self) -> None:
        """One connection too many is closed at once; when one leaves there is room again."""
        with ExitStack() as stack:
            peers = [stack.enter_context(self.connected()) for _ in range(LIMITS.connections)]
            for peer in peers:
                peer.sendall(request("GET", "/echo"))
                peer.recv(65536)

            self.assertEqual(self.talk(), b"")
            peers[0].close()
            time.sleep(0.2)
            self.assertEqual(statuses(self.talk(request("GET", "/echo", CLOSE))), [200])

    @apart
    def test_browser_leaves(self) -> None:
        """What its answer waited for is canceled."""
        with self.connected() as peer:
            peer.sendall(request("GET", "/slow?30"))
            time.sleep(0.2)
        until = time.monotonic() + PATIENCE
        while not self.canceled and time.monotonic() < until:
            time.sleep(0.05)

        self.assertEqual(self.canceled, 1)


class DrainTests(ServerCase):
    """Stopping."""

    def asked(self, *pieces: bytes) -> Deferred[bytes]:
        """Ask in a thread."""
        return deferToThread(self.talk, *pieces)

    def test_answer_under_way(self) -> Deferred[None]:
        """It arrives whole, says that it is the last, and the addresses are closed meanwhile."""
        answered = self.asked(request("GET", "/slow?0.5"))

        async def scenario() -> None:
            await self.begun
            stopped = self.listener.stopService()
            await deferLater(reactor, 0.1, lambda: None)
            await self.assertFailure(deferToThread(self.talk, b""), ConnectionRefusedError)
            await stopped
            (answer,) = parse_answers(await answered)
            self.assertEqual((answer.body, answer.header("Connection")), (b"slow", "close"))

        return Deferred.fromCoroutine(scenario())

    def test_answer_that_takes_too_long(self) -> Deferred[None]:
        """It is cut; the daemon has to end some time."""
        answered = self.assertFailure(self.asked(request("GET", "/slow?4.5")), ConnectionResetError)

        async def scenario() -> None:
            await self.begun
            begun = time.monotonic()
            await self.listener.stopService()
            self.assertLess(time.monotonic() - begun, 4)
            await answered

        return Deferred.fromCoroutine(scenario())
