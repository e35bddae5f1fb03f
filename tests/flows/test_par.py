"""Pushed authorization requests, from the push to the one answer they are good for."""

from urllib.parse import quote_plus

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import Answer, ToClient, ToSignIn
from konnectd.flows.browser import Browser
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.client import Client
from konnectd.protocol.errors import InvalidClientError, OAuthError, UntrustedRequestError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.progress import PROGRESS_TTL
from konnectd.protocol.pushed_request import (
    KEPT_TTL,
    LONGEST_PUSHED,
    MOST_UNPROVEN,
    PREFIX,
    PUSHED_TTL,
    unproven_key,
)
from tests.support.fakes import SilentStore, memory_store, run
from tests.support.keys import p256_key
from tests.support.people import ALICE
from tests.support.provider import Provider, told
from tests.support.request_objects import (
    OBJECT_CLIENTS,
    OBJECT_URI,
    PUBLIC,
    PUSHING,
    SIGNING,
    STRICT,
    contents,
    signed,
)
from tests.support.requests import CALLBACK, CHALLENGE, form
from tests.support.steps import WaitingStore, in_turns


class ParCase(SynchronousTestCase):
    """A provider with Alice's browser signed in to it."""

    def setUp(self) -> None:
        """Begin with nothing pushed."""
        self.provider = Provider(*OBJECT_CLIENTS)
        self.alice = self.provider.browser_of(ALICE)

    def push(self, client: Client = SIGNING, /, **changes: str | None) -> str:
        """Push a good request with some changes; returns its reference."""
        values: dict[str, str | None] = {
            "client_id": client.client_id,
            "client_secret": client.secret or None,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": "pushed",
            "nonce": "nonce-pushed",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return run(self.provider.push("", form(**{**values, **changes}))).request_uri

    def ask(
        self, reference: str, client: Client = SIGNING, browser: Browser | None = None, /, **more: str | None
    ) -> Answer:
        """Bring a reference to the authorization endpoint with Alice's browser, or another."""
        sent = form(client_id=client.client_id, request_uri=reference, **more)
        return run(self.provider.authorize(sent, browser or self.alice))

    def assertUnknown(
        self, reference: str, client: Client = SIGNING, browser: Browser | None = None, /, **more: str
    ) -> None:
        """Fail unless a reference leads nowhere."""
        with self.assertRaises(UntrustedRequestError) as caught:
            self.ask(reference, client, browser, **more)
        self.assertEqual(caught.exception.code, "invalid_request_uri")

    def assertRefused(self, code: str, client: Client = SIGNING, /, **changes: str | None) -> None:
        """Fail unless a push is refused with nothing kept."""
        with self.assertRaises(OAuthError) as caught:
            self.push(client, **changes)
        self.assertEqual(caught.exception.code, code)


class PushTests(ParCase):
    """What can be pushed."""

    def test_reference(self) -> None:
        """A client gets a reference nobody can guess, for a minute and a half, and another one each time."""
        sent = form(client_id="public", response_type="code", redirect_uri=CALLBACK, scope="openid")
        with_challenge = form(**dict(sent.items()), code_challenge=CHALLENGE, code_challenge_method="S256")
        first, second = (run(self.provider.push("", with_challenge)) for _ in range(2))

        self.assertTrue(first.request_uri.startswith(PREFIX))
        self.assertGreaterEqual(len(first.request_uri), len(PREFIX) + 43)
        self.assertNotEqual(first.request_uri, second.request_uri)
        self.assertEqual(first.to_json(), {"request_uri": first.request_uri, "expires_in": PUSHED_TTL})

    def test_client_proves_itself(self) -> None:
        """Nobody pushes in the name of a client."""
        for changes in ({"client_secret": "wrong"}, {"client_secret": None}, {"client_id": "nobody"}):
            with self.assertRaises(InvalidClientError):
                self.push(SIGNING, **changes)

    def test_checked_at_once(self) -> None:
        """What the authorization endpoint would refuse is refused when it is pushed."""
        for code, changes in (
            ("invalid_request", {"redirect_uri": "https://evil.example/cb"}),
            ("invalid_request", {"redirect_uri": None}),
            ("unsupported_response_type", {"response_type": "nonsense"}),
            ("invalid_scope", {"scope": "email"}),
            ("invalid_request", {"code_challenge_method": "plain"}),
            ("invalid_request", {"request_uri": "urn:ietf:params:oauth:request_uri:x"}),
            ("invalid_request", {"request_uri": OBJECT_URI}),
            ("invalid_request", {"prompt": "none login"}),
            ("invalid_request", {"acr_values": "x" * LONGEST_PUSHED}),
        ):
            self.assertRefused(code, SIGNING, **changes)

    def test_proof_key_of_public_clients(self) -> None:
        """A public client has to use PKCE here as well."""
        self.assertRefused("invalid_request", PUBLIC, code_challenge=None, code_challenge_method=None)

    def test_object(self) -> None:
        """A signed object can be pushed; then nothing counts that stands beside it."""
        reference = self.push(SIGNING, request=signed(contents(state=None)), state="beside")
        answer = told(self.ask(reference))

        self.assertIn("code", answer)
        self.assertNotIn("state", answer)

    def test_bad_object(self) -> None:
        """An object that is not the client's is refused when it is pushed."""
        self.assertRefused("invalid_request_object", SIGNING, request=signed(contents(), p256_key(8)))
        self.assertRefused("invalid_request_object", SIGNING, request=signed(contents(PUSHING)))
        self.assertRefused("invalid_request_object", SIGNING, request=signed(contents(exp=1)))

    def test_strict_client(self) -> None:
        """A client whose requests are to be signed signs what it pushes."""
        self.assertRefused("invalid_request", STRICT)
        reference = self.push(STRICT, request=signed(contents(STRICT)))
        self.assertEqual(told(self.ask(reference, STRICT))["state"], "inside")

    def test_full(self) -> None:
        """Who can not prove who they are fills no store: beyond a number only clients of the house are served."""
        own = evolve(SIGNING, client_id="dyn.own", dynamic=True)
        others = evolve(own, client_id="dyn.others")
        self.provider = Provider(*OBJECT_CLIENTS, own, others)
        for client in (PUBLIC, own):
            run(self.provider.store.put(unproven_key(client), str(MOST_UNPROVEN - 1), KEPT_TTL))
            self.push(client)

        for client in (PUBLIC, own, others):
            with self.assertRaises(OAuthError) as caught:
                self.push(client)
            self.assertEqual(caught.exception.code, "temporarily_unavailable")
        self.push(SIGNING)
        self.provider.clock.advance(KEPT_TTL)
        self.push(PUBLIC)

    def test_silent_store(self) -> None:
        """A store that does not answer is not the client's fault, and nothing is promised."""
        self.provider = Provider(*OBJECT_CLIENTS, store=SilentStore())

        with self.assertRaises(BackendUnavailableError):
            self.push()


class AnswerTests(ParCase):
    """What a reference is good for."""

    def test_answer(self) -> None:
        """The browser is answered as if it had brought the whole request, and the code is good."""
        answer = told(self.ask(self.push()))
        tokens = self.provider.redeem(answer["code"], SIGNING)

        self.assertEqual(answer["state"], "pushed")
        self.assertTrue(tokens.id_token)

    def test_nothing_beside(self) -> None:
        """What a browser brings beside the reference does not count."""
        answer = self.ask(
            self.push(), redirect_uri="https://evil.example/cb", state="beside", prompt="login", scope="openid email"
        )

        self.assertEqual(told(answer)["state"], "pushed")

    def test_once(self) -> None:
        """A reference is good for one answer."""
        reference = self.push()
        self.ask(reference)

        self.assertUnknown(reference)

    def test_errors_count(self) -> None:
        """An error is an answer too."""
        reference = self.push(prompt="none")

        self.assertEqual(told(self.ask(reference, SIGNING, Browser()))["error"], "login_required")
        self.assertUnknown(reference)

    def test_two_at_once(self) -> None:
        """Of two browsers that bring one reference at the same moment one gets a code, whatever the order."""
        store = WaitingStore(memory_store(self.provider.clock))
        for turns in ([0, 1] * 8, [0] * 8, [1, 0, 0, 1, 1, 0]):
            self.provider = Provider(*OBJECT_CLIENTS, store=store)
            reference = in_turns([0], self.provider.push("", self.good_push()))[0].answer
            sent = form(client_id="signing", request_uri=reference.request_uri if reference else "")
            runs = in_turns(turns, *(self.provider.authorize(sent, self.alice) for _ in range(2)))
            answers = [run.answer for run in runs if isinstance(run.answer, ToClient)]
            codes = [told(answer).get("code") for answer in answers]

            self.assertEqual(len([code for code in codes if code]), 1, turns)

    def good_push(self) -> Parameters:
        """Return the form of a good push."""
        return form(
            client_id="signing",
            client_secret=SIGNING.secret,
            response_type="code",
            redirect_uri=CALLBACK,
            scope="openid",
        )

    def test_another_client(self) -> None:
        """A reference is good for the client that got it, and stays so when another one tries."""
        reference = self.push()

        self.assertUnknown(reference, PUSHING)
        self.assertIn("code", told(self.ask(reference)))

    def test_unknown(self) -> None:
        """References that nobody got lead nowhere."""
        for reference in (PREFIX, f"{PREFIX}x", f"{PREFIX}{quote_plus(OBJECT_URI)}"):
            self.assertUnknown(reference)

    def test_unknown_is_told(self) -> None:
        """A client that sends its address along is told that the reference is no good any more."""
        answer = self.ask(f"{PREFIX}x", redirect_uri=CALLBACK, state="beside")

        self.assertEqual((told(answer)["error"], told(answer)["state"]), ("invalid_request_uri", "beside"))

    def test_expired(self) -> None:
        """A reference that no browser brought in time is worth nothing."""
        reference, late = self.push(), self.push()
        self.provider.clock.advance(PUSHED_TTL - 1)
        self.assertIn("code", told(self.ask(reference)))
        self.provider.clock.advance(1)

        self.assertUnknown(late)

    def test_registration_comes_first(self) -> None:
        """An address that is not registered any more is not used, although it was when the request was pushed."""
        reference = self.push()
        self.provider.registry.clients["signing"] = evolve(SIGNING, redirect_uris=("https://notes.example.org/new",))

        with self.assertRaises(UntrustedRequestError):
            self.ask(reference)


class PageTests(ParCase):
    """Pushed requests on their way through our pages."""

    def begin(self, reference: str) -> str:
        """Bring a reference with a browser nobody is signed in to; returns the sealed progress."""
        answer = self.ask(reference, SIGNING, Browser())
        if not isinstance(answer, ToSignIn):
            raise TypeError(answer)
        self.assertEqual(dict(answer.request.items()), {"client_id": "signing", "request_uri": reference})
        return answer.interaction

    def test_reload(self) -> None:
        """A page can be reloaded, and the endpoint too, as long as there was no answer."""
        reference = self.push()
        interaction = self.begin(reference)
        self.begin(reference)
        for _ in range(2):
            page = run(
                self.provider.pending.open(form(client_id="signing", request_uri=reference, interaction=interaction))
            )
            self.assertEqual(page.return_address.state, "pushed")

        self.assertIn("code", told(self.ask(reference)))

    def test_person_takes_their_time(self) -> None:
        """A person may be on our pages longer than a reference lives, but not for ever."""
        reference = self.push()
        interaction = self.begin(reference)
        self.provider.clock.advance(PROGRESS_TTL - 1)
        self.assertUnknown(reference)
        alice = self.provider.browser_of(ALICE)
        self.assertIn("code", told(self.ask(reference, SIGNING, alice, interaction=interaction)))

    def test_person_takes_too_long(self) -> None:
        """After an hour they have to begin again at the client."""
        reference = self.push()
        interaction = self.begin(reference)
        self.provider.clock.advance(PROGRESS_TTL)

        self.assertUnknown(reference, interaction=interaction)
        self.provider.clock.advance(KEPT_TTL)
        self.assertUnknown(reference, interaction=interaction)

    def test_progress_of_another(self) -> None:
        """The progress of one request prolongs no other."""
        reference, other = self.push(), self.push(state="another")
        interaction = self.begin(other)
        self.provider.clock.advance(PUSHED_TTL)

        self.assertUnknown(reference, interaction=interaction)

    def test_used_on_a_page(self) -> None:
        """A page for a request that was answered says so, instead of answering again."""
        reference = self.push()
        interaction = self.begin(reference)
        self.ask(reference)

        with self.assertRaises(UntrustedRequestError):
            run(self.provider.pending.open(form(client_id="signing", request_uri=reference, interaction=interaction)))


class RequiredTests(ParCase):
    """Where requests have to be pushed."""

    def plain(self, client: Client, **more: str) -> dict[str, str]:
        """Bring a request that nobody pushed."""
        plain = {"redirect_uri": CALLBACK, "response_type": "code", "scope": "openid", "state": "plain"}
        sent = form(client_id=client.client_id, **plain, **more)
        return told(run(self.provider.authorize(sent, self.alice)))

    def test_by_a_client(self) -> None:
        """A client that registered so can not be asked in any other way, not even by its own signature."""
        self.assertEqual(self.plain(PUSHING)["error"], "invalid_request")
        self.assertEqual(self.plain(PUSHING, request=signed(contents(PUSHING)))["error"], "invalid_request")
        self.assertIn("code", told(self.ask(self.push(PUSHING), PUSHING)))

    def test_by_the_operator(self) -> None:
        """An operator can ask it of every client."""
        self.assertIn("code", self.plain(SIGNING))
        self.provider = Provider(*OBJECT_CLIENTS, require_pushed=True)

        self.assertEqual(self.plain(SIGNING)["error"], "invalid_request")
        self.assertIn("code", told(self.ask(self.push())))
