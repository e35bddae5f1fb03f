"""Proofs that a client signed, with its secret or its key: the order of checks, and that each works once."""

from typing import ClassVar

from attrs import evolve, field, frozen
from twisted.trial.unittest import SynchronousTestCase

from konnectd.authentication import client_secret_jwt, private_key_jwt
from konnectd.interfaces import AuthenticationMethod, AuthenticationTools, BackendUnavailableError, Store
from konnectd.jose.client_keys import RegisteredKeys
from konnectd.protocol.client import Client
from konnectd.protocol.client_assertion import LEEWAY, LONGEST_LIFE
from konnectd.protocol.client_authentication import Credentials
from konnectd.protocol.errors import InvalidClientError
from konnectd.protocol.vocabulary import AuthMethod
from tests.support.assertions import (
    ASSERTION_TYPE,
    KEYED,
    PUBLISHING,
    SECRETIVE,
    by_secret,
    claims_for,
    keyed,
    mac,
)
from tests.support.fakes import NOON, FixedClock, SilentStore, memory_store, run
from tests.support.forgery import forge
from tests.support.keys import p256_key
from tests.support.requests import ISSUER, form
from tests.support.web_of_clients import WebOfClients


@frozen
class Bench:
    """Both methods, over one store and one clock."""

    clock: FixedClock = field(factory=FixedClock)
    web: WebOfClients = field(factory=WebOfClients)
    store: Store = field()

    @store.default
    def _store(self) -> Store:
        """Keep what must not happen twice."""
        return memory_store(self.clock)

    def method(self, kind: AuthMethod) -> AuthenticationMethod:
        """Return a method as a process of its own makes it."""
        tools = AuthenticationTools(
            audiences=frozenset({ISSUER, f"{ISSUER}/token"}),
            keys=RegisteredKeys(self.web, self.clock),
            store=self.store,
            clock=self.clock,
        )
        built = {AuthMethod.SECRET_JWT: client_secret_jwt.build, AuthMethod.PRIVATE_KEY_JWT: private_key_jwt.build}
        return built[kind](tools)

    def check(self, client: Client, assertion: str) -> None:
        """Check a proof of a client, in a process that has seen none before."""
        if client.auth_method is None:
            raise AssertionError("the client needs a method")
        credentials = Credentials(client_id=client.client_id, assertion=assertion, method=client.auth_method)
        run(self.method(client.auth_method).check(client, credentials))


class BothKindsTests(SynchronousTestCase):
    """What is so for secrets and for keys."""

    #: A client of each kind, and what makes its proofs.
    kinds: ClassVar = ((KEYED, keyed), (SECRETIVE, by_secret))

    def test_found(self) -> None:
        """Each finds the proofs of its kind, whatever stands in the header."""
        for client, signed in self.kinds:
            parameters = form(client_assertion_type=ASSERTION_TYPE, client_assertion=signed(client))
            found = Bench().method(client.auth_method).find("", parameters)

            self.assertEqual(found and (found.client_id, found.method), (client.client_id, client.auth_method))

    def test_good(self) -> None:
        """A proof that is signed, for us, and new is good."""
        for client, signed in self.kinds:
            Bench().check(client, signed(client))

    def test_row_12_works_once(self) -> None:
        """A proof is good once: also when it is shown to another process at the same store, until it has ended."""
        for client, signed in self.kinds:
            bench = Bench()
            assertion = signed(client, exp=NOON + LONGEST_LIFE)
            bench.check(client, assertion)
            for later in (0, 1, LONGEST_LIFE, LEEWAY - 2):
                bench.clock.advance(later)

                self.assertRaises(InvalidClientError, bench.check, client, assertion)

    def test_row_12_same_jti_in_another_proof(self) -> None:
        """It is the id that is good once, whatever else differs."""
        for client, signed in self.kinds:
            bench = Bench()
            bench.check(client, signed(client))

            self.assertRaises(InvalidClientError, bench.check, client, signed(client, exp=NOON + 61))
            bench.check(client, signed(client, jti="jti-2"))

    def test_row_12_nobody_else_spends_it(self) -> None:
        """A proof that was refused does not count, nor does one of another client with the same id."""
        for client, signed in self.kinds:
            bench = Bench()
            other = evolve(client, client_id="other")
            bench.check(other, signed(other))
            self.assertRaises(InvalidClientError, bench.check, client, signed(client)[:-4] + "AAAA")
            self.assertRaises(InvalidClientError, bench.check, client, signed(client, aud="https://other.example"))

            bench.check(client, signed(client))

    def test_row_12_audience(self) -> None:
        """It is for the issuer or the token endpoint, and for nothing that only begins like them."""
        for client, signed in self.kinds:
            bench = Bench()
            bench.check(client, signed(client, aud=f"{ISSUER}/token"))
            for aud in (f"{ISSUER}/", f"{ISSUER}/token/", f"{ISSUER}/authorize", "https://other.example", [], None):
                self.assertRaises(InvalidClientError, bench.check, client, signed(client, jti="new", aud=aud))

    def test_silent_store(self) -> None:
        """Where it can not be known whether it is new, it is not accepted."""
        for client, signed in self.kinds:
            bench = Bench(store=SilentStore())

            self.assertRaises(BackendUnavailableError, bench.check, client, signed(client))

    def test_registered_algorithm(self) -> None:
        """A client that registered one algorithm is held to it."""
        for client, signed, algorithm in ((KEYED, keyed, "ES256"), (SECRETIVE, by_secret, "HS256")):
            strict = evolve(client, token_endpoint_auth_signing_alg=algorithm)
            other = evolve(client, token_endpoint_auth_signing_alg={"ES256": "PS256", "HS256": "HS384"}[algorithm])

            Bench().check(strict, signed(strict))
            self.assertRaises(InvalidClientError, Bench().check, other, signed(other))


class KindsApartTests(SynchronousTestCase):
    """Neither kind is good as the other."""

    def test_secret_where_a_key_is_due(self) -> None:
        """A client that signs with a key is not believed by a secret, even when it has one."""
        client = evolve(KEYED, secret=SECRETIVE.secret)

        self.assertRaises(InvalidClientError, Bench().check, client, by_secret(client))

    def test_key_where_a_secret_is_due(self) -> None:
        """A client that signs with its secret is not believed by a key, even when it has registered one."""
        client = evolve(SECRETIVE, jwks=KEYED.jwks)

        self.assertRaises(InvalidClientError, Bench().check, client, keyed(client))

    def test_unsigned(self) -> None:
        """No signature is none, whatever the registration says."""
        for registered in (KEYED, SECRETIVE):
            client = evolve(registered, token_endpoint_auth_signing_alg="none")
            for token in (
                mac("", {"alg": "none"}, claims_for(client)),
                forge(p256_key(), {"alg": "none", "kid": p256_key().kid}),
                mac("", {"alg": "none"}, claims_for(client)).rpartition(".")[0] + ".",
            ):
                self.assertRaises(InvalidClientError, Bench().check, client, token)


class PublishedKeysTests(SynchronousTestCase):
    """Keys at a ``jwks_uri``."""

    def test_fetched(self) -> None:
        """The key is looked up where the client publishes it."""
        bench = Bench()
        bench.web.publish(PUBLISHING.jwks_uri, {"keys": [p256_key().public.to_jwk()]})

        bench.check(PUBLISHING, keyed(PUBLISHING))
        self.assertEqual(bench.web.asked, [PUBLISHING.jwks_uri])

    def test_silent(self) -> None:
        """Keys that can not be fetched are no reason to call the client a liar; it may try again."""
        self.assertRaises(BackendUnavailableError, Bench().check, PUBLISHING, keyed(PUBLISHING))
