"""What went wrong in other providers, tried on this one: a test for each row of ``docs/develop/known-faults.md``."""

import re
from pathlib import Path
from urllib.parse import urlencode

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.config.registration import load_clients
from konnectd.option import ConfigErrors
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import Daemon
from tests.support.fakes import claims_of
from tests.support.files import write
from tests.support.redirects import answer_of
from tests.support.requests import CALLBACK, MAIL, NOTES, PAGE, PROGRAM, VERIFIER
from tests.support.strategies import HOSTILE_URIS
from tests.support.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'&{{7*7}}"
BROKEN: tuple[dict[str, str | None], ...] = (
    {},
    {"response_type": None},
    {"response_type": "bogus"},
    {"scope": "none-such"},
    {"scope": 'x"'},
    {"prompt": "none login"},
    {"prompt": "none"},
    {"max_age": "x"},
    {"request": "a.b.c"},
    {"request_uri": "https://evil.example/r"},
    {"registration": "{}"},
    {"claims": "{"},
    {"response_type": "id_token", "nonce": None},
    {"response_mode": "form_post"},
    {"id_token_hint": "a.b.c"},
    {"error": "access_denied", "error_description": "planted"},
)


class AddressTests(SynchronousTestCase):
    """Rows 1 to 5 and 13: where browsers are sent."""

    def setUp(self) -> None:
        """Assemble a daemon."""
        self.daemon = Daemon()
        self.app = Application(self.daemon, NOTES)

    def assert_page(self, url: str) -> None:
        """Check that an address gets a page and no redirect of any kind."""
        answer = self.daemon.get(url)

        self.assertEqual((answer.status, answer.header("Location"), answer.header("Refresh")), (400, "", ""), url)

    def test_row_1(self) -> None:
        """No spelling that two readers split differently passes for a registered URI."""
        for uri in HOSTILE_URIS:
            if uri.isascii() and uri.isprintable():
                self.assert_page(self.app.url(redirect_uri=uri))

    def test_row_2(self) -> None:
        """Patterns are refused where clients are registered."""
        for uri in ("https://*.example.org/cb", "https://notes.example.org/*", "https://notes.example.org/cb*"):
            path = write(self, "c.yaml", f"clients:\n  - id: a\n    secret: b\n    redirect_uris: ['{uri}']\n")

            self.assertRaises(ConfigErrors, load_clients, path, loopback_issuer=False, warn=lambda _: None)

    def test_row_3(self) -> None:
        """Whatever else is wrong, nobody is redirected before client and redirect URI are proven."""
        for broken in BROKEN:
            for doubt in ({"client_id": "stranger"}, {"redirect_uri": "https://evil.example/"}, {"client_id": None}):
                self.assert_page(self.app.url(**{**broken, **doubt}))

    def test_row_4(self) -> None:
        """Nothing that is sent becomes an element of a page, and no scheme that browsers run is ever registered."""
        names = ("state", "login_hint", "ui_locales", "client_id", "scope", "error_description", "nonce")
        elements = re.compile(r"<(script|img|form|input)\b")
        plain = self.daemon.get(self.app.url()).header("Location")
        expected = elements.findall(self.daemon.get(plain).body.decode())
        for name in names:
            visit = Visitor(self.daemon).open(self.app.url(**{name: HOSTILE}))
            text = visit.text if not visit.left else ""

            self.assertNotIn("alert(1)</script>", text, name)
            self.assertLessEqual(len(elements.findall(text)), len(expected), name)
        path = write(self, "c.yaml", "clients:\n  - id: a\n    redirect_uris: ['javascript:alert(1)']\n")
        self.assertRaises(ConfigErrors, load_clients, path, loopback_issuer=False, warn=lambda _: None)

    def test_row_5(self) -> None:
        """What a registered URI has of our names in its query gives way to ours."""
        uri = "https://notes.example.org/cb?tenant=1&code=planted"
        trusted = Daemon(clients=(evolve(NOTES, trusted=True),))
        visit = Application(trusted, NOTES, uri).sign_in(Visitor(trusted))
        told = answer_of(visit.url)

        self.assertEqual((told["tenant"], told["code"] == "planted"), ("1", False))

    def test_row_13(self) -> None:
        """Of a loopback address only the port may differ."""
        app = Application(self.daemon, PROGRAM)
        proven = self.daemon.get(app.url(redirect_uri="http://127.0.0.1:5555/cb?a=1", prompt="none"))

        self.assertTrue(proven.header("Location").startswith("http://127.0.0.1:5555/cb?a=1&error="))
        for uri in ("http://127.0.0.1:5555/cb?a=2", "http://localhost:5555/cb?a=1", "http://127.0.0.1:5555/CB?a=1"):
            self.assert_page(app.url(redirect_uri=uri))


class CodeTests(SynchronousTestCase):
    """Rows 6 and 7: codes."""

    def setUp(self) -> None:
        """Assemble a daemon and get a code."""
        other = evolve(MAIL, client_id="other", secret="other-secret")
        self.daemon = Daemon(clients=(MAIL, PAGE, other))
        self.app = Application(self.daemon)
        self.other = Application(self.daemon, other)

    def test_row_6_another_client(self) -> None:
        """Another client neither redeems a code nor spends it nor revokes what came of it."""
        code = self.app.code()

        self.assertEqual(error_of(self.other.redeem(code)), (400, "invalid_grant"))
        token = json_of(self.app.redeem(code))["access_token"]
        self.assertEqual(error_of(self.other.redeem(code)), (400, "invalid_grant"))
        self.assertEqual(self.app.userinfo(token).status, 200)

    def test_row_6_another_address(self) -> None:
        """A code is for the redirect URI it was sent to."""
        for uri in (f"{CALLBACK}/", "https://evil.example/", None):
            self.assertEqual(error_of(self.app.redeem(self.app.code(), redirect_uri=uri)), (400, "invalid_grant"))

    def test_row_6_twice(self) -> None:
        """The second use fails and ends what the first gave out."""
        code = self.app.code()
        token = json_of(self.app.redeem(code))["access_token"]

        self.assertEqual(error_of(self.app.redeem(code)), (400, "invalid_grant"))
        self.assertEqual(self.app.userinfo(token).status, 401)

    def test_row_7(self) -> None:
        """A challenge makes the verifier mandatory, a verifier without one is an error; public clients need both."""
        none: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
        public = Application(self.daemon, PAGE)

        self.assertEqual(error_of(self.app.redeem(self.app.code(), code_verifier=None)), (400, "invalid_grant"))
        self.assertEqual(error_of(self.app.redeem(self.app.code(), code_verifier="x" * 43)), (400, "invalid_grant"))
        self.assertEqual(
            error_of(self.app.redeem(self.app.code(**none), code_verifier=VERIFIER)), (400, "invalid_grant")
        )
        told = answer_of(self.daemon.get(public.url(**none)).header("Location"))
        self.assertEqual(told["error"], "invalid_request")
        plain = answer_of(self.daemon.get(self.app.url(code_challenge_method="plain")).header("Location"))
        self.assertEqual(plain["error"], "invalid_request")


class PolicyTests(SynchronousTestCase):
    """Rows 9 to 11: what every way in has to respect."""

    def setUp(self) -> None:
        """Assemble a daemon."""
        self.daemon = Daemon()
        self.app = Application(self.daemon)

    def test_row_9(self) -> None:
        """Every grant asks again whether the person may still be signed in, and which client asks."""
        visitor = Visitor(self.daemon)
        tokens = self.app.tokens(visitor, scope="openid offline_access")
        code = self.app.told(self.app.arrive(visitor))["code"]
        self.daemon.people.users.clear()

        self.assertEqual(error_of(self.app.redeem(code)), (400, "invalid_grant"))
        self.assertEqual(error_of(self.app.refresh(tokens["refresh_token"])), (400, "invalid_grant"))
        for grant_type in ("authorization_code", "refresh_token", "client_credentials"):
            answer = self.app.ask_token(self.app.basic(secret="wrong"), grant_type=grant_type)
            self.assertEqual(error_of(answer), (401, "invalid_client"), grant_type)

    def test_row_10(self) -> None:
        """A fresh token is not a fresh sign-in."""
        first = self.app.tokens(scope="openid offline_access")
        self.daemon.clock.advance(300)
        again = json_of(self.app.refresh(first["refresh_token"]))

        self.assertEqual(claims_of(again["id_token"])["auth_time"], claims_of(first["id_token"])["auth_time"])

    def test_row_10_prompt(self) -> None:
        """Progress that somebody got for another request does not stand in for signing in again."""
        visitor = Visitor(self.daemon)
        self.app.sign_in(visitor)
        foreign = re.search(r"interaction=([^&]+)", self.daemon.get(self.app.url(state="other")).header("Location"))
        page = self.app.arrive(visitor, prompt="login", interaction=foreign[1] if foreign else "")

        self.assertIn("password", page.fields)

    def test_row_11(self) -> None:
        """A session gets a new id with each sign-in, and a cookie that was planted before is worth nothing."""
        visitor = Visitor(self.daemon)
        ids = []
        for _ in range(2):
            code = self.app.told(self.app.sign_in(visitor, prompt="login"))["code"]
            ids.append(claims_of(json_of(self.app.redeem(code))["id_token"])["sid"])
        planted = self.daemon.get(self.app.url(prompt="none"), f"Cookie: __Secure-KKT={'A' * 200}")

        self.assertNotEqual(*ids)
        self.assertEqual(answer_of(planted.header("Location"))["error"], "login_required")

    def test_row_11_forms(self) -> None:
        """A sign-in form of another browser is not accepted: nobody is signed in as somebody else unawares."""
        page = Visitor(self.daemon).open(self.app.url())
        body = urlencode({**page.fields, "username": "alice", "password": self.daemon.people.passwords["alice"]})
        answer = self.daemon.post(page.action, body, f"Origin: {self.daemon.origin}")

        self.assertEqual((answer.status, "KKT=" in answer.header("Set-Cookie")), (403, False))


class RecordTests(SynchronousTestCase):
    """The record of known faults."""

    def test_every_row_has_its_test(self) -> None:
        """Each test that the record names is there, under that name."""
        text = (ROOT / "docs" / "develop" / "known-faults.md").read_text()
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
        missing = [f"{path}::{name}" for path, name in named if f"def {name}(" not in (ROOT / path).read_text()]

        self.assertEqual(missing, [])
        self.assertEqual(
            sorted(set(map(int, re.findall(r"^\| (\d+) \|", text, re.MULTILINE)))),
            [*range(1, 17), 18, 22, *range(25, 30)],
        )
