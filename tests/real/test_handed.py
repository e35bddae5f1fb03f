"""Sockets that somebody else has opened, and a datagram to somebody who listens."""

import os
import socket
import stat
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from konnectd.handed import Handed, take_all
from konnectd.listener import Listener
from konnectd.option import ConfigErrors
from konnectd.supervisor import Supervisor
from tests.real.test_listener import some_site
from tests.support.connection import request

reactor: Any = _reactor


def ask(family: int, address: Any) -> bytes:  # noqa: ANN401 - of any family
    """Ask once."""
    with socket.socket(family) as peer:
        peer.settimeout(10)
        peer.connect(address)
        peer.sendall(request("GET", "/echo", "Connection: close"))
        heard = b""
        while piece := peer.recv(65536):
            heard += piece
        return heard[:15]


def short_path(case: TestCase | SynchronousTestCase) -> str:
    """Return a path for a socket, which must be short."""
    path = f"/tmp/{abs(hash(case.mktemp())):x}.sock"  # noqa: S108 - see above
    case.addCleanup(Path(path).unlink, missing_ok=True)
    return path


class HandedTests(TestCase):
    """Daemons come and go, and the socket stays."""

    def opened(self, family: int, address: Any) -> socket.socket:  # noqa: ANN401 - of any family
        """Listen, as systemd does."""
        made = socket.socket(family)
        self.addCleanup(made.close)
        made.bind(address)
        made.listen(16)
        return made

    async def serve_twice(self, handed: socket.socket) -> list[bytes]:
        """Run two listeners one after the other, and ask each."""
        heard = []
        for _ in range(2):
            told: list[str] = []
            listener = Listener(
                [],
                some_site(),
                reactor,
                descriptors=[os.dup(handed.fileno())],
                opened=lambda told=told: told.append(""),
            )
            listener.startService()
            heard.append(await deferToThread(ask, handed.family, handed.getsockname()))
            await listener.stopService()
            self.assertEqual(len(told), 1)
        return heard

    def test_tcp(self) -> Deferred[None]:
        """An address of the network."""
        return Deferred.fromCoroutine(self.check(self.opened(socket.AF_INET, ("127.0.0.1", 0))))

    def test_unix(self) -> Deferred[None]:
        """A file, which stays what it was."""
        path = short_path(self)
        handed = self.opened(socket.AF_UNIX, path)
        Path(path).chmod(0o600)

        async def scenario() -> None:
            await self.check(handed)
            seen = await deferToThread(Path(path).stat)
            self.assertEqual(stat.S_IMODE(seen.st_mode), 0o600)

        return Deferred.fromCoroutine(scenario())

    async def check(self, handed: socket.socket) -> None:
        """Check that both listeners serve."""
        self.assertEqual(await self.serve_twice(handed), [b"HTTP/1.1 200 OK"] * 2)

    def test_connection_while_nobody_runs(self) -> Deferred[None]:
        """Whoever connects between two daemons is answered by the second."""
        handed = self.opened(socket.AF_INET, ("127.0.0.1", 0))
        waiting = deferToThread(ask, socket.AF_INET, handed.getsockname())

        async def scenario() -> None:
            listener = Listener([], some_site(), reactor, descriptors=[os.dup(handed.fileno())])
            listener.startService()
            heard = await waiting
            await listener.stopService()
            self.assertEqual(heard, b"HTTP/1.1 200 OK")

        return Deferred.fromCoroutine(scenario())


class DescriptorTests(SynchronousTestCase):
    """What is no socket that listens."""

    def test_faults(self) -> None:
        """Each is told, with its number."""
        reading, writing = os.pipe()
        datagram, stream = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
        for close in (datagram.close, stream.close, lambda: os.close(reading), lambda: os.close(writing)):
            self.addCleanup(close)
        numbers = [reading, datagram.fileno(), stream.fileno(), 100_000]
        error = self.assertRaises(ConfigErrors, take_all, numbers, reactor, 1)

        self.assertEqual(
            [str(fault) for fault in error.faults],
            [
                f"listen: descriptor {number}, which systemd has handed over, {problem}"
                for number, problem in zip(
                    numbers,
                    ("is no socket", *["is no socket that listens for connections"] * 2, "is no socket"),
                    strict=True,
                )
            ],
        )

    def test_not_inherited(self) -> None:
        """A program that the daemon might start does not get the socket."""
        with socket.create_server(("127.0.0.1", 0)) as handed:
            handed.set_inheritable(True)
            found = Handed.take(handed.fileno(), reactor, 1)

            self.assertEqual((handed.get_inheritable(), found.port), (False, handed.getsockname()[1]))


class TellTests(SynchronousTestCase):
    """Word that is sent."""

    def hear(self, name: str) -> bytes:
        """Listen at a name, send word to it, and return what came."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.settimeout(5)
            ear.bind(f"\0{name[1:]}" if name.startswith("@") else name)
            Supervisor(address=name).tell("READY=1", "STATUS=Here")
            return ear.recv(4096)

    def test_path_and_abstract_name(self) -> None:
        """Both kinds of names are heard at."""
        heard = [self.hear(name) for name in (short_path(self), f"@konnectd-test-{os.getpid()}")]

        self.assertEqual(heard, [b"READY=1\nSTATUS=Here"] * 2)

    def test_nobody(self) -> None:
        """Where nobody listens, that is told."""
        self.assertRaises(OSError, Supervisor(address="/nowhere/notify").tell, "READY=1")
