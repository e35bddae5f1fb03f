"""The daemon watched as an operator does it: a real process, real signals, real files."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import TestCase

from konnectd.explain import Line
from tests.real.daemon import ROOT, Daemon, NotReadyError, daemon, free_port
from tests.support.files import folder, write
from tests.support.keys import quick_hash

USERS = f"users:\n  - username: alice\n    password: '{quick_hash('wonderland')}'\n"
PATIENCE = 20.0
#: Imports all that a daemon needs without anybody watching it.
BARE = "import sys, konnectd.service, konnectd.runner; sys.exit('prometheus_client' in sys.modules)"


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something is true.

    Raises:
        AssertionError: it never is.
    """
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise AssertionError("it did not happen")
        time.sleep(0.02)


def get(port: int, path: str) -> tuple[int, str]:
    """Ask, and return status and body."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class WatchTests(TestCase):
    """One daemon with everything, and how it ends."""

    def setUp(self) -> None:
        """Start it."""
        self.audit = folder(self) / "audit.log"
        self.metrics, self.pprof = free_port(), free_port()
        self.words = (
            "--iss=http://localhost:8777",
            f"--file-users={write(self, 'users.yaml', USERS)}",
            "--with-metrics",
            f"--metrics-listen=127.0.0.1:{self.metrics}",
            "--with-pprof",
            f"--pprof-listen=127.0.0.1:{self.pprof}",
            f"--audit-log={self.audit}",
            "--log-format=json",
            "file",
        )
        context = daemon(*self.words)
        self.daemon: Daemon = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def events(self, path: Path | None = None) -> list[str]:
        """Return what is in an audit log."""
        return [json.loads(line)["event"] for line in (path or self.audit).read_text().splitlines()]

    def refuse(self) -> None:
        """Let a client be refused."""
        get(self.daemon.port, "/signin/v1/identifier/_/authorize?client_id=x&redirect_uri=x&response_type=code")

    def test_figures(self) -> None:
        """Figures are served, of the process as well."""
        self.refuse()
        page = get(self.metrics, "/metrics")[1]

        self.assertIn('konnectd_http_requests_total{route="authorize",status="4xx"} 1.0', page)
        self.assertIn("process_resident_memory_bytes", page)
        self.assertNotIn("_created", page)

    def test_health(self) -> None:
        """Both addresses say that all is well."""
        for port in (self.daemon.port, self.metrics):
            self.assertEqual(get(port, "/healthz/ready"), (200, '{"status":"ready"}\n'))

    def test_profile(self) -> None:
        """A profile shows the reactor, and what is pending shows the listeners, of which there are three."""
        profile, pending = get(self.pprof, "/debug/pprof/profile?seconds=1")[1], get(self.pprof, "/debug/pprof/pending")

        self.assertIn("EPollReactor.doPoll", profile)
        self.assertEqual((pending[0], pending[1].count(", at 127.0.0.1 port")), (200, 3))

    def test_log(self) -> None:
        """Each line of the log is an object with an id, and a decision in it can be explained."""
        self.refuse()
        wait_for(lambda: "request-refused" in self.daemon.log)
        found = [json.loads(line) for line in self.daemon.log.splitlines()]
        lines = [Line.parse(line) for line in self.daemon.log.splitlines()]

        self.assertEqual([line for line in found if not line["event"] or line["event"] == "other"], [])
        self.assertEqual(len([line for line in lines if line is not None]), 1)

    def test_audit_log_is_moved(self) -> None:
        """A moved audit log is followed, at once after a signal, and no entry is missing at the end."""
        old = self.audit.with_suffix(".1")
        self.refuse()
        wait_for(lambda: "client-refused" in self.events())
        self.audit.rename(old)
        self.daemon.process.send_signal(signal.SIGUSR1)
        wait_for(self.audit.exists)
        self.refuse()
        status = self.daemon.stop()

        self.assertEqual(status, 0)
        self.assertEqual(self.events(old), ["start", "keys", "configuration", "client-refused"])
        self.assertEqual(self.events(), ["client-refused", "stop"])

    def test_taken_address(self) -> None:
        """A second one can not serve figures at the same address, so it does not start."""
        with self.assertRaises(NotReadyError) as caught, daemon(*self.words):
            pass

        self.assertIn("ended with status 1", str(caught.exception))
        self.assertIn(f"can not listen at 127.0.0.1:{self.metrics}: Address already in use", str(caught.exception))


class BareTests(TestCase):
    """A daemon that nobody watches."""

    def test_signal_does_not_kill(self) -> None:
        """SIGUSR1 does nothing where there is no file to open."""
        users = write(self, "users.yaml", USERS)
        with daemon("--iss=http://localhost:8777", f"--file-users={users}", "file") as running:
            running.process.send_signal(signal.SIGUSR1)
            time.sleep(0.3)

            self.assertEqual(get(running.port, "/health-check")[0], 200)

    def test_imports(self) -> None:
        """It does not load what it does not need."""
        done = subprocess.run([sys.executable, "-c", BARE], cwd=ROOT, env=os.environ, check=False)

        self.assertEqual(done.returncode, 0)
