"""Reloading the real daemon, ten times a second, while people sign in: nobody notices.

It takes some seconds. For the full minute, and figures, set KONNECTD_TEST_RELOAD_SECONDS to 60.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from konnectd.web.templates_path import find_templates
from tests.config.test_keys import private_pem
from tests.real.crowd import Application, Crowd, Line, UnexpectedError
from tests.real.daemon import Daemon, daemon, free_port
from tests.support.keys import quick_hash, rsa_key

VARIABLE = "KONNECTD_TEST_RELOAD_SECONDS"
SECONDS = float(os.environ.get(VARIABLE, "10"))
EVERY = 0.1
#: Every so many wrong files, one is written to in its place. While that is seen, nothing else can count.
SCRIBBLED = 15
PATIENCE = 30.0
CALLBACK = "http://127.0.0.1:9/callback"
APP = Application(client_id="app", secret="secret", callback=CALLBACK, username="alice", password="wonderland")
CLIENT = "  - {{id: {name}, secret: secret, trusted: yes, application_type: native, redirect_uris: ['{callback}']}}\n"


class Files:
    """The files of a daemon, which are right and wrong by turns."""

    def __init__(self, root: Path, port: int) -> None:
        """Write those that stay as they are."""
        self.root = root
        self._issuer = f"http://localhost:{port}"
        self._layout = (find_templates() / "layout.html").read_text(encoding="utf-8")
        for name in ("keys", "own"):
            (root / name).mkdir()
        for number, name in enumerate(("a", "b"), start=1):
            self.write(f"keys/{name}.pem", private_pem(rsa_key(number)).decode())
        self._spoiled = True
        self.write("users.yaml", f"users: [{{username: alice, password: '{quick_hash(APP.password)}'}}]\n")
        (root / "secret.key").write_bytes(bytes(range(32)))
        self.be_right(0)

    def write(self, name: str, text: str) -> None:
        """Write a file beside, and let it take its place."""
        beside = self.root / "beside"
        beside.write_text(text, encoding="utf-8")
        beside.replace(self.root / name)

    def scribble(self, name: str, text: str) -> None:
        """Write a file as careless programs do: it is empty first, and then half of what it will be."""
        with (self.root / name).open("w", encoding="utf-8") as file:
            file.write(text[: len(text) // 2])
            file.flush()
            file.write(text[len(text) // 2 :])

    def be_right(self, number: int) -> None:
        """Let everything be right, and otherwise than before: another client, key, name and page."""
        names = ("app", f"extra-{number}")
        self.write(
            "clients.yaml", "clients:\n" + "".join(CLIENT.format(name=name, callback=CALLBACK) for name in names)
        )
        if self._spoiled:
            self.scribble("own/layout.html", self._layout)
            self._spoiled = False
        link = self.root / "link.pem"
        link.symlink_to(f"keys/{'ab'[number % 2]}.pem")
        link.replace(self.root / "signing.pem")
        lines = {
            "oidc_issuer_identifier": self._issuer,
            "identity_manager": "file",
            "file_users": f"{self.root}/users.yaml",
            "signing_private_key": f"{self.root}/signing.pem",
            "validation_keys_path": f"{self.root}/keys",
            "encryption_secret_key": f"{self.root}/secret.key",
            "identifier_registration_conf": f"{self.root}/clients.yaml",
            "templates_path": f"{self.root}/own",
            "brand_name": f"Works {number}",
        }
        self.write("k.conf", "".join(f"{name} = {value}\n" for name, value in lines.items()))

    def be_wrong(self, number: int) -> None:
        """Spoil one of the files."""
        if number % SCRIBBLED == 0:
            self.scribble("own/layout.html", "{% block main %}")
            self._spoiled = True
        elif number % 2:
            self.write("clients.yaml", "clients:\n  - id: app\n    redirect_uris: [")
        else:
            self.write("k.conf", "nonsense = 1\n")


class ReloadTests(SynchronousTestCase):
    """One storm of signals, and what is left after it."""

    def setUp(self) -> None:
        """Write files for a daemon at a port that is free."""
        root = Path(tempfile.mkdtemp(prefix="kc-reload"))
        self.addCleanup(shutil.rmtree, root)
        self.port = free_port()
        self.files = Files(root, self.port)

    def status(self, name: str) -> int:
        """Return how a request of a client is answered: by 302 if it is known, and by 400 if not."""
        line = Line(self.port, kept=False)
        try:
            line.ask(APP.request.replace("client_id=app", f"client_id={name}"), 302)
        except UnexpectedError:
            return 400
        return 302

    def storm(self, running: Daemon) -> int:
        """Write files and send signals, ten a second, every second file wrong; return the last right number."""
        number, end = 0, time.monotonic() + SECONDS
        due = time.monotonic()
        while time.monotonic() < end:
            number += 1
            if number % 2:
                self.files.be_wrong(number // 2)
            else:
                self.files.be_right(number)
            running.process.send_signal(signal.SIGHUP)
            due += EVERY
            time.sleep(max(0.0, due - time.monotonic()))  # signals have a rhythm
        number += 2 + number % 2
        self.files.be_right(number)
        running.process.send_signal(signal.SIGHUP)
        return number

    def wait_for(self, running: Daemon, event: str, more: int) -> None:
        """Wait until something has been logged more often than so many times."""
        give_up = time.monotonic() + PATIENCE
        while running.log.count(f"event={event}") <= more and time.monotonic() < give_up:
            time.sleep(0.02)  # another process writes it

    def test_nobody_notices(self) -> None:
        """No request is lost or answered otherwise than it should be; in the end the last right files count."""
        with daemon(f"--config={self.files.root}/k.conf", port=self.port) as running:
            before = memory(running)
            with Crowd(self.port, APP) as crowd:
                number = self.storm(running)
                served = self.last_status(f"extra-{number}")
                refused = running.log.count("event=reload-refused")
                self.files.be_wrong(1)
                running.process.send_signal(signal.SIGHUP)
                self.wait_for(running, "reload-refused", refused)
                still = self.status(f"extra-{number}")
            log, after = running.log, memory(running)
        if VARIABLE in os.environ:
            sys.stdout.write(f"\n{SECONDS:g} s: {figures(crowd, log)}; memory {before} MiB before, {after} MiB after\n")

        self.assertEqual(crowd.failures, [])
        self.assertEqual((served, still), (302, 302))
        self.assertEqual([line for line in log.splitlines() if "our fault" in line], [])
        self.assertGreater(crowd.signed_in, 0)

    def last_status(self, name: str) -> int:
        """Return how a client is answered that is about to be known."""
        give_up = time.monotonic() + PATIENCE
        while self.status(name) != 302 and time.monotonic() < give_up:
            time.sleep(0.05)  # another process reads files
        return self.status(name)


def figures(crowd: Crowd, log: str) -> str:
    """Say how it went."""
    done, refused = (log.count(f"event=reload-{what}") for what in ("done", "refused"))
    waits = sorted(crowd.waits)
    middle, most, worst = (waits[int((len(waits) - 1) * share)] * 1000 for share in (0.5, 0.99, 1))
    return (
        f"{crowd.answered} answers, {crowd.signed_in} sign-ins, {len(crowd.failures)} failures; {done} reloads done,"
        f" {refused} refused; median {middle:.1f} ms, 99 of 100 {most:.0f} ms, slowest {worst:.0f} ms"
    )


def memory(running: Daemon) -> int:
    """Return how much memory a daemon has, in MiB."""
    text = Path(f"/proc/{running.process.pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in text.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024
