"""When an earlier answer of a person counts, and when they have to be asked again."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.protocol.account import Remembered
from konnectd.protocol.authorize import AuthorizationRequest
from konnectd.protocol.client import Client
from konnectd.protocol.interaction import (
    AskForConsent,
    Consent,
    Decision,
    Knowledge,
    Proceed,
    Refuse,
    decide,
    may_rely_on_memory,
)
from konnectd.protocol.scope import Scope
from konnectd.protocol.vocabulary import ErrorCode
from tests.support.people import ALICE, logon_of
from tests.support.requests import MAIL, NOTES, PAGE, PROGRAM, request_of
from tests.support.strategies import SCOPES

NOW = 1_700_000_000
LOGON = logon_of(ALICE, NOW - 10)
SUPPORTED = frozenset({"openid", "profile", "email", "groups", "offline_access"})
LOOPBACK = "http://127.0.0.1:4711/cb?a=1"
CUSTOM = "org.example.program:/cb"


def remembered(asked: str, granted: str | None = None) -> Remembered:
    """Return an earlier answer; everything was agreed to unless something else is said."""
    return Remembered(asked=Scope.parse(asked), granted=Scope.parse(asked if granted is None else granted), since=1)


def decision_of(request: AuthorizationRequest, earlier: Remembered | None, consent: Consent | None = None) -> Decision:
    """Return what is decided about a request of somebody who is signed in."""
    known = Knowledge(logon=LOGON, remembered=earlier, consent=consent, supported=SUPPORTED)
    return decide(request, known, NOW)


class MemoryTests(SynchronousTestCase):
    """What an earlier answer is good for."""

    def test_the_same_again(self) -> None:
        """Who has agreed is not asked again, for that or for less, be a page allowed or not."""
        earlier = remembered("openid profile email")
        for prompt in (None, "none"):
            for scope in ("openid profile email", "openid email", "openid"):
                decision = decision_of(request_of(NOTES, scope=scope, prompt=prompt), earlier)

                self.assertEqual(decision, Proceed(LOGON, Scope.parse(scope)), f"{prompt} {scope}")

    def test_more(self) -> None:
        """Who is asked for anything new is asked for all of it, access while they are away included."""
        earlier = remembered("openid profile")
        for scope in ("openid profile email", "openid offline_access", "openid groups"):
            request = request_of(NOTES, scope=scope)
            silent = decision_of(request_of(NOTES, scope=scope, prompt="none"), earlier)

            self.assertEqual(decision_of(request, earlier), AskForConsent(LOGON, Scope.parse(scope)))
            self.assertEqual(silent.error.code if isinstance(silent, Refuse) else None, ErrorCode.CONSENT_REQUIRED)

    def test_what_can_not_be_granted(self) -> None:
        """Scopes that nobody knows are nothing new."""
        decision = decision_of(request_of(NOTES, scope="openid unheard-of"), remembered("openid"))

        self.assertEqual(decision, Proceed(LOGON, Scope.parse("openid")))

    def test_what_was_left_out(self) -> None:
        """What a person did not want stays out, and they are not asked for it over and over."""
        earlier = remembered("openid profile groups offline_access", "openid profile")
        decision = decision_of(request_of(NOTES, scope="openid profile groups offline_access"), earlier)

        self.assertEqual(decision, Proceed(LOGON, Scope.parse("openid profile")))

    def test_prompt(self) -> None:
        """Who wants the person to be asked gets them asked."""
        for prompt in ("consent", "login consent"):
            request = request_of(NOTES, prompt=prompt)
            decision = decide(
                request,
                Knowledge(logon=LOGON, remembered=remembered("openid profile email"), supported=SUPPORTED),
                NOW,
            )
            self.assertFalse(isinstance(decision, Proceed), prompt)

    def test_a_new_answer_comes_first(self) -> None:
        """Who has just said no is not overruled by an older yes."""
        request = request_of(NOTES)
        consent = Consent(consent_id="c", sub=LOGON.sub, fingerprint=request.fingerprint, allow=False)
        decision = decision_of(request, remembered("openid profile email"), consent)

        self.assertEqual(decision.error.code if isinstance(decision, Refuse) else None, ErrorCode.ACCESS_DENIED)

    def test_who_proves_nothing(self) -> None:
        """A program that anybody can pass for asks each time; a site has its address, others have their secret."""
        native = evolve(PROGRAM, secret="secret")
        cases: dict[str, tuple[Client, str | None, bool]] = {
            "confidential": (NOTES, None, True),
            "single page": (PAGE, None, True),
            "loopback": (PROGRAM, LOOPBACK, False),
            "own scheme": (PROGRAM, CUSTOM, False),
            "loopback with a secret": (native, LOOPBACK, True),
            "trusted": (MAIL, None, False),
        }
        for name, (client, redirect_uri, relies) in cases.items():
            changes = {"redirect_uri": redirect_uri} if redirect_uri is not None else {}
            request = request_of(client, **changes)
            with self.subTest(name):
                self.assertIs(may_rely_on_memory(request), relies)
                if not client.trusted:
                    decision = decision_of(request, remembered("openid profile email"))
                    self.assertIsInstance(decision, Proceed if relies else AskForConsent)

    @settings(deadline=None, max_examples=200)
    @given(SCOPES, SCOPES, SCOPES, st.sampled_from([None, "none"]))
    def test_never_more_than_agreed(self, asked: Scope, before: Scope, agreed: Scope, prompt: str | None) -> None:
        """Without a page nobody is granted what the person has not agreed to, and openid is the request itself."""
        earlier = Remembered(asked=before, granted=agreed, since=1)
        request = request_of(NOTES, scope=f"openid {asked}", prompt=prompt)
        supported = frozenset({"openid", *asked})
        decision = decide(request, Knowledge(logon=LOGON, remembered=earlier, supported=supported), NOW)
        granted = set(decision.scope) if isinstance(decision, Proceed) else set()

        self.assertLessEqual(granted, set(agreed) | {"openid"})
        self.assertTrue(not isinstance(decision, Proceed) or set(request.wanted(supported)) <= set(before))
