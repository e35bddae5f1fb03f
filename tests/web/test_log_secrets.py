"""The log of complete runs: whatever went through the daemon, no secret of anybody is in it."""

from urllib.parse import urlencode

from twisted.trial.unittest import SynchronousTestCase

from konnectd.explain import Line, explained
from konnectd.flows.logon import MOST_TRIES
from konnectd.interfaces import LogonAnswer
from tests.support.application import Application, json_of
from tests.support.assembly import SECRET, Daemon
from tests.support.fakes import People
from tests.support.loglines import LogLines
from tests.support.people import ALICE
from tests.support.requests import BYE, ISSUER, MAIL, NOTES, VERIFIER
from tests.support.visitor import Visit, Visitor

PASSWORD, WRONG, MISPLACED = "c4n4ry-right-password", "c4n4ry-wrong-password", "c4n4ry-password-as-name"


class Faulty(People):
    """A backend with a mistake that shows when a certain name is tried."""

    async def logon(self, username: str, password: str) -> LogonAnswer:
        """Fail for one name."""
        if username == "trouble":
            raise ValueError("a mistake of ours")
        return await super().logon(username, password)


class SecretTests(SynchronousTestCase):
    """A run with everything in it, good and bad."""

    def setUp(self) -> None:
        """Assemble, and listen to the log from the start."""
        self.log = LogLines(self)
        self.people = Faulty(ALICE, passwords={"alice": PASSWORD})
        self.daemon = Daemon(backend=self.people)
        self.daemon.people.passwords = self.people.passwords
        self.notes = Application(self.daemon, NOTES)
        self.visitor = Visitor(self.daemon)
        self.secrets = {
            PASSWORD,
            WRONG,
            MISPLACED,
            VERIFIER,
            NOTES.secret,
            MAIL.secret,
            SECRET.hex(),
            "state-1",
            "nonce-1",
        }

    def keep(self, visit: Visit) -> Visit:
        """Note every secret a browser holds now."""
        self.secrets |= {cookie.value for cookie in self.visitor.jar.values()}
        self.secrets |= {visit.fields.get("csrf", "")} if not visit.left else set()
        for location in (visit.url, *visit.locations):
            for name in ("interaction=", "konnect=", "code=", "retry="):
                self.secrets.add(location.partition(name)[2].partition("&")[0])
        return visit

    def run_of_a_person(self) -> dict[str, str]:
        """Sign in with some mistakes, allow, and return the tokens."""
        page = self.keep(self.notes.arrive(self.visitor, scope="openid offline_access profile"))
        for username, password in (("alice", WRONG), (MISPLACED, ""), (MISPLACED, WRONG), ("trouble", PASSWORD)):
            self.keep(self.visitor.submit(page, username=username, password=password))
        consent = self.keep(self.visitor.submit(page, username="alice", password=PASSWORD))
        code = self.notes.told(self.keep(self.visitor.submit(consent, allow="1")))["code"]
        tokens = json_of(self.notes.redeem(code))
        self.secrets |= {code, tokens["access_token"], tokens["id_token"], tokens["refresh_token"]}
        self.notes.userinfo(tokens["access_token"])
        self.notes.refresh(tokens["refresh_token"])
        self.notes.redeem(code)
        return tokens

    def run_of_mistakes(self, tokens: dict[str, str]) -> None:
        """Send secrets where they do not belong, and break every rule with them."""
        token, paths = tokens["access_token"], self.daemon.settings.paths
        self.notes.ask_token(self.notes.basic(NOTES.secret, NOTES.secret), grant_type=NOTES.secret, code=token)
        self.notes.ask_token(client_id=NOTES.client_id, client_secret=MAIL.secret, grant_type="refresh_token")
        self.daemon.get(f"{paths.userinfo}?access_token={token}")
        self.daemon.get(f"{paths.userinfo}", f"Authorization: Bearer {token} {token}")
        self.daemon.get(f"/nowhere?code={token}", f"Cookie: a={token}")
        self.daemon.get(f"/nowhere?code={WRONG}")
        self.daemon.get(self.notes.url(redirect_uri=f"https://evil.example/{token}", client_id="notes"))
        self.daemon.get(self.notes.url(client_id=NOTES.secret))
        self.daemon.get(self.notes.url(scope=f"{token} {WRONG * 3}", response_mode=WRONG))
        self.daemon.get(self.notes.url(code_challenge=VERIFIER, code_challenge_method=VERIFIER, login_hint=MISPLACED))
        for path in (paths.par, paths.revoke, paths.introspect, paths.device_authorization):
            self.daemon.post(path, urlencode({"client_id": token, "client_secret": NOTES.secret, "token": token}))
            self.daemon.post(path, urlencode({"client_assertion": token, "grant_type": token, "device_code": WRONG}))
        self.daemon.get(self.notes.url(response_type=token, id_token_hint=token, prompt=WRONG, max_age=WRONG))
        self.daemon.get(f"{paths.endsession}?id_token_hint={token}&post_logout_redirect_uri={WRONG}")
        self.daemon.get(f"{paths.authorize}?{WRONG}={WRONG}&{WRONG}={WRONG}")
        self.people.silent = True
        self.notes.refresh(tokens["refresh_token"])
        self.notes.userinfo(token)
        self.notes.arrive(self.visitor)
        page = self.visitor.open(paths.identifier + self.notes.url().partition("authorize")[2])
        self.visitor.submit(page, username=MISPLACED, password=PASSWORD)
        self.people.silent = False

    def test_no_secret_is_logged(self) -> None:
        """Not in lines of any level, nor in the facts behind them, nor in tracebacks."""
        tokens = self.run_of_a_person()
        self.run_of_mistakes(tokens)
        leave = (
            f"{self.daemon.settings.paths.endsession}?id_token_hint={tokens['id_token']}&post_logout_redirect_uri={BYE}"
        )
        self.assertEqual(self.visitor.open(leave).url, BYE)
        text = self.log.text()
        secrets = {secret for secret in self.secrets if len(secret) > 5}

        self.assertGreater(len(secrets), 20)
        self.assertEqual({secret for secret in secrets if secret in text}, set())
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_name_that_is_tried_too_often(self) -> None:
        """A name is told as it was typed when it has been tried as often as only a machine does, as the manual says."""
        page = self.notes.arrive(self.visitor)
        for _ in range(MOST_TRIES):
            self.visitor.submit(page, username=MISPLACED, password=WRONG)
        before = self.log.text()
        self.visitor.submit(page, username=MISPLACED, password=WRONG)

        self.assertNotIn(MISPLACED, before)
        self.assertEqual(len(self.log.about(MISPLACED, "warn")), 1)

    def test_no_secret_is_explained(self) -> None:
        """Nor in what ``konnectd explain`` makes of the log, which has something to say of each kind of mistake."""
        self.run_of_mistakes(self.run_of_a_person())
        self.flushLoggedErrors(ValueError)
        found = [explained(line) for text in self.log.lines() if (line := Line.parse(text.splitlines()[0])) is not None]
        trails = "".join(found)

        self.assertGreater(len(found), 20)
        self.assertEqual({secret for secret in self.secrets if len(secret) > 5 and secret in trails}, set())
        for words in ("with a page", "sending the browser back", "with a message", "konnectd made a mistake"):
            self.assertIn(words, trails)

    def test_the_log_is_read(self) -> None:
        """What is looked for above would be found: failures of every kind leave lines."""
        self.run_of_mistakes(self.run_of_a_person())
        self.flushLoggedErrors(ValueError)

        for level, words in (
            ("info", "answered=page"),
            ("info", "answered=redirect"),
            ("info", "at=token"),
            ("warn", "nobody can sign in"),
            ("error", "our fault"),
            ("debug", "backend=wrong_password"),
            ("info", "invalid_client"),
        ):
            self.assertGreater(len(self.log.about(words, level)), 0, words)
        self.assertIn("Traceback", self.log.text())
        self.assertEqual([line for line in self.log.lines() if ISSUER in line], [])
