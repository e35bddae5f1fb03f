"""What tests of the identifier API begin with: a front end in a browser, in front of the assembled daemon."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.front_end import STATE_HEADER, FrontEnd
from tests.support.requests import CALLBACK, ISSUER, MAIL
from tests.support.visitor import Visitor

ORIGIN = f"Origin: {ISSUER}"
CALLS = ("hello", "logon", "logoff", "consent")
#: A call of each kind that would be answered by 200, but for who is signed in.
GOOD: dict[str, dict[str, Any]] = {
    "hello": {},
    "logon": {"params": ["alice", "wonderland", "1"]},
    "logoff": {},
    "consent": {"allow": True, "scope": "openid", "client_id": "notes", "redirect_uri": CALLBACK},
}
#: The question that a front end asks for Notes.
NOTES_ASK = {"flow": "oidc", "scope": "openid profile", "client_id": "notes", "redirect_uri": CALLBACK}
MAIL_ASK = {**NOTES_ASK, "client_id": "mail"}


class ApiCase(SynchronousTestCase):
    """A front end in a browser, in front of the assembled daemon."""

    def setUp(self) -> None:
        """Assemble."""
        self.daemon = Daemon()
        self.visitor = Visitor(self.daemon)
        self.front = FrontEnd(self.visitor)

    def enter(self, **hello: str) -> Heard:
        """Sign Alice in by her password."""
        return self.front.call("logon", params=["alice", "wonderland", "1"], hello=hello)

    def assertNobody(self, answer: Heard, message: object = None) -> None:
        """Fail unless an answer says no: no body, no cookie, and the state it was asked with."""
        told = (answer.status, answer.body, answer.header("Set-Cookie"), answer.header(STATE_HEADER))
        self.assertEqual(told, (204, b"", "", "s-1"), message)

    def auth_time(self) -> int:
        """Return when the person of the browser proved who they are, as a client is told it."""
        mail = Application(self.daemon, MAIL)
        tokens = json_of(mail.redeem(mail.told(mail.arrive(self.visitor))["code"]))
        claims = self.daemon.world.verifier.verify(str(tokens["id_token"]))
        return int(str((claims or {})["auth_time"]))
