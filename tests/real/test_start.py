"""Tests that really start the daemon, both ways, and the small commands."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from twisted.trial.unittest import TestCase

from tests.config.test_keys import private_pem
from tests.support.files import folder, write
from tests.support.keys import quick_hash, rsa_key

ROOT = Path(__file__).resolve().parents[2]
KONNECTD = (sys.executable, "-m", "konnectd.cli")
PATIENCE = 20.0


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which this checkout is found and nothing is set for the daemon."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KONNECTD_", "OIDC_", "LDAP_"))}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def call(*argv: str, text: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        argv, input=text, capture_output=True, text=True, timeout=PATIENCE, env=environment(**more), check=False
    )


def free_port() -> int:
    """Return a port nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Daemon:
    """A process that serves."""

    def __init__(self, case: TestCase, argv: tuple[str, ...], where: Path, **more: str) -> None:
        """Start it, with further variables; what it says goes into one file."""
        self.log = where / "said"
        with self.log.open("wb") as said:
            self.process = subprocess.Popen(argv, stdout=said, stderr=said, env=environment(**more), cwd=where)
        case.addCleanup(self.end)

    def said(self) -> str:
        """Return what it said until now."""
        return self.log.read_text()

    def wait_for(self, words: str) -> None:
        """Wait until it has said something.

        Raises:
            AssertionError: it has not.
        """
        limit = time.monotonic() + PATIENCE
        while words not in self.said():
            if time.monotonic() > limit or self.process.poll() is not None:
                raise AssertionError(f"{words!r} was not said: {self.said()}")
            # Waits for another process, which has no other way to tell.
            time.sleep(0.05)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def status(self) -> int:
        """Wait for its end and return its status."""
        return self.process.wait(PATIENCE)

    def end(self) -> None:
        """End it if it runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class StartTestCase(TestCase):
    """Has an installation to start."""

    def setUp(self) -> None:
        """Write one."""
        self.where = folder(self)
        self.port = free_port()
        users = f"users:\n  - username: alice\n    password: {quick_hash('secret')}\n"
        self.config = self.write(
            "konnectd.conf",
            f"iss = http://localhost:{self.port}\nlisten = 127.0.0.1:{self.port}\nidentity_manager = file\n"
            f"file_users = {self.write('users.yaml', users)}\n"
            f"signing_private_key = {self.write('key.pem', private_pem(rsa_key()).decode())}\n"
            f"encryption_secret_key = {self.write('secret.key', '0123456789abcdefghijklmnopqrstuv')}\n",
        )
        self.twistd = (str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=", "konnectd")

    def write(self, name: str, text: str) -> Path:
        """Write a file for nobody else."""
        path = self.where / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def start(self, *argv: str) -> Daemon:
        """Start a daemon and wait until it listens."""
        daemon = Daemon(self, argv, self.where)
        daemon.wait_for("listening at")
        return daemon

    def health(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Ask for its health."""
        return call(*KONNECTD, "healthcheck", *(argv or (f"--hostname=127.0.0.1:{self.port}",)))


class ServeTests(StartTestCase):
    """``konnectd serve``."""

    def test_life(self) -> None:
        """It serves, reads files anew after SIGHUP, and ends in order with status 0."""
        daemon = self.start(*KONNECTD, "serve", f"--config={self.config}")
        healthy = self.health()
        daemon.signal(signal.SIGHUP)
        daemon.wait_for("event=reload-done")
        daemon.signal(signal.SIGTERM)

        self.assertEqual((healthy.returncode, healthy.stdout, daemon.status()), (0, "healthy\n", 0))
        for line in daemon.said().splitlines():
            self.assertIsNotNone(re.match(r'time=\S+Z level=(info|warn) msg="', line), line)
        self.assertIn("SIGTERM received, stopping", daemon.said())

    def test_log(self) -> None:
        """The log is as it is wanted."""
        daemon = self.start(*KONNECTD, "serve", f"--config={self.config}", "--log-timestamp=false")
        daemon.signal(signal.SIGINT)

        self.assertEqual(daemon.status(), 0)
        self.assertTrue(daemon.said().startswith('level=info msg="konnectd '))

    def test_second_signal(self) -> None:
        """A request that does not end is waited for, but not by who is in a hurry."""
        daemon = self.start(*KONNECTD, "serve", f"--config={self.config}")
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"POST /konnect/v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
            self.health()
            daemon.signal(signal.SIGTERM)
            daemon.wait_for("SIGTERM received")
            daemon.signal(signal.SIGTERM)
            before = time.monotonic()

            self.assertEqual(daemon.status(), 0)
            self.assertLess(time.monotonic() - before, 5.0)

    def test_port_is_taken(self) -> None:
        """Who can not listen says so and ends with status 1."""
        with socket.create_server(("127.0.0.1", self.port)):
            found = call(*KONNECTD, "serve", f"--config={self.config}")

        self.assertEqual(found.returncode, 1)
        self.assertIn(f"can not listen at 127.0.0.1:{self.port}", found.stderr)
        self.assertNotIn("Traceback", found.stderr)

    def test_wrong_settings(self) -> None:
        """One line for each fault, and status 1."""
        found = call(*KONNECTD, "serve", "--bogus=1", "ldap", OIDC_ISSUER_IDENTIFIER="http://id.example.com")

        self.assertEqual((found.returncode, found.stdout), (1, ""))
        self.assertEqual(
            [line.split(": ")[:3] for line in found.stderr.splitlines()],
            [["konnectd", "command line", "--bogus"], ["konnectd", "environment", "OIDC_ISSUER_IDENTIFIER"]],
        )

    def test_wrong_files(self) -> None:
        """Faults in files come all at once as well, with their lines."""
        clients = write(self, "r.yaml", "clients:\n  - id: a\n  - id: b\n")
        found = call(
            *KONNECTD, "serve", f"--config={self.config}", f"--identifier-registration-conf={clients}",
            "--signing-private-key=nowhere.pem",
        )  # fmt: skip

        self.assertEqual(found.returncode, 1)
        self.assertEqual(
            [line.rpartition("konnectd: ")[2].split(": ")[0] for line in found.stderr.splitlines()],
            ["command line", f"{clients}:2", f"{clients}:3"],
        )

    def test_unix_socket(self) -> None:
        """A socket in the file system serves, and its health can be asked for."""
        # A folder of its own: the path of a socket has to be short, and trial's are not.
        short = Path(tempfile.mkdtemp(prefix="kd-"))
        self.addCleanup(shutil.rmtree, short)
        path = f"unix:{short}/konnectd.sock"
        self.start(*KONNECTD, "serve", f"--config={self.config}", f"--listen={path}")

        self.assertEqual(self.health(f"--hostname={path}").returncode, 0)


class TwistdTests(StartTestCase):
    """``twistd konnectd``."""

    def test_life(self) -> None:
        """The same words start the same daemon, with the same log."""
        daemon = self.start(*self.twistd, f"--config={self.config}")
        healthy = self.health()
        daemon.signal(signal.SIGHUP)
        daemon.wait_for("event=reload-done")
        daemon.signal(signal.SIGTERM)
        daemon.status()

        self.assertEqual(healthy.returncode, 0)
        for line in daemon.said().splitlines():
            self.assertIsNotNone(re.match(r'time=\S+Z level=info msg="', line), line)

    def test_wrong_settings(self) -> None:
        """Faults are one line each and status 1, without twistd's help or a traceback."""
        found = call(*self.twistd, "--iss=https://id.example.com", "--bogus", "file")

        self.assertEqual(
            (found.returncode, found.stdout, found.stderr),
            (1, "", "konnectd: command line: --bogus: is not an option\n"),
        )

    def test_wrong_files(self) -> None:
        """Files are read before it goes into the background."""
        found = call(*self.twistd, f"--config={self.config}", "--signing-private-key=nowhere.pem")

        self.assertEqual(found.returncode, 1)
        self.assertEqual(
            found.stderr,
            "konnectd: command line: signing_private_key: nowhere.pem: can not be read: No such file or directory\n",
        )

    def test_port_is_taken(self) -> None:
        """Who can not listen ends with status 1."""
        with socket.create_server(("127.0.0.1", self.port)):
            found = call(*self.twistd, f"--config={self.config}")

        self.assertEqual(found.returncode, 1)
        self.assertIn(f"can not listen at 127.0.0.1:{self.port}", found.stdout)

    def test_keys_belong_to_root(self) -> None:
        """Keys are read before privileges are given up, in the background too."""
        log, pidfile = self.where / "daemon.log", self.where / "daemon.pid"
        self.where.chmod(0o755)
        twistd = self.twistd[0]
        started = call(
            twistd, f"--logfile={log}", f"--pidfile={pidfile}", "--uid=nobody", "--gid=nogroup",
            "konnectd", f"--config={self.config}",
        )  # fmt: skip
        pid = int(pidfile.read_text())
        self.addCleanup(os.kill, pid, signal.SIGTERM)
        owner = Path(f"/proc/{pid}").stat().st_uid

        self.assertEqual((started.returncode, self.health().returncode), (0, 0))
        self.assertNotEqual(owner, 0)
        self.assertIn('msg="listening at', log.read_text())

    if os.geteuid() != 0:
        test_keys_belong_to_root.skip = "only root can give privileges up"  # type: ignore[attr-defined] # trial's way


class SmallCommandTests(TestCase):
    """Commands that do not serve."""

    def test_without_twisted(self) -> None:
        """None of them imports Twisted."""
        key = write(self, "key.pem", private_pem(rsa_key()))
        for words, text in (
            (["version"], ""),
            (["help"], ""),
            (["healthcheck", "--hostname=127.0.0.1:1"], ""),
            (["explain", "E12345"], "x\n"),
            (["utils", "jwk-from-pem", "--public", str(key)], ""),
            (["utils", "hash-password"], "secret\n"),
        ):
            with self.subTest(words=words):
                code = (
                    "import sys; from konnectd.cli import main; main(sys.argv[1:]); "
                    "sys.exit(9 if any(name.split('.')[0] == 'twisted' for name in sys.modules) else 0)"
                )
                found = call(sys.executable, "-c", code, *words, text=text)

                self.assertEqual(found.returncode, 0, found.stderr)

    def test_health_of_nothing(self) -> None:
        """Where nobody listens, and where something else does, is not well; the reason is told."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = f"127.0.0.1:{server.getsockname()[1]}"
            silent = call(*KONNECTD, "healthcheck", f"--hostname={address}", "--timeout=1")
        nobody = call(*KONNECTD, "healthcheck", f"--hostname={address}")
        no_tls = call(*KONNECTD, "healthcheck", "--scheme=https", "--insecure", f"--hostname={address}")
        no_socket = call(*KONNECTD, "healthcheck", "--hostname=unix:/nowhere.sock")
        nonsense = call(*KONNECTD, "healthcheck", "--hostname=127.0.0.1:port")

        for found in (silent, nobody, no_tls, no_socket, nonsense):
            self.assertEqual((found.returncode, found.stdout, found.stderr.count("\n")), (1, "", 1))
        self.assertIn("timed out", silent.stderr)
        self.assertIn("refused", nobody.stderr)

    def test_hash_password(self) -> None:
        """A line of standard input becomes a hash that the password fits."""
        from argon2 import PasswordHasher  # noqa: PLC0415 - the only test that needs it

        found = call(*KONNECTD, "utils", "hash-password", text="pass word\n")
        empty = call(*KONNECTD, "utils", "hash-password", text="\n")

        self.assertTrue(PasswordHasher().verify(found.stdout.strip(), "pass word"))
        self.assertTrue(found.stdout.startswith("$argon2id$"))
        self.assertEqual((empty.returncode, empty.stdout), (1, ""))


class HealthTests(StartTestCase):
    """What counts as well."""

    def test_other_answers(self) -> None:
        """Only 200 does; a query is sent as one."""
        self.start(*KONNECTD, "serve", f"--config={self.config}")
        address = f"--hostname=127.0.0.1:{self.port}"
        missing = self.health(address, "--path=/nothing")
        query = self.health(address, "--path=health-check?deep=1&x=%20")

        self.assertEqual((missing.returncode, query.returncode), (1, 0))
        self.assertIn("status 404", missing.stderr)
