"""Session Management, as the certification plan has it; what a browser does with the page is in ``tests/real``."""

import re
from hashlib import sha256
from urllib.parse import urlsplit

from tests.support.markup import one
from tests.support.requests import ISSUER
from tests.support.visitor import Visitor
from tests.web.certification.leaving_case import LeavingCase

CHECK_SESSION = "/konnect/v1/session/check-session.html"
ORIGIN = "https://notes.example.org"


class SessionStateTests(LeavingCase):
    """What a script compares."""

    def state_of(self, visitor: Visitor) -> str:
        """Return the browser state that our page finds in its cookie; empty when there is none."""
        cookies = visitor.cookies_for(f"{ISSUER}{CHECK_SESSION}")
        return cookies.partition("__Secure-KKBS=")[2].partition(";")[0]

    def fits(self, session_state: str, visitor: Visitor | None = None, origin: str = ORIGIN) -> bool:
        """Tell whether a session_state is one of a browser as it is now, as our page does."""
        digest, _, salt = session_state.partition(".")
        text = f"leaver {origin} {self.state_of(visitor or self.visitor)} {salt}"
        return sha256(text.encode()).hexdigest() == digest

    def test_metadata(self) -> None:
        """The page has an address, on the issuer's host."""
        self.assertEqual(self.metadata()["check_session_iframe"], f"{ISSUER}{CHECK_SESSION}")

    def test_session_state(self) -> None:
        """Every successful answer has one that fits the browser, and no blank in it."""
        self.assertTrue(self.fits(self.answer["session_state"]))
        self.assertNotIn(" ", self.answer["session_state"])
        for response_type in ("id_token", "code id_token token"):
            answer = self.authorize(response_type).parts
            self.assertTrue(self.fits(answer["session_state"]), response_type)

    def test_salt(self) -> None:
        """No two are the same, although the session is."""
        again = self.authorize("code").parts["session_state"]

        self.assertNotEqual(again, self.answer["session_state"])
        self.assertTrue(self.fits(again))

    def test_sign_out(self) -> None:
        """After a sign-out it fits no more, and the refusal of the next silent request has one that does."""
        self.leave()

        self.assertFalse(self.fits(self.answer["session_state"]))
        self.assertTrue(self.fits(self.silent()["session_state"]))

    def test_new_sign_in(self) -> None:
        """The same person in another session, or in another browser, is another state."""
        self.leave()
        self.authorize("code")
        elsewhere = Visitor(self.daemon)
        self.app.sign_in(elsewhere)

        states = {self.state_of(self.visitor), self.state_of(elsewhere)}
        self.assertEqual((len(states), "" in states), (2, False))
        self.assertFalse(self.fits(self.answer["session_state"]))

    def test_nobody_can_make_one(self) -> None:
        """The state is not to be computed from what clients know."""
        sid = str(self.claims["sid"])

        self.assertNotIn(self.state_of(self.visitor), {sid, sha256(sid.encode()).hexdigest()[:22]})

    def test_cookie(self) -> None:
        """It goes nowhere but to the page, whose script may read it, in frames of other sites too."""
        for url in (f"{ISSUER}/konnect/v1/token", f"{ISSUER}/signin/v1/identifier/_/authorize"):
            self.assertNotIn("KKBS", self.visitor.cookies_for(url))
        (cookie,) = (cookie for cookie in self.visitor.jar.values() if cookie.name == "__Secure-KKBS")
        self.assertEqual((cookie.secure, cookie.same_site, cookie.path), (True, "None", "/konnect/v1/session/"))


class PageTests(LeavingCase):
    """The page that is opened in a frame."""

    def test_policy(self) -> None:
        """It runs one script of ours, by a nonce that changes, and may be in frames of anybody."""
        nonces = set()
        for _ in range(2):
            answer = self.daemon.get(CHECK_SESSION)
            script = one(answer.body, "script")
            policy = answer.header("Content-Security-Policy")
            nonces.add(script.attributes["nonce"])
            self.assertIn(f"script-src 'nonce-{script.attributes['nonce']}'", policy)
            self.assertEqual((answer.status, answer.header("X-Frame-Options")), (200, ""))
            self.assertNotIn("frame-ancestors", policy)
        self.assertEqual(len(nonces), 2)

    def test_script(self) -> None:
        """The script is there, and is told which cookie to look at."""
        script = one(self.daemon.get(CHECK_SESSION).body, "script").attributes
        answer = self.daemon.get(script["src"])

        self.assertEqual((answer.status, script["data-cookie"]), (200, "__Secure-KKBS"))
        self.assertTrue(re.match(rb"//", answer.body))
        self.assertEqual(urlsplit(script["src"]).netloc, "")
