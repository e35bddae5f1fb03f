"""Listening on real sockets, and processes that can not."""

import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from konnectd.listener import Listener, ListenError
from konnectd.web.errors import failure, not_found
from konnectd.web.site import Site, make_site
from tests.support.connection import parse_answers, request, route

reactor: Any = _reactor

PROGRAM = """
from twisted.application.service import Application
from twisted.internet import reactor
from konnectd.listener import Listener, end_process

class Site:
    async def drain(self, seconds):
        pass

listener = Listener([{address!r}], Site(), reactor)
"""
#: As twistd does it, and as something does that finds out only when the reactor runs.
BY_TWISTD = PROGRAM + 'application = Application("test")\nlistener.setServiceParent(application)\n'
WHILE_RUNNING = PROGRAM + "reactor.callWhenRunning(listener.startService)\nreactor.run()\n"
AT_START = PROGRAM + "listener.startService()\nreactor.run()\n"
ENDED = PROGRAM + "end_process(reactor, 3)\nreactor.run()\nprint('tidied up')\n"
ENDED_BY_TWISTD = PROGRAM + 'end_process(reactor, 3)\napplication = Application("test")\n'
TWISTD = ("-c", "from twisted.scripts.twistd import run; run()")


def some_site() -> Site:
    """Make a site that echoes."""
    return make_site([route("/echo")], reactor=reactor, not_found=not_found, failure=failure, reference=lambda: "ref-1")


def ask_at(path: str) -> bytes:
    """Ask once at a unix socket."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(10)
        peer.connect(path)
        peer.sendall(request("GET", "/echo", "Connection: close"))
        heard = b""
        while piece := peer.recv(65536):
            heard += piece
        return heard


class UnixTests(TestCase):
    """Sockets in the file system."""

    def setUp(self) -> None:
        """Choose a path."""
        self.path = str(Path(self.mktemp()).absolute())[-90:]
        self.path = f"/tmp/{abs(hash(self.path)):x}.sock"  # noqa: S108 - the names of sockets must be short
        self.addCleanup(Path(self.path).unlink, missing_ok=True)

    def listen(self, suffix: str = "") -> Listener:
        """Listen there until the test ends."""
        listener = Listener([f"unix:{self.path}{suffix}"], some_site(), reactor)
        listener.startService()
        self.addCleanup(listener.stopService)
        return listener

    def test_answers_and_permissions(self) -> Deferred[None]:
        """It serves, nobody else may use it unless the operator says so, and it is gone afterwards."""
        listener = self.listen()
        self.assertEqual(stat.S_IMODE(Path(self.path).stat().st_mode), 0o660)

        async def scenario() -> None:
            (answer,) = parse_answers(await deferToThread(ask_at, self.path))
            await listener.stopService()
            left = await deferToThread(Path(self.path).exists)
            self.assertEqual((answer.status, left), (200, False))

        return Deferred.fromCoroutine(scenario())

    def test_mode(self) -> None:
        """The operator decides who may connect."""
        self.listen(":mode=600")

        self.assertEqual(stat.S_IMODE(Path(self.path).stat().st_mode), 0o600)

    def test_stale_socket(self) -> Deferred[None]:
        """What a killed daemon left behind is no obstacle."""
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(self.path)
        self.assertTrue(Path(self.path).is_socket())
        self.listen()

        async def scenario() -> None:
            self.assertIn(b"200 OK", await deferToThread(ask_at, self.path))

        return Deferred.fromCoroutine(scenario())

    def test_socket_in_use(self) -> None:
        """Another daemon's socket is left alone."""
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(self.path)
            other.listen()

            self.assertRaises(ListenError, self.listen_while_stopped)
            self.assertTrue(Path(self.path).is_socket())

    def test_file_in_the_way(self) -> None:
        """So is a file, whatever it is."""
        Path(self.path).write_text("precious", encoding="ascii")

        self.assertRaises(ListenError, self.listen_while_stopped)
        self.assertEqual(Path(self.path).read_text(encoding="ascii"), "precious")

    def listen_while_stopped(self) -> None:
        """Listen as a process does before its reactor runs."""

        class Before:
            """The reactor, not running yet."""

            running = False

            def __getattr__(self, name: str) -> object:
                there: object = getattr(reactor, name)
                return there

        Listener([f"unix:{self.path}"], some_site(), Before()).startService()


class ProcessTests(TestCase):
    """Processes that can not listen end, and say why in one line."""

    def setUp(self) -> None:
        """Take a port."""
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        self.address = f"127.0.0.1:{taken.getsockname()[1]}"
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def run_program(self, program: str, *command: str) -> Deferred[subprocess.CompletedProcess[str]]:
        """Run a program to its end, in a thread."""
        file = self.folder / "program.py"
        file.write_text(program.format(address=self.address), encoding="utf-8")
        words = [sys.executable, *command, str(file.absolute())]
        environment = {"PYTHONPATH": str(Path(__file__).parents[2])}
        return deferToThread(
            subprocess.run,
            words,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    async def assert_ends(self, program: str, *command: str) -> None:
        """Check that it ends with status 1 and one line that says why."""
        ended = await self.run_program(program, *command)
        said = [line for line in (ended.stdout + ended.stderr).splitlines() if "can not listen" in line]

        self.assertEqual(ended.returncode, 1, ended)
        self.assertEqual(len(said), 1, ended)
        self.assertIn(f"can not listen at {self.address}: Address already in use", said[0])
        self.assertNotIn("Traceback", ended.stdout + ended.stderr)

    def test_twistd(self) -> Deferred[None]:
        """Under twistd, which tidies up its file of the process id."""

        async def scenario() -> None:
            await self.assert_ends(BY_TWISTD, *TWISTD, "-n", "--pidfile=t.pid", "-y")
            self.assertEqual(list(self.folder.glob("*.pid")), [])

        return Deferred.fromCoroutine(scenario())

    def test_twistd_in_the_background(self) -> Deferred[None]:
        """As a daemon: whoever started it is told."""

        async def scenario() -> None:
            ended = await self.run_program(BY_TWISTD, *TWISTD, "--pidfile=t.pid", "--logfile=t.log", "-y")
            self.assertEqual(ended.returncode, 1, ended)
            written = (self.folder / "t.log").read_text(encoding="utf-8")
            self.assertEqual(written.count("can not listen"), 1, written)

        return Deferred.fromCoroutine(scenario())

    def test_program_of_our_own(self) -> Deferred[None]:
        """Before the reactor runs, though nothing writes a log yet."""
        return Deferred.fromCoroutine(self.assert_ends(AT_START))

    def test_running_program(self) -> Deferred[None]:
        """While the reactor runs."""
        return Deferred.fromCoroutine(self.assert_ends(WHILE_RUNNING))

    def test_ended_on_purpose(self) -> Deferred[None]:
        """Other parts of a daemon that can not go on choose the status; everything is tidied up first."""

        async def scenario() -> None:
            ended = await self.run_program(ENDED)
            self.assertEqual((ended.returncode, ended.stdout), (3, "tidied up\n"), ended)
            ended = await self.run_program(ENDED_BY_TWISTD, *TWISTD, "-n", "--pidfile=t.pid", "-y")
            self.assertEqual((ended.returncode, list(self.folder.glob("*.pid"))), (3, []), ended)

        return Deferred.fromCoroutine(scenario())
