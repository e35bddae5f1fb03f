"""Clients that sign who they are, over HTTP: what the certification of OpenID Providers and attackers try."""

from typing import ClassVar
from urllib.parse import urlencode

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.jose.client_keys import PAUSE
from konnectd.jose.keys import PrivateKey
from konnectd.protocol.client import Client
from konnectd.protocol.device import GRANT_TYPE
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import Daemon
from tests.support.assertions import ASSERTION_TYPE, KEYED, PUBLISHING, SECRETIVE, by_secret, keyed
from tests.support.connection import Heard
from tests.support.fakes import FixedClock, SilentStore, memory_store
from tests.support.keys import p256_key, p384_key
from tests.support.requests import CALLBACK, CHALLENGE, VERIFIER

CLIENTS = (KEYED, SECRETIVE, PUBLISHING)


def redeem(daemon: Daemon, client: Client, assertion: str, **more: str) -> Heard:
    """Redeem a new code with a proof."""
    application = Application(daemon, client)
    return application.ask_token(
        grant_type="authorization_code",
        code=application.code(),
        redirect_uri=CALLBACK,
        code_verifier=VERIFIER,
        client_assertion_type=ASSERTION_TYPE,
        client_assertion=assertion,
        **more,
    )


class AssertionTests(SynchronousTestCase):
    """The token endpoint."""

    def setUp(self) -> None:
        """Begin with a daemon nobody has used."""
        self.daemon = Daemon(clients=CLIENTS)

    def publish(self, *keys: PrivateKey) -> None:
        """Let a client publish keys."""
        self.daemon.web.publish(PUBLISHING.jwks_uri, {"keys": [key.public.to_jwk() for key in keys]})

    def test_tokens(self) -> None:
        """A proof by secret, by registered key and by published key gets tokens; the client may name itself as well."""
        self.publish(p256_key())
        token_endpoint = self.daemon.settings.origin + self.daemon.settings.paths.token
        for client, assertion in (
            (KEYED, keyed()),
            (SECRETIVE, by_secret()),
            (PUBLISHING, keyed(PUBLISHING, aud=[token_endpoint])),
        ):
            answer = redeem(self.daemon, client, assertion, client_id=client.client_id)

            self.assertEqual(answer.status, 200, answer.body)
            self.assertIn("id_token", json_of(answer))

    def test_row_12_replay_at_another_replica(self) -> None:
        """A proof that one daemon has seen is refused by another at the same store. Security history, row 12."""
        store = memory_store(FixedClock())
        first, second = (Daemon(clients=CLIENTS, store=store) for _ in range(2))
        for client, assertion in ((KEYED, keyed()), (SECRETIVE, by_secret())):
            self.assertEqual(redeem(first, client, assertion).status, 200)

            self.assertEqual(error_of(redeem(second, client, assertion)), (401, "invalid_client"))
            self.assertEqual(error_of(redeem(first, client, assertion)), (401, "invalid_client"))

    def test_row_12_audience(self) -> None:
        """A proof for another endpoint or another provider is refused. Security history, row 12."""
        origin, paths = self.daemon.settings.origin, self.daemon.settings.paths
        for aud in (origin + paths.userinfo, f"{origin}/", "https://evil.example", [], ["https://evil.example"]):
            answer = redeem(self.daemon, KEYED, keyed(aud=aud))

            self.assertEqual(error_of(answer), (401, "invalid_client"), aud)

    def test_store_is_silent(self) -> None:
        """Where nobody can say whether it is new, the client is told to come again."""
        daemon = Daemon(clients=CLIENTS, store=SilentStore())
        application = Application(daemon, KEYED)
        answer = application.ask_token(
            grant_type="authorization_code", client_assertion_type=ASSERTION_TYPE, client_assertion=keyed()
        )

        self.assertEqual(error_of(answer), (503, "temporarily_unavailable"))

    def test_keys_change(self) -> None:
        """After a client has changed its keys, a proof by the new one is good at once: they are fetched again."""
        self.publish(p256_key())
        self.assertEqual(redeem(self.daemon, PUBLISHING, keyed(PUBLISHING)).status, 200)
        self.publish(p384_key())
        self.daemon.clock.advance(PAUSE)
        new = keyed(PUBLISHING, p384_key(), jti="2")
        old = keyed(PUBLISHING, jti="3")

        self.assertEqual(redeem(self.daemon, PUBLISHING, new).status, 200)
        self.assertEqual(error_of(redeem(self.daemon, PUBLISHING, old)), (401, "invalid_client"))

    def test_keys_are_silent(self) -> None:
        """A client whose keys do not answer is told to come again, and nobody else is kept waiting."""
        answer = redeem(self.daemon, PUBLISHING, keyed(PUBLISHING))

        self.assertEqual(error_of(answer), (503, "temporarily_unavailable"))
        self.assertEqual(redeem(self.daemon, KEYED, keyed()).status, 200)

    def test_challenge(self) -> None:
        """A refusal is 401, with a challenge, and no cache keeps it."""
        answer = redeem(self.daemon, KEYED, keyed(KEYED, p256_key(2)))

        self.assertEqual(error_of(answer), (401, "invalid_client"))
        self.assertTrue(answer.header("WWW-Authenticate").startswith("Basic"))
        self.assertEqual(answer.header("Cache-Control"), "no-store")

    def test_two_proofs(self) -> None:
        """A secret beside a proof is one too many."""
        client = evolve(KEYED, secret="and a secret")
        daemon = Daemon(clients=(client,))
        answer = redeem(daemon, client, keyed(client), client_secret="and a secret")

        self.assertEqual(error_of(answer), (401, "invalid_client"))

    def test_code_is_not_spent(self) -> None:
        """Who can not prove anything can not spend somebody's code either."""
        application = Application(self.daemon, KEYED)
        code = application.code()
        values = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            "client_assertion_type": ASSERTION_TYPE,
        }
        path = self.daemon.settings.paths.token
        refused = self.daemon.post(path, urlencode({**values, "client_assertion": keyed(KEYED, p256_key(2))}))
        good = self.daemon.post(path, urlencode({**values, "client_assertion": keyed()}))

        self.assertEqual((refused.status, good.status), (401, 200))

    def test_metadata(self) -> None:
        """The metadata names every method, and the algorithms of those that sign."""
        found = json_of(self.daemon.get(self.daemon.settings.paths.discovery))

        self.assertEqual(
            found["token_endpoint_auth_methods_supported"],
            ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"],
        )
        algorithms = found["token_endpoint_auth_signing_alg_values_supported"]
        self.assertTrue({"RS256", "PS256", "ES256", "EdDSA", "HS256"} <= set(algorithms))
        self.assertNotIn("none", algorithms)


class EndpointTests(SynchronousTestCase):
    """Every endpoint where clients prove who they are."""

    #: A good request to each but for the proof, by the name of its path.
    requests: ClassVar = {
        "token": {"grant_type": "client_credentials"},
        "par": {
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        },
        "revoke": {"token": "any"},
        "introspect": {"token": "any"},
        "device_authorization": {"scope": "openid"},
    }
    clients: ClassVar = tuple(
        evolve(client, grant_types=("authorization_code", "client_credentials", GRANT_TYPE))
        for client in (KEYED, SECRETIVE)
    )

    def setUp(self) -> None:
        """Begin with a daemon nobody has used."""
        self.store = memory_store(FixedClock())
        self.daemon = Daemon(clients=self.clients, store=self.store)
        self.used = 0

    def address(self, name: str) -> str:
        """Return the address of an endpoint."""
        return self.daemon.settings.origin + getattr(self.daemon.settings.paths, name)

    def ask(self, name: str, assertion: str, daemon: Daemon | None = None) -> Heard:
        """Send a good request to an endpoint, with a proof."""
        values = {**self.requests[name], "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        asked = daemon or self.daemon
        return asked.post(getattr(asked.settings.paths, name), urlencode(values))

    def new(self, client: Client, aud: object) -> str:
        """Return a proof nobody has seen."""
        self.used += 1
        sign = by_secret if client.secret else keyed
        return sign(client, aud=aud, jti=f"new-{self.used}")

    def test_issuer_and_token_endpoint(self) -> None:
        """A proof for the issuer or the token endpoint is good at each."""
        for name in self.requests:
            for client in self.clients:
                for aud in (self.daemon.settings.iss, self.address("token"), [self.address("token")]):
                    answer = self.ask(name, self.new(client, aud))

                    self.assertIn(answer.status, {200, 201}, (name, aud, answer.body))

    def test_its_own_address(self) -> None:
        """A proof for the endpoint that it is sent to is good there. Spec: RFC 9126 2."""
        for name in self.requests:
            for client in self.clients:
                answer = self.ask(name, self.new(client, self.address(name)))

                self.assertIn(answer.status, {200, 201}, (name, answer.body))

    def test_row_12_address_of_another(self) -> None:
        """A proof for one endpoint is refused at every other; so is one for an address where nobody proves anything."""
        for name in self.requests:
            others = {*self.requests, "authorize", "userinfo", "jwks"} - {"token", name}
            for other in sorted(others):
                answer = self.ask(name, self.new(KEYED, self.address(other)))

                self.assertEqual(error_of(answer), (401, "invalid_client"), (name, other))

    def test_row_12_replay_at_another_endpoint(self) -> None:
        """A proof is good once, whichever endpoint of whichever daemon it was shown to first."""
        replica = Daemon(clients=self.clients, store=self.store)
        for name in self.requests:
            for aud in (self.daemon.settings.iss, self.address("token"), [self.address(key) for key in self.requests]):
                proof = self.new(KEYED, aud)
                self.assertIn(self.ask(name, proof).status, {200, 201}, name)

                for other in self.requests:
                    self.assertEqual(error_of(self.ask(other, proof)), (401, "invalid_client"), other)
                    self.assertEqual(error_of(self.ask(other, proof, replica)), (401, "invalid_client"), other)
