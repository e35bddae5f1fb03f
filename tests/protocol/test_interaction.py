"""What a person still has to do: the whole table of `decide`, and the values that travel between pages."""

from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.authorize import AuthorizationRequest
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import Logon
from konnectd.protocol.interaction import (
    AskForAccount,
    AskForConsent,
    AskForLogon,
    Consent,
    Decision,
    Knowledge,
    Proceed,
    Refuse,
    consent_cookie,
    decide,
)
from konnectd.protocol.progress import Progress
from konnectd.protocol.scope import Scope
from tests.support.people import ALICE, BOB, logon_of
from tests.support.requests import MAIL, NOTES, request_of
from tests.support.strategies import CONSENTS, JSON, PROGRESSES, SCOPES, TEXT

NOW = 1_700_000_000
STARTED = NOW - 30
SUPPORTED = frozenset({"openid", "profile", "offline_access"})

OLD = logon_of(ALICE, NOW - 500, session_id="old")
FRESH = logon_of(ALICE, NOW - 10, session_id="fresh")


def progress_of(request: AuthorizationRequest, account: str = "") -> Progress:
    """Return that a request has been under way since a while, when the old session was there."""
    return Progress(fingerprint=request.fingerprint, started_at=STARTED, session_id="old", account=account)


def consent_of(request: AuthorizationRequest, **changes: Any) -> Consent:
    """Return that Alice has agreed to a request."""
    consent = Consent(
        consent_id="c-1", sub=OLD.sub, fingerprint=request.fingerprint, allow=True, scope=Scope.parse("openid profile")
    )
    return evolve(consent, **changes)


def known(request: AuthorizationRequest, logon: Logon | None, **more: Any) -> Knowledge:
    """Return what is known: for a fresh logon also that the request is under way."""
    progress = progress_of(request) if logon is FRESH else None
    return evolve(Knowledge(logon=logon, progress=progress, supported=SUPPORTED), **more)


def word(decision: Decision) -> str:
    """Return a decision in one word: what is asked for, the error, or the scope that is granted."""
    match decision:
        case AskForLogon():
            return "logon"
        case AskForAccount():
            return "account"
        case AskForConsent():
            return "consent"
        case Refuse(error=error):
            return str(error.code)
        case Proceed(scope=scope):
            return str(scope)


PERSONS = {"nobody": None, "old": OLD, "fresh": FRESH}
#: For each prompt: what happens to nobody, an old logon and a fresh logon, at a trusted and at another client.
GRANTED = "openid profile"
PROMPTS = {
    None: (("logon", GRANTED, GRANTED), ("logon", "consent", "consent")),
    "none": (("login_required", GRANTED, GRANTED), ("login_required", "consent_required", "consent_required")),
    "login": (("logon", "logon", GRANTED), ("logon", "logon", "consent")),
    "consent": (("logon", "consent", "consent"), ("logon", "consent", "consent")),
    "select_account": (("logon", "account", GRANTED), ("logon", "account", "consent")),
    "login consent": (("logon", "logon", "consent"), ("logon", "logon", "consent")),
    "login select_account": (("logon", "logon", GRANTED), ("logon", "logon", "consent")),
    "consent select_account": (("logon", "account", "consent"), ("logon", "account", "consent")),
    "login consent select_account": (("logon", "logon", "consent"), ("logon", "logon", "consent")),
}
#: For each max_age: whether an old logon (500 seconds) is good enough.
AGES = {None: True, "501": True, "500": True, "499": False, "0": False}


class DecideTests(SynchronousTestCase):
    """What has to happen next."""

    def test_prompts(self) -> None:
        """Each prompt asks what it says, of whom it says, and only consent is spared at a trusted client."""
        for prompt, rows in PROMPTS.items():
            for client, row in zip((MAIL, NOTES), rows, strict=True):
                request = request_of(client, prompt=prompt)
                found = tuple(word(decide(request, known(request, logon), NOW)) for logon in PERSONS.values())

                self.assertEqual(found, row, f"{prompt} at {client.client_id}")

    def test_ages(self) -> None:
        """An old logon counts as long as max_age says; a fresh one counts always."""
        for max_age, enough in AGES.items():
            request = request_of(MAIL, max_age=max_age)
            silent = request_of(MAIL, max_age=max_age, prompt="none")
            found = [word(decide(request, known(request, logon), NOW)) for logon in PERSONS.values()]

            self.assertEqual(found, ["logon", GRANTED if enough else "logon", GRANTED], max_age)
            self.assertEqual(
                word(decide(silent, known(silent, OLD), NOW)), GRANTED if enough else "login_required", max_age
            )

    def test_clock_that_was_set_back(self) -> None:
        """A logon from the future counts for max_age, except for 0, which wants a new one."""
        found = []
        for max_age in ("1", "0"):
            request = request_of(MAIL, max_age=max_age)
            found.append(word(decide(request, known(request, evolve(OLD, auth_time=NOW + 100)), NOW)))

        self.assertEqual(found, [GRANTED, "logon"])

    def test_hints(self) -> None:
        """The person must be the one that the hint names, by the public subject or the raw one."""
        stranger = logon_of(BOB, NOW).sub
        cases = {
            "": ("logon", GRANTED, GRANTED),
            OLD.sub: ("logon", GRANTED, GRANTED),
            "alice": ("logon", GRANTED, GRANTED),
            stranger: ("logon", "logon", "login_required"),
            "bob": ("logon", "logon", "login_required"),
        }
        request = request_of(MAIL, id_token_hint="x")
        for hint, row in cases.items():
            found = tuple(word(decide(request, known(request, logon, hint=hint), NOW)) for logon in PERSONS.values())

            self.assertEqual(found, row, hint)

    def test_hint_in_silence(self) -> None:
        """Where no page may be shown somebody else than the hint says is an error at once."""
        request = request_of(MAIL, prompt="none", id_token_hint="x")

        self.assertEqual(word(decide(request, known(request, OLD, hint="bob"), NOW)), "login_required")

    def test_what_makes_a_logon_fresh(self) -> None:
        """Only a session that began after the request did, and is another one, counts as a new proof."""
        request = request_of(MAIL, prompt="login")
        cases = {
            ("old", NOW): "logon",
            ("old", STARTED - 1): "logon",
            ("new", STARTED - 1): "logon",
            ("new", STARTED): GRANTED,
            ("new", NOW): GRANTED,
        }
        for (session_id, auth_time), wanted in cases.items():
            logon = logon_of(ALICE, auth_time, session_id=session_id)
            decision = decide(request, known(request, logon, progress=progress_of(request)), NOW)

            self.assertEqual(word(decision), wanted, f"{session_id} {auth_time}")

    def test_chosen_account(self) -> None:
        """A choice counts for the account that was chosen and does not replace a proof."""
        cases = (
            ("select_account", OLD.sub, GRANTED),
            ("select_account", logon_of(BOB, NOW).sub, "account"),
            ("select_account", "", "account"),
            ("login select_account", OLD.sub, "logon"),
        )
        for prompt, account, wanted in cases:
            request = request_of(MAIL, prompt=prompt)
            decision = decide(request, known(request, OLD, progress=progress_of(request, account)), NOW)

            self.assertEqual(word(decision), wanted, f"{prompt} {account}")

    def test_consents(self) -> None:
        """An answer counts for the person and the request it was given for, and a no is a no."""
        request = request_of(NOTES, scope="openid profile offline_access")
        bob = logon_of(BOB, NOW).sub
        cases: tuple[tuple[dict[str, object], str], ...] = (
            ({}, "openid profile"),
            ({"scope": Scope.parse("openid profile offline_access email")}, "openid profile offline_access"),
            ({"scope": Scope.parse("email")}, "openid"),
            ({"scope": Scope()}, "openid"),
            ({"allow": False}, "access_denied"),
            ({"sub": bob}, "consent"),
            ({"sub": bob, "allow": False}, "consent"),
            ({"fingerprint": "another"}, "consent"),
            ({"fingerprint": "another", "allow": False}, "consent"),
        )
        for changes, wanted in cases:
            decision = decide(request, known(request, OLD, consent=consent_of(request, **changes)), NOW)

            self.assertEqual(word(decision), wanted, changes)

    def test_consent_that_was_asked_for(self) -> None:
        """At a trusted client, too, an answer to prompt=consent counts."""
        request = request_of(MAIL, prompt="consent")
        found = [
            word(decide(request, known(request, OLD, consent=consent_of(request, allow=allow)), NOW))
            for allow in (True, False)
        ]

        self.assertEqual(found, ["openid profile", "access_denied"])

    def test_consent_in_silence(self) -> None:
        """An answer that came along counts where no page may be shown."""
        request = request_of(NOTES, prompt="none")

        self.assertEqual(word(decide(request, known(request, OLD, consent=consent_of(request)), NOW)), GRANTED)

    def test_consent_does_not_replace_a_logon(self) -> None:
        """Who has to prove who they are has to do it, whatever was agreed to."""
        request = request_of(NOTES, prompt="login")

        self.assertEqual(word(decide(request, known(request, OLD, consent=consent_of(request)), NOW)), "logon")

    def test_what_is_asked(self) -> None:
        """A consent page asks the person who is there for what can be granted of what is asked for."""
        request = request_of(NOTES, scope="openid unheard-of profile")

        self.assertEqual(decide(request, known(request, OLD), NOW), AskForConsent(OLD, Scope.parse("openid profile")))
        self.assertEqual(Knowledge(logon=None).supported, {"openid"})

    @settings(deadline=None, max_examples=200)
    @given(
        st.sampled_from([MAIL, NOTES]),
        st.sampled_from(list(PERSONS.values())),
        st.one_of(st.none(), PROGRESSES),
        st.one_of(st.none(), CONSENTS),
        st.sampled_from(["", OLD.sub, "alice", "bob"]),
        st.sampled_from([None, "0", "300", "600"]),
        st.sampled_from(["openid", "openid offline_access profile", "openid admin"]),
    )
    def test_silence(
        self,
        client: Client,
        logon: Logon | None,
        progress: Progress | None,
        consent: Consent | None,
        hint: str,
        max_age: str | None,
        scope: str,
    ) -> None:
        """With prompt=none no page is ever shown, whatever is known."""
        request = request_of(client, prompt="none", max_age=max_age, scope=scope)
        decision = decide(
            request,
            Knowledge(logon=logon, progress=progress, consent=consent, hint=hint, supported=SUPPORTED),
            NOW,
        )

        self.assertIsInstance(decision, Refuse | Proceed)

    @settings(deadline=None, max_examples=200)
    @given(SCOPES, SCOPES, SCOPES, st.sampled_from([MAIL, NOTES]))
    def test_never_more_than_asked_and_allowed(self, asked: Scope, agreed: Scope, able: Scope, client: Client) -> None:
        """What is granted was asked for, can be granted, and, where a person was asked, was agreed to."""
        request = request_of(client, scope=f"openid {asked}")
        consent = consent_of(request, scope=agreed)
        supported = frozenset({"openid", *able})
        decision = decide(request, Knowledge(logon=OLD, consent=consent, supported=supported), NOW)

        self.assertIsInstance(decision, Proceed)
        granted = set(decision.scope) if isinstance(decision, Proceed) else set()
        self.assertLessEqual(granted, set(request.scope) & supported)
        self.assertTrue(client.trusted or granted <= {"openid", *agreed})
        self.assertIn("openid", granted)


class TravelTests(SynchronousTestCase):
    """Values that are sealed and come back."""

    @settings(deadline=None)
    @given(PROGRESSES)
    def test_progress(self, progress: Progress) -> None:
        """Reading what was written gives the same progress."""
        self.assertEqual(Progress.from_json(progress.to_json()), progress)

    @settings(deadline=None)
    @given(CONSENTS)
    def test_consent(self, consent: Consent) -> None:
        """Reading what was written gives the same consent."""
        self.assertEqual(Consent.from_json(consent.to_json()), consent)

    @settings(deadline=None)
    @given(PROGRESSES, CONSENTS)
    def test_they_do_not_mix(self, progress: Progress, consent: Consent) -> None:
        """Neither can be read as the other."""
        self.assertIsNone(Consent.from_json(progress.to_json()))
        self.assertIsNone(Progress.from_json(consent.to_json()))

    @settings(deadline=None)
    @given(PROGRESSES, CONSENTS, st.data(), JSON)
    def test_damaged(self, progress: Progress, consent: Consent, draw: st.DataObject, junk: object) -> None:
        """A value that lacks a member, or is of another version, is none; no member of any kind is a fault."""
        for read, value in ((Progress.from_json, progress.to_json()), (Consent.from_json, consent.to_json())):
            name = draw.draw(st.sampled_from(sorted(value)))

            self.assertIsNone(read({key: member for key, member in value.items() if key != name}))
            self.assertIsNone(read({**value, "v": 2}))
            self.assertIn(type(read({**value, name: junk})), (Progress, Consent, type(None)))

    def test_name_of_the_cookie(self) -> None:
        """The cookie of a decision has the name that Konnect gives it."""
        name = consent_cookie("abc123", "client", "https://app.example/cb", "st", "no")

        self.assertEqual(name, "KKTC-gz4PL0r-cbKd3AOGNHy00AGx2NIPpxSuSPkbjKmEjnE")

    @settings(deadline=None)
    @given(TEXT, TEXT, TEXT)
    def test_name_is_a_name(self, state: str, nonce: str, consent_state: str) -> None:
        """Whatever is in a request, the name has only characters that a cookie's name may have."""
        self.assertRegex(consent_cookie(consent_state, "c", "u", state, nonce), r"\AKKTC-[A-Za-z0-9_-]{43}\Z")
