"""``konnectd explain`` on the log of a real daemon: what people and programs were refused is found and explained."""

import json
import re
import subprocess
import sys
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import yaml
from twisted.trial.unittest import SynchronousTestCase

from tests.real.daemon import PATIENCE, ROOT, daemon, free_port
from tests.real.person import Person
from tests.support.files import write
from tests.support.keys import quick_hash

CALLBACK = "https://app.example.org/callback"
APP = {"id": "app", "secret": "c4n4ry-secret", "redirect_uris": [CALLBACK]}
USERS = "users:\n  - username: alice\n    password: {password}\n    subject: a1\n"
#: Whatever was sent and must not be shown.
SECRETS = ("c4n4ry-secret", "c4n4ry-state", "c4n4ry-nonce", "c4n4ry-code", "c4n4ry-password")
FORGED = 'app" reason=fault client=forged\nlevel=info msg="refused: x [Eforged] at=token client=forged"'


class ExplainTests(SynchronousTestCase):
    """A daemon that refuses all kinds of things."""

    def setUp(self) -> None:
        """Start it, with the log at debug."""
        port = free_port()
        words = (
            f"--iss=http://localhost:{port}",
            f"--identifier-registration-conf={write(self, 'clients.yaml', yaml.safe_dump({'clients': [APP]}))}",
            f"--file-users={write(self, 'users.yaml', USERS.format(password=json.dumps(quick_hash('wonderland'))))}",
            "--log-level=debug",
            "file",
        )
        self.op = self.enterContext(daemon(*words, port=port))
        self.person = Person("https://app.example.org")

    def url(self, **changes: str) -> str:
        """Return the address of an authorization request."""
        sent = {
            "client_id": "app",
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid",
            "state": "c4n4ry-state",
            "nonce": "c4n4ry-nonce",
        }
        return self.op.url(f"/signin/v1/identifier/_/authorize?{urlencode({**sent, **changes})}")

    def ask(self, endpoint: str, **values: str) -> int:
        """Ask as a program does, and return the status."""
        try:
            with urlopen(
                self.op.url(f"/konnect/v1/{endpoint}"), urlencode(values).encode(), timeout=PATIENCE
            ) as answer:
                return int(answer.status)
        except HTTPError as error:
            with error:
                return error.code

    def explain(self, *words: str, text: str = "") -> "subprocess.CompletedProcess[str]":
        """Run the command."""
        command = (sys.executable, "-m", "konnectd.cli", "explain", *words)
        return subprocess.run(
            command, cwd=ROOT, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def assertExplained(self, reason: str, *words: str) -> None:
        """Fail unless the log has one line with a reason, and its reference is explained with some words."""
        line = self.op.said(f" reason={reason} ")
        (reference,) = re.findall(r"\[(E[\w-]+)\]", line)
        by_file = self.explain(reference, f"--log={self.op.output}")
        by_line = self.explain(line)

        self.assertEqual((by_file.returncode, by_file.stderr), (0, ""))
        self.assertEqual(by_line.stdout, by_file.stdout)
        for word in (reference, reason, *words):
            self.assertIn(word, by_file.stdout)

    def test_page(self) -> None:
        """The reference that a person reads from a page is all that an administrator needs."""
        page = self.person.open(self.url(redirect_uri=f"{CALLBACK}/"))
        (reference,) = re.findall(r"Reference (E[\w-]+)", page.text)
        found = self.explain(reference, text=self.op.said(reference))

        self.assertEqual((page.status, found.returncode), (400, 0))
        for words in ("redirect-uri-unregistered", "app.example.org", "slash", "redirect_uris in the client's entry"):
            self.assertIn(words, " ".join(found.stdout.split()))

    def test_by_redirect(self) -> None:
        """What a redirect carries to an application is explained as well, with what it asked for."""
        told = parse_qs(urlsplit(self.person.open(self.url(scope="profile nonsense")).url).query)

        self.assertEqual(told["error"], ["invalid_scope"])
        self.assertExplained("scope-without-openid", "app", "profile nonsense", "Scopes dropped:   nonsense")

    def test_programs(self) -> None:
        """So is what programs were told, with the client, at each endpoint."""
        secret = {"client_id": "app", "client_secret": "c4n4ry-secret"}
        statuses = [
            self.ask("token", grant_type="authorization_code", code="c4n4ry-code", **secret),
            self.ask("token", grant_type="authorization_code", client_id="app", client_secret="c4n4ry-password"),
            self.ask("par", scope="openid", **secret),
            self.ask("introspect", **secret),
        ]

        self.assertEqual(statuses, [400, 401, 400, 400])
        self.assertExplained("code-unknown", "app", "grant_type authorization_code")
        self.assertExplained("client-credentials", "app", "status 401")
        self.assertExplained("redirect-uri-missing", "par")
        self.assertExplained("parameter-missing", "introspect")

    def test_sign_in(self) -> None:
        """What the backend said of a password is there, and nothing of who it was."""
        self.person.open(self.url())
        self.person.submit(username="alice", password="c4n4ry-password")

        self.assertExplained("wrong-credentials", "Backend:          wrong password", "Application:      app")

    def test_nothing_is_given_away_or_forged(self) -> None:
        """No secret is in any trail, and nobody who sends lines of a log makes one."""
        for changes in ({"client_id": FORGED}, {"state": FORGED, "scope": "x"}, {"scope": FORGED}, {"prompt": FORGED}):
            self.person.open(self.url(**changes))
        self.person.open(self.op.url("/nowhere/level=info%20msg=%22refused:%20x%20[Eforged]%20at=token%22"))
        self.person.open(self.url())
        self.person.submit(username=FORGED, password="c4n4ry-password")
        self.ask("token", grant_type=FORGED, client_id=FORGED, client_secret="c4n4ry-secret", code="c4n4ry-code")
        every = self.explain("-", text=self.op.log)

        self.assertEqual(every.returncode, 0)
        self.assertGreater(every.stdout.count("Reference:"), 5)
        self.assertNotIn("forged\n", every.stdout.replace("/nowhere", ""))
        self.assertEqual([secret for secret in SECRETS if secret in every.stdout + self.op.log], [])
        self.assertEqual(self.explain("Eforged", text=self.op.log).returncode, 1)
