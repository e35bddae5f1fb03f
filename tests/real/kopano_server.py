"""The stand-in for a groupware server as a process of its own, on loopback and on a socket in the file system."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO

from tests.real.daemon import PATIENCE, ROOT, STOP_PATIENCE
from tests.support.kopano.certificates import Certificates

_READY, _FORGOTTEN, _ASKED = "ready", "all sessions forgotten", "asked "


class KopanoProcess:
    """One server with its folder; it listens on a unix socket, without TLS and with it.

    Attributes:
        folder: its own.
        socket: in the file system.
        certificates: its own and those of clients.
        port: without TLS.
        tls_port: with it.
    """

    def __init__(self, *arguments: str) -> None:
        """Make a folder and start.

        Args:
            arguments: further words of its command line.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="kopano-"))
        self.socket = self.folder / "server.sock"
        self.certificates = Certificates.in_folder(self.folder / "tls")
        self.port = self.tls_port = 0
        self._arguments = arguments
        self._lines: Queue[str] = Queue()
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def uri(self) -> str:
        """Its address without TLS."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_uri(self) -> str:
        """Its address with TLS."""
        return f"https://localhost:{self.tls_port}"

    @property
    def unix_uri(self) -> str:
        """Its address in the file system."""
        return f"file://{self.socket}"

    def start(self) -> None:
        """Start it where it was before, and wait until it listens.

        Raises:
            AssertionError: it does not.
        """
        words = ["--socket", str(self.socket), "--tls-folder", str(self.certificates.folder)]
        words += ["--http", f"127.0.0.1:{self.port}", "--https", f"127.0.0.1:{self.tls_port}"]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.kopano", *words, *self._arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        if process.stdout is None:
            raise AssertionError("no pipe")
        self._process = process
        self._lines = Queue()
        Thread(target=self._read, args=(process.stdout, self._lines), daemon=True).start()
        for line in self._lines_until(_READY):
            address = line.removeprefix("listening on ")
            if address.startswith("http://"):
                self.port = int(address.rpartition(":")[2])
            elif address.startswith("https://"):
                self.tls_port = int(address.rpartition(":")[2])

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it with a signal, and return its status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        try:
            return process.wait(STOP_PATIENCE)
        finally:
            process.kill()
            process.wait(STOP_PATIENCE)

    def forget(self) -> None:
        """Let it forget all sessions, as a restart would."""
        self._signal(signal.SIGHUP)
        self._lines_until(_FORGOTTEN)

    def _signal(self, number: int) -> None:
        """Send a signal to it.

        Raises:
            AssertionError: it does not run.
        """
        if self._process is None:
            raise AssertionError("it does not run")
        self._process.send_signal(number)

    def counts(self) -> Mapping[str, int]:
        """Return how often it was asked for what since it started."""
        self._signal(signal.SIGUSR1)
        (line,) = self._lines_until(_ASKED)[-1:]
        found: Mapping[str, int] = json.loads(line.removeprefix(_ASKED))
        return found

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder)

    def _lines_until(self, last: str) -> list[str]:
        """Return what it says until it says something that begins so.

        Raises:
            AssertionError: it says it not, or not in time.
        """
        lines: list[str] = []
        while not lines or not lines[-1].startswith(last):
            try:
                line = self._lines.get(timeout=PATIENCE)
            except Empty as error:
                raise AssertionError(f"the server does not say that it is {last}") from error
            if not line:
                raise AssertionError(f"the server has ended: {lines}")
            lines.append(line.rstrip("\n"))
        return lines

    @staticmethod
    def _read(stream: IO[str], lines: "Queue[str]") -> None:
        """Take down what it says; an empty line is its end."""
        with stream:
            for line in stream:
                lines.put(line)
        lines.put("")
