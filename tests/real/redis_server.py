"""A real Redis on loopback and on a socket in the file system, in a folder of its own."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.real.daemon import free_port
from tests.real.slapd import write_certificates

_REDIS = shutil.which("redis-server", path="/usr/bin:/usr/local/bin:/usr/sbin")

#: Why tests with Redis can not run here; None when they can.
SKIP: str | None = "redis-server is not installed" if _REDIS is None else None

PASSWORD = "a password for redis"
#: How long it may take to listen, in seconds.
_PATIENCE = 10.0


class RedisServer:
    """One server with its folder.

    Attributes:
        port: without TLS.
        tls_port: with it; a certificate of ours is asked for there.
    """

    def __init__(self, *settings: str) -> None:
        """Make a folder and start; what is written is on the disk before it is answered, as an operator should have it.

        Args:
            settings: further words of its command line.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self.port, self.tls_port = free_port(), free_port()
        self.ca_file, self.other_ca_file = self.folder / "ca.pem", self.folder / "other.pem"
        self.own_file = self.folder / "own.pem"
        write_certificates(self.folder)
        self.own_file.write_bytes(b"".join((self.folder / f"server.{end}").read_bytes() for end in ("pem", "key")))
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Its address without TLS."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def tls_url(self) -> str:
        """Its address with TLS."""
        return f"rediss://localhost:{self.tls_port}/0"

    @property
    def unix_url(self) -> str:
        """Its address in the file system, and another database."""
        return f"unix://{self.folder}/redis.sock?db=1"

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "tls-port": str(self.tls_port),
            "tls-cert-file": str(self.folder / "server.pem"),
            "tls-key-file": str(self.folder / "server.key"),
            "tls-ca-cert-file": str(self.ca_file),
            "unixsocket": str(self.folder / "redis.sock"),
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
        }
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [str(_REDIS), *words, *self._settings], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        give_up = time.monotonic() + _PATIENCE
        while time.monotonic() < give_up:
            with contextlib.suppress(OSError):
                if self.ask("PING").startswith((b"+PONG", b"-NOAUTH")):
                    return
            # Waits for another process, which has no other way to tell.
            time.sleep(0.02)
        raise AssertionError("redis does not answer")

    def stop(self) -> None:
        """Stop it, as a machine that crashes does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_PATIENCE)
            self._process = None

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder)

    def ask(self, *words: str) -> bytes:
        """Ask something on a connection of its own."""
        command = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        with socket.create_connection(("127.0.0.1", self.port), 5) as peer:
            peer.sendall(f"*{len(words)}\r\n{command}".encode())
            return peer.recv(65536)

    def pass_time(self, seconds: int) -> None:
        """Take some seconds from the life of everything that is there."""
        script = (
            "for _, key in ipairs(redis.call('KEYS', '*')) do "
            "redis.call('PEXPIRE', key, redis.call('PTTL', key) - 1000 * ARGV[1]) end "
            "return 1"
        )
        if self.ask("EVAL", script, "0", str(seconds)) != b":1\r\n":
            raise AssertionError("time did not pass")
