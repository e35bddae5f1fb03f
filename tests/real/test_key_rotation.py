"""The daemon as a process, on keys as `konnectd setup` makes them, which it rotates while people ask.

It looks every second instead of every hour, and what would take days has happened on the day that is written beside a
key.
"""

import json
import re
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

from twisted.trial.unittest import SynchronousTestCase

from konnectd.commands import setup
from konnectd.config.safe_folder import opened
from tests.real.daemon import ROOT
from tests.real.hammer import Hammer
from tests.real.manager import Manager, NotReadyError, Plan
from tests.support.commands import caught
from tests.support.keys import quick_hash

QUICKLY = """
from konnectd import key_rotation
from konnectd.cli import main
key_rotation.FIRST_LOOK, key_rotation.pace = 1, lambda ahead: 1
main()
"""
JWKS = "/konnect/v1/jwks.json"
#: How long something may take that takes a second or two.
PATIENCE = 30.0
YEARS_AGO = "published = 2023-11-14T22:13:20Z\n"


class RotationTests(SynchronousTestCase):
    """Keys of RSA, for which another one has been due for years."""

    def setUp(self) -> None:
        """Make them, and a socket that stays while daemons come and go."""
        self.folder = Path(tempfile.mkdtemp(prefix="kr"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.keys = self.folder / "keys"
        made = caught(lambda: setup.run((f"--folder={self.folder}",), {}, 1_700_000_000))
        self.assertEqual(made.status, 0, made.errors)
        users = f"users:\n  - username: alice\n    password: {quick_hash('secret')}\n"
        (self.folder / "users.yaml").write_text(users)
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.addCleanup(self.socket.close)
        self.port = int(self.socket.getsockname()[1])

    def start(self, name: str = "one", *flags: str) -> Manager:
        """Start a daemon that rotates the keys."""
        (self.folder / name).mkdir(exist_ok=True)
        words = (
            str(Path(sys.executable).absolute()),
            "-c",
            QUICKLY,
            "serve",
            "--iss=http://localhost:8777",
            f"--file-users={self.folder / 'users.yaml'}",
            f"--signing-private-key={self.folder / 'signing.pem'}",
            f"--validation-keys-path={self.keys}",
            f"--encryption-secret={self.folder / 'encryption-secret.key'}",
            "--key-rotation=90d",
            *flags,
            "file",
        )
        manager = Manager(Plan(words=words, environ={"PYTHONPATH": str(ROOT)}), self.folder / name, self.socket)
        self.addCleanup(manager.close)
        manager.start()
        return manager

    def published(self) -> list[str]:
        """Return the ids of keys that clients see, the one that signs first."""
        with urlopen(f"http://127.0.0.1:{self.port}{JWKS}", timeout=20) as answer:
            return [key["kid"] for key in json.load(answer)["keys"] if key["kid"] != "default"]

    def wait_until(self, true: Callable[[], bool]) -> None:
        """Wait for something that has to come."""
        give_up = time.monotonic() + PATIENCE
        while not true():
            self.assertLess(time.monotonic(), give_up, "it does not come")
            time.sleep(0.05)

    def test_turn(self) -> None:
        """The next key is made, signs, and the old one goes in the end; everybody is answered all the time."""
        with Hammer(self.port, JWKS, threads=2) as hammer:
            manager = self.start()
            self.wait_until(lambda: len(self.published()) == 2)
            manager.stop()
            (name,) = [path.stem for path in self.keys.glob("*.pem") if path.stem != "2023-11-14"]
            (self.keys / f"{name}.dates").write_text(YEARS_AGO)
            manager.start()
            self.wait_until(lambda: self.published()[0] == name)
            manager.stop()
            replaced = f"{YEARS_AGO}activated = 2023-11-14T22:13:20Z\nreplaced = 2023-11-15T22:13:20Z\n"
            (self.keys / "2023-11-14.dates").write_text(replaced)
            manager = self.start("two", "--refresh-token-expiration=3600")
            self.wait_until(lambda: self.published() == [name])
            hammer.wait_for(20)
        manager.stop()

        self.assertEqual(hammer.failures, [])
        self.assertEqual(sorted(path.name for path in self.keys.iterdir()), [f"{name}.dates", f"{name}.pem"])

    def test_two(self) -> None:
        """Of two that look at the same time one makes a key, both publish it, and neither complains."""
        with opened(self.keys) as folder, folder.alone():
            managers = [self.start(name, "--log-level=debug") for name in ("one", "two")]
            self.wait_until(lambda: all("another one changes the signing keys" in one.log for one in managers))
        self.wait_until(lambda: all(re.search("keys: [0-9-]+ published", one.log) for one in managers))
        told = "is made and published"
        self.wait_until(lambda: any(told in one.log for one in managers))
        logs = [manager.log for manager in managers]

        self.assertEqual(len(list(self.keys.glob("*.pem"))), 2)
        self.assertEqual("".join(logs).count(told), 1)
        self.assertEqual([line for log in logs for line in log.splitlines() if "level=error" in line], [])

    def test_refused(self) -> None:
        """Keys that the daemon may not change refuse the start, in one line that says what to do."""
        self.keys.chmod(0o777)
        error = self.assertRaises(NotReadyError, self.start)

        self.assertIn("key_rotation: everybody may write to", str(error))
