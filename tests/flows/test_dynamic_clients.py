"""Tests of the clients that registered themselves."""

import json
from base64 import urlsafe_b64encode

from twisted.trial.unittest import SynchronousTestCase

from konnectd.flows.dynamic_clients import DELETED, DynamicClients, change_key
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.client_secret import SecretDigest
from konnectd.protocol.registration import LONGEST_CLIENT_ID, PREFIX, Registered
from konnectd.protocol.vocabulary import AuthMethod
from tests.support.fakes import (
    FixedClock,
    ReadableSealer,
    ReadableSigner,
    Registry,
    SilentStore,
    memory_store,
    run,
)
from tests.support.registrations import CB, KEYS, parse
from tests.support.requests import CLIENTS, ISSUER, NOTES

SECRET = urlsafe_b64encode(bytes(range(64))).rstrip(b"=").decode()
SALT = bytes(range(32))
#: More than goes into an id.
LONG = ["x" * 1990, "y" * 1990]


class DynamicClientsTestCase(SynchronousTestCase):
    """A registry over a file of clients."""

    def setUp(self) -> None:
        """Begin with a file and an empty store."""
        self.clock = FixedClock()
        self.signer = ReadableSigner()
        self.store = memory_store(self.clock)
        self.registry = Registry(*CLIENTS)
        self.clients = self.make(SALT)

    def make(self, salt: bytes) -> DynamicClients:
        """Make a registry that remembers nothing."""
        return DynamicClients(
            listed=self.registry,
            verifier=self.signer,
            store=self.store,
            sealer=ReadableSealer(),
            clock=self.clock,
            salt=salt,
        )

    def registered(self, secret_expires_at: int = 0, expires_at: int = 0, **members: object) -> Registered:
        """Return what a client with a secret has registered."""
        metadata = parse(client_name="My App", **members)
        return Registered(
            metadata=metadata,
            issued_at=self.clock.now(),
            secret=SecretDigest.of(SECRET, "My App") if metadata.needs_secret else None,
            secret_expires_at=secret_expires_at,
            expires_at=expires_at,
        )

    def id_of(self, registered: Registered) -> str:
        """Return the id of a client."""
        return PREFIX + run(self.signer.sign(registered.to_claims()))


class FindTests(DynamicClientsTestCase):
    """Who is known."""

    def test_file_first(self) -> None:
        """A client of the file is found without a look at anything else."""
        self.clients = DynamicClients(
            listed=self.registry,
            verifier=self.signer,
            store=SilentStore(),
            sealer=ReadableSealer(),
            clock=self.clock,
        )

        self.assertIs(run(self.clients.get("notes")), NOTES)
        self.assertIsNone(run(self.clients.get("nobody")))

    def test_registered(self) -> None:
        """A client is what it registered, and never trusted."""
        client_id = self.id_of(self.registered(jwks=KEYS, default_max_age=60, contacts=["a@app.example"]))
        client = run(self.clients.get(client_id))

        if client is None:
            self.fail("not found")
        self.assertEqual((client.client_id, client.name, client.redirect_uris), (client_id, "My App", (CB,)))
        self.assertEqual((client.trusted, client.insecure, client.dynamic), (False, False, True))
        self.assertEqual((client.auth_method, client.response_types), (AuthMethod.BASIC, ("code",)))
        self.assertEqual((client.jwks, client.default_max_age, client.contacts), (KEYS, 60, ("a@app.example",)))
        self.assertEqual(client.origins, ("https://app.example",))
        self.assertTrue(client.accepts_secret(SECRET))
        self.assertFalse(client.accepts_secret(SECRET[::-1]))

    def test_native(self) -> None:
        """An application on somebody's machine runs at no origin."""
        uris = ["org.example.app:/cb", "http://127.0.0.1/cb"]
        client = run(self.clients.get(self.id_of(self.registered(application_type="native", redirect_uris=uris))))

        if client is None:
            self.fail("not found")
        self.assertEqual(client.origins, ())
        self.assertTrue(client.allows_redirect_uri("http://127.0.0.1:5000/cb"))

    def test_same_client(self) -> None:
        """An id that was opened once is remembered; what the client is stays one and the same object."""
        client_id = self.id_of(self.registered())

        self.assertIs(run(self.clients.get(client_id)), run(self.clients.get(client_id)))

    def test_public(self) -> None:
        """A client without authentication is public."""
        client = run(self.clients.get(self.id_of(self.registered(token_endpoint_auth_method="none"))))

        self.assertTrue(client is not None and client.public and not client.accepts_secret(SECRET))

    def test_konnects(self) -> None:
        """An id that Konnect made still works, with its secret, for every response type, until it ends."""
        claims = {
            "sub": SecretDigest.of(SECRET, "My App").digest,
            "iat": self.clock.now(),
            "exp": self.clock.now() + 100,
            "name": "My App",
            "redirect_uris": [CB],
            "grant_types": ["authorization_code"],
        }
        client_id = PREFIX + run(self.signer.sign(claims))
        client = run(self.clients.get(client_id))

        self.assertTrue(client is not None and client.accepts_secret(SECRET) and not client.response_types)
        self.clock.advance(100)
        self.assertIsNone(run(self.clients.get(client_id)))

    def test_nobody(self) -> None:
        """An id we have not signed, one that is too long, and every other token of ours is nobody's (D5)."""
        good = self.id_of(self.registered())
        foreign = ReadableSigner(name="other")
        tokens = (
            {"iss": ISSUER, "sub": "s", "aud": "notes", "iat": 1, "exp": 2**40},
            {"iss": ISSUER, "sub": "s", "aud": "notes", "kc.isAccessToken": True, "iat": 1, "redirect_uris": [CB]},
        )
        for client_id in (
            PREFIX,
            f"{PREFIX}x.y.z",
            good[:-1],
            good.removeprefix(PREFIX),
            PREFIX + run(foreign.sign(self.registered().to_claims())),
            *(PREFIX + run(self.signer.sign(claims)) for claims in tokens),
            self.id_of(self.registered(contacts=LONG)),
        ):
            with self.subTest(client_id=client_id[:60]):
                self.assertIsNone(run(self.clients.get(client_id)))

    def test_limit_is_of_ids(self) -> None:
        """The last one above is one that nobody would have been given."""
        long = self.id_of(self.registered(contacts=LONG))

        self.assertGreater(len(long), LONGEST_CLIENT_ID)

    def test_strange_words(self) -> None:
        """A client with words that nobody knows any more is nobody, and no fault of ours."""
        for name, word in (("application_type", "desktop"), ("token_endpoint_auth_method", "tls_client_auth")):
            claims = {**self.registered().to_claims(), name: word}
            with self.subTest(name=name):
                self.assertIsNone(run(self.clients.get(PREFIX + run(self.signer.sign(claims)))))

    def test_store_is_asked_for_our_own(self) -> None:
        """Without the store nobody knows whether a client is still there; for a stranger's it is not even asked."""
        silent = DynamicClients(
            listed=self.registry,
            verifier=self.signer,
            store=SilentStore(),
            sealer=ReadableSealer(),
            clock=self.clock,
        )

        with self.assertRaises(BackendUnavailableError):
            run(silent.get(self.id_of(self.registered())))
        self.assertIsNone(run(silent.get(f"{PREFIX}x.y.z")))

    def test_many(self) -> None:
        """However many clients come by, all of them are served."""
        found = [
            run(self.clients.get(self.id_of(self.registered(client_uri=f"https://app.example/{number}"))))
            for number in range(1100)
        ]

        self.assertNotIn(None, found)


class SecretTests(DynamicClientsTestCase):
    """What secrets are good for."""

    def test_expired(self) -> None:
        """When a secret ends, the client is still there, but can not prove who it is (P27)."""
        end = self.clock.now() + 100
        client_id = self.id_of(self.registered(secret_expires_at=end))
        before = run(self.clients.get(client_id))
        self.clock.advance(100)
        after = run(self.clients.get(client_id))

        self.assertTrue(before is not None and before.accepts_secret(SECRET))
        self.assertTrue(after is not None and not after.accepts_secret(SECRET) and not after.public)

    def test_sealed(self) -> None:
        """A secret that has to be read is read, and one that is not ours is none."""
        sealed = ReadableSealer().seal("client secret", {"secret": SECRET}, 2**40)
        for text, secret in ((sealed, SECRET), ("nonsense", "")):
            metadata = parse(token_endpoint_auth_method="client_secret_jwt")
            registered = Registered(metadata=metadata, issued_at=1, sealed_secret=text)
            client = run(self.clients.get(self.id_of(registered)))
            with self.subTest(text=text):
                self.assertEqual(client.secret if client is not None else None, secret)


class PairwiseTests(DynamicClientsTestCase):
    """Clients with names of their own for people."""

    def test_sector(self) -> None:
        """The sector is the host of all redirect URIs, or of the document that names them."""
        for uri, sector in ((None, "app.example"), ("https://all.example/uris", "all.example")):
            registered = self.registered(subject_type="pairwise", sector_identifier_uri=uri)
            client = run(self.clients.get(self.id_of(registered)))
            with self.subTest(sector=sector):
                self.assertEqual(client and client.pairwise and client.pairwise.sector, sector)

    def test_without_salt(self) -> None:
        """When the salt is gone the client is gone as well: never does it see other names than it did."""
        client_id = self.id_of(self.registered(subject_type="pairwise"))

        self.assertIsNone(run(self.make(b"").get(client_id)))


class ChangeTests(DynamicClientsTestCase):
    """What clients changed since."""

    def test_changed(self) -> None:
        """A change counts at once, for every process that shares the store, and a further one too."""
        client_id = self.id_of(self.registered())
        other = self.make(SALT)
        for name in ("https://app.example/1", "https://app.example/2"):
            run(other.get(client_id))
            run(self.clients.change(client_id, self.registered(client_uri=name)))
            for clients in (self.clients, other, self.make(SALT)):
                client = run(clients.get(client_id))
                with self.subTest(name=name):
                    self.assertEqual(client and client.uri, name)

    def test_deleted(self) -> None:
        """A client that was deleted is nobody, as often as it is asked for."""
        client_id = self.id_of(self.registered())
        run(self.clients.get(client_id))
        run(self.clients.change(client_id, None))

        for clients in (self.clients, self.clients, self.make(SALT)):
            self.assertIsNone(run(clients.get(client_id)))
            self.assertIsNone(run(clients.registered(client_id)))
        self.assertEqual(run(self.store.get(change_key(client_id))), DELETED)

    def test_unreadable(self) -> None:
        """What another version wrote leaves the client unknown rather than as it was."""
        client_id = self.id_of(self.registered())
        for text in ("{}", "[]", "x", json.dumps({"kc.isClientRegistration": True})):
            run(self.store.put(change_key(client_id), text, 100))
            with self.subTest(text=text):
                self.assertIsNone(run(self.clients.get(client_id)))

    def test_nobody_else(self) -> None:
        """What is registered is told of clients that registered themselves only."""
        self.assertIsNone(run(self.clients.registered("notes")))
