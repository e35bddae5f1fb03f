"""Requests that stand in an object: whose objects count, and what they can do."""

from attrs import evolve
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.authorize import ToClient, ToSignIn
from konnectd.flows.browser import Browser
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.claims import LEEWAY
from konnectd.protocol.client import Client
from konnectd.protocol.errors import Doubt, OAuthError, UntrustedRequestError
from konnectd.protocol.progress import PROGRESS_TTL
from konnectd.protocol.request_object import LONGEST_REQUEST_OBJECT
from tests.support.fakes import run
from tests.support.keys import p256_key, rsa_key
from tests.support.people import ALICE
from tests.support.provider import Provider, told
from tests.support.redirects import without_query
from tests.support.request_objects import (
    CLIENT_KEY,
    CLIENT_RSA_KEY,
    OBJECT_CLIENTS,
    OBJECT_URI,
    SIGNING,
    STRICT,
    UNSIGNING,
    contents,
    hmac_signed,
    signed,
    unsigned,
)
from tests.support.requests import CALLBACK, form
from tests.support.strategies import CHANGES

OTHER = "https://notes.example.org/other"


class ObjectCase(SynchronousTestCase):
    """A provider with Alice's browser signed in to it."""

    def setUp(self) -> None:
        """Begin with clients that sign."""
        self.provider = Provider(*OBJECT_CLIENTS)
        self.alice = self.provider.browser_of(ALICE)

    def ask(self, token: str = "", client: Client = SIGNING, /, **sent: str | None) -> ToClient | ToSignIn:
        """Send an object and whatever stands beside it with Alice's browser."""
        return self.bring(self.alice, token, client, **sent)

    def bring(self, browser: Browser, token: str, client: Client, /, **sent: str | None) -> ToClient | ToSignIn:
        """Send an object and whatever stands beside it."""
        values = {"client_id": client.client_id, "request": token or None, **sent}
        answer = run(self.provider.authorize(form(**values), browser))
        if not isinstance(answer, ToClient | ToSignIn):
            raise TypeError(answer)
        return answer

    def assertPage(self, code: str, token: str = "", client: Client = SIGNING, /, **sent: str | None) -> None:
        """Fail unless the browser stays with us."""
        with self.assertRaises(UntrustedRequestError) as caught:
            self.ask(token, client, **sent)
        self.assertEqual(caught.exception.code, code)

    def assertTold(self, code: str, token: str = "", client: Client = SIGNING, /, **sent: str | None) -> None:
        """Fail unless the client is told at the address that stands beside the object."""
        answer = self.ask(token, client, **{"redirect_uri": CALLBACK, "state": "outside", **sent})
        parts = told(answer)
        self.assertEqual((parts["error"], parts["state"]), (code, "outside"))


class ValueTests(ObjectCase):
    """Objects in the request itself."""

    def test_everything_inside(self) -> None:
        """An object is a whole request."""
        parts = told(self.ask(signed(contents())))

        self.assertEqual(parts["state"], "inside")
        self.assertIn("code", parts)

    def test_inside_wins(self) -> None:
        """The answer goes where the signed address is, whatever stands beside it."""
        answer = self.ask(signed(contents(redirect_uri=OTHER)), redirect_uri=CALLBACK, state="outside")

        self.assertEqual(without_query(answer.delivery.location if isinstance(answer, ToClient) else ""), OTHER)
        self.assertEqual(told(answer)["state"], "inside")

    def test_address_inside_is_proven(self) -> None:
        """A signed address has to be registered like any other."""
        token = signed(contents(redirect_uri="https://evil.example/cb"))

        self.assertPage("invalid_request", token)
        self.assertPage("invalid_request", token, redirect_uri=CALLBACK)

    def test_bad_address_beside(self) -> None:
        """A bad address beside a good one is of no account."""
        self.assertIn("code", told(self.ask(signed(contents()), redirect_uri="https://evil.example/cb")))

    def test_every_way_to_sign(self) -> None:
        """Keys of every registered kind are good."""
        for key, alg in ((CLIENT_KEY, "ES256"), (CLIENT_RSA_KEY, "PS256"), (CLIENT_RSA_KEY, "RS256")):
            self.assertIn("code", told(self.ask(signed(contents(), key, alg))), alg)

    def test_pinned_algorithm(self) -> None:
        """A client that registered one algorithm may use no other."""
        self.provider.registry.clients["signing"] = evolve(SIGNING, request_object_signing_alg="RS256")

        self.assertIn("code", told(self.ask(signed(contents(), CLIENT_RSA_KEY, "RS256"))))
        self.assertPage("invalid_request_object", signed(contents(), CLIENT_RSA_KEY, "PS256"))
        self.assertPage("invalid_request_object", signed(contents()))

    def test_faults_are_told(self) -> None:
        """A client whose address is proven beside a bad object is told; otherwise it is a page."""
        for token in (
            signed(contents(), p256_key(8)),
            signed(contents(exp=1)),
            signed(contents(aud="https://other.example.com")),
            "x.y.z",
        ):
            self.assertTold("invalid_request_object", token, state="outside")
            self.assertPage("invalid_request_object", token)
            self.assertPage("invalid_request_object", token, redirect_uri="https://evil.example/cb")

    def test_two_sources(self) -> None:
        """A request stands in one place."""
        self.assertTold("invalid_request", signed(contents()), request_uri=OBJECT_URI)

    def test_silent_keys(self) -> None:
        """When the keys of a client can not be had, nothing is believed and nobody is blamed."""
        self.provider.registry.clients["signing"] = evolve(SIGNING, jwks=None, jwks_uri="https://notes.example.org/k")

        with self.assertRaises(BackendUnavailableError):
            self.ask(signed(contents()))

    def test_prompt_inside(self) -> None:
        """``prompt=none`` counts where it is signed: no page is shown."""
        self.provider.people.silent = True
        answer = self.ask(signed(contents(prompt="none")))

        self.assertEqual(told(answer)["error"], "temporarily_unavailable")


class ForgeryTests(ObjectCase):
    """Objects that the client has not signed."""

    def test_algorithm_confusion(self) -> None:
        """Everybody knows a public key, so as a secret it signs nothing."""
        public = CLIENT_RSA_KEY.public.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for secret in (public, public.strip(), b""):
            self.assertPage("invalid_request_object", hmac_signed(contents(), secret, CLIENT_RSA_KEY.kid))

    def test_secret(self) -> None:
        """The secret of the client signs, if it is long enough."""
        good = hmac_signed(contents(), SIGNING.secret.encode(), None)
        self.provider.registry.clients["short"] = evolve(SIGNING, client_id="short", secret="short")
        short = Client(client_id="short")

        self.assertIn("code", told(self.ask(good)))
        self.assertPage("invalid_request_object", hmac_signed(contents(short), b"short", None), short)

    def test_key_in_the_header(self) -> None:
        """A key that comes with the object proves nothing."""
        key = rsa_key(8)
        for header in ({"jwk": key.public.to_jwk()}, {"jku": OBJECT_URI}, {"kid": CLIENT_RSA_KEY.kid}):
            self.assertPage("invalid_request_object", signed(contents(), key, "RS256", **header))
        self.assertEqual(self.provider.web.asked, [])

    def test_key_of_the_provider(self) -> None:
        """What we signed is no client's request."""
        ours = run(self.provider.signer.sign(contents()))

        self.assertPage("invalid_request_object", ours)

    def test_object_of_another_client(self) -> None:
        """An object is good for the client that signed it."""
        strict = evolve(STRICT, jwks={"keys": [p256_key(9).public.to_jwk()]})
        self.provider.registry.clients["strict"] = strict

        self.assertPage("invalid_request_object", signed(contents(SIGNING)), STRICT)
        self.assertPage("invalid_request_object", signed(contents(STRICT)), STRICT)

    def test_too_long(self) -> None:
        """A long object is not even looked at."""
        token = signed(contents(state="x" * LONGEST_REQUEST_OBJECT))

        self.assertPage("invalid_request_object", token)


class UnsignedTests(ObjectCase):
    """Objects that nobody signed."""

    def test_only_where_registered(self) -> None:
        """They count for the clients whose registration says so, and for no other."""
        self.assertIn("code", told(self.ask(unsigned(contents(UNSIGNING)), UNSIGNING)))
        self.assertTold("invalid_request_object", unsigned(contents()))
        self.assertPage("invalid_request_object", unsigned(contents(redirect_uri=OTHER)))

    def test_nothing_else_then(self) -> None:
        """Such a client does not sign."""
        self.assertPage("invalid_request_object", signed(contents(UNSIGNING)), UNSIGNING)

    def test_address_is_proven(self) -> None:
        """An unsigned object leads nowhere but to registered addresses."""
        self.assertPage(
            "invalid_request", unsigned(contents(UNSIGNING, redirect_uri="https://evil.example/cb")), UNSIGNING
        )

    def test_state_and_nonce_inside(self) -> None:
        """What stands inside alone counts: the rest may be repeated outside."""
        claims = contents(UNSIGNING, redirect_uri=None, scope=None, response_type=None)
        answer = self.ask(unsigned(claims), UNSIGNING, redirect_uri=CALLBACK, scope="openid", response_type="code")

        self.assertEqual(told(answer)["state"], "inside")

    def test_strict_clients_sign(self) -> None:
        """A client that is to sign does, whatever else its registration says."""
        self.provider.registry.clients["strict"] = evolve(STRICT, request_object_signing_alg="none")

        self.assertPage("invalid_request_object", unsigned(contents(STRICT)), STRICT)


class StrictTests(ObjectCase):
    """Clients whose requests count only as far as they are signed."""

    def test_plain_request(self) -> None:
        """A request without an object is refused."""
        self.assertTold("invalid_request", "", STRICT, response_type="code", scope="openid")

    def test_beside(self) -> None:
        """What stands beside the object does not count."""
        answer = self.ask(signed(contents(STRICT, state=None)), STRICT, state="outside", prompt="login")

        self.assertNotIn("state", told(answer))
        self.assertIn("code", told(answer))


class FetchTests(ObjectCase):
    """Objects at an address of the client."""

    def test_fetched(self) -> None:
        """A registered address is asked once, without its fragment."""
        self.provider.web.pages[OBJECT_URI] = signed(contents()).encode() + b"\n"

        self.assertEqual(told(self.ask(request_uri=f"{OBJECT_URI}#registered"))["state"], "inside")
        self.assertEqual(self.provider.web.asked, [OBJECT_URI])

    def test_not_registered(self) -> None:
        """Nobody makes us ask an address that the client did not register."""
        for uri in ("https://127.0.0.1/", "https://169.254.169.254/", "file:///etc/passwd", f"{OBJECT_URI}?x=1"):
            self.assertTold("invalid_request_uri", request_uri=uri)
        self.assertEqual(self.provider.web.asked, [])

    def test_not_there(self) -> None:
        """An address that does not answer, or not with an object, is told."""
        self.assertTold("invalid_request_uri", request_uri=OBJECT_URI)
        self.provider.web.pages[OBJECT_URI] = b"\xff"
        self.assertTold("invalid_request_uri", request_uri=OBJECT_URI)
        self.provider.web.pages[OBJECT_URI] = b"<html>"
        self.assertTold("invalid_request_object", request_uri=OBJECT_URI)

    def test_asked_once(self) -> None:
        """The pages carry what was checked, so that nobody is asked again and nothing can change on the way."""
        self.provider.web.pages[OBJECT_URI] = signed(contents()).encode()
        answer = self.bring(Browser(), "", SIGNING, request_uri=OBJECT_URI)
        carried = dict(answer.request.items()) if isinstance(answer, ToSignIn) else {}
        self.provider.web.pages.clear()
        back = run(self.provider.authorize(form(**carried), self.alice))

        self.assertEqual(set(carried), {"client_id", "sealed_request"})
        self.assertEqual(told(back)["state"] if isinstance(back, ToClient) else "", "inside")
        self.assertEqual(self.provider.web.asked, [OBJECT_URI])


class PageTests(ObjectCase):
    """Requests in an object on their way through our pages."""

    def carried(self, token: str, client: Client = SIGNING, **sent: str) -> dict[str, str]:
        """Begin a request nobody is signed in for; returns what the sign-in page gets."""
        answer = self.bring(Browser(), token, client, **sent)
        if not isinstance(answer, ToSignIn):
            raise TypeError(answer)
        return {**dict(answer.request.items()), "interaction": answer.interaction}

    def assertGone(self, **sent: str) -> None:
        """Fail unless the person is told to start again."""
        for visit in (self.provider.authorize(form(**sent), self.alice), self.provider.pending.open(form(**sent))):
            with self.assertRaises(UntrustedRequestError) as caught:
                run(visit)
            self.assertEqual(caught.exception.doubt, Doubt.REFERENCE)

    def test_person_takes_longer_than_the_object(self) -> None:
        """An object that was good when the person arrived is good until they are through, however often they reload."""
        carried = self.carried(signed(contents()), prompt="login")
        self.provider.clock.advance(PROGRESS_TTL - 1)
        alice = self.provider.browser_of(ALICE, session_id="session-2")
        for _ in range(2):
            page = run(self.provider.pending.open(form(**carried)))
            self.assertEqual((page.return_address.state, page.nonce), ("inside", "nonce-inside"))

        answer = run(self.provider.authorize(form(**carried), alice))
        self.assertIn("code", told(answer))

    def test_person_takes_too_long(self) -> None:
        """After an hour they have to begin again at the client."""
        carried = self.carried(signed(contents()))
        self.provider.clock.advance(PROGRESS_TTL)

        self.assertGone(**carried)

    def test_expired(self) -> None:
        """An object that nobody began with in time is refused, on our pages too."""
        token = signed(contents())
        self.provider.clock.advance(60 + LEEWAY)

        self.assertPage("invalid_request_object", token)
        with self.assertRaises(OAuthError):
            run(self.provider.pending.open(form(client_id="signing", request=token)))

    def test_of_another_client(self) -> None:
        """What was checked for one client is good for no other."""
        carried = self.carried(signed(contents()))

        self.assertGone(**{**carried, "client_id": "strict"})
        self.assertGone(**{**carried, "client_id": "pushing", "redirect_uri": "https://evil.example/cb"})

    def sealed(self, claims: dict[str, object], end: int) -> dict[str, str]:
        """Return a request as a page sends it, of claims that were sealed for it."""
        return {"client_id": "signing", "sealed_request": self.provider.sealer.seal("request", claims, end)}

    def test_not_ours(self) -> None:
        """Nobody but us can say that something was checked, and nothing else we sealed says so."""
        sealer, end = self.provider.sealer, self.provider.clock.now() + 60
        carried = self.carried(signed(contents()))["sealed_request"]
        claims = dict(sealer.open("request", carried, end - 60) or {})
        self.assertIn("code", told(run(self.provider.authorize(form(**self.sealed(claims, end)), self.alice))))
        for sealed in (
            "x",
            sealer.seal("interaction", claims, end),
            sealer.seal("request", {**claims, "v": 2}, end),
            sealer.seal("request", claims, end - 60),
        ):
            self.assertGone(client_id="signing", sealed_request=sealed)

    def test_beside_what_was_checked(self) -> None:
        """Nothing a browser adds to what was checked counts."""
        carried = self.carried(signed(contents()))
        sent = form(**carried, redirect_uri="https://evil.example/cb", state="beside", prompt="none")
        answer = run(self.provider.authorize(sent, self.alice))

        self.assertEqual(told(answer)["state"], "inside")

    def test_two_sources(self) -> None:
        """What was checked goes with no further object."""
        carried = self.carried(signed(contents()))

        self.assertPage("invalid_request", signed(contents()), SIGNING, sealed_request=carried["sealed_request"])

    def test_registration_comes_first(self) -> None:
        """An address that is not registered any more is not used, although it was when the person arrived."""
        carried = self.carried(signed(contents()))
        self.provider.registry.clients["signing"] = evolve(SIGNING, redirect_uris=(OTHER,))

        with self.assertRaises(UntrustedRequestError):
            run(self.provider.authorize(form(**carried), self.alice))

    def test_faults_on_a_page(self) -> None:
        """A page refuses what the endpoint would have refused."""
        for sent in (
            {"request": "x", "redirect_uri": CALLBACK},
            {"request": signed(contents(), p256_key(8))},
            {"request_uri": "https://evil.example/"},
        ):
            with self.assertRaises(OAuthError):
                run(self.provider.pending.open(form(client_id="signing", **sent)))


class PropertyTests(ObjectCase):
    """What no object may do, whoever wrote it."""

    @settings(deadline=None, max_examples=150)
    @given(CHANGES, CHANGES, st.sampled_from([SIGNING, UNSIGNING, STRICT]))
    def test_no_redirect_leaves(
        self, inside: dict[str, str | None], beside: dict[str, str | None], client: Client
    ) -> None:
        """Whatever is inside and beside it, no redirect leaves the registered addresses."""
        claims = {name: value for name, value in {**contents(client), **inside}.items() if value is not None}
        token = unsigned(claims) if client is UNSIGNING else signed(claims)
        sent = {name: value for name, value in beside.items() if value}
        try:
            answer = run(
                self.provider.authorize(form(**{**sent, "client_id": client.client_id, "request": token}), self.alice)
            )
        except UntrustedRequestError:
            return
        if isinstance(answer, ToClient):
            self.assertIn(answer.delivery.location.partition("?")[0].partition("#")[0], client.redirect_uris)
