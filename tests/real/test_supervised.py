"""The daemon in the hands of a service manager: what it says, sockets that are handed over, restarts."""

import shutil
import signal
import socket
import stat
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.real.daemon import ROOT, free_port
from tests.real.hammer import Hammer
from tests.real.manager import Manager, NotReadyError, Plan
from tests.support.files import write
from tests.support.keys import quick_hash

PYTHON = str(Path(sys.executable).absolute())
WELL_KNOWN = "/.well-known/openid-configuration"
RESTARTS = 4


class SupervisedCase(SynchronousTestCase):
    """Has a daemon that is not started yet."""

    def setUp(self) -> None:
        """Make a folder with a short name, as sockets need one."""
        self.folder = Path(tempfile.mkdtemp(prefix="kc"))
        self.addCleanup(shutil.rmtree, self.folder)
        users = f"users:\n  - username: alice\n    password: {quick_hash('secret')}\n"
        self.words = (
            "serve",
            "--iss=http://localhost:8777",
            f"--file-users={write(self, 'users.yaml', users)}",
            "file",
        )

    def manager(
        self, *sockets: socket.socket, words: tuple[str, ...] = (), watchdog: float = 0.0, twistd: bool = False
    ) -> Manager:
        """Return who starts it, with further words."""
        program = (str(Path(PYTHON).with_name("twistd")), "-n", "--pidfile=", "konnectd")
        command = (*program, *self.words[1:-1]) if twistd else (PYTHON, "-m", "konnectd.cli", *self.words[:-1])
        plan = Plan(words=(*command, *words, "file"), environ={"PYTHONPATH": str(ROOT)}, watchdog=watchdog)
        made = Manager(plan, self.folder, *sockets)
        self.addCleanup(made.close)
        return made

    def tcp(self) -> tuple[socket.socket, int]:
        """Open a socket as a unit of sockets does."""
        made = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.addCleanup(made.close)
        return made, int(made.getsockname()[1])

    def status(self, port: int) -> int:
        """Ask for the health of what listens at a port."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health-check", timeout=10) as answer:
            return int(answer.status)


class NoticeTests(SupervisedCase):
    """What it says."""

    def test_life(self) -> None:
        """It is ready when it answers, gives signs of life, and says when it stops."""
        port = free_port()
        manager = self.manager(words=(f"--listen=127.0.0.1:{port}",), watchdog=0.2)
        manager.start()
        answered = self.status(port)
        manager.hear_until("WATCHDOG=1", times=5)
        manager.send(signal.SIGTERM)
        manager.hear_until("STOPPING=1")

        self.assertEqual((answered, manager.status()), (200, 0))
        self.assertEqual(manager.heard[:2], ["READY=1", "STATUS=Serving http://localhost:8777"])

    def test_reload(self) -> None:
        """It says when it reads files anew, by the clock of this machine, and when it has."""
        manager = self.manager(words=(f"--listen=127.0.0.1:{free_port()}",))
        manager.start()
        before = time.monotonic()
        manager.send(signal.SIGHUP)
        manager.hear_until("READY=1", times=2)
        begun = next(line for line in manager.heard if line.startswith("MONOTONIC_USEC="))

        self.assertEqual(manager.heard[2], "RELOADING=1")
        self.assertTrue(before <= int(begun.partition("=")[2]) / 1_000_000 + 0.001 <= time.monotonic() + 0.001)

    def test_not_ready(self) -> None:
        """A daemon that can not listen never says that it is ready."""
        _, port = self.tcp()
        manager = self.manager(words=(f"--listen=127.0.0.1:{port}",))

        self.assertRaises(NotReadyError, manager.start)
        self.assertEqual(manager.heard, [])

    def test_hanging(self) -> None:
        """A process that does not run any more gives no sign of life."""
        port = free_port()
        manager = self.manager(words=(f"--listen=127.0.0.1:{port}",), watchdog=0.2)
        manager.start()
        manager.hear_until("WATCHDOG=1", times=2)
        manager.send(signal.SIGSTOP)
        self.addCleanup(manager.send, signal.SIGCONT)
        silent = manager.is_silent(1.0)

        self.assertTrue(silent)

    def test_twistd(self) -> None:
        """The same under twistd."""
        port = free_port()
        manager = self.manager(words=(f"--listen=127.0.0.1:{port}",), twistd=True)
        manager.start()

        self.assertEqual(self.status(port), 200)


class SocketTests(SupervisedCase):
    """Sockets that are handed over."""

    def test_without_a_word(self) -> None:
        """Whoever says nothing about addresses listens at what was handed over, and at nothing else."""
        handed, port = self.tcp()
        manager = self.manager(handed)
        manager.start()

        self.assertEqual(self.status(port), 200)
        self.assertIn(f'msg="listening at 127.0.0.1:{port}, a socket of systemd"', manager.log)
        self.assertEqual(manager.log.count("listening at"), 1)

    def test_same_address(self) -> None:
        """An address that is handed over is not opened again; a further one is."""
        (handed, port), more = self.tcp(), free_port()
        manager = self.manager(handed, words=(f"--listen=127.0.0.1:{port}", f"--listen=127.0.0.1:{more}"))
        manager.start()

        self.assertEqual((self.status(port), self.status(more)), (200, 200))
        self.assertEqual(manager.log.count("listening at"), 2)

    def test_by_name(self) -> None:
        """An operator can name the socket, under twistd too, where nothing else works."""
        handed, port = self.tcp()
        for twistd in (False, True):
            manager = self.manager(handed, words=("--listen=systemd:domain=INET:name=http",), twistd=twistd)
            manager.start()
            with self.subTest(twistd=twistd):
                self.assertEqual(self.status(port), 200)
            manager.close()

    def test_no_socket(self) -> None:
        """What is handed over has to be a socket that listens."""
        manager = self.manager(socket.socket())

        self.assertRaises(NotReadyError, manager.start)
        self.assertIn("listen: descriptor 3, which systemd has handed over, is no socket that listens", manager.log)

    def test_unix(self) -> None:
        """The file of a socket of systemd is left as it is, and is still there when the daemon has gone."""
        path = self.folder / "http"
        handed = socket.socket(socket.AF_UNIX)
        self.addCleanup(handed.close)
        handed.bind(str(path))
        handed.listen(16)
        path.chmod(0o620)
        manager = self.manager(handed, words=(f"--listen=unix:{path}",))
        seen = []
        for _ in range(2):
            manager.start()
            seen.append((self.ask(path), stat.S_IMODE(path.stat().st_mode)))
            manager.stop()

        self.assertEqual((seen, path.is_socket()), ([(b"HTTP/1.1 200", 0o620)] * 2, True))

    def ask(self, path: Path) -> bytes:
        """Ask at a unix socket, and return the beginning of the answer."""
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(10)
            peer.connect(str(path))
            peer.sendall(b"GET /health-check HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return peer.recv(12)


class RestartTests(SupervisedCase):
    """Restarts while people ask."""

    def test_nobody_is_refused(self) -> None:
        """Every request of every connection is answered, whether it comes before, while or after nothing runs."""
        handed, port = self.tcp()
        manager = self.manager(handed)
        manager.start()
        statuses = []
        with Hammer(port, WELL_KNOWN) as hammer:
            for _ in range(RESTARTS):
                hammer.wait_for(200)
                statuses.append(manager.restart())
            hammer.wait_for(200)

        self.assertEqual((hammer.failures, statuses), ([], [0] * RESTARTS))
        self.assertGreaterEqual(hammer.answered, 200 * (RESTARTS + 1))
