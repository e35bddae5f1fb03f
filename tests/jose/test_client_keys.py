"""Tokens that clients signed: by which key, which secret, and what is fetched for that."""

import hmac
import json

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from konnectd.interfaces import BackendUnavailableError
from konnectd.jose.client_keys import FRESH, LONGEST_HEADER, MOST_KEYS, PAUSE, USABLE, RegisteredKeys
from konnectd.jose.export import to_private_jwk
from konnectd.jose.keys import METHODS, PrivateKey
from konnectd.jose.signing import LONGEST_TOKEN
from konnectd.protocol.client import Client
from tests.support.assertions import KEYED, LONG_SECRET, PUBLISHING, SECRETIVE, claims_for, keyed, mac
from tests.support.fakes import FixedClock, run
from tests.support.forgery import forge, segment
from tests.support.keys import ed25519_key, full_ring, p256_key, p384_key, rsa_key
from tests.support.web_of_clients import WebOfClients

EVERY = (*METHODS, "HS256", "HS384", "HS512", "none")
#: A JWK Set with a key of every kind.
FULL = {"keys": [key.public.to_jwk() for key in full_ring().signing]}


class KeysCase(SynchronousTestCase):
    """Checks tokens of clients."""

    def setUp(self) -> None:
        """Begin with nothing fetched."""
        self.clock = FixedClock()
        self.web = WebOfClients()
        self.keys = RegisteredKeys(self.web, self.clock, remembered=2)

    def accepts(self, client: Client, token: str, algorithms: tuple[str, ...] = EVERY) -> bool:
        """Tell whether a token is a client's."""
        return run(self.keys.verify(client, token, algorithms)) is not None


class RegisteredTests(KeysCase):
    """Keys that stand in the registration."""

    def test_every_kind(self) -> None:
        """A key of any kind is good for exactly the algorithms that fit it, whatever the header says."""
        client = evolve(KEYED, jwks=FULL)
        for key in full_ring().signing:
            for alg in EVERY:
                real = alg if alg in key.algorithms else key.algorithms[0]
                token = forge(key, {"alg": alg, "kid": key.kid}, alg=real)

                self.assertEqual(self.accepts(client, token), alg in key.algorithms, (key.kid, alg))

    def test_claims(self) -> None:
        """What was signed is told."""
        self.assertEqual(run(self.keys.verify(KEYED, keyed(), ("ES256",))), claims_for(KEYED))

    def test_only_allowed_algorithms(self) -> None:
        """A good signature by an algorithm that was not asked for is none."""
        self.assertTrue(self.accepts(KEYED, keyed(), ("ES256",)))
        self.assertFalse(self.accepts(KEYED, keyed(), ("PS256",)))
        self.assertFalse(self.accepts(KEYED, keyed(), ()))

    def test_key_id(self) -> None:
        """The key id chooses the key; a key or a token without one may be any that fits."""
        unnamed = {name: value for name, value in p256_key().public.to_jwk().items() if name != "kid"}
        without = evolve(KEYED, jwks={"keys": [rsa_key().public.to_jwk(), unnamed]})
        cases = (
            (KEYED, {"alg": "ES256", "kid": p256_key().kid}, True),
            (KEYED, {"alg": "ES256"}, True),
            (KEYED, {"alg": "ES256", "kid": "other"}, False),
            (KEYED, {"alg": "ES256", "kid": rsa_key().kid}, False),
            (KEYED, {"alg": "ES256", "kid": 1}, False),
            (without, {"alg": "ES256", "kid": "whatever"}, True),
            (without, {"alg": "ES256"}, True),
        )
        for client, header, good in cases:
            self.assertEqual(self.accepts(client, forge(p256_key(), header)), good, header)

    def test_somebody_elses_key(self) -> None:
        """A key that is not registered signs nothing, even when the token brings it along."""
        stranger = p256_key(2)
        header = {"alg": "ES256", "kid": p256_key().kid}
        for more in ({}, {"jwk": stranger.public.to_jwk()}, {"jku": "https://evil.example"}, {"x5u": "https://e"}):
            self.assertFalse(self.accepts(KEYED, forge(stranger, {**header, **more})))
        self.assertEqual(self.web.asked, [])

    def test_public_key_is_no_secret(self) -> None:
        """HMAC with what everybody knows of a client proves nothing."""
        jwk = p256_key().public.to_jwk()
        for secret in (json.dumps(jwk), json.dumps(KEYED.jwks), str(jwk["x"]), "", KEYED.client_id * 10):
            self.assertFalse(self.accepts(KEYED, mac(secret, {"alg": "HS256", "kid": jwk["kid"]}, {})))

    def test_symmetric_key_in_the_set(self) -> None:
        """A key set is public, so a symmetric key in it is no key."""
        jwk = {"kty": "oct", "k": segment(LONG_SECRET.encode()), "kid": "s"}

        self.assertFalse(self.accepts(evolve(KEYED, jwks={"keys": [jwk]}), mac(LONG_SECRET, {"alg": "HS256"}, {})))

    def test_private_key_registered(self) -> None:
        """A client that registered its private key by mistake is still served."""
        self.assertTrue(self.accepts(evolve(KEYED, jwks={"keys": [to_private_jwk(p256_key())]}), keyed()))

    def test_useless_keys(self) -> None:
        """Keys that are broken, weak or for something else are passed over, and do not hide the good one."""
        good = p256_key().public.to_jwk()
        useless: list[object] = [
            None,
            "x",
            [],
            {},
            {"kty": "EC"},
            {**good, "x": "AA"},
            {**good, "use": "enc"},
            {**good, "alg": "ES512"},
            {**rsa_key().public.to_jwk(), "n": "AQAB"},
            {"kty": []},
            {"kty": "RSA", "generate": "RSA", "size": 16384},
            {**good, "crv": {}},
            {**good, "alg": []},
        ]

        self.assertTrue(
            self.accepts(evolve(KEYED, jwks={"keys": [*useless, good]}), forge(p256_key(), {"alg": "ES256"}))
        )
        self.assertFalse(self.accepts(evolve(KEYED, jwks={"keys": useless}), forge(p256_key(), {"alg": "ES256"})))

    def test_expensive_keys(self) -> None:
        """Nobody can keep us busy with keys that take long to try, even if they would be good."""
        good = p256_key().public.to_jwk()
        slow = {**rsa_key().public.to_jwk(), "e": rsa_key().public.to_jwk()["n"]}
        client = evolve(KEYED, jwks={"keys": [slow, good]})

        self.assertFalse(self.accepts(client, forge(rsa_key(), {"alg": "RS256"})))
        self.assertEqual(len(run(self.keys.members(client))), 1)

    def test_too_many_keys(self) -> None:
        """Nobody can keep us busy with a long key set."""
        others = [p256_key(2).public.to_jwk()] * MOST_KEYS
        client = evolve(KEYED, jwks={"keys": [*others, p256_key().public.to_jwk()]})

        self.assertFalse(self.accepts(client, forge(p256_key(), {"alg": "ES256"})))

    def test_no_keys(self) -> None:
        """Who has registered none has signed nothing."""
        for jwks in (None, {}, {"keys": []}, {"keys": "x"}):
            self.assertFalse(self.accepts(evolve(KEYED, jwks=jwks), keyed()))
        self.assertEqual(self.web.asked, [])

    def test_malformed(self) -> None:
        """What is no signed token of distinct members is refused, and so is a header that changes the rules."""
        first, second, third = keyed().split(".")
        kid = p256_key().kid
        long = {"alg": "ES256", "kid": kid, "x5c": ["x" * LONGEST_HEADER]}
        cases = (
            "",
            "..",
            f"{first}.{second}",
            f"{first}.{second}.",
            f"{first}.{second}.{third}.",
            f"{first}.{second}.{third}=",
            f"{first}.{second}.{third}\u00e9",
            f"{first}.{segment(b'{}')}.{third}",
            f"{segment(b'[]')}.{second}.{third}",
            forge(p256_key(), {"alg": "ES256", "kid": kid, "crit": ["x"]}),
            forge(p256_key(), {"alg": "ES256", "kid": kid, "b64": False}),
            forge(p256_key(), {"alg": ["ES256"], "kid": kid}),
            forge(p256_key(), {"kid": kid}),
            forge(p256_key(), b'{"alg":"none","alg":"ES256"}'),
            forge(p256_key(), {"alg": "ES256", "kid": kid}, b"[]"),
            forge(p256_key(), {"alg": "ES256", "kid": kid}, b'{"sub":"a","sub":"b"}'),
            forge(p256_key(), {"alg": "ES256", "kid": kid}, b"{" + b" " * LONGEST_TOKEN + b"}"),
            forge(p256_key(), long),
        )
        for token in cases:
            self.assertFalse(self.accepts(KEYED, token), token[:60])


class SecretTests(KeysCase):
    """Tokens signed with the client's secret."""

    def test_every_hash(self) -> None:
        """Each of the three is good with its own hash."""
        for bits in ("256", "384", "512"):
            signed = f"{segment(json.dumps({'alg': f'HS{bits}'}).encode())}.{segment(b'{}')}"
            signature = hmac.digest(LONG_SECRET.encode(), signed.encode(), f"sha{bits}")

            self.assertTrue(self.accepts(SECRETIVE, f"{signed}.{segment(signature)}"), bits)
            self.assertFalse(self.accepts(SECRETIVE, f"{signed}.{segment(signature[:-1])}"), bits)

    def test_wrong_secret(self) -> None:
        """Another secret signs nothing, nor does none."""
        token = mac(LONG_SECRET, {"alg": "HS256"}, {})

        self.assertTrue(self.accepts(SECRETIVE, token))
        self.assertFalse(self.accepts(evolve(SECRETIVE, secret=LONG_SECRET[::-1]), token))
        self.assertFalse(self.accepts(evolve(SECRETIVE, secret=""), mac("", {"alg": "HS256"}, {})))

    def test_short_secret(self) -> None:
        """A secret that could be guessed from one token does not sign. Spec: RFC 7518 3.2."""
        for length, good in ((31, False), (32, True)):
            client = evolve(SECRETIVE, secret="s" * length)

            self.assertEqual(self.accepts(client, mac(client.secret, {"alg": "HS256"}, {})), good)

    def test_wrong_hash(self) -> None:
        """A signature by one hash is not good as another."""
        self.assertFalse(self.accepts(SECRETIVE, mac(LONG_SECRET, {"alg": "HS512"}, {})))


class FetchedTests(KeysCase):
    """Keys that stand at the client's ``jwks_uri``."""

    def publish(self, *keys: PrivateKey) -> None:
        """Let the client publish keys."""
        self.web.publish(PUBLISHING.jwks_uri, {"keys": [key.public.to_jwk() for key in keys]})

    def signed_by(self, key: PrivateKey) -> bool:
        """Tell whether what a key signed is the client's."""
        return self.accepts(PUBLISHING, keyed(PUBLISHING, key))

    def test_fetched_once(self) -> None:
        """They are asked for when they are needed, and kept for some minutes."""
        self.publish(p256_key(), rsa_key())
        found = [self.signed_by(p256_key()), self.signed_by(rsa_key())]
        self.clock.advance(FRESH - 1)
        found.append(self.signed_by(p256_key()))

        self.assertEqual((found, self.web.asked), ([True, True, True], [PUBLISHING.jwks_uri]))
        self.clock.advance(1)
        self.assertTrue(self.signed_by(p256_key()))
        self.assertEqual(len(self.web.asked), 2)

    def test_not_for_secrets(self) -> None:
        """Nobody is asked because of a token that no key could have signed."""
        self.publish(p256_key())
        for token in (mac(LONG_SECRET, {"alg": "HS256"}, {}), "a.b.c", forge(p256_key(), {"alg": "none"})):
            self.assertFalse(self.accepts(PUBLISHING, token))

        self.assertEqual(self.web.asked, [])

    def test_registered_keys_come_first(self) -> None:
        """A client whose keys are registered is not asked for others."""
        self.publish(p256_key(2))

        self.assertFalse(self.accepts(evolve(KEYED, jwks_uri=PUBLISHING.jwks_uri), keyed(KEYED, p256_key(2))))
        self.assertEqual(self.web.asked, [])

    def test_new_key(self) -> None:
        """Keys are asked for again when none fits, so a client may change its keys at any time."""
        self.publish(p256_key())
        self.signed_by(p256_key())
        self.publish(p384_key())
        self.clock.advance(PAUSE)

        self.assertTrue(self.signed_by(p384_key()))
        self.assertFalse(self.signed_by(p256_key()))

    def test_same_key_id(self) -> None:
        """A new key under the old name is found too."""
        renamed = PrivateKey(p256_key().kid, p256_key(2).key)
        self.publish(p256_key())
        self.signed_by(p256_key())
        self.publish(renamed)
        self.clock.advance(PAUSE)

        self.assertTrue(self.signed_by(renamed))

    def test_not_asked_all_the_time(self) -> None:
        """However many bad tokens come in, the client is asked once in some seconds."""
        self.publish(p256_key())
        for _ in range(5):
            self.assertFalse(self.signed_by(p384_key()))
        self.assertEqual(len(self.web.asked), 1)
        self.clock.advance(PAUSE)
        for _ in range(5):
            self.assertFalse(self.signed_by(p384_key()))

        self.assertEqual(len(self.web.asked), 2)

    def test_silent(self) -> None:
        """A client that does not answer is not asked all the time either, and is told to come back."""
        for _ in range(3):
            self.assertRaises(BackendUnavailableError, self.signed_by, p256_key())
        self.assertEqual(len(self.web.asked), 1)
        self.publish(p256_key())
        self.clock.advance(PAUSE)

        self.assertTrue(self.signed_by(p256_key()))

    def test_silent_for_a_while(self) -> None:
        """Keys that were fetched lately are good while the client does not answer; not for ever."""
        self.publish(p256_key())
        self.signed_by(p256_key())
        self.web.pages.clear()
        self.clock.advance(USABLE - 1)

        self.assertTrue(self.signed_by(p256_key()))
        self.assertTrue(self.signed_by(p256_key()))
        self.assertEqual(len(self.web.asked), 2)
        self.clock.advance(1)
        self.assertRaises(BackendUnavailableError, self.signed_by, p256_key())

    def test_nonsense(self) -> None:
        """What is no key set counts as no answer."""
        for content in (b"", b"\xff", b"[]", b"{}", b'{"keys":{}}', b"[" * 60_000):
            self.web.pages[PUBLISHING.jwks_uri] = content
            self.clock.advance(PAUSE)

            self.assertRaises(BackendUnavailableError, self.signed_by, p256_key())

    def test_clients_apart(self) -> None:
        """Two clients may not sign for each other, and another address is another set of keys."""
        self.publish(p256_key())
        moved = evolve(PUBLISHING, jwks_uri="https://publishing.example.org/other")
        self.web.publish(moved.jwks_uri, {"keys": [ed25519_key().public.to_jwk()]})
        self.signed_by(p256_key())

        self.assertFalse(self.accepts(moved, keyed(PUBLISHING, p256_key())))
        self.assertTrue(self.accepts(moved, keyed(PUBLISHING, ed25519_key())))

    def test_memory_is_limited(self) -> None:
        """However many clients there are, keys of a few are kept: those that were used last."""
        for number in (1, 2, 1, 3, 1):
            client = evolve(PUBLISHING, client_id=f"c{number}", jwks_uri=f"https://c{number}.example/")
            self.web.publish(client.jwks_uri, {"keys": [p256_key().public.to_jwk()]})
            self.assertTrue(self.accepts(client, keyed(client)))

        self.assertEqual(len(self.keys), 2)
        self.assertEqual(self.web.asked, [f"https://c{number}.example/" for number in (1, 2, 3)])
