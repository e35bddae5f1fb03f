"""The identifier API over HTTP: who is there, and what is next?

Faults of Konnect that are named here have the numbers they have in the list that the description of its identifier
closes with.
"""

import json

from konnectd.protocol.logons import LOGON_TTL
from tests.support.api_case import MAIL_ASK, NOTES_ASK, ORIGIN, ApiCase
from tests.support.application import Application, json_of
from tests.support.front_end import GUARD, INNER, JSON_HEADER
from tests.support.loglines import LogLines
from tests.support.people import ALICE
from tests.support.requests import CALLBACK, ISSUER, MAIL
from tests.support.visitor import Visitor


class HelloTests(ApiCase):
    """Who is there, and what is next?"""

    def test_nobody(self) -> None:
        """Without a sign-in nobody is there, whoever asks for whom."""
        self.assertNobody(self.front.call("hello"))
        self.assertNobody(self.front.call("hello", **NOTES_ASK))

    def test_prompt_none(self) -> None:
        """No front end sees a request that may show no page."""
        self.assertEqual(self.front.call("hello", prompt="none").status, 400)

    def test_somebody(self) -> None:
        """Where no client waits, the name is all there is to say."""
        self.enter()
        answer = self.front.call("hello", flow="elsewhere")

        expected = {"state": "s-1", "flow": "", "success": True, "username": "alice", "displayName": ALICE.name}
        self.assertEqual(list(json_of(answer).items()), list(expected.items()))
        self.assertEqual(answer.header("Cache-Control"), "no-store")

    def test_trusted_client(self) -> None:
        """An application of the house is gone on to at once."""
        self.enter()
        told = json_of(self.front.call("hello", **MAIL_ASK))

        self.assertEqual(list(told), ["state", "flow", "success", "username", "displayName", "continue_uri"])
        self.assertEqual((told["flow"], told["continue_uri"]), ("oidc", f"{ISSUER}{INNER}authorize"))

    def test_asks_for_consent(self) -> None:
        """Of any other one is said what it asks for, in words, members in Konnect's order."""
        self.enter()
        asked = {**NOTES_ASK, "flow": "oauth", "scope": "offline_access  openid unknown profile"}
        told = json_of(self.front.call("hello", **asked))

        names = ["state", "flow", "success", "username", "displayName", "next", "continue_uri", "scopes", "client"]
        self.assertEqual(list(told), [*names, "meta"])
        self.assertEqual((told["next"], told["flow"]), ("consent", "oauth"))
        client = {"id": "notes", "display_name": "Notes", "redirect_uri": CALLBACK, "trusted": False}
        self.assertEqual(told["client"], client)
        self.assertEqual(
            told["meta"],
            {
                "scopes": {
                    "mapping": {"openid": "basic", "profile": "basic"},
                    "definitions": {
                        "basic": {"priority": 20, "id": "scope_alias_basic"},
                        "offline_access": {"priority": 10, "id": "scope_offline_access"},
                    },
                }
            },
        )

    def test_bug_24_blanks_and_order(self) -> None:
        """BUG, row 24: two blanks made an empty scope. And the most important line comes first, as priorities say."""
        self.enter()
        asked = {**NOTES_ASK, "scope": " offline_access  profile   openid "}
        scopes = json_of(self.front.call("hello", **asked))["scopes"]

        self.assertEqual(list(scopes.items()), [("openid", True), ("profile", True), ("offline_access", True)])

    def test_consent_of_trusted_client(self) -> None:
        """Whoever wants a person to be asked gets that, trusted or not."""
        self.enter()
        told = json_of(self.front.call("hello", **MAIL_ASK, prompt="consent"))

        self.assertEqual((told["next"], told["client"]["trusted"]), ("consent", True))

    def test_unknown_client(self) -> None:
        """A client that is not registered, or an address that is not its, is told to whoever is signed in."""
        self.enter()
        for change in ({"client_id": "stranger"}, {"client_id": ""}, {"redirect_uri": "https://evil.example/"}):
            answer = self.front.call("hello", **{**NOTES_ASK, **change})
            self.assertEqual(answer.status, 400, change)
            self.assertIn(b"redirect_uri" if "redirect_uri" in change else b"client_id", answer.body)

    def test_bug_20_redirect_uri_that_is_none(self) -> None:
        """BUG, row 20: a redirect URI that can not be read closed the connection."""
        self.enter()
        for uri in ("http://[::1", "%", "https://a:b", "//", "https://\u00e4/", "x" * 9000):
            self.assertEqual(self.front.call("hello", **{**NOTES_ASK, "redirect_uri": uri}).status, 400, uri[:20])

    def test_prompt_login(self) -> None:
        """Whoever has to type their password is not there yet."""
        self.enter()

        self.assertNobody(self.front.call("hello", **NOTES_ASK, prompt="login consent"))

    def test_max_age(self) -> None:
        """A sign-in that is too old does not count, whether a client waits or not."""
        self.enter()
        self.daemon.clock.advance(100)
        for asked in ({}, MAIL_ASK):
            self.assertEqual(self.front.call("hello", **asked, max_age="100").status, 200)
            self.assertNobody(self.front.call("hello", **asked, max_age="99"))

    def test_bug_24_max_age_of_nothing(self) -> None:
        """BUG, row 24: a maximum age of 0 was as if none was given; it asks for a new sign-in."""
        self.enter()
        for asked in ({}, MAIL_ASK):
            self.assertNobody(self.front.call("hello", **asked, max_age="0"), asked)

    def test_sec_10_forwarded_user(self) -> None:
        """SEC, row 10: anybody was whom a header said, from wherever it came. No such header is read."""
        body = json.dumps({"state": "s-1"})
        answer = self.front.post("hello", body, GUARD, ORIGIN, "X-Forwarded-User: alice")
        params = json.dumps({"state": "s-1", "params": ["alice", "", "0"]})

        self.assertNobody(answer)
        self.assertNobody(self.front.post("logon", params, GUARD, ORIGIN, "X-Forwarded-User: alice"))

    def test_sec_6_tickets_end(self) -> None:
        """SEC, row 6: a sign-in lasted as long as the browser, whatever became of the account."""
        self.enter()
        self.daemon.people.users.pop("alice")
        gone = self.front.call("hello")
        self.daemon.people.users["alice"] = ALICE
        there = self.front.call("hello")
        self.daemon.clock.advance(LOGON_TTL)

        self.assertNobody(gone)
        self.assertEqual(there.status, 200)
        self.assertNobody(self.front.call("hello"))

    def test_tampered(self) -> None:
        """A cookie that was not made here is nobody's."""
        body = json.dumps({"state": "s-1"}).encode()
        for value in ("x", "a" * 3000, "eyJhbGciOiJub25lIn0.e30."):
            lines = (JSON_HEADER, GUARD, ORIGIN, f"Cookie: __Secure-KKT={value}")
            self.assertNobody(self.daemon.ask("POST", f"{INNER}hello", *lines, body=body))

    def test_hint_at_somebody_else(self) -> None:
        """A client that means somebody else gets a sign-in form, and one whose hint is none gets who is there."""
        self.enter()
        mail = Application(self.daemon, MAIL)
        other = Visitor(self.daemon)
        hint = str(json_of(mail.redeem(mail.told(mail.sign_in(other, "bob"))["code"]))["id_token"])
        mine = str(json_of(mail.redeem(mail.told(mail.arrive(self.visitor))["code"]))["id_token"])

        self.assertNobody(self.front.call("hello", **MAIL_ASK, id_token_hint=hint))
        for good in (mine, "nonsense", ""):
            self.assertEqual(self.front.call("hello", **MAIL_ASK, id_token_hint=good).status, 200)

    def test_backend_is_silent(self) -> None:
        """What fails behind us is 500 with a reference, and the log has it."""
        self.enter()
        log = LogLines(self)
        self.daemon.people.silent = True
        answer = self.front.call("hello")

        self.assertEqual((answer.status, answer.header("Set-Cookie")), (500, ""))
        self.assertIn(b"try again later, reference ", answer.body)
        self.assertEqual(len(log.about("answered", "warn")), 1)
