"""Command lines as people have them for Konnect: each manager with its words, given to the command and to twistd."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import TestCase

from tests.real.daemon import free_port
from tests.real.test_start import KONNECTD, PATIENCE, Daemon, call, environment
from tests.support.files import folder
from tests.support.seclusion import NO_SURVEY

#: Both programs that take them.
PROGRAMS = {
    "konnectd": (*KONNECTD, "serve"),
    "twistd": (str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=", "konnectd"),
}


class CommandLineTests(TestCase):
    """A daemon for each."""

    def setUp(self) -> None:
        """Have a place for its log."""
        self.where = folder(self)
        self.nobody = free_port()

    def run_it(self, line: str, says: str, **environ: str) -> None:
        """Start a command line with both programs, and look whether each says something, is well, and ends in order."""
        for name, program in PROGRAMS.items():
            port = free_port()
            words = (f"--listen=127.0.0.1:{port}", f"--iss=http://localhost:{port}", *shlex.split(line))
            where = self.where / name
            where.mkdir()
            daemon = Daemon(self, (*program, *words), where, **NO_SURVEY, **environ)
            daemon.wait_for("listening at")
            daemon.wait_for(says)
            well = call(*KONNECTD, "healthcheck", f"--hostname=127.0.0.1:{port}")
            daemon.process.terminate()
            # twistd ends by the very signal, as it does with every program of its.
            self.assertIn(daemon.status(), {0, -signal.SIGTERM})
            self.assertEqual(well.stdout, "healthy\n", f"{name}: {daemon.said()}")

    def test_kc(self) -> None:
        """A Kopano server by its variables; that it is not there yet stops nobody."""
        uri = f"http://127.0.0.1:{self.nobody}"

        self.run_it("--log-level debug kc", "the kc backend does not answer", KOPANO_SERVER_DEFAULT_URI=uri)

    def test_ldap(self) -> None:
        """A directory by its variables; that it is not there yet stops nobody."""
        where = {"LDAP_URI": f"ldap://127.0.0.1:{self.nobody}", "LDAP_BASEDN": "dc=example,dc=org"}

        self.run_it("ldap --signing-method PS256", "the ldap backend does not answer", **where)

    def test_cookie(self) -> None:
        """An application by its address, with cookies as one word, and the page to sign in at."""
        url = f"http://127.0.0.1:{self.nobody}/whoami"

        self.run_it(f"--sign-in-uri=/login cookie {url} 'first second'", "listening at")

    def test_dummy(self) -> None:
        """Everybody is one user, with a warning; a switch without a value swallows nothing."""
        line = "--log-timestamp=false --authorization-endpoint-uri=/authorize --insecure dummy"

        self.run_it(line, "everybody who comes is signed in as one and the same user")

    def test_words_too_many(self) -> None:
        """Words that mean nothing are refused, where Konnect passed them over."""
        for program in PROGRAMS.values():
            found = subprocess.run(
                [*program, "--iss=http://localhost", "kc", "http://127.0.0.1:236"],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                env=environment(),
                check=False,
            )
            self.assertEqual(
                (found.returncode, found.stderr),
                (1, "konnectd: identity_manager_args: kc takes no further words: http://127.0.0.1:236\n"),
            )
