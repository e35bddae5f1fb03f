"""Tests of registration and its management."""

import json
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.dynamic_clients import DynamicClients
from konnectd.flows.register import MOST_CHANGES, Register, Registration
from konnectd.interfaces import BackendUnavailableError, Store
from konnectd.protocol.client import Client
from konnectd.protocol.errors import BearerTokenError, OAuthError
from konnectd.protocol.registration import LONGEST_CLIENT_ID, LONGEST_HEADER_CLIENT_ID
from konnectd.protocol.vocabulary import ErrorCode
from tests.support.fakes import (
    CountingEntropy,
    FixedClock,
    ReadableSealer,
    ReadableSigner,
    Registry,
    SilentStore,
    memory_store,
    run,
)
from tests.support.registrations import CB, KEYS, OFFER
from tests.support.requests import CLIENTS, ISSUER
from tests.support.web_of_clients import WebOfClients

ENDPOINT = f"{ISSUER}/konnect/v1/register"
METADATA = ErrorCode.INVALID_CLIENT_METADATA


class RegisterTestCase(SynchronousTestCase):
    """A registration endpoint on fakes."""

    def setUp(self) -> None:
        """Begin with nobody registered."""
        self.clock = FixedClock()
        self.signer = ReadableSigner()
        self.web = WebOfClients()
        self.store = memory_store(self.clock)
        self.register = self.make()

    def make(self, *, token: str = "", secret_life: int = 0, store: Store | None = None) -> Register:
        """Make an endpoint over the same keys."""
        clients = DynamicClients(
            listed=Registry(*CLIENTS),
            verifier=self.signer,
            store=store or self.store,
            sealer=ReadableSealer(),
            clock=self.clock,
            salt=bytes(32),
        )
        return Register(
            issuer=ISSUER,
            uri=ENDPOINT,
            offer=OFFER,
            clients=clients,
            signer=self.signer,
            entropy=CountingEntropy(),
            fetch=self.web,
            initial_token=token,
            secret_life=secret_life,
        )

    def create(self, **members: object) -> Registration:
        """Register a client that has one redirect URI, unless it says otherwise."""
        return run(self.register.create("", {"redirect_uris": [CB], **members}))

    def update(self, made: Registration, **members: object) -> Registration:
        """Change a client to what it says now."""
        said = {"client_id": made.client_id, "redirect_uris": [CB], **members}
        return run(self.register.update(f"Bearer {made.token}", made.client_id, said))

    def client(self, made: Registration) -> Client:
        """Return a client as the other endpoints see it."""
        client = run(self.register.clients.get(made.client_id))
        if client is None:
            self.fail("there is no such client")
        return client

    def refuse(self, code: ErrorCode, act: Callable[[], object]) -> None:
        """Check that something is refused."""
        with self.assertRaises(OAuthError) as caught:
            act()
        self.assertEqual(caught.exception.code, code)


class CreateTests(RegisterTestCase):
    """A client registers. Spec: OIDC Registration 3; RFC 7591 3."""

    def test_answer(self) -> None:
        """The client is told its id, its secret, how to manage it, and what was made of what it said."""
        made = self.create(client_name="My App", response_types=["id_token code"])
        answer = made.to_json()

        self.assertEqual(answer["client_id"], made.client_id)
        self.assertEqual(answer["client_secret"], made.secret)
        self.assertEqual((answer["client_secret_expires_at"], answer["client_id_issued_at"]), (0, self.clock.now()))
        self.assertEqual(answer["registration_client_uri"], f"{ENDPOINT}?client_id={made.client_id}")
        self.assertEqual(answer["registration_access_token"], made.token)
        self.assertEqual((answer["client_name"], answer["response_types"]), ("My App", ["code id_token"]))

    def test_client(self) -> None:
        """The client exists at once, with its secret, and nothing was kept for it."""
        made = self.create(client_name="My App")

        self.assertTrue(self.client(made).accepts_secret(made.secret))
        self.assertEqual(len(made.secret), 86)
        self.assertNotIn(made.secret, json.dumps(made.registered.to_claims()))

    def test_without_secret(self) -> None:
        """A client that needs no secret is given none, and no end of one. Spec: RFC 7591 3.2.1."""
        for members in (
            {"token_endpoint_auth_method": "none"},
            {"token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS},
        ):
            answer = self.create(**members).to_json()
            with self.subTest(members=members):
                self.assertFalse({"client_secret", "client_secret_expires_at"} & answer.keys())

    def test_secret_that_is_read(self) -> None:
        """A client that signs with its secret has one that we can read, and nobody else in its id."""
        made = self.create(token_endpoint_auth_method="client_secret_jwt")

        self.assertEqual(self.client(made).secret, made.secret)

    def test_secret_life(self) -> None:
        """Secrets end when the operator says so, and the answer tells when."""
        self.register = self.make(secret_life=100)
        made = self.create()

        self.assertEqual(made.to_json()["client_secret_expires_at"], self.clock.now() + 100)
        self.clock.advance(100)
        self.assertFalse(self.client(made).accepts_secret(made.secret))

    def test_too_much(self) -> None:
        """What does not fit into an id is refused, sooner for clients that send it in a header."""
        for size, method, good in (
            (1200, "client_secret_basic", True),
            (1990, "client_secret_basic", False),
            (1990, "client_secret_post", True),
        ):
            members = {"contacts": ["x" * size], "token_endpoint_auth_method": method}
            with self.subTest(size=size, method=method):
                if good:
                    limit = LONGEST_HEADER_CLIENT_ID if method == "client_secret_basic" else LONGEST_CLIENT_ID
                    self.assertLessEqual(len(self.create(**members).client_id), limit)
                else:
                    self.refuse(METADATA, partial(self.create, **members))

    def test_bad_metadata(self) -> None:
        """What breaks a rule is refused, and nobody is registered."""
        self.refuse(ErrorCode.INVALID_REDIRECT_URI, lambda: self.create(redirect_uris=["http://app.example/"]))

    def test_initial_token(self) -> None:
        """Where there is an initial access token, nobody registers without it. Spec: RFC 7591 3."""
        register = self.make(token="let me in")
        said = {"redirect_uris": [CB]}
        for authorization, bare in (
            ("", True),
            ("Basic bGV0IG1lIGlu", True),
            ("Bearer letmein", False),
            ("Bearer let me in", False),
        ):
            with self.subTest(authorization=authorization), self.assertRaises(BearerTokenError) as caught:
                run(register.create(authorization, said))
            self.assertEqual(caught.exception.bare, bare)

    def test_right_initial_token(self) -> None:
        """Who has it registers."""
        made = run(self.make(token="sesame").create("Bearer sesame", {"redirect_uris": [CB]}))

        self.assertTrue(made.secret)


class SectorTests(RegisterTestCase):
    """Sectors that stand in a document. Spec: OIDC Registration 5."""

    URI = "https://sector.example/uris.json"

    def test_good_document(self) -> None:
        """A document that names all redirect URIs makes the client one of its sector."""
        self.web.pages[self.URI] = json.dumps([CB, "https://other.example/cb"]).encode()
        uris = [CB, "https://other.example/cb"]
        made = self.create(redirect_uris=uris, sector_identifier_uri=self.URI, subject_type="pairwise")
        pairwise = self.client(made).pairwise

        self.assertEqual(pairwise and pairwise.sector, "sector.example")

    def test_bad_documents(self) -> None:
        """Whatever else is found there, or nothing, refuses the client."""
        for page in (
            None,
            b"",
            b"<html>",
            b"\xff",
            b"[]",
            b"{}",
            b'["https://app.example/cb/"]',
            b"[" * 100_000,
            b"null",
        ):
            self.web.pages = {} if page is None else {self.URI: page}
            for kind in ("pairwise", "public"):
                with self.subTest(page=page and page[:30], kind=kind):
                    self.refuse(METADATA, partial(self.create, sector_identifier_uri=self.URI, subject_type=kind))

    def test_changed_redirect_uris(self) -> None:
        """A client can not get other addresses into a sector later."""
        self.web.pages[self.URI] = json.dumps([CB]).encode()
        made = self.create(sector_identifier_uri=self.URI, subject_type="pairwise")
        more = {"sector_identifier_uri": self.URI, "subject_type": "pairwise"}

        self.refuse(METADATA, lambda: self.update(made, redirect_uris=["https://evil.example/"], **more))

    def test_nobody_is_asked(self) -> None:
        """Without such an address none is asked."""
        self.create(subject_type="pairwise", jwks_uri="https://app.example/keys")

        self.assertEqual(self.web.asked, [])


class ReadTests(RegisterTestCase):
    """A client looks at its registration. Spec: OIDC Registration 4; RFC 7592 2.1."""

    def test_read(self) -> None:
        """It sees what it was told, but for the secret, which nobody keeps."""
        made = self.create(initiate_login_uri="https://app.example/login")
        told = {name: value for name, value in made.to_json().items() if name != "client_secret"}
        read = run(self.register.read(f"Bearer {made.token}", made.client_id))

        self.assertEqual(read.to_json(), told)

    def test_wrong_tokens(self) -> None:
        """Without its own token nobody manages a client: all refusals look the same, whether there is one or not."""
        made, other = self.create(), self.create(client_name="Other")
        foreign = run(ReadableSigner(name="x").sign({"iss": ISSUER}))
        secret = made.secret
        calls: tuple[Callable[[str, str], Coroutine[Any, Any, object]], ...] = (
            self.register.read,
            lambda authorization, client_id: self.register.update(authorization, client_id, {"redirect_uris": [CB]}),
            self.register.delete,
        )
        for call in calls:
            for token, client_id in (
                (other.token, made.client_id),
                (made.token, other.client_id),
                (made.client_id.removeprefix("dyn."), made.client_id),
                (foreign, made.client_id),
                (secret, made.client_id),
                ("x.y.z", made.client_id),
                (made.token, "notes"),
                (made.token, "dyn.x.y.z"),
            ):
                with self.subTest(call=str(call), token=token[:20]), self.assertRaises(BearerTokenError) as caught:
                    run(call(f"Bearer {token}", client_id))
                self.assertEqual(
                    (caught.exception.code, caught.exception.description),
                    (ErrorCode.INVALID_TOKEN, "the registration access token is wrong"),
                )

    def test_no_token(self) -> None:
        """Who shows nothing is asked for a token."""
        made = self.create()

        with self.assertRaises(BearerTokenError) as caught:
            run(self.register.read("", made.client_id))
        self.assertTrue(caught.exception.bare)

    def test_silent_store(self) -> None:
        """When the store is silent nobody is told anything about a client that may be gone."""
        made = self.create()

        with self.assertRaises(BackendUnavailableError):
            run(self.make(store=SilentStore()).read(f"Bearer {made.token}", made.client_id))


class UpdateTests(RegisterTestCase):
    """A client changes its registration. Spec: RFC 7592 2.2."""

    def test_replaces_all(self) -> None:
        """What it says replaces all it said before; id, token and secret stay."""
        made = self.create(client_name="My App", client_uri="https://app.example/", default_max_age=5)
        changed = self.update(made, client_name="Your App", client_secret=made.secret)
        client = self.client(made)

        self.assertEqual((changed.client_id, changed.token, changed.secret), (made.client_id, made.token, ""))
        self.assertEqual((client.name, client.uri, client.default_max_age), ("Your App", "", None))
        self.assertTrue(client.accepts_secret(made.secret))

    def test_redirect_uris(self) -> None:
        """A redirect URI that is gone is not good any more."""
        made = self.create()
        self.update(made, redirect_uris=["https://app.example/new"])
        client = self.client(made)

        self.assertFalse(client.allows_redirect_uri(CB))
        self.assertTrue(client.allows_redirect_uri("https://app.example/new"))

    def test_other_authentication(self) -> None:
        """Who will prove itself by keys has no secret any more; who needs one again is given a new one."""
        made = self.create()
        by_keys = self.update(made, token_endpoint_auth_method="private_key_jwt", jwks=KEYS)
        self.assertEqual((by_keys.secret, self.client(made).accepts_secret(made.secret)), ("", False))

        again = self.update(made)
        self.assertTrue(again.secret and again.secret != made.secret)
        self.assertTrue(self.client(made).accepts_secret(again.secret))

    def test_secret_that_is_read(self) -> None:
        """Who will sign with its secret is given one that we can read; a change of something else leaves it."""
        made = self.create()
        changed = self.update(made, token_endpoint_auth_method="client_secret_jwt")
        same = self.update(made, token_endpoint_auth_method="client_secret_jwt", client_name="B")

        self.assertTrue(changed.secret)
        self.assertEqual((same.secret, self.client(made).secret), ("", changed.secret))

    def test_expired_secret(self) -> None:
        """A secret that has ended is replaced, and the new one lives as long as any."""
        self.register = self.make(secret_life=100)
        made = self.create()
        self.clock.advance(100)
        changed = self.update(made)

        self.assertEqual(changed.to_json()["client_secret_expires_at"], self.clock.now() + 100)
        self.assertTrue(self.client(made).accepts_secret(changed.secret))

    def test_refused(self) -> None:
        """What is about somebody else, says what only we say, or breaks a rule, changes nothing."""
        made = self.create(client_name="My App")
        for code, members in (
            (METADATA, {"client_id": "dyn.other"}),
            (METADATA, {"client_id": None}),
            (METADATA, {"client_secret": "wrong"}),
            (METADATA, {"client_secret": 7}),
            (METADATA, {"registration_access_token": made.token}),
            (METADATA, {"registration_client_uri": made.uri}),
            (METADATA, {"client_id_issued_at": 1}),
            (METADATA, {"client_secret_expires_at": 0}),
            (ErrorCode.INVALID_REDIRECT_URI, {"redirect_uris": []}),
        ):
            with self.subTest(members=members):
                self.refuse(code, partial(self.update, made, **members))
        self.assertEqual(self.client(made).name, "My App")

    def test_too_much(self) -> None:
        """What is kept of a change is limited."""
        made = self.create()
        long = [f"https://app.example/{number}{'x' * 1900}" for number in range(5)]

        self.refuse(METADATA, partial(self.update, made, request_uris=long))
        self.update(made, request_uris=long[:1])
        self.assertEqual(self.client(made).request_uris, tuple(long[:1]))

    def test_no_object(self) -> None:
        """What is no object is about nobody."""
        made = self.create()

        self.refuse(METADATA, lambda: run(self.register.update(f"Bearer {made.token}", made.client_id, [])))

    def test_silent_store(self) -> None:
        """A change that could not be kept is not said to be made."""
        made = self.create()
        self.register = self.make(store=SilentStore())

        with self.assertRaises(BackendUnavailableError):
            self.update(made)


class DeleteTests(RegisterTestCase):
    """A client takes its registration back. Spec: RFC 7592 2.3."""

    def test_gone(self) -> None:
        """It is unknown at once, and its token manages nothing any more."""
        made = self.create()
        run(self.register.delete(f"Bearer {made.token}", made.client_id))

        self.assertIsNone(run(self.register.clients.get(made.client_id)))
        self.refuse(ErrorCode.INVALID_TOKEN, lambda: self.update(made))

    def test_limit(self) -> None:
        """Where everybody may register, strangers can not fill the store: no more than so many changes a day."""
        made = self.create()
        for _ in range(MOST_CHANGES):
            run(self.store.increment("registration changes", 3600))

        self.refuse(ErrorCode.TEMPORARILY_UNAVAILABLE, lambda: self.update(made))

    def test_no_limit(self) -> None:
        """Where only some may, they are not counted."""
        self.register = self.make(token="sesame")
        made = run(self.register.create("Bearer sesame", {"redirect_uris": [CB]}))
        for _ in range(MOST_CHANGES):
            run(self.store.increment("registration changes", 3600))

        self.assertEqual(self.update(made, client_name="B").to_json()["client_name"], "B")
