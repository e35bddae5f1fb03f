"""Keys and key rings: what is refused, which key is active, what the key set shows."""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa
from jwcrypto.jwk import JWK
from twisted.trial.unittest import SynchronousTestCase

from konnectd.jose.keys import (
    METHODS,
    RSA_ALGORITHMS,
    KeyRing,
    PrivateKey,
    PublicKey,
    check_kid,
    check_method,
    check_private,
    check_public,
    generate,
)
from tests.support.keys import ed25519_key, full_ring, large_rsa_key, p256_key, p384_key, p521_key, rsa_key


class StrengthTests(SynchronousTestCase):
    """Which keys there are none of."""

    def test_weak_modulus(self) -> None:
        """An RSA key below 2048 bits is refused, public or private, and the message says how many it has."""
        weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - weak on purpose

        with self.assertRaisesRegex(ValueError, "at least 2048 bits, this one has 1024"):
            PrivateKey("a", weak)
        with self.assertRaisesRegex(ValueError, "this one has 1024"):
            PublicKey("a", weak.public_key())

    def test_small_exponent(self) -> None:
        """An RSA key with the public exponent 3 is refused."""
        with self.assertRaisesRegex(ValueError, "at least 65537, it is 3"):
            check_private(rsa.generate_private_key(public_exponent=3, key_size=2048))

    def test_foreign_curve(self) -> None:
        """A key on a curve without an algorithm of ours is refused, and the message names those there are."""
        with self.assertRaisesRegex(ValueError, "secp256k1 is not supported; use P-256, P-384 or P-521"):
            check_private(ec.generate_private_key(ec.SECP256K1()))

    def test_foreign_kinds(self) -> None:
        """Other kinds of keys, and what is no key at all, are refused."""
        for key in (ed448.Ed448PrivateKey.generate(), dsa.generate_private_key(2048), b"secret", None):
            with self.assertRaisesRegex(ValueError, "no private key of a supported kind"):
                check_private(key)
            with self.assertRaisesRegex(ValueError, "not supported"):
                check_public(key)

    def test_public_key_can_not_sign(self) -> None:
        """A public key where a private one is needed is refused in words that say so."""
        with self.assertRaisesRegex(ValueError, "public key; signing needs the private one"):
            check_private(p256_key().public.key)

    def test_key_ids(self) -> None:
        """Every key has an id that a header can carry."""
        for kid in ("", "a\n", "a" * 256):
            with self.assertRaises(ValueError):
                check_kid(kid)
        self.assertEqual(check_kid("schlüssel 2024"), "schlüssel 2024")


class AlgorithmTests(SynchronousTestCase):
    """What a key can sign."""

    def test_each_kind(self) -> None:
        """A curve has the one algorithm that fits it; RSA has both paddings with every hash."""
        fits = {key.curve or key.kty: key.algorithms for key in full_ring().signing}

        self.assertEqual(
            fits,
            {
                "RSA": RSA_ALGORITHMS,
                "P-256": ("ES256",),
                "P-384": ("ES384",),
                "P-521": ("ES512",),
                "Ed25519": ("EdDSA",),
            },
        )

    def test_curve_must_fit_method(self) -> None:
        """ES384 with a key on P-256 does not start, and the message says what that key can do."""
        with self.assertRaisesRegex(ValueError, r"no signing key fits ES384: es256-1 \(P-256\) can do ES256"):
            KeyRing((p256_key(),), (), "ES384")

    def test_unknown_methods(self) -> None:
        """No signature and shared secrets are no methods, whatever their spelling."""
        for method in ("none", "None", "HS256", "ES256K", "rs256", ""):
            with self.assertRaisesRegex(ValueError, "is not a signing method"):
                check_method(method, full_ring().signing)
            with self.assertRaises(ValueError):
                generate(method)

    def test_no_key(self) -> None:
        """A ring without signing keys is none."""
        with self.assertRaisesRegex(ValueError, "there is none"):
            KeyRing((), (p256_key().public,), "ES256")

    def test_slow_keys(self) -> None:
        """Only RSA beyond 2048 bits is worth a thread."""
        self.assertEqual([key.slow for key in (large_rsa_key(), rsa_key(), p521_key())], [True, False, False])

    def test_generated_keys_fit(self) -> None:
        """A random key fits the method it was made for, and is called by its thumbprint unless it gets a name."""
        for method in METHODS:
            if method not in RSA_ALGORITHMS[1:]:
                key = generate(method)
                self.assertIn(method, key.algorithms)
                self.assertEqual(key.kid, key.thumbprint)
        self.assertEqual(generate("ES256", "mine").kid, "mine")


class ActiveKeyTests(SynchronousTestCase):
    """Which key signs."""

    def test_first_listed(self) -> None:
        """Of several keys that fit, the first listed one is active, whatever the others are called."""
        keys = (p384_key(), rsa_key(2), rsa_key(1), p256_key())

        for order in (keys, keys[::-1]):
            ring = KeyRing(order)
            self.assertEqual(ring.active, next(key for key in order if key.kty == "RSA"))
            self.assertEqual(ring.find_active("RS512"), ring.active)
            self.assertEqual(ring.find_active("ES384"), p384_key())
        self.assertIsNone(KeyRing(keys).find_active("EdDSA"))

    def test_algorithms(self) -> None:
        """The algorithms are those some signing key fits, the default one first, each once."""
        ring = KeyRing((p256_key(), rsa_key(), rsa_key(2)), (ed25519_key().public,), "RS256")

        self.assertEqual(ring.algorithms, ("RS256", "ES256", "PS256", "PS384", "PS512", "RS384", "RS512"))

    def test_find(self) -> None:
        """A key is found by its id whether it still signs or not; nothing is found by a name nobody has."""
        ring = KeyRing((rsa_key(),), (p256_key().public,))

        self.assertEqual(ring.find("ps256-1"), rsa_key().public)
        self.assertEqual(ring.find("es256-1"), p256_key().public)
        self.assertEqual([ring.find(kid) for kid in ("", "default", "PS256-1")], [None] * 3)


class KeySetTests(SynchronousTestCase):
    """What the world sees."""

    def test_only_public_members(self) -> None:
        """The set shows what a verifier needs and nothing private."""
        text = json.dumps(full_ring().jwks())
        names = {name for key in json.loads(text)["keys"] for name in key}

        self.assertEqual(names, {"use", "kty", "kid", "alg", "n", "e", "crv", "x", "y"})

    def test_each_key(self) -> None:
        """Every key has use, kind and an id of its own; alg stands there only where no other would fit."""
        keys = full_ring().jwks()["keys"]

        self.assertEqual(
            [(key["use"], key["kty"], key["kid"], key.get("alg")) for key in keys],
            [
                ("sig", "RSA", "ps256-1", None),
                ("sig", "EC", "es256-1", "ES256"),
                ("sig", "EC", "es384-1", "ES384"),
                ("sig", "EC", "es512-1", "ES512"),
                ("sig", "OKP", "eddsa-1", "EdDSA"),
                ("sig", "RSA", "default", None),
            ],
        )

    def test_read_by_another_library(self) -> None:
        """Another library reads the same keys from the set, coordinates with leading zeros included."""
        keys = [*full_ring().signing, *(generate("ES512") for _ in range(8))]
        shown = KeyRing(tuple(keys)).jwks()["keys"]

        for key, jwk in zip(keys, shown, strict=False):
            read = JWK(**jwk)
            self.assertEqual(read.thumbprint(), key.thumbprint)
            self.assertEqual(read.get_op_key("verify").public_numbers() if key.curve[:2] == "P-" else 0, _point(key))

    def test_leading_zeros(self) -> None:
        """A coordinate is as long as its curve asks for, also when it begins with zeros. Spec: RFC 7518 6.2.1.2."""
        small = next(key for key in map(_numbered_key, range(1, 5000)) if _point(key).x < 2**248)
        x = small.public.parameters["x"]

        self.assertEqual((len(x), x[0]), (43, "A"))

    def test_default_is_the_active_key(self) -> None:
        """The alias default stands last and is the key that signs by the default method."""
        keys = KeyRing((rsa_key(), p256_key()), (), "ES256").jwks()["keys"]

        self.assertEqual([key["kid"] for key in keys], ["ps256-1", "es256-1", "default"])
        self.assertEqual({**keys[2], "kid": "es256-1"}, keys[1])

    def test_key_called_default(self) -> None:
        """A key whose own id is default keeps it to itself."""
        mine = PrivateKey("default", p256_key().key)
        keys = KeyRing((mine, rsa_key())).jwks()["keys"]

        self.assertEqual([(key["kid"], key["kty"]) for key in keys], [("default", "EC"), ("ps256-1", "RSA")])

    def test_same_key_twice(self) -> None:
        """A key that signs and also lies in the validation folder under the same id is shown once."""
        ring = KeyRing((rsa_key(),), (p256_key().public, rsa_key().public, p256_key().public))

        self.assertEqual([key["kid"] for key in ring.jwks()["keys"]], ["ps256-1", "es256-1", "default"])

    def test_two_keys_under_one_id(self) -> None:
        """Two different keys under one id are refused, for a verifier could not choose."""
        other = PublicKey("ps256-1", rsa_key(2).public.key)

        with self.assertRaisesRegex(ValueError, "two different keys have the key id ps256-1"):
            KeyRing((rsa_key(),), (other,))

    def test_order_is_stable(self) -> None:
        """Two rings of the same keys show the same bytes."""
        rings = [KeyRing((p256_key(), rsa_key()), (p521_key().public, p384_key().public)) for _ in range(2)]

        self.assertEqual(*(json.dumps(ring.jwks()) for ring in rings))

    def test_known_thumbprint(self) -> None:
        """The thumbprint of the specification's key is the specification's. Spec: RFC 7638 3.1."""
        modulus = (
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4"
            "n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0"
            "zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-c"
            "sFCur-kEgU8awapJzKnqDKgw"
        )
        key = PublicKey("x", JWK(kty="RSA", n=modulus, e="AQAB").get_op_key("verify"))

        self.assertEqual(key.thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")


class SecrecyTests(SynchronousTestCase):
    """What a log could show by accident."""

    def test_no_key_in_text(self) -> None:
        """Neither a private key nor its ring shows more than names."""
        text = repr(full_ring())

        self.assertIn("ps256-1", text)
        self.assertNotIn("RSAPrivateKey", text)
        self.assertNotIn(rsa_key().public.parameters["n"], text)


def _point(key: PrivateKey) -> Any:  # noqa: ANN401 - numbers of a library without a type of ours
    """Return the point of a key on a P curve; 0 for other keys."""
    public = key.public.key
    return public.public_numbers() if isinstance(public, ec.EllipticCurvePublicKey) else 0


def _numbered_key(number: int) -> PrivateKey:
    """Return a key on P-256 made from a number anybody can guess."""
    return PrivateKey("numbered", ec.derive_private_key(number, ec.SECP256R1()))
