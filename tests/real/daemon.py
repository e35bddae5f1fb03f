"""The real daemon, or the demo, as a process on a free loopback port: started, waited for, looked into, stopped."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from attrs import field, frozen

import konnectd
from tests.support.seclusion import NO_SURVEY

ROOT = Path(konnectd.__file__).parent.parent
#: How long a start may take, in seconds; much longer than it does, for machines that have other things to do.
PATIENCE = 30.0
#: How long a stop may take before the process is killed.
STOP_PATIENCE = 15.0
#: How often it is looked whether the daemon is there.
_PAUSE = 0.02
#: Beginnings of the names of variables that would be taken for options.
_OPTION_VARIABLES = ("KONNECTD_", "OIDC_", "LDAP_", "FILE_", "KOPANO_")


class NotReadyError(Exception):
    """The daemon ended, or did not answer in time; the text has its log."""


def free_port() -> int:
    """Return a TCP port that nothing listens at on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@frozen(kw_only=True)
class Daemon:
    """A daemon that runs.

    Attributes:
        port: where it listens on 127.0.0.1.
        process: it.
        ready_after: seconds from its start to its first answer.
    """

    port: int
    process: "subprocess.Popen[bytes]" = field(repr=False)
    ready_after: float
    output: Path

    @property
    def log(self) -> str:
        """What it has written so far, to standard output and standard error."""
        return self.output.read_text("utf-8", "replace")

    def said(self, words: str) -> str:
        """Wait for a line of the log that has some words in it, and return it: an answer may be here before it.

        Raises:
            AssertionError: there is none.
        """
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            for line in self.log.splitlines():
                if words in line:
                    return line
            # Waits for another process, which has no other way to tell.
            time.sleep(_PAUSE)
        raise AssertionError(f"{words!r} was not said: {self.log}")

    def url(self, path: str = "", host: str = "localhost") -> str:
        """Return the whole address of a path."""
        return f"http://{host}:{self.port}{path}"

    def stop(self) -> int:
        """Ask it to stop, and return its exit status; it is killed when it does not listen."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@contextmanager
def daemon(
    *words: str,
    command: str = "serve",
    port: int | None = None,
    environ: Mapping[str, str] | None = None,
    header: bytes = b"",
) -> Iterator[Daemon]:
    """Run ``konnectd`` and stop it again.

    Args:
        words: after the command; ``--listen`` is added.
        command: ``serve`` or ``demo``.
        port: one that is free; any if left out.
        environ: further environment variables.
        header: what it wants to hear from here before anything else.

    Raises:
        NotReadyError: it ended at once, or does not answer.
    """
    chosen = free_port() if port is None else port
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(_OPTION_VARIABLES)
    } | NO_SURVEY
    with tempfile.TemporaryDirectory(prefix="konnectd-real-") as folder:
        output = Path(folder) / "output"
        with output.open("wb") as stream:
            started = time.monotonic()
            process = _start(
                [command, *words, f"--listen=127.0.0.1:{chosen}"], {**inherited, **(environ or {})}, stream
            )
        try:
            _wait(process, chosen, output, header)
            running = Daemon(port=chosen, process=process, ready_after=time.monotonic() - started, output=output)
            yield running
        finally:
            if process.poll() is None:
                Daemon(port=chosen, process=process, ready_after=0.0, output=output).stop()


def _start(words: list[str], environ: Mapping[str, str], stream: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start the process."""
    return subprocess.Popen(
        [sys.executable, "-m", "konnectd.cli", *words],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=stream,
        stderr=subprocess.STDOUT,
    )


def _wait(process: "subprocess.Popen[bytes]", port: int, output: Path, header: bytes) -> None:
    """Wait until it answers.

    Raises:
        NotReadyError: it does not.
    """
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        with suppress(OSError):
            if _is_well(port, header):
                return
        with suppress(subprocess.TimeoutExpired):
            status = process.wait(_PAUSE)
            raise NotReadyError(f"ended with status {status}:\n{output.read_text('utf-8', 'replace')}")
    process.kill()
    raise NotReadyError(f"does not answer:\n{output.read_text('utf-8', 'replace')}")


def _is_well(port: int, header: bytes) -> bool:
    """Tell whether it says that it is well.

    Raises:
        OSError: it does not answer.
    """
    with socket.create_connection(("127.0.0.1", port), 5) as peer:
        peer.sendall(header + b"GET /health-check HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return peer.recv(1024).startswith(b"HTTP/1.1 200 ")
