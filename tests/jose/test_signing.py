"""Tokens of our own: who signs them, who understands them, and how long they count."""

import json
from collections.abc import Awaitable

from joserfc import jws
from joserfc.jwk import KeySet
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from konnectd.base64url import b64url
from konnectd.interfaces import Signer, Verifier
from konnectd.jose.keys import METHODS, KeyRing, PrivateKey
from konnectd.jose.signing import KeyRingSigner, KeyRingVerifier, Sign
from tests.contracts.signers import CLAIMS, SignerContract, sign
from tests.support.fakes import header_of
from tests.support.keys import full_ring, large_rsa_key, p256_key, p384_key, rsa_key


class KeyRingContractTests(SignerContract, SynchronousTestCase):
    """It does what every signer and verifier do."""

    def make_pair(self) -> tuple[Signer, Verifier]:
        """Return a pair with every kind of key."""
        return KeyRingSigner(full_ring()), KeyRingVerifier(full_ring())

    def make_stranger(self) -> Signer:
        """Return a signer with another key under the same id."""
        return KeyRingSigner(KeyRing((PrivateKey("ps256-1", rsa_key(2).key),)))


class OtherLibraryTests(SynchronousTestCase):
    """Others understand our tokens, and we theirs."""

    def test_ours_verified_by_two_others(self) -> None:
        """Two other libraries verify our tokens with nothing but our key set, for every algorithm."""
        ring = full_ring()
        theirs = KeySet.import_key_set(json.loads(json.dumps(ring.jwks())))
        for algorithm in METHODS:
            token = sign(KeyRingSigner(ring), CLAIMS, algorithm)
            kid = header_of(token)["kid"]
            jwk = next(JWK(**key) for key in ring.jwks()["keys"] if key["kid"] == kid)

            checked = JWS()
            checked.allowed_algs = [algorithm]
            checked.deserialize(token, jwk)
            self.assertEqual(json.loads(checked.payload), CLAIMS)
            self.assertEqual(json.loads(jws.deserialize_compact(token, theirs, algorithms=[algorithm]).payload), CLAIMS)

    def test_theirs_verified_by_us(self) -> None:
        """We verify what another library signed with our keys, for every algorithm."""
        verifier = KeyRingVerifier(full_ring())
        for algorithm in METHODS:
            key = next(key for key in full_ring().signing if algorithm in key.algorithms)
            token = JWS(json.dumps(CLAIMS))
            token.allowed_algs = [algorithm]
            header = json.dumps({"alg": algorithm, "kid": key.kid})
            token.add_signature(JWK.from_pyca(key.key), None, header)

            self.assertEqual(verifier.verify(token.serialize(compact=True)), CLAIMS)


class SigningTests(SynchronousTestCase):
    """Who signs, and where."""

    def test_first_listed_key(self) -> None:
        """The first listed key that fits an algorithm signs."""
        signer = KeyRingSigner(KeyRing((p384_key(), rsa_key(2), rsa_key(1), p256_key())))

        kids = [header_of(sign(signer, CLAIMS, alg))["kid"] for alg in (None, "RS256", "ES256", "ES384", "EdDSA")]
        self.assertEqual(kids, ["ps256-2", "ps256-2", "es256-1", "es384-1", "ps256-2"])

    def test_slow_keys_go_elsewhere(self) -> None:
        """A slow key signs where it is told to, and the token is as good; a quick one signs at once."""
        ring, elsewhere = KeyRing((large_rsa_key(), p256_key())), []

        async def answer(signature: bytes) -> bytes:
            return signature

        def defer(function: Sign, message: bytes) -> Awaitable[bytes]:
            elsewhere.append(message)
            return answer(function(message))

        signer = KeyRingSigner(ring, defer)
        tokens = [sign(signer, CLAIMS), sign(signer, CLAIMS, "ES256")]

        self.assertEqual([KeyRingVerifier(ring).verify(token) for token in tokens], [CLAIMS, CLAIMS])
        self.assertEqual(elsewhere, [tokens[0].rpartition(".")[0].encode()])

    def test_waiting_for_a_thread(self) -> None:
        """While a thread signs, whoever asked waits and nobody else does."""
        later: Deferred[bytes] = Deferred()
        signer = KeyRingSigner(KeyRing((large_rsa_key(),)), lambda _function, _message: later)
        token = Deferred.fromCoroutine(signer.sign({}))
        self.assertNoResult(token)
        later.callback(b"signature")

        self.assertTrue(self.successResultOf(token).endswith("." + b64url(b"signature")))

    def test_slow_key_without_threads(self) -> None:
        """Without threads a slow key signs at once."""
        ring = KeyRing((large_rsa_key(),))

        self.assertEqual(KeyRingVerifier(ring).verify(sign(KeyRingSigner(ring), CLAIMS)), CLAIMS)

    def test_only_json(self) -> None:
        """What is no JSON is a fault of ours, and not signed."""
        with self.assertRaises(TypeError):
            sign(KeyRingSigner(full_ring()), {"a": b"bytes"})


class OldKeyTests(SynchronousTestCase):
    """Keys come and go."""

    def test_old_key_still_counts(self) -> None:
        """A token of a key that only validates now is good."""
        token = sign(KeyRingSigner(KeyRing((p256_key(),), (), "ES256")), CLAIMS)
        later = KeyRing((rsa_key(),), (p256_key().public,))

        self.assertEqual(KeyRingVerifier(later).verify(token), CLAIMS)

    def test_removed_key_counts_no_more(self) -> None:
        """A token of a key that was taken away is nobody's, also if it was known as good before."""
        before, after = KeyRing((p256_key(), rsa_key())), KeyRing((rsa_key(),))
        token = sign(KeyRingSigner(before), CLAIMS, "ES256")

        self.assertEqual(KeyRingVerifier(before).verify(token), CLAIMS)
        self.assertIsNone(KeyRingVerifier(after).verify(token))


class RememberingTests(SynchronousTestCase):
    """What a verifier remembers."""

    def test_limit(self) -> None:
        """However many tokens come, each is answered rightly, again and again, with a memory for two or for none."""
        signer = KeyRingSigner(KeyRing((p256_key(),), (), "ES256"))
        tokens = [sign(signer, {"n": number}) for number in range(5)]
        for size in (0, 1, 2):
            verifier = KeyRingVerifier(full_ring(), size)
            for number in (0, 1, 2, 3, 4, 4, 3, 0, 1, 0):
                self.assertEqual(verifier.verify(tokens[number]), {"n": number})
            self.assertEqual(len(verifier), size)

    def test_only_good_ones(self) -> None:
        """Whoever sends bad tokens drives no good one out."""
        verifier = KeyRingVerifier(full_ring(), 1)
        token = sign(KeyRingSigner(full_ring()), CLAIMS)
        for bad in ("", "a.b.c", token[:-4], token + "x"):
            verifier.verify(bad)

        self.assertEqual(len(verifier), 0)

    def test_near_misses(self) -> None:
        """A token that is known as good makes no other spelling of it good."""
        verifier = KeyRingVerifier(full_ring())
        token = sign(KeyRingSigner(full_ring()), CLAIMS)
        self.assertEqual(verifier.verify(token), CLAIMS)

        for other in (token + "=", token + "\n", " " + token, token.replace(".", "..", 1), token[:-1], token.lower()):
            self.assertIsNone(verifier.verify(other))
