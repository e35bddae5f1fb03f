"""Clients that sign who they are, over HTTP: what the certification of OpenID Providers and attackers try."""

from urllib.parse import urlencode

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.jose.client_keys import PAUSE
from konnectd.jose.keys import PrivateKey
from konnectd.protocol.client import Client
from tests.support.application import Application, error_of, json_of
from tests.support.assembly import Daemon
from tests.support.assertions import ASSERTION_TYPE, KEYED, PUBLISHING, SECRETIVE, by_secret, keyed
from tests.support.connection import Heard
from tests.support.fakes import FixedClock, SilentStore, memory_store
from tests.support.keys import p256_key, p384_key
from tests.support.requests import CALLBACK, VERIFIER

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
