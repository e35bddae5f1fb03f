"""A backend that does not answer, or takes its time, seen from browsers and clients; and many who ask at once."""

from collections import Counter
from urllib.parse import urlencode

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.logon import MOST_TRIES
from konnectd.interfaces import LogonAnswer
from konnectd.protocol.end_user import EndUser
from konnectd.web.limits import Limits
from konnectd.web.texts import EXPLANATIONS, SIGN_IN_FAULTS
from konnectd.web.views import ErrorKind, SignInFault
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import FORM_HEADER, Daemon
from tests.support.connection import Connection, Heard, parse_answers, request
from tests.support.fakes import People
from tests.support.loglines import LogLines
from tests.support.people import ALICE, BOB, PASSWORDS
from tests.support.requests import CALLBACK, ISSUER, MAIL, VERIFIER
from tests.support.visitor import Visit, Visitor

#: As many as a hasty attacker sends at once.
MANY = 50


class SilenceTests(SynchronousTestCase):
    """A backend that says that it can not answer."""

    def setUp(self) -> None:
        """Sign Alice in, and cut the line."""
        self.daemon = Daemon()
        self.mail = Application(self.daemon, MAIL)
        self.visitor = Visitor(self.daemon)
        self.mail.sign_in(self.visitor)
        self.log = LogLines(self)
        self.daemon.people.silent = True

    def test_page(self) -> None:
        """A person is told in plain words when to come back, with a reference that is in the log."""
        page = self.mail.arrive(self.visitor)
        reference = page.text.partition("Reference ")[2].split()[0]

        self.assertEqual((page.answer.status, page.answer.header("Retry-After")), (503, "5"))
        self.assertEqual(page.title, EXPLANATIONS[ErrorKind.UNAVAILABLE].title)
        self.assertEqual(len(self.log.about(reference, "warn")), 1)
        self.assertNotIn("silent", page.text)
        self.assertTrue(self.visitor.holds("__Secure-KKT"))

    def test_without_a_page(self) -> None:
        """Where nobody would see a page the client is told."""
        told = self.mail.told(self.mail.arrive(self.visitor, prompt="none"))

        self.assertEqual(told["error"], "temporarily_unavailable")

    def test_what_needs_no_backend(self) -> None:
        """Keys, metadata, the sign-in form and leaving work all the same."""
        self.assertEqual(self.daemon.get("/konnect/v1/jwks.json").status, 200)
        self.assertEqual(self.daemon.get("/.well-known/openid-configuration").status, 200)
        self.assertEqual(self.mail.arrive(Visitor(self.daemon)).title, "Sign in")
        goodbye = self.visitor.open(self.daemon.settings.paths.endsession)
        self.assertEqual(self.visitor.submit(goodbye, signout="1").title, "You are signed out")

    def test_afterwards(self) -> None:
        """When it answers again everything goes on as before."""
        self.mail.arrive(self.visitor)
        self.daemon.people.silent = False

        self.assertIn("code", self.mail.told(self.mail.arrive(self.visitor)))


class Gate(People):
    """A backend that answers when the test opens it.

    Attributes:
        shut: whether questions wait.
        waiting: those that do.
        canceled: how many were told that nobody waits for them.
    """

    def __init__(self) -> None:
        """Begin open, with Alice and Bob."""
        super().__init__(ALICE, BOB, passwords=PASSWORDS)
        self.shut = False
        self.waiting: list[Deferred[None]] = []
        self.canceled = 0

    def open(self) -> None:
        """Let all questions be answered, in order."""
        waiting, self.waiting, self.shut = self.waiting, [], False
        for question in waiting:
            if not question.called:
                question.callback(None)

    async def find(self, user_id: str) -> EndUser | None:
        """Return a person, some time."""
        await self._pass()
        return await super().find(user_id)

    async def logon(self, username: str, password: str) -> LogonAnswer:
        """Check a password, some time."""
        await self._pass()
        return await super().logon(username, password)

    async def _pass(self) -> None:
        """Wait at the gate, and note when nobody waits for the answer any more."""
        if self.shut:
            self.waiting.append(Deferred())
            try:
                await self.waiting[-1]
            except CancelledError:
                self.canceled += 1
                raise


class GateCase(SynchronousTestCase):
    """Applications and browsers in front of a gate."""

    def setUp(self) -> None:
        """Assemble, with the gate open."""
        self.gate = Gate()
        self.daemon = Daemon(backend=self.gate)
        self.app = Application(self.daemon)
        self.visitor = Visitor(self.daemon)

    def send(self, path: str, fields: dict[str, str], *headers: str) -> Connection:
        """Post a form and do not wait for the answer."""
        peer = self.daemon.connect()
        peer.send(request("POST", path, FORM_HEADER, *headers, body=urlencode(fields).encode()))
        return peer

    def hear(self, peer: Connection) -> Heard:
        """Return the one answer that has come by now."""
        (answer,) = parse_answers(peer.hear())
        return answer

    def redeem(self, code: str) -> Connection:
        """Redeem a code and do not wait for the answer."""
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.send(self.daemon.settings.paths.token, fields, self.app.basic())


class PatienceTests(GateCase):
    """Questions that are never answered."""

    def wait(self) -> None:
        """Let as much time pass as one request may take."""
        self.daemon.reactor.pump([1.0] * (round(Limits().handling_seconds) + 2))

    def test_token_request(self) -> None:
        """The client is told to come back, nobody is asked in vain any longer, and its code is still good."""
        code = self.app.code(self.visitor)
        self.gate.shut = True
        peer = self.redeem(code)
        self.wait()
        answer = self.hear(peer)
        self.gate.open()

        self.assertEqual(error_of(answer), (503, "temporarily_unavailable"))
        self.assertEqual(self.gate.canceled, 1)
        self.assertEqual(self.app.redeem(code).status, 200)

    def test_sign_in(self) -> None:
        """A person sees a page, and others are served meanwhile."""
        page = self.app.arrive(self.visitor)
        self.gate.shut = True
        fields = {**page.fields, "username": "alice", "password": "wonderland"}
        cookies = f"Cookie: {self.visitor.cookies_for(f'{ISSUER}{page.action}')}"
        peer = self.send(page.action, fields, cookies, f"Origin: {ISSUER}")
        self.assertEqual(self.daemon.get("/health-check").status, 200)
        self.wait()
        visit = Visit(url=page.url, answer=self.hear(peer))

        self.assertEqual((visit.answer.status, visit.title), (503, EXPLANATIONS[ErrorKind.UNAVAILABLE].title))

    def test_browser_leaves(self) -> None:
        """A question is dropped when nobody waits for its answer, and that is nothing to log."""
        log = LogLines(self)
        code = self.app.code(self.visitor)
        self.gate.shut = True
        self.redeem(code).hang_up()

        self.assertEqual((self.gate.canceled, log.lines("warn"), self.flushLoggedErrors()), (1, [], []))


class ManyAtOnceTests(GateCase):
    """Requests that meet."""

    def test_one_code_is_redeemed_once(self) -> None:
        """Of many who redeem one code at the same moment one gets tokens, and then nobody has them."""
        code = self.app.code(self.visitor)
        self.gate.shut = True
        peers = [self.redeem(code) for _ in range(MANY)]
        self.gate.open()
        answers = [self.hear(peer) for peer in peers]
        (winner,) = (json_of(answer) for answer in answers if answer.status == 200)

        self.assertEqual(Counter(answer.status for answer in answers), {200: 1, 400: MANY - 1})
        self.assertEqual(error_of(self.app.userinfo(winner["access_token"])), (401, "invalid_token"))

    def test_guesses_at_once_are_counted(self) -> None:
        """Sending all guesses before the first answer does not get more of them answered."""
        page = self.app.arrive(self.visitor)
        cookies = f"Cookie: {self.visitor.cookies_for(f'{ISSUER}{page.action}')}"
        self.gate.shut = True
        guesses = [f"guess-{n}" for n in range(MANY)] + ["wonderland"]
        peers = [
            self.send(
                page.action, {**page.fields, "username": "alice", "password": guess}, cookies, f"Origin: {ISSUER}"
            )
            for guess in guesses
        ]
        self.gate.open()
        answers = [self.hear(peer) for peer in peers]
        pages = [self.visitor.open(answer.header("Location")) for answer in answers]
        told = Counter(next(fault for fault in SignInFault if SIGN_IN_FAULTS[fault] in visit.text) for visit in pages)

        self.assertEqual([answer.header("Set-Cookie") for answer in answers], [""] * len(answers))
        self.assertEqual(
            told,
            {SignInFault.WRONG_CREDENTIALS: MOST_TRIES, SignInFault.TOO_MANY_TRIES: MANY + 1 - MOST_TRIES},
        )
