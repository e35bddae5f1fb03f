"""Asking for consent: a decision counts once, for its person and its request."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import CONSENT, ToConsent
from konnectd.flows.browser import Browser, Forget, Keep
from konnectd.protocol.end_user import Logon
from konnectd.protocol.interaction import CONSENT_TTL, Consent
from tests.support.fakes import memory_store
from tests.support.people import ALICE, BOB, logon_of
from tests.support.provider import Provider, after, told
from tests.support.requests import NOTES, request_of, sent
from tests.support.steps import WaitingStore, in_turns


class ConsentTests(SynchronousTestCase):
    """What follows from an answer of the consent page."""

    def setUp(self) -> None:
        """Sign Alice in, on the way to a client that needs consent."""
        self.provider = Provider()
        self.browser = self.provider.browser_of(ALICE)
        self.logon = self.provider.sign_in.find(self.browser) or logon_of(ALICE, 0)

    def decide(self, *, allow: bool = True, logon: Logon | None = None, **changes: str | None) -> str:
        """Let somebody answer; return what leads to the answer."""
        state, keep = self.provider.decisions.record(request_of(**changes), logon or self.logon, allow=allow)
        self.browser = after(self.browser, (keep,))
        return state

    def test_allowed(self) -> None:
        """Who agrees lets the client have what can be granted, and the decision is forgotten."""
        state = self.decide(scope="openid profile unheard-of")
        answer = self.provider.ask(self.browser, konnect=state, scope="openid profile unheard-of")

        response = self.provider.redeem(told(answer)["code"], NOTES)
        self.assertEqual(str(response.scope), "openid profile")
        names = set(self.browser.sealed) - {"KKT"}
        forgotten = tuple(change for change in getattr(answer, "cookies", ()) if isinstance(change, Forget))
        self.assertEqual(forgotten, tuple(Forget(name) for name in names))

    def test_denied(self) -> None:
        """Who does not agree lets the client know, and the decision is forgotten."""
        state = self.decide(allow=False)
        answer = self.provider.ask(self.browser, konnect=state)

        self.assertEqual(told(answer)["error"], "access_denied")
        self.assertEqual([type(change) for change in getattr(answer, "cookies", ())], [Forget])

    def test_what_is_kept(self) -> None:
        """Who agrees has agreed to what was shown, and who does not has agreed to nothing."""
        now = self.provider.clock.now()
        kept = []
        for allow in (True, False):
            _, keep = self.provider.decisions.record(request_of(), self.logon, allow=allow)
            consent = Consent.from_json(self.provider.sealer.open(CONSENT, keep.value, now) or {})
            kept.append((consent.allow, str(consent.scope), consent.sub) if consent else None)

        self.assertEqual(kept, [(True, "openid profile email", self.logon.sub), (False, "", self.logon.sub)])

    def test_once(self) -> None:
        """A decision counts once: whoever repeats a request that wants to ask the person asks them again."""
        state = self.decide(prompt="consent")
        first = self.provider.ask(self.browser, konnect=state, prompt="consent")

        self.assertIn("code", told(first))
        self.assertIsInstance(self.provider.ask(self.browser, konnect=state, prompt="consent"), ToConsent)

    def test_a_no_counts_once_as_well(self) -> None:
        """A refusal is not kept against the person who tries again."""
        state = self.decide(allow=False)
        self.provider.ask(self.browser, konnect=state)

        self.assertIsInstance(self.provider.ask(self.browser, konnect=state), ToConsent)

    def test_not_for_another_request(self) -> None:
        """A decision about one request says nothing about another, be it only a wider scope."""
        for change in ({"scope": "openid profile email groups"}, {"state": "x"}, {"nonce": "x"}, {"login_hint": "x"}):
            state = self.decide()
            self.assertIsInstance(self.provider.ask(self.browser, konnect=state, **change), ToConsent, change)

    def test_not_under_another_name(self) -> None:
        """A decision that was moved to the name of another request's is none."""
        state = self.decide()
        moved, keep = self.provider.decisions.record(request_of(state="other"), self.logon, allow=True)
        value = next(value for name, value in self.browser.sealed.items() if name != "KKT")
        browser = after(self.browser, (Keep(keep.name, value),))

        self.assertIsInstance(self.provider.ask(browser, konnect=moved, state="other"), ToConsent)
        self.assertIn("code", told(self.provider.ask(self.browser, konnect=state)))

    def test_not_for_another_person(self) -> None:
        """A decision that somebody else left in the browser is not this person's."""
        state = self.decide(logon=logon_of(BOB, 0))

        self.assertIsInstance(self.provider.ask(self.browser, konnect=state), ToConsent)

    def test_not_for_long(self) -> None:
        """A decision counts for a minute."""
        state = self.decide()
        self.provider.clock.advance(CONSENT_TTL)

        self.assertIsInstance(self.provider.ask(self.browser, konnect=state), ToConsent)

    def test_what_leads_nowhere(self) -> None:
        """A value that leads to no decision, or to none of ours, asks the person."""
        state = self.decide()
        for name, value in self.browser.sealed.items():
            if name != "KKT":
                broken = Browser({**self.browser.sealed, name: value[:-2] + "xx"})
                self.assertIsInstance(self.provider.ask(broken, konnect=state), ToConsent)
                logon = Browser({**self.browser.sealed, name: self.browser.sealed["KKT"]})
                self.assertIsInstance(self.provider.ask(logon, konnect=state), ToConsent)
                strange = self.provider.sealer.seal(CONSENT, {"v": 0}, self.provider.clock.now() + 9)
                self.assertIsInstance(
                    self.provider.ask(Browser({**self.browser.sealed, name: strange}), konnect=state), ToConsent
                )
        self.assertIsInstance(self.provider.ask(self.browser, konnect="nowhere"), ToConsent)

    def test_not_without_its_name(self) -> None:
        """A decision in the browser counts only for a request that leads to it."""
        self.decide()

        self.assertIsInstance(self.provider.ask(self.browser), ToConsent)

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.integers(0, 1), max_size=12))
    def test_once_among_many(self, turns: list[int]) -> None:
        """However two requests with one decision meet, one of them gets a code."""
        provider = Provider()
        waiting = evolve(provider.authorize, store=WaitingStore(memory_store(provider.clock)))
        browser = provider.browser_of(ALICE)
        logon = provider.sign_in.find(browser) or self.logon
        state, keep = provider.decisions.record(request_of(prompt="consent"), logon, allow=True)
        browser = after(browser, (keep,))
        runs = in_turns(turns, *(waiting(sent(konnect=state, prompt="consent"), browser) for _ in range(2)))

        self.assertEqual(sorted(type(run.answer).__name__ for run in runs), ["ToClient", "ToConsent"])


class ChosenTests(SynchronousTestCase):
    """What the account chooser notes."""

    def test_keeps_what_was_known(self) -> None:
        """A choice is added to what had happened before, and does not make the request younger."""
        provider = Provider()
        request = request_of(prompt="select_account")
        logon = logon_of(ALICE, provider.clock.now())
        begun = provider.pending.begin(request, logon)
        provider.clock.advance(10)
        parameters = sent(prompt="select_account", interaction=provider.pending.seal(begun))
        noted = sent(interaction=provider.decisions.chosen(request, parameters, logon))

        self.assertEqual(provider.pending.progress(request, noted), evolve(begun, account=logon.sub))
