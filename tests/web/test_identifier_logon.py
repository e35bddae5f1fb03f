"""The identifier API over HTTP: signing in and out, and answering a client.

Faults of Konnect that are named here have the numbers they have in the list that the description of its identifier
closes with.
"""

import json
from typing import Any

from konnectd.flows.logon import MOST_TRIES
from tests.support.api_case import GOOD, MAIL_ASK, NOTES_ASK, ORIGIN, ApiCase
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.fakes import SilentStore
from tests.support.front_end import GUARD, INNER, JSON_HEADER, STATE_HEADER, FrontEnd
from tests.support.loglines import LogLines
from tests.support.requests import ISSUER, MAIL, NOTES
from tests.support.visitor import Visitor


class LogonTests(ApiCase):
    """Signing in."""

    def test_password(self) -> None:
        """The right password is answered by 200, the greeting, and the very cookies of the sign-in page."""
        answer = self.enter(**MAIL_ASK, prompt="login", max_age="0", state="inner")
        told = json_of(answer)
        cookies = sorted(value.partition("=") for name, value in answer.headers if name == "Set-Cookie")

        self.assertEqual(list(told), ["success", "state", "hello"])
        self.assertEqual((told["success"], told["state"], told["hello"]["state"]), (True, "s-1", "inner"))
        self.assertEqual((told["hello"]["username"], told["hello"]["success"]), ("alice", True))
        self.assertEqual([name for name, _, _ in cookies], ["__Secure-KKBS", "__Secure-KKT"])
        attributes = cookies[1][2].partition("; ")[2]
        self.assertEqual(attributes, f"Path={INNER}; Secure; HttpOnly; SameSite=None")

    def test_without_a_question(self) -> None:
        """Who asks nothing is told nothing."""
        told = json_of(self.front.call("logon", params=["alice", "wonderland", "1", "more"]))

        self.assertEqual(told, {"success": True, "state": "s-1", "hello": None})

    def test_no(self) -> None:
        """Whatever does not sign somebody in is the same answer."""
        for params in (
            ["alice", "wrong", "1"],
            ["nobody", "wonderland", "1"],
            ["alice"],
            ["alice", "wonderland"],
            ["alice", "", "1"],
            ["", "wonderland", "1"],
            ["  ", "wonderland", "1"],
            ["alice", "wonderland", ""],
            ["alice", "wonderland", "0"],
            ["alice", "wonderland", "2"],
            ["alice", "wonderland", "3"],
            ["alice", "wonderland", "01"],
            ["alice", "", "0"],
            ["alice", "", "2"],
            ["alice", "", "3"],
            ["a" * 300, "wonderland", "1"],
            ["alice", "x" * 2000, "1"],
        ):
            self.assertNobody(self.front.call("logon", params=params, hello=MAIL_ASK), params)
        self.assertFalse(self.visitor.holds("__Secure-KKT"))

    def test_unknown_client(self) -> None:
        """A request that leads nowhere gives no cookie, and its password is not even tried."""
        answer = self.enter(**{**MAIL_ASK, "client_id": "stranger"})

        self.assertEqual((answer.status, answer.header("Set-Cookie")), (400, ""))
        self.assertEqual(self.daemon.people.tried, [])

    def test_backend_is_silent(self) -> None:
        """A directory that does not answer is 500, not a wrong password."""
        self.daemon.people.silent = True

        self.assertEqual(self.enter().status, 500)

    def test_sec_5_guessing(self) -> None:
        """SEC, row 5: passwords could be guessed without limit. It is one limit for pages and front ends."""
        log = LogLines(self)
        for _ in range(MOST_TRIES):
            self.assertNobody(self.front.call("logon", params=["alice", "wrong", "1"]))
        mail = Application(self.daemon, MAIL)
        page = mail.sign_in(Visitor(self.daemon))

        self.assertNobody(self.front.call("logon", params=["ALICE", "wonderland", "1"]))
        self.assertFalse(page.left)
        self.assertEqual(len(log.about("too many wrong passwords", "warn")), 2)

    def test_sec_8_nothing_tells_who_exists(self) -> None:
        """SEC, row 8: time told whether somebody exists. Who is unknown is asked for like everybody else."""
        for name in ("alice", "nobody"):
            self.front.call("logon", params=[name, "wrong", "1"])

        self.assertEqual(self.daemon.people.tried, ["alice", "nobody"])

    def test_same_session_as_on_the_pages(self) -> None:
        """Who signed in here is signed in for every application, and on our own pages."""
        self.enter()
        mail = Application(self.daemon, MAIL)

        self.assertIn("code", mail.told(mail.arrive(self.visitor)))
        self.assertIn("Alice Liddell", self.visitor.open("/signin/v1/welcome").text)

    def test_row_11_a_new_session(self) -> None:
        """Each sign-in is a session of its own, so nothing that was prepared is carried over."""
        self.enter()
        first = self.visitor.cookies_for(f"{ISSUER}{INNER}")
        self.enter()

        self.assertNotEqual(self.visitor.cookies_for(f"{ISSUER}{INNER}"), first)

    def test_mode_0(self) -> None:
        """Who is signed in can go on as who they are, by their exact name; no cookie is set."""
        self.enter()
        answer = self.front.call("logon", params=["alice", "", "0"], hello=NOTES_ASK)

        self.assertEqual((answer.status, answer.header("Set-Cookie")), (200, ""))
        self.assertEqual(json_of(answer)["hello"]["next"], "consent")
        for name in ("bob", "ALICE", "alice ", ""):
            self.assertNobody(self.front.call("logon", params=[name, "", "0"]), name)

    def test_sec_7_mode_0_is_no_proof(self) -> None:
        """SEC, row 7: going on as who one is made the sign-in fresh. It stays as old as it is."""
        self.enter()
        before = self.auth_time()
        self.daemon.clock.advance(1000)
        self.assertEqual(self.front.call("logon", params=["alice", "", "0"], hello=MAIL_ASK).status, 200)

        self.assertEqual(self.auth_time(), before)

    def test_sec_7_mode_0_where_a_proof_is_due(self) -> None:
        """SEC, row 7: a client that wants a new sign-in got an old one by it."""
        self.enter()
        self.daemon.clock.advance(1000)
        for asked in ({"prompt": "login"}, {"max_age": "999"}, {"max_age": "0"}):
            for question in ({}, MAIL_ASK):
                answer = self.front.call("logon", params=["alice", "", "0"], hello={**question, **asked})
                self.assertNobody(answer, asked)

    def test_session_that_was_ended_elsewhere(self) -> None:
        """Mode 0 brings nobody back who was signed out from another browser."""
        self.enter()
        value = self.visitor.cookies_for(f"{ISSUER}{INNER}")
        self.front.call("logoff")
        body = json.dumps({"state": "s-1", "params": ["alice", "", "0"]}).encode()
        answer = self.daemon.ask("POST", f"{INNER}logon", JSON_HEADER, GUARD, ORIGIN, f"Cookie: {value}", body=body)

        self.assertNobody(answer)


class LogoffTests(ApiCase):
    """Signing out."""

    def test_signed_in(self) -> None:
        """The cookies go, and the session is over wherever it was copied to."""
        self.enter()
        answer = self.front.call("logoff")
        removed = sorted(value for name, value in answer.headers if name == "Set-Cookie")

        self.assertEqual(json_of(answer), {"success": True, "state": "s-1"})
        self.assertEqual([line.partition("=")[0] for line in removed], ["__Secure-KKBS", "__Secure-KKT"])
        self.assertTrue(
            all("=; Path=/" in line and "Expires=Thu, 01 Jan 1970 00:00:00 GMT" in line for line in removed)
        )
        self.assertNobody(self.front.call("hello"))

    def test_nobody(self) -> None:
        """Who is not signed in is signed out as well."""
        self.assertEqual(json_of(self.front.call("logoff")), {"success": True, "state": "s-1"})

    def test_gap_16_clients_are_told(self) -> None:
        """GAP, row 16: a front end's sign-out told nobody. It is the sign-out of our pages, which does."""
        self.enter()
        mail = Application(self.daemon, MAIL)
        tokens = json_of(mail.redeem(mail.told(mail.arrive(self.visitor, scope="openid offline_access"))["code"]))
        self.front.call("logoff")

        self.assertEqual(mail.refresh(str(tokens["refresh_token"])).status, 400)

    def test_store_is_silent(self) -> None:
        """A sign-out that can not be kept is not said to be done."""
        daemon = Daemon()
        visitor = Visitor(daemon)
        FrontEnd(visitor).call("logon", params=["alice", "wonderland", "1"])
        silent = Visitor(Daemon(store=SilentStore()))
        silent.jar = visitor.jar

        self.assertEqual(FrontEnd(silent).call("logoff").status, 500)


class ConsentTests(ApiCase):
    """Answering a client."""

    def ask(self, **changes: Any) -> Heard:
        """Answer Notes."""
        members = {**GOOD["consent"], "ref": "state-1", "flow_nonce": "nonce-1", **changes}
        return self.front.call("consent", **{"state": "abc123", **members})

    def test_allow(self) -> None:
        """A yes is 200, and stays in a cookie that is named as Konnect's, for a minute."""
        self.enter()
        answer = self.ask()
        name, _, rest = answer.header("Set-Cookie").partition("=")

        self.assertEqual(json_of(answer), {"success": True, "state": "abc123"})
        self.assertRegex(name, r"\A__Secure-KKTC-[A-Za-z0-9_-]{43}\Z")
        attributes = rest.partition("; ")[2]
        self.assertEqual(attributes, f"Path={INNER}; Max-Age=60; Secure; HttpOnly; SameSite=None")

    def test_deny(self) -> None:
        """A no is 204, and stays in a cookie as well."""
        self.enter()
        answer = self.ask(allow=False)

        self.assertEqual((answer.status, answer.header(STATE_HEADER)), (204, "abc123"))
        self.assertIn("Max-Age=60", answer.header("Set-Cookie"))
        self.assertEqual(self.ask(allow=None).status, 204)

    def test_sec_12_whose_answer(self) -> None:
        """SEC, row 12: whoever was not signed in could answer, for clients that nobody knows."""
        nobody = self.ask()
        self.enter()

        self.assertEqual((nobody.status, nobody.header("Set-Cookie")), (204, ""))
        for change in ({"client_id": "stranger"}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": None}):
            self.assertEqual((self.ask(**change).status, self.ask(**change).header("Set-Cookie")), (400, ""), change)

    def test_notes_is_not_trusted(self) -> None:
        """The client of these tests is one that people are asked for."""
        self.assertFalse(NOTES.trusted)
