"""The example application of the manual and the daemon, each a process of its own."""

import contextlib
import subprocess
import sys
import time
import urllib.request
from urllib.error import URLError
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
import yaml
from twisted.trial.unittest import SynchronousTestCase

from tests.real.daemon import ROOT, NotReadyError, daemon, free_port
from tests.support.files import folder
from tests.support.redirects import answer_of
from tests.support.requests import CHALLENGE, VERIFIER

CALLBACK = "http://127.0.0.1/callback"
EXAMPLE = ROOT / "docs" / "operate" / "cookie-backend" / "whoami.py"


class ExampleCase(SynchronousTestCase):
    """Both, and a browser that follows no redirect by itself."""

    def setUp(self) -> None:
        """Start both."""
        port = free_port()
        self.application = f"http://localhost:{port}"
        process = subprocess.Popen([sys.executable, str(EXAMPLE), str(port)])
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        wait_for_example(port)
        clients = folder(self) / "clients.yaml"
        client = {"id": "app", "trusted": True, "application_type": "native", "redirect_uris": [CALLBACK]}
        clients.write_text(yaml.safe_dump({"clients": [client]}))
        clients.chmod(0o600)
        ours = free_port()
        words = (
            f"--iss=http://localhost:{ours}",
            f"--sign-in-uri={self.application}/login",
            f"--identifier-registration-conf={clients}",
        )
        self.daemon = self.enterContext(
            daemon(*words, "cookie", f"http://127.0.0.1:{port}/whoami", "example-app", port=ours)
        )
        self.browser = requests.Session()
        self.addCleanup(self.browser.close)

    def go(self, url: str) -> str:
        """Return where an address leads."""
        answer = self.browser.get(url, allow_redirects=False, timeout=20)
        return answer.headers.get("Location", "")

    def ask(self, **changes: str) -> str:
        """Return where a request of the application leads."""
        values = {
            "client_id": "app",
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid profile email",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return self.go(self.daemon.url(f"/signin/v1/identifier/_/authorize?{urlencode(values)}"))

    def sign_in(self, page: str, name: str = "alice") -> str:
        """Sign in at the page of the application, and return where that leads in the end."""
        return self.go(self.go(f"{page}&user={name}"))

    def tokens(self, location: str) -> dict[str, str]:
        """Redeem a code."""
        form = {
            "grant_type": "authorization_code",
            "client_id": "app",
            "redirect_uri": CALLBACK,
            "code": answer_of(location)["code"],
            "code_verifier": VERIFIER,
        }
        answer: dict[str, str] = requests.post(self.daemon.url("/konnect/v1/token"), form, timeout=20).json()
        return answer


class ExampleTests(ExampleCase):
    """What the manual promises."""

    def test_sign_in(self) -> None:
        """Somebody signs in at the application, and the client learns name and address."""
        page = self.ask()
        query = parse_qs(urlsplit(page).query)
        tokens = self.tokens(self.sign_in(page))
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        told = requests.get(self.daemon.url("/konnect/v1/userinfo"), headers=bearer, timeout=20).json()

        self.assertEqual(query["oauth"], ["1"])
        self.assertEqual((told["name"], told["email"]), ("Alice Liddell", "alice@example.org"))

    def test_proof(self) -> None:
        """Who is to sign in anew is sent there, and let in when they have."""
        self.sign_in(self.ask())
        time.sleep(1.1)  # the application counts whole seconds
        page = self.ask(prompt="login")
        time.sleep(1.1)

        self.assertTrue(page.startswith(f"{self.application}/login?"), page)
        self.assertIn("code", answer_of(self.sign_in(page)))

    def test_sign_out(self) -> None:
        """Who has signed out there is nobody here; somebody else is somebody else."""
        self.sign_in(self.ask())
        self.go(f"{self.application}/logout")
        silent = answer_of(self.ask(prompt="none"))
        page = self.ask()
        self.sign_in(page, "bob")

        self.assertEqual(silent["error"], "login_required")
        self.assertIn("code", answer_of(self.ask(prompt="none")))


class StartTests(SynchronousTestCase):
    """Starts that do not succeed."""

    def test_faults(self) -> None:
        """All that is wrong is told at once, and the process ends."""
        with self.assertRaises(NotReadyError) as caught, daemon("--iss=https://a.example", "cookie", "ftp://x", "KKBS"):
            self.fail("it runs")

        self.assertIn("needs the http or https address", str(caught.exception))
        self.assertIn("nobody else gets to see", str(caught.exception))

    def test_dummy(self) -> None:
        """The dummy says loudly what it is, and is refused where others could reach it."""
        with daemon("--iss=http://localhost:8777", "dummy") as running:
            self.assertTrue(running.said("everybody who comes is signed in as one and the same user"))
        with self.assertRaises(NotReadyError) as caught, daemon("--iss=https://a.example", "dummy"):
            self.fail("it runs")
        self.assertIn("identity_manager: dummy lets everybody in", str(caught.exception))


def wait_for_example(port: int) -> None:
    """Wait until the application answers."""
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        with contextlib.suppress(URLError, OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
            return
        time.sleep(0.05)
    raise NotReadyError("the application does not answer")
