"""Which of the logons of a browser is meant: never a guess that signs in somebody else than is asked for."""

import json

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.end_user import EndUser, Logon
from konnectd.protocol.endsession import EndSessionRequest
from konnectd.protocol.hint import Hint
from konnectd.protocol.interaction import AskForAccount, AskForLogon, Decision, Knowledge, Refuse, decide, meant
from konnectd.protocol.progress import Progress
from tests.support.people import ALICE, BOB, logon_of
from tests.support.requests import MAIL, NOTES, request_of

NOW = 1_700_000_000
A = logon_of(ALICE, NOW - 500, session_id="s-a")
B = logon_of(BOB, NOW - 400, session_id="s-b")
C = logon_of(EndUser(user_id="carroll", subject="carroll", username="carroll"), NOW - 300, session_id="s-c")


def claims_for(*subs: str) -> str:
    """Return a ``claims`` parameter that says who it must be."""
    return json.dumps({"id_token": {"sub": {"values": list(subs)}}})


class MeantTests(SynchronousTestCase):
    """Whom an authorization request means."""

    def pick(self, current: Logon | None = A, hint: str = "", account: str | None = None, **changes: str) -> str:
        """Return who is meant among the current one, Bob and Carroll; empty for nobody."""
        request = request_of(MAIL, **changes)
        progress = None
        if account is not None:
            progress = Progress(
                fingerprint=request.fingerprint, started_at=NOW - 100, session_id="s-a", account=account
            )
        found = meant(request, progress, hint, current, (B, C))
        return found.username if found is not None else ""

    def test_nobody_named(self) -> None:
        """The current one, and nobody when there is none."""
        for changes in ({}, {"prompt": "none"}, {"prompt": "select_account"}, {"max_age": "10"}):
            self.assertEqual(self.pick(**changes), "alice")
            self.assertEqual(self.pick(None, **changes), "")

    def test_hint(self) -> None:
        """Whom the hint names, wherever they are; nobody else takes the place of somebody who is not there."""
        self.assertEqual(self.pick(hint=B.sub), "bob")
        self.assertEqual(self.pick(None, hint=C.sub), "carroll")
        self.assertEqual(self.pick(hint=A.sub), "alice")
        self.assertEqual(self.pick(hint="stranger"), "alice")
        self.assertEqual(self.pick(None, hint="stranger"), "")

    def test_claimed_subject(self) -> None:
        """Whom the claims parameter names."""
        self.assertEqual(self.pick(claims=claims_for(C.sub)), "carroll")
        self.assertEqual(self.pick(claims=claims_for(C.sub, A.sub)), "alice")
        self.assertEqual(self.pick(hint=B.sub, claims=claims_for(C.sub)), "alice")

    def test_login_hint(self) -> None:
        """Somebody who is signed in under exactly that name, or subject; otherwise the hint picks nobody."""
        self.assertEqual(self.pick(login_hint="bob"), "bob")
        self.assertEqual(self.pick(login_hint=B.sub), "bob")
        self.assertEqual(self.pick(None, login_hint="carroll"), "carroll")
        for hint in ("Bob", "bo", "bob ", "bob@example.org", "stranger"):
            self.assertEqual(self.pick(login_hint=hint), "alice", hint)
            self.assertEqual(self.pick(None, login_hint=hint), "", hint)

    def test_what_is_proven_comes_first(self) -> None:
        """A login_hint does not lead away from whom an ID token names."""
        self.assertEqual(self.pick(hint=C.sub, login_hint="bob"), "carroll")

    def test_who_was_chosen(self) -> None:
        """Neither hint leads away from whom the person has just chosen, or just signed in as."""
        self.assertEqual(self.pick(account=A.sub, login_hint="bob"), "alice")
        self.assertEqual(self.pick(account=A.sub, hint=B.sub), "alice")
        self.assertEqual(self.pick(account="", login_hint="bob"), "bob")
        fresh = evolve(A, session_id="s-new", auth_time=NOW - 50)
        self.assertEqual(self.pick(fresh, account="", login_hint="bob"), "alice")


class NobodyCurrentTests(SynchronousTestCase):
    """When others are signed in and nobody is the current one."""

    def decide(self, hint: str = "", **changes: str) -> Decision:
        """Decide about a request."""
        return decide(request_of(MAIL, **changes), Knowledge(logon=None, hint=hint, others=True), NOW)

    def test_asked(self) -> None:
        """The person says who they are; nobody is taken for them."""
        for changes in ({}, {"prompt": "select_account"}, {"login_hint": "stranger"}):
            self.assertEqual(self.decide(**changes), AskForAccount())

    def test_proof(self) -> None:
        """Where a proof is asked for, or somebody who is not there, choosing does not do."""
        self.assertEqual(self.decide(prompt="login"), AskForLogon())
        self.assertEqual(self.decide(hint="stranger"), AskForLogon())
        self.assertEqual(self.decide(claims=claims_for("stranger")), AskForLogon())

    def test_without_pages(self) -> None:
        """With prompt=none the client is told that somebody has to choose. Spec: OIDC Core 3.1.2.6."""
        match self.decide(prompt="none"):
            case Refuse(error=error):
                self.assertEqual(str(error.code), "account_selection_required")
            case other:
                self.fail(f"{other}")


class LeavingTests(SynchronousTestCase):
    """Whom a request to sign out means."""

    def pick(self, request: EndSessionRequest, current: Logon | None = A) -> str:
        """Return who is to leave; empty for nobody."""
        found = request.pick(current, (B, C))
        return found.username if found is not None else ""

    def test_nobody_named(self) -> None:
        """The current one leaves, and nobody when there is none."""
        self.assertEqual(self.pick(EndSessionRequest()), "alice")
        self.assertEqual(self.pick(EndSessionRequest(), None), "")

    def test_hint(self) -> None:
        """Whose ID token it is, in this very session; somebody else's ends nothing beside."""
        hint = Hint(sub=B.sub, client_id="notes", session_id=NOTES.sid_of("s-b"))
        self.assertEqual(self.pick(EndSessionRequest(client=NOTES, hint=hint)), "bob")
        self.assertEqual(self.pick(EndSessionRequest(client=NOTES, hint=hint), None), "bob")
        other = evolve(hint, session_id=NOTES.sid_of("s-gone"))

        self.assertEqual(self.pick(EndSessionRequest(client=NOTES, hint=other)), "alice")

    def test_logout_hint(self) -> None:
        """Whom it names is who is asked; it never makes the question unnecessary."""
        request = EndSessionRequest(client=NOTES, logout_hint="carroll")

        self.assertEqual((self.pick(request), request.must_confirm(C)), ("carroll", True))
