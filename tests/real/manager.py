"""Something that plays systemd: it reads units, keeps sockets open, starts the daemon, and hears what it says.

What it does not do is isolate: of a unit it follows what the daemon can notice without a kernel's help.
"""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

#: How long it may take until the daemon says that it is ready, and until it ends.
PATIENCE = 60.0

#: Does in the new process what systemd does before the program begins; its argument is JSON.
BEGIN = """
import ctypes, json, os, sys
plan = json.loads(sys.argv[1])
high = [os.dup2(number, 100 + place) for place, number in enumerate(plan["sockets"])]
for place, number in enumerate(high):
    os.dup2(number, 3 + place, inheritable=True)
    os.close(number)
os.closerange(3 + len(high), 100)
environ = plan["environ"]
if high:
    environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(high))}
    environ["LISTEN_FDNAMES"] = ":".join(["http"] * len(high))
if plan["root"]:
    os.chroot(plan["root"])
    os.chdir("/")
if plan["user"]:
    os.setgroups([])
    os.setgid(plan["user"][1])
    os.setuid(plan["user"][0])
os.umask(0o077)
if plan["guarded"]:
    libc = ctypes.CDLL(None)
    # No new privileges; and no memory that is written and then run, where the kernel knows that.
    libc.prctl(38, 1, 0, 0, 0)
    libc.prctl(65, 1, 0, 0, 0)
os.execve(plan["words"][0], plan["words"], environ)
"""


class NotReadyError(Exception):
    """The daemon did not say that it is ready; the text has its log."""


@frozen(kw_only=True)
class Unit:
    """A unit as it is written.

    Attributes:
        settings: what stands in it, by key; each may have several values.
    """

    settings: Mapping[str, tuple[str, ...]]

    @classmethod
    def parse(cls, text: str) -> "Unit":
        """Read a unit, headings left out: no key is in two of them."""
        settings: dict[str, tuple[str, ...]] = {}
        for line in text.splitlines():
            key, equals, value = line.partition("=")
            if equals and not line.startswith(("#", ";", "[")):
                settings[key] = (*settings.get(key, ()), value)
        return cls(settings=settings)

    def one(self, key: str) -> str:
        """Return the one value of a key."""
        (value,) = self.settings[key]
        return value

    @property
    def words(self) -> tuple[str, ...]:
        """The command line."""
        return tuple(shlex.split(self.one("ExecStart")))

    def give_credentials(self, root: Path, folder: Path, user: tuple[int, int]) -> None:
        """Copy what the unit loads, for one user alone, under the names that systemd gives.

        Args:
            root: of the file system that paths are meant in.
            folder: where the credentials go; made anew.
            user: and group who may read them.
        """
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        os.chown(folder, *user)
        for name, _, path in (value.partition(":") for value in self.settings["LoadCredential"]):
            source = root / path.lstrip("/")
            for file in sorted(source.iterdir()) if source.is_dir() else [source]:
                if file.is_symlink():
                    continue  # as systemd does
                target = folder / (f"{name}_{file.name}" if source.is_dir() else name)
                target.write_bytes(file.read_bytes())
                target.chmod(0o400)
                os.chown(target, *user)


@frozen(kw_only=True)
class Plan:
    """How a daemon is started.

    Attributes:
        words: its command line.
        environ: all of its environment, but for what systemd puts in.
        root: the root of its file system; none for that of everybody.
        user: and group that it runs as; none for ours.
        guarded: whether it can get no privileges and run no memory it has written.
        watchdog: seconds without a sign of life; 0 when nobody minds.
    """

    words: tuple[str, ...]
    environ: Mapping[str, str] = field(factory=dict)
    root: Path | None = None
    user: tuple[int, int] | None = None
    guarded: bool = False
    watchdog: float = 0.0


class Manager:
    """Plays systemd for one daemon.

    Attributes:
        heard: the words it has sent, in order.
        output: its log.
        ready_after: seconds from its last start until it said that it is ready.
    """

    def __init__(self, plan: Plan, folder: Path, *sockets: socket.socket) -> None:
        """Begin without a process.

        Args:
            plan: how it is started.
            folder: for its log and our ear; it must be below the root of the plan, and have a short path.
            sockets: handed over to each process.
        """
        self.heard: list[str] = []
        self.output = folder / "output"
        self.ready_after = 0.0
        self._plan = plan
        self._sockets = sockets
        self._process: subprocess.Popen[bytes] | None = None
        self._path = folder / "notify"
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ear.bind(str(self._path))
        self._path.chmod(0o666)

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self.output.read_text("utf-8", "replace")

    def start(self) -> None:
        """Start it, and wait until it says that it is ready.

        Raises:
            NotReadyError: it does not.
        """
        self.heard.clear()
        plan = self._plan
        here = str(self._path if plan.root is None else Path("/") / self._path.relative_to(plan.root))
        environ = {**plan.environ, "NOTIFY_SOCKET": here}
        if plan.watchdog:
            environ["WATCHDOG_USEC"] = str(int(plan.watchdog * 1_000_000))
        numbers = [each.fileno() for each in self._sockets]
        begin = {
            "sockets": numbers,
            "environ": environ,
            "root": str(plan.root or ""),
            "user": plan.user,
            "guarded": plan.guarded,
            "words": plan.words,
        }
        with self.output.open("ab") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-c", BEGIN, json.dumps(begin)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                pass_fds=numbers,
                env={},
            )
        begun = time.monotonic()
        self.hear_until("READY=1")
        self.ready_after = time.monotonic() - begun

    def hear_until(self, line: str, times: int = 1) -> None:
        """Listen until it has said something, so many times since it was started.

        Raises:
            NotReadyError: it does not, or has ended.
        """
        give_up = time.monotonic() + PATIENCE
        self._ear.settimeout(0.1)
        while self.heard.count(line) < times:
            if time.monotonic() > give_up or self.ended:
                raise NotReadyError(f"{line} was not said:\n{self.log}")
            try:
                self.heard += self._ear.recv(4096).decode().split("\n")
            except TimeoutError:
                continue

    def is_silent(self, seconds: float) -> bool:
        """Tell whether nothing more is said for a while, once what is under way has come."""
        self._ear.settimeout(0)
        while True:
            try:
                self._ear.recv(4096)
            except BlockingIOError:
                break
        self._ear.settimeout(seconds)
        try:
            self._ear.recv(4096)
        except TimeoutError:
            return True
        return False

    @property
    def ended(self) -> bool:
        """Whether there is no process."""
        return self._process is None or self._process.poll() is not None

    def send(self, number: int) -> None:
        """Send it a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    def reload(self) -> None:
        """Have it read its files anew, and wait until it has.

        Raises:
            NotReadyError: it does not say so.
        """
        times = self.heard.count("READY=1")
        self.send(signal.SIGHUP)
        self.hear_until("READY=1", times + 1)

    def stop(self) -> int:
        """Ask it to end, and return its exit status."""
        self.send(signal.SIGTERM)
        return self.status()

    def status(self) -> int:
        """Wait for its end, and return its exit status; it is killed when it does not end."""
        if self._process is None:
            return 0
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def restart(self) -> int:
        """End it and start it anew, and return the exit status of the first."""
        status = self.stop()
        self.start()
        return status

    def close(self) -> None:
        """End it, and hear nothing any more."""
        if not self.ended:
            self.stop()
        self._ear.close()
        self._path.unlink(missing_ok=True)
