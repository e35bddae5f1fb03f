"""An installation of Konnect 0.34 moves over: its files as they are, and whoever still has a token of it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import requests
from twisted.trial.unittest import SynchronousTestCase

from tests.real import slapd
from tests.real.daemon import Daemon, daemon, free_port
from tests.real.installation import Directory
from tests.real.kopano_server import KopanoProcess
from tests.real.manager import Unit
from tests.real.slapd import PEOPLE, SERVICE_DN, SERVICE_PASSWORD
from tests.real.test_cookie_backend import EXAMPLE, wait_for_example
from tests.real.test_start import KONNECTD, call
from tests.support.fakes import claims_of, header_of
from tests.support.files import folder
from tests.support.konnect import KID, NAMED, OLD_KID, Installation, Issued
from tests.support.kopano.people import CAPTURED
from tests.support.migrating import PAGE
from tests.support.redirects import answer_of

AUTHORIZE, ENDSESSION = "/signin/v1/identifier/_/authorize", "/signin/v1/identifier/_/endsession"
CLIENT, SECRET, CALLBACK = "webapp", "s3cr+t", "https://webapp.example.org/callback"

#: What the log tells of in any case: whom the file trusts, that passwords are not sealed, how long sessions last.
TOLD = ("trusted_proxies: these can sign anybody in", "in the clear", "event=tokens-shortened")


def words_of_the_page() -> tuple[str, ...]:
    """Return the command line that the page about moving over puts into the unit, without its program."""
    (block,) = PAGE.read_text("utf-8").split("```ini\n")[1:]
    *_, line = Unit.parse(block.partition("```")[0]).settings["ExecStart"]
    return tuple(line.split()[2:])


class MovedCase:
    """What is the same for each manager."""

    issuer: str
    issued: Issued
    running: Daemon
    config: Path
    flags: tuple[str, ...]
    person: tuple[str, str]
    name: str

    def move(self, port: int, *flags: str, **values: str) -> None:
        """Write the files of an installation and start the daemon by them."""
        root = folder(self)
        root.chmod(0o700)
        keys = values.pop("keys", "").format(root)
        place = Installation.make(root, issuer=self.issuer, port=str(port), keys=keys, **values)
        words = [word.replace("/etc/kopano", str(root)) for word in words_of_the_page()]
        self.assertIn(f"--config={place.config}", words)
        self.config = place.config
        self.flags = flags
        self.running = self.enterContext(daemon(*words, *flags, port=port))

    def get(self, path: str, cookies: str = "", **query: str) -> requests.Response:
        """Ask as a browser does, without going on."""
        url = f"http://127.0.0.1:{self.running.port}{path}"
        return requests.get(url, query, headers={"Cookie": cookies}, allow_redirects=False, timeout=20)

    def ask(self, cookies: str = "", **changes: str) -> str:
        """Send a browser with the request of the client, and return where that leads."""
        asked = {
            "client_id": CLIENT,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid profile email",
        }
        return self.get(AUTHORIZE, cookies, **{**asked, "state": "s", **changes}).headers["Location"]

    def token(self, **form: str) -> dict[str, str]:
        """Ask the token endpoint, with the secret as Konnect wanted it: form-encoded."""
        url = f"http://127.0.0.1:{self.running.port}/konnect/v1/token"
        answer: dict[str, str] = requests.post(url, form, auth=(CLIENT, "s3cr%2Bt"), timeout=20).json()
        return answer

    def userinfo(self, token: str) -> requests.Response:
        """Ask who somebody is."""
        url = f"http://127.0.0.1:{self.running.port}/konnect/v1/userinfo"
        return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=20)

    def test_keys(self) -> None:
        """The keys are published by the ids that they had, the one that signs as the default too."""
        keys = self.get("/konnect/v1/jwks.json").json()["keys"]

        self.assertEqual(sorted(key["kid"] for key in keys), sorted(("default", KID, OLD_KID)))
        self.assertNotIn("random", self.running.log)

    def test_nothing_is_doubtful(self) -> None:
        """There is nothing in the files that the log would warn of, but for what Konnect warned of too, and proxies."""
        warnings = [line for line in self.running.log.splitlines() if "level=warn" in line]

        self.assertEqual([line for line in warnings if not any(words in line for words in TOLD)], [])

    def test_check_config(self) -> None:
        """The question of the page's second step is answered with the settings, and with what the file leaves out."""
        found = call(*KONNECTD, "check-config", f"--config={self.config}", *self.flags)

        self.assertEqual((found.returncode, self.issuer in found.stdout), (0, True), found.stderr)
        self.assertIn(f"left out in {self.config}", found.stdout)

    def test_old_cookies(self) -> None:
        """Who was signed in signs in again, whatever the browser still carries; nothing fails over it."""
        here = self.ask(self.issued.cookies())
        gone = self.get(ENDSESSION, self.issued.cookies())

        self.assertTrue(here.startswith(self.sign_in_page), here)
        self.assertLess(gone.status_code, 400)

    sign_in_page = "/signin/v1/identifier?"

    def test_end_session(self) -> None:
        """The application that still has an ID token ends the session with it, and gets its browser and state back."""
        back = "https://webapp.example.org/"
        answer = self.get(
            ENDSESSION, id_token_hint=self.issued.id_token(), post_logout_redirect_uri=back, state="s", client_id=CLIENT
        )

        self.assertEqual(answer.headers["Location"], f"{back}?state=s")


class PasswordCase(MovedCase):
    """Managers at which people have a password."""

    def sign_in(self, cookies: str = "") -> str:
        """Sign the person in as a front end does, and return the cookies of the browser then."""
        headers = {"Kopano-Konnect-XSRF": "1", "Origin": self.issuer, "Cookie": cookies}
        url = f"http://127.0.0.1:{self.running.port}/signin/v1/identifier/_/logon"
        answer = requests.post(url, json={"state": "x", "params": [*self.person, "1"]}, headers=headers, timeout=20)
        lines = answer.raw.headers.getlist("Set-Cookie")
        return "; ".join(line.partition(";")[0] for line in lines)

    def test_sign_in(self) -> None:
        """A client of the file gets tokens about the person, whom it knows by the same sub as before."""
        code = answer_of(self.ask(self.sign_in(self.issued.cookies())))["code"]
        tokens = self.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK)
        claims = claims_of(tokens["id_token"])

        self.assertEqual((claims["sub"], header_of(tokens["id_token"])["alg"]), (self.issued.sub, "RS256"))
        self.assertEqual(self.userinfo(tokens["access_token"]).json()["name"], self.name)

    def test_access_token(self) -> None:
        """One that Konnect gave out a minute ago is good for userinfo."""
        answer = self.userinfo(self.issued.access_token())

        self.assertEqual((answer.status_code, answer.json().get("sub")), (200, self.issued.sub))
        self.assertEqual(answer.json()["name"], self.name)

    def test_refresh_token(self) -> None:
        """One of last year gives an access token for the same person, and a successor with the end that it had."""
        old = self.issued.refresh_token()
        tokens = self.token(grant_type="refresh_token", refresh_token=old)
        access, refresh = claims_of(tokens["access_token"]), claims_of(tokens["refresh_token"])

        self.assertEqual((access["sub"], access["kc.provider"]), (self.issued.sub, self.issued.provider))
        self.assertEqual(sorted(access["kc.authorizedScopes"]), ["email", "offline_access", "openid", "profile"])
        self.assertEqual(refresh["exp"], claims_of(old)["exp"])
        self.assertEqual(self.userinfo(tokens["access_token"]).status_code, 200)

    def test_successor(self) -> None:
        """The successor goes on in the same way."""
        new = self.token(grant_type="refresh_token", refresh_token=self.issued.refresh_token())["refresh_token"]
        newer = self.token(grant_type="refresh_token", refresh_token=new)

        self.assertEqual(claims_of(newer["access_token"])["sub"], self.issued.sub)


class LdapTests(PasswordCase, SynchronousTestCase):
    """People of a directory; the file names every key and file itself. The issuer has TLS, as Konnect demanded."""

    skip = slapd.SKIP
    person, name = ("alice", "wonderland"), "Alice"

    def setUp(self) -> None:
        """Have a directory, and move."""
        server = self.enterContext(Directory.start()).server
        self.issuer, dn = "https://id.example.org", f"uid=alice,{PEOPLE}"
        self.issued = Issued(
            issuer=self.issuer,
            client_id=CLIENT,
            raw=dn,
            provider="identifier-ldap",
            identity={"kc.i.dn": "Alice", "kc.i.id": dn, "kc.i.un": "alice"},
        )
        place = {"ldap": server.uri, "binddn": SERVICE_DN, "bindpw": SERVICE_PASSWORD, "basedn": PEOPLE}
        self.move(free_port(), manager="ldap", keys=NAMED, kopano="file:///run/kopano/server.sock", **place)


class KopanoTests(PasswordCase, SynchronousTestCase):
    """People of a Kopano server, each with a session of their own; the file leaves out where keys and clients are."""

    person, name = ("alice", "alice-secret"), "Alice Anderson"

    def setUp(self) -> None:
        """Have a server, and move."""
        port = free_port()
        self.issuer = f"http://localhost:{port}"
        server = KopanoProcess("--sso-issuer", self.issuer)
        self.addCleanup(server.remove)
        alice = next(person for person in CAPTURED if person.name == "alice")
        raw = alice.external.replace("+", "-").replace("/", "_").rstrip("=")
        identity = {"kc.i.id": alice.entry_id.to_text(), "kc.i.us": raw, "kc.i.un": "alice", "kc.i.dn": alice.full_name}
        self.issued = Issued(issuer=self.issuer, client_id=CLIENT, raw=raw, provider="identifier-kc", identity=identity)
        self.move(port, manager="kc", kopano=server.unix_uri)


class CookieTests(MovedCase, SynchronousTestCase):
    """People whom an application knows by its cookie, asked for at the address that Konnect had for that."""

    def setUp(self) -> None:
        """Have the application of the manual, and move."""
        port, there = free_port(), free_port()
        self.issuer, self.application = f"http://localhost:{port}", f"http://localhost:{there}"
        process = subprocess.Popen([sys.executable, str(EXAMPLE), str(there)])
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        wait_for_example(there)
        self.sign_in_page = f"{self.application}/login?"
        self.issued = Issued(
            issuer=self.issuer,
            client_id=CLIENT,
            raw="alice",
            provider="cookie",
            identity={"kc.i.id": "alice", "cookie.v": "00ff", "cookie.al": "en", "cookie.ua": "x"},
        )
        args = f"http://127.0.0.1:{there}/whoami example-app"
        self.move(port, f"--sign-in-uri={self.application}/login", manager="cookie", args=args)

    def test_sign_in(self) -> None:
        """A client that has the old address of the endpoint gets tokens, for the same sub as before."""
        signed_in = requests.get(f"{self.application}/login?user=alice", allow_redirects=False, timeout=20)
        cookie = signed_in.headers["Set-Cookie"].partition(";")[0]
        asked: Mapping[str, str] = {
            "client_id": CLIENT, "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid email"
        }  # fmt: skip
        moved = self.get("/konnect/v1/authorize", **asked).headers["Location"]
        self.assertEqual(moved, f"{AUTHORIZE}?{urlencode(asked)}")
        code = answer_of(self.get(moved, cookie).headers["Location"])["code"]
        tokens = self.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK)

        self.assertEqual(claims_of(tokens["id_token"])["sub"], self.issued.sub)
        self.assertEqual(self.userinfo(tokens["access_token"]).json()["email"], "alice@example.org")

    def test_access_token(self) -> None:
        """One of Konnect carries the cookie itself, which is not taken out of it: it is refused as one that is over."""
        answer = self.userinfo(self.issued.access_token())

        self.assertEqual(answer.status_code, 401)
        self.assertIn('error="invalid_token"', answer.headers["WWW-Authenticate"])
