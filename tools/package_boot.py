"""A clean Debian in a folder, booted with its own systemd, for `tools.package_test`."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tools.package_root import ENVIRONMENT, Root, RunError, run

#: As `tools.package_root.NEEDED`.
NEEDED_TO_BOOT = {"systemd-container": "systemd-nspawn"}
#: How long a boot and its end may take, in seconds.
_PATIENCE = 60.0
#: What systemd says of a system that has come up, whether or not all units of a container could be started.
_UP = frozenset({"running", "degraded"})


@frozen
class Booted:
    """A system that runs.

    Attributes:
        leader: the process that is its first.
    """

    leader: int

    def run(self, *words: str, status: int = 0) -> str:
        """Run a command in it, with its own view of processes and files.

        Raises:
            RunError: it has another exit status.
        """
        inside = ("nsenter", f"--target={self.leader}", "--mount", "--uts", "--ipc", "--pid", "--cgroup", "--root")
        return run(*inside, "--", *words, environ=ENVIRONMENT, status=status)


@contextmanager
def booted(root: Root) -> Iterator[Booted]:
    """Boot a system that has systemd, and end it again. It shares the network with this one.

    Raises:
        RunError: it does not come up.
    """
    output = root.path.with_name("boot.log")
    environ = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
    words = ("systemd-nspawn", f"--directory={root.path}", "--boot", "--register=no", "--keep-unit", "--console=pipe")
    with output.open("wb") as stream:
        nspawn = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=environ)
        try:
            system = Booted(_leader(nspawn, output))
            _wait(system, nspawn, output)
            yield system
        finally:
            # SIGTERM asks the system to shut down; it is told again, more firmly, when it takes too long.
            nspawn.terminate()
            try:
                nspawn.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                nspawn.kill()
                nspawn.wait()


def _leader(nspawn: "subprocess.Popen[bytes]", output: Path) -> int:
    """Wait for the first process of a system, and return its number.

    Raises:
        RunError: there is none.
    """
    children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children")
    give_up = time.monotonic() + _PATIENCE
    while time.monotonic() < give_up and nspawn.poll() is None:
        for child in children.read_text(encoding="ascii").split():
            if Path(f"/proc/{child}/comm").read_text(encoding="utf-8") == "systemd\n":
                return int(child)
        time.sleep(0.1)
    raise RunError(f"the system does not boot:\n{output.read_text('utf-8', 'replace')}")


def _wait(system: Booted, nspawn: "subprocess.Popen[bytes]", output: Path) -> None:
    """Wait until a system has come up.

    Raises:
        RunError: it does not.
    """
    give_up = time.monotonic() + _PATIENCE
    while time.monotonic() < give_up and nspawn.poll() is None:
        said = system.run("sh", "-c", "systemctl is-system-running 2>/dev/null || true").strip()
        if said in _UP:
            return
        time.sleep(0.2)
    raise RunError(f"the system does not come up:\n{output.read_text('utf-8', 'replace')}")
