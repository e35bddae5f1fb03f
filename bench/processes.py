"""Server processes: started on one core, measured from outside."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from attrs import define

_READY_SECONDS = 20.0
#: Where servers run; the load comes from the other cores.
SERVER_CORE = 0


def free_port() -> int:
    """Return a port nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@define
class Server:
    """A process that listens at a port of this machine."""

    process: subprocess.Popen[bytes]
    port: int
    #: CPU seconds from the start of the process until it listened.
    ready_cpu: float = 0.0

    @classmethod
    def start(cls, arguments: Sequence[str], port: int, log: Path, cwd: Path | None = None) -> Self:
        """Start Python with some arguments and wait until it listens.

        Raises:
            RuntimeError: it does not.
        """
        with log.open("wb") as output:
            process = subprocess.Popen([sys.executable, *arguments], stdout=output, stderr=output, cwd=cwd)
        os.sched_setaffinity(process.pid, {SERVER_CORE})
        server = cls(process, port)
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as probe:
                probe.settimeout(0.2)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    server.ready_cpu = server.cpu
                    return server
            time.sleep(0.01)
        process.kill()
        raise RuntimeError(f"the server does not listen:\n{log.read_text(errors='replace')}")

    @property
    def cpu(self) -> float:
        """CPU seconds the process has used, all threads."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    @property
    def resident(self) -> float:
        """Megabytes of memory the process has now."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the process is gone")

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
