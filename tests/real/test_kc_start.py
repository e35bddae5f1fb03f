"""What an administrator sees who runs the daemon over a groupware server: at start, and while it comes and goes."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http import HTTPStatus

from twisted.trial.unittest import SynchronousTestCase

from tests.real.daemon import ROOT, Daemon, daemon, free_port
from tests.real.kopano_server import KopanoProcess

PATIENCE = 30


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: it is not, for a long time.
    """
    give_up = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > give_up:
            raise AssertionError("it does not happen")
        time.sleep(0.05)


class Case(SynchronousTestCase):
    """A groupware server that lets nobody in without a password."""

    arguments: tuple[str, ...] = ("--no-local-admins",)

    def setUp(self) -> None:
        """Start it."""
        self.server = KopanoProcess(*self.arguments)
        self.addCleanup(self.server.remove)
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def run_daemon(self, *words: str, port: int = 0, **environ: str) -> Daemon:
        """Start a daemon, which ends with the test."""
        port = port or free_port()
        given = (f"--iss=http://localhost:{port}", "--log-level=debug", *words, "kc")
        return self.enterContext(daemon(*given, port=port, environ=environ))

    def sign_in(self, running: Daemon, name: str, password: str) -> int:
        """Sign in as a front end does, and return the status."""
        return self.call(running, "logon", params=[name, password, "1"])

    def call(self, running: Daemon, name: str, **more: object) -> int:
        """Make a call of a front end's, and return the status."""
        body = json.dumps({"state": "x", **more}).encode()
        origin = running.url()
        headers = {"Content-Type": "application/json", "Kopano-Konnect-XSRF": "1", "Origin": origin}
        request = urllib.request.Request(running.url(f"/signin/v1/identifier/_/{name}"), body, headers)
        try:
            with self.browser.open(request, timeout=PATIENCE) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code


class StartTests(Case):
    """Wrong settings stop the start."""

    def start(self, environ: Mapping[str, str]) -> tuple[int, str]:
        """Start, wait for the end, and return status and output."""
        port = free_port()
        words = ("serve", f"--iss=http://localhost:{port}", f"--listen=127.0.0.1:{port}", "kc")
        done = subprocess.run(
            (sys.executable, "-m", "konnectd.cli", *words),
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode, done.stdout

    def test_wrong_service(self) -> None:
        """A service that the server does not let in ends it, with the reason and without the password."""
        uri = {"KOPANO_SERVER_DEFAULT_URI": self.server.uri}
        socket = {"KOPANO_SERVER_DEFAULT_URI": self.server.unix_uri}
        for environ, words in (
            ({**uri, "KOPANO_SERVER_USERNAME": "svc", "KOPANO_SERVER_PASSWORD": "guess-me"}, "password is wrong"),
            ({**socket, "KOPANO_SERVER_USERNAME": "SYSTEM"}, "local_admin_users"),
        ):
            status, output = self.start(environ)

            self.assertEqual(status, 1, output)
            self.assertIn("level=fatal", output)
            self.assertIn(f"does not let {environ['KOPANO_SERVER_USERNAME']} in", output)
            self.assertIn(words, output)
            self.assertNotIn("guess-me", output)

    def test_wrong_values(self) -> None:
        """Values that can not be right are told at once, with the places they come from."""
        status, output = self.start(
            {"KOPANO_SERVER_DEFAULT_URI": "kopano.example", "KOPANO_SERVER_SESSION_TIMEOUT": "60"}
        )

        self.assertEqual(status, 1, output)
        self.assertIn("environment: KOPANO_SERVER_DEFAULT_URI: must look like", output)
        self.assertIn("environment: KOPANO_SERVER_SESSION_TIMEOUT: must be a number of seconds from 61", output)


class RunTests(Case):
    """People sign in at a daemon."""

    arguments = ()

    def test_sign_in(self) -> None:
        """Over a socket, TCP and TLS, in both ways: the right password does it, any other one does not."""
        tls = {"KC_TLS_CACERT": str(self.server.certificates.certificate("ca"))}
        shown = {
            "KOPANO_CLIENT_CERTIFICATE": str(self.server.certificates.certificate("client")),
            "KOPANO_CLIENT_PRIVATE_KEY": str(self.server.certificates.key("client")),
        }
        for environ in (
            {"KOPANO_SERVER_DEFAULT_URI": self.server.unix_uri},
            {"KOPANO_SERVER_DEFAULT_URI": self.server.unix_uri, "KOPANO_SERVER_USERNAME": "SYSTEM"},
            {"KOPANO_SERVER_DEFAULT_URI": self.server.uri},
            {"KOPANO_SERVER_DEFAULT_URI": self.server.tls_uri, **tls, **shown},
        ):
            running = self.run_daemon(**environ)
            answers = [self.sign_in(running, "alice", password) for password in ("alice-secret", "wrong")]

            self.assertEqual(answers, [HTTPStatus.OK, HTTPStatus.NO_CONTENT], running.log)
            self.assertEqual(running.stop(), 0)
            self.assertNotIn("alice-secret", running.log)

    def test_server_comes_later(self) -> None:
        """A daemon that was there first says that the server is not, and lets people in when it is."""
        self.server.stop()
        running = self.run_daemon(KOPANO_SERVER_DEFAULT_URI=self.server.unix_uri, KOPANO_SERVER_USERNAME="SYSTEM")
        until(lambda: "the kc backend does not answer" in running.log)
        before = self.sign_in(running, "alice", "alice-secret")
        self.server.start()

        self.assertEqual(before, HTTPStatus.INTERNAL_SERVER_ERROR)
        until(lambda: self.sign_in(running, "alice", "alice-secret") == HTTPStatus.OK)

    def test_server_starts_anew(self) -> None:
        """A server that was started anew is noticed by nobody."""
        running = self.run_daemon(KOPANO_SERVER_DEFAULT_URI=self.server.unix_uri, KOPANO_SERVER_USERNAME="SYSTEM")
        self.sign_in(running, "alice", "alice-secret")
        self.server.forget()
        forgotten = self.sign_in(running, "alice", "alice-secret")
        self.server.stop()
        self.server.start()

        self.assertEqual(forgotten, HTTPStatus.OK)
        self.assertEqual(self.sign_in(running, "alice", "alice-secret"), HTTPStatus.OK)


class TokenTests(Case):
    """A groupware server that takes the daemon's tokens, or does not."""

    arguments = ()

    def setUp(self) -> None:
        """Start a server that knows the daemon."""
        self.port = free_port()
        self.arguments = ("--sso-issuer", f"http://localhost:{self.port}", *self.more)
        super().setUp()
        self.running = self.run_daemon(port=self.port, KOPANO_SERVER_DEFAULT_URI=self.server.unix_uri)
        self.sign_in(self.running, "alice", "alice-secret")

    more: tuple[str, ...] = ()

    def who_is_there(self) -> int:
        """Ask who is signed in, and return the status."""
        return self.call(self.running, "hello", flow="", prompt="", scope="")

    def test_forgotten(self) -> None:
        """Who is signed in stays so when the server forgets, and nothing secret is in the log."""
        self.server.forget()

        self.assertEqual(self.who_is_there(), HTTPStatus.OK, self.running.log)
        self.assertTrue(self.running.said("has a session at the Kopano server, by token"))
        self.assertNotIn("eyJ", self.running.log)

    def test_restart_of_the_server(self) -> None:
        """The same when it is started anew, and is gone for a moment."""
        self.server.stop()
        gone = self.who_is_there()
        self.server.start()

        self.assertEqual(gone, HTTPStatus.INTERNAL_SERVER_ERROR)
        self.assertEqual(self.who_is_there(), HTTPStatus.OK, self.running.log)

    def test_stop(self) -> None:
        """A daemon that stops signs everybody out of the server."""
        self.assertEqual(self.running.stop(), 0)
        self.assertIn("A session was ended", self.running.log)


class NoTokenTests(TokenTests):
    """A server that takes no tokens."""

    more = ("--no-sso",)

    def test_forgotten(self) -> None:
        """Who was signed in has to sign in again, and the operator is told what the server needs."""
        self.server.forget()

        self.assertEqual(self.who_is_there(), HTTPStatus.NO_CONTENT, self.running.log)
        self.assertTrue(self.running.said("kcoidc_issuer_identifier"))
        self.assertEqual(self.sign_in(self.running, "alice", "alice-secret"), HTTPStatus.OK)
        self.assertEqual(self.who_is_there(), HTTPStatus.OK)

    def test_restart_of_the_server(self) -> None:
        """The same when it is started anew."""
        self.server.stop()
        self.server.start()

        self.assertEqual(self.who_is_there(), HTTPStatus.NO_CONTENT, self.running.log)
