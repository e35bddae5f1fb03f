"""A request that a front end brings back with another prompt: it is still the request that the client sent."""

from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import Answer, ToChooser, ToClient, ToConsent, ToSignIn
from konnectd.flows.browser import Browser
from konnectd.protocol.interaction import Consent, consent_binding
from konnectd.protocol.progress import PROGRESS_TTL, Progress
from konnectd.protocol.scope import Scope
from tests.support.fakes import run
from tests.support.people import ALICE
from tests.support.provider import Provider, after, told
from tests.support.request_objects import SIGNING, contents, signed
from tests.support.requests import CALLBACK, MAIL, NOTES, form, request_of


class BroughtBackTests(SynchronousTestCase):
    """What counts of it."""

    def setUp(self) -> None:
        """Sign Alice in some time ago."""
        self.provider = Provider(MAIL, NOTES, SIGNING)
        self.browser = self.provider.browser_of(ALICE, ago=100)

    def begin(self, **changes: str | None) -> str:
        """Send a request, and return what travels with it to a page."""
        answer = self.provider.ask(self.browser, **{"client_id": "mail", **changes})
        if not isinstance(answer, ToSignIn | ToChooser | ToConsent):
            raise TypeError(f"no page is due by {answer}")
        return answer.interaction

    def back(self, interaction: str, **changes: str | None) -> Answer:
        """Bring a request back as a front end does."""
        values = {"client_id": "mail", "prompt": "none", "interaction": interaction}
        return self.provider.ask(self.browser, **{**values, **changes})

    def sign_in(self) -> None:
        """Sign Alice in anew."""
        _, keep = self.provider.sign_in.begin(ALICE)
        self.browser = after(self.browser, (keep,))

    def error(self, answer: Answer) -> str:
        """Return the error that the client is told; empty for none."""
        self.assertIsInstance(answer, ToClient)
        return told(answer).get("error", "")

    def test_fresh(self) -> None:
        """A new sign-in does for a client that wants one, however it says so."""
        for changes in ({"prompt": "login"}, {"max_age": "0"}):
            interaction = self.begin(**changes)
            self.sign_in()
            answer = self.back(interaction, **{**changes, "prompt": "none"})

            self.assertEqual(self.error(answer), "", changes)

    def test_consent_is_still_due(self) -> None:
        """No front end can say that a person has agreed, to whomever has to ask."""
        for changes in ({"client_id": "notes"}, {"client_id": "mail", "prompt": "consent login"}):
            interaction = self.begin(**changes)
            self.sign_in()

            self.assertIsInstance(self.back(interaction, **{**changes, "prompt": "none"}), ToConsent, changes)

    def test_not_fresh(self) -> None:
        """Whoever brings back the same sign-in gets no code by it, and is not sent in circles."""
        self.assertEqual(self.error(self.back(self.begin(prompt="login"))), "login_required")

    def test_choice(self) -> None:
        """A front end has let the person choose."""
        self.assertEqual(self.error(self.back(self.begin(prompt="select_account"))), "")

    def test_nobody(self) -> None:
        """Whose sign-in is gone meanwhile signs in again."""
        interaction = self.begin(prompt="login")
        self.browser = Browser()

        self.assertIsInstance(self.back(interaction), ToSignIn)

    def test_another_request(self) -> None:
        """What belongs to another request, has run out, or was made up changes nothing: no page, as the words say."""
        interaction = self.begin(client_id="notes")
        errors = [
            self.error(self.back(interaction, client_id="notes", nonce="other")),
            self.error(self.back("made up", client_id="notes")),
            self.error(self.back(interaction[:-1], client_id="notes")),
        ]
        self.provider.clock.advance(PROGRESS_TTL)
        self.browser = self.provider.browser_of(ALICE)
        errors.append(self.error(self.back(interaction, client_id="notes")))

        self.assertEqual(errors, ["consent_required"] * 4)

    def test_a_silent_request_stays_silent(self) -> None:
        """A client that wants no page gets none, whatever progress it comes with."""
        for prompt in ("none", "none login", ""):
            print_ = request_of(NOTES, prompt="none").fingerprint
            progress = Progress(fingerprint=print_, started_at=self.provider.clock.now(), prompt=prompt)
            answer = self.back(self.provider.pending.seal(progress), client_id="notes")

            self.assertEqual(self.error(answer), "consent_required", prompt)

    def test_reference(self) -> None:
        """A request that came by reference says itself what it wants."""
        token = signed(contents(prompt="select_account"))
        answer = self.provider.ask(self.browser, client_id="signing", request=token)
        if not isinstance(answer, ToChooser):
            raise TypeError(str(answer))
        sent = {**dict(answer.request.items()), "prompt": "none", "interaction": answer.interaction}
        again = run(self.provider.authorize(form(**sent), self.browser))

        self.assertEqual(self.error(again), "")

    def test_value(self) -> None:
        """What travels can be read again, also when an older version has written it."""
        progress = Progress(fingerprint="f", started_at=1, session_id="s", account="a", prompt="login")
        older = {name: value for name, value in progress.to_json().items() if name != "p"}

        self.assertEqual(Progress.from_json(progress.to_json()), progress)
        self.assertEqual(
            Progress.from_json(older), Progress(fingerprint="f", started_at=1, session_id="s", account="a")
        )


class BindingTests(SynchronousTestCase):
    """An answer that was given to a front end."""

    def bound(self, *values: str) -> bool:
        """Tell whether an answer about some request is one to the request of Notes."""
        binding = consent_binding(*values)
        answer = Consent(consent_id="c", sub="s", fingerprint=binding, allow=True, scope=Scope())
        request = request_of(NOTES)
        return answer.bound_to(request).fingerprint == request.fingerprint

    def test_its_request(self) -> None:
        """It is bound to the request it was about."""
        self.assertTrue(self.bound("notes", CALLBACK, "state-1", "nonce-1"))

    def test_another_one(self) -> None:
        """It stays what it is for any other one, also when the values only run together to the same text."""
        for values in (
            ("mail", CALLBACK, "state-1", "nonce-1"),
            ("notes", f"{CALLBACK}x", "state-1", "nonce-1"),
            ("notes", CALLBACK, "state-", "1nonce-1"),
            ("notes", CALLBACK, "state-1", ""),
        ):
            self.assertFalse(self.bound(*values), values)
