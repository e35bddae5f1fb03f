"""Tokens that must be refused, each for one reason: nearly all carry a good signature of a key of ours."""

import hmac
import json
from functools import partial
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding
from hypothesis import given, settings
from hypothesis import strategies as st
from jwcrypto.jwk import JWK
from twisted.trial.unittest import SynchronousTestCase

from konnectd.base64url import from_b64url
from konnectd.jose.keys import METHODS
from konnectd.jose.signing import LONGEST_TOKEN, KeyRingSigner, KeyRingVerifier
from tests.contracts.signers import CLAIMS, sign
from tests.support.forgery import HASHES, forge, segment
from tests.support.keys import full_ring, p256_key, p521_key, rsa_key


class AlgorithmTests(SynchronousTestCase):
    """The algorithm belongs to the key, whatever a header says."""

    def setUp(self) -> None:
        """Take a verifier that knows a key of every kind."""
        self.verify = KeyRingVerifier(full_ring()).verify

    def test_matrix(self) -> None:
        """With every key exactly the algorithms that fit it are accepted, whatever really signed."""
        for key in full_ring().signing:
            for alg in (*METHODS, "none", "None", "HS256", "HS512", "ES256K", "RSA1_5", "Ed448", "ps256", ""):
                real = alg if alg in key.algorithms else key.algorithms[0]
                token = forge(key, {"alg": alg, "kid": key.kid}, alg=real)

                self.assertEqual(self.verify(token) is not None, alg in key.algorithms, (key.kid, alg))

    def test_other_padding_or_hash(self) -> None:
        """An RSA signature made by one algorithm is not good as another."""
        for alg in ("PS256", "PS384", "RS256"):
            for real in ("PS256", "PS384", "PS512", "RS256", "RS512"):
                token = forge(rsa_key(), {"alg": alg, "kid": "ps256-1"}, alg=real)

                self.assertEqual(self.verify(token) is not None, alg == real, (alg, real))

    def test_salt_length(self) -> None:
        """A PSS salt of another length than the hash is refused. Spec: RFC 7518 3.5."""
        longest = padding.calculate_max_pss_salt_length(rsa_key().key, HASHES["256"])  # type: ignore[arg-type]
        for length, good in ((32, True), (0, False), (20, False), (64, False), (longest, False)):
            token = forge(rsa_key(), {"alg": "PS256", "kid": "ps256-1"}, salt=length)

            self.assertEqual(self.verify(token) is not None, good, length)

    def test_no_signature(self) -> None:
        """Unsigned tokens are nobody's, in all spellings."""
        for alg in ("none", "None", "NONE", "nOnE", "PS256"):
            for kid in ("ps256-1", "", "none"):
                header = json.dumps({"alg": alg, "kid": kid}).encode()

                self.assertIsNone(self.verify(f"{segment(header)}.{segment(b'{}')}."))

    def test_public_key_as_secret(self) -> None:
        """A token with a MAC keyed with our public key, in any form, is nobody's."""
        jwk = JWK.from_pyca(rsa_key().public.key)
        for secret in (jwk.export_to_pem(), jwk.export_public().encode(), rsa_key().public.parameters["n"].encode()):
            for alg in ("HS256", "PS256", "RS256"):
                header = json.dumps({"alg": alg, "kid": "ps256-1"}).encode()
                signed = f"{segment(header)}.{segment(b'{}')}"
                mac = hmac.new(secret, signed.encode(), sha256).digest()

                self.assertIsNone(self.verify(f"{signed}.{segment(mac)}"))


class HeaderTests(SynchronousTestCase):
    """A header of ours has three members; the signatures here are all good."""

    def setUp(self) -> None:
        """Take the plain header, which is accepted."""
        self.header: dict[str, Any] = {"alg": "ES256", "kid": "es256-1"}
        self.verify = KeyRingVerifier(full_ring()).verify
        self.forge = partial(forge, p256_key())
        self.assertEqual(self.verify(self.forge(self.header)), {})

    def test_members_that_bring_keys_or_rules(self) -> None:
        """Headers that bring a key, fetch one, or change the rules are refused, also with nothing in them."""
        jwk = p256_key().public.to_jwk()
        for name in ("jwk", "jku", "x5u", "x5c", "x5t", "crit", "b64", "zip", "enc", "cty", "iss", "Alg", ""):
            for value in (None, [], {}, "", "https://evil.example/", jwk, ["exp"], False):
                self.assertIsNone(self.verify(self.forge({**self.header, name: value})), (name, value))

    def test_own_key_in_header(self) -> None:
        """A token of a stranger who sends the key along is nobody's, under a known id and an unknown one."""
        for kid in ("es256-1", "es256-2"):
            header = {"alg": "ES256", "kid": kid, "jwk": p256_key(2).public.to_jwk()}

            self.assertIsNone(self.verify(forge(p256_key(2), header)))

    def test_key_ids(self) -> None:
        """Without a key id, or with one nobody has, a token is nobody's; the alias signs nothing."""
        others: list[object] = ["es256-2", "", "default", "ES256-1", "es256-1 ", "../es256-1", None, 1, ["es256-1"], {}]
        for kid in others:
            self.assertIsNone(self.verify(self.forge({**self.header, "kid": kid})), kid)
        self.assertIsNone(self.verify(self.forge({"alg": "ES256"})))

    def test_types(self) -> None:
        """A type is text if it is there; an algorithm always is."""
        self.assertEqual(self.verify(self.forge({**self.header, "typ": "at+jwt"})), {})
        for change in ({"typ": None}, {"typ": 1}, {"typ": ["JWT"]}, {"alg": None}, {"alg": ["ES256"]}, {"alg": 256}):
            self.assertIsNone(self.verify(self.forge({**self.header, **change})), change)

    def test_repeated_members(self) -> None:
        """A header that says something twice is refused, also when it says the same."""
        for header in (
            b'{"alg":"none","alg":"ES256","kid":"es256-1"}',
            b'{"alg":"ES256","kid":"es256-1","kid":"es256-1"}',
        ):
            self.assertIsNone(self.verify(self.forge(header)))

    def test_no_object(self) -> None:
        """A header that is no JSON object, or that only a lenient reader takes for one, is refused."""
        good = json.dumps(self.header)
        lenient = (good + good, "\ufeff" + good, good.replace('"', "'"), good + ",", good[:-1] + ', "typ": NaN}')
        for header in ("[]", "null", "1", '"x"', "", "{", "[" * 700, *lenient):
            self.assertIsNone(self.verify(self.forge(header.encode())), header)
        for encoding in ("utf-16", "utf-16-le", "utf-32"):
            self.assertIsNone(self.verify(self.forge(good.encode(encoding))), encoding)

    def test_long_header(self) -> None:
        """A header far longer than ours is not even decoded."""
        self.assertIsNone(self.verify(self.forge({**self.header, "typ": "x" * 1024})))


class ContentTests(SynchronousTestCase):
    """Claims are one JSON object without doubt; the signatures here are all good."""

    def setUp(self) -> None:
        """Take a header that is accepted."""
        self.verify = KeyRingVerifier(full_ring()).verify
        self.forge = partial(forge, p256_key(), {"alg": "ES256", "kid": "es256-1", "typ": "JWT"})

    def test_object(self) -> None:
        """An object is accepted, with numbers and text of any size that fits."""
        self.assertEqual(
            self.verify(self.forge(b' {"a": 12345678901234567890, "\xc3\xa4": [{}]} ')),
            {"a": 12345678901234567890, "ä": [{}]},
        )

    def test_no_object(self) -> None:
        """Whatever else was signed is no set of claims."""
        for claims in (
            b"",
            b"[]",
            b'"a"',
            b"1",
            b"null",
            b"{",
            b"{}{}",
            b'{"a":NaN}',
            b'{"a":Infinity}',
            b"\xff",
            b"\xef\xbb\xbf{}",
            "{}".encode("utf-16"),
            b"[" * 9000,
            b'{"a":' * 1500,
            b'{"a":' + b"9" * 5000 + b"}",
        ):
            self.assertIsNone(self.verify(self.forge(claims)), claims[:20])

    def test_repeated_members(self) -> None:
        """Claims that say something twice, however deep, are refused."""
        for claims in (b'{"sub":"a","sub":"b"}', b'{"sub":"a","\\u0073ub":"a"}', b'{"x":[{"a":1,"a":1}]}'):
            self.assertIsNone(self.verify(self.forge(claims)))

    def test_size_limit(self) -> None:
        """A token of the longest size is accepted and a longer one is not even decoded."""
        lengths = {}
        for size in (9000, LONGEST_TOKEN):
            token = self.forge(json.dumps({"a": "x" * size}).encode())
            lengths[len(token) > LONGEST_TOKEN] = self.verify(token) is not None

        self.assertEqual(lengths, {False: True, True: False})


class FormTests(SynchronousTestCase):
    """A token has one spelling."""

    def setUp(self) -> None:
        """Sign a token."""
        self.verify = KeyRingVerifier(full_ring()).verify
        self.token = sign(KeyRingSigner(full_ring()), CLAIMS, "ES512")
        self.assertEqual(self.verify(self.token), CLAIMS)

    def test_segments(self) -> None:
        """A token has exactly three segments."""
        header, claims, signature = self.token.split(".")
        for token in (
            f"{header}.{claims}",
            f"{self.token}.",
            f".{self.token}",
            f"{self.token}.{signature}",
            f"{header}..{signature}",
            f"..{signature}",
            f"{header}.{claims}.",
            header,
            f"{header}.{claims}.{signature}..",
        ):
            self.assertIsNone(self.verify(token))

    def test_spellings(self) -> None:
        """Padding, line breaks, the other alphabet, spare bits and foreign characters are refused in every segment."""
        parts = self.token.split(".")
        for index, part in enumerate(parts):
            for other in (
                part + "=",
                part + "==",
                part + "\n",
                part[:5] + "\n" + part[5:],
                part + " ",
                part + "+",
                part[:4] + "*" + part[4:],
                part + "é",
                part + "A",
            ):
                changed = [*parts[:index], other, *parts[index + 1 :]]

                self.assertIsNone(self.verify(".".join(changed)), other)

    def test_every_signature_bit(self) -> None:
        """A signature with any one bit changed is not good."""
        signed, _, last = self.token.rpartition(".")
        signature = from_b64url(last) or b""
        self.assertEqual(len(signature), 132)
        for position in range(0, len(signature) * 8, 5):
            changed = bytearray(signature)
            changed[position // 8] ^= 1 << position % 8

            self.assertIsNone(self.verify(f"{signed}.{segment(bytes(changed))}"), position)

    def test_signature_lengths(self) -> None:
        """A signature on a curve has two numbers of full length: no ASN.1, no shorter or longer form, no zeros."""
        signed, _, last = self.token.rpartition(".")
        signature = from_b64url(last) or b""
        r, s = signature[:66], signature[66:]
        for other in (
            b"",
            r,
            signature + b"\0",
            b"\0" + r + b"\0" + s,
            r.lstrip(b"\0") + s[1:],
            b"\0" * 132,
            b"\xff" * 132,
            s + r,
        ):
            self.assertIsNone(self.verify(f"{signed}.{segment(other)}"))
        private: Any = p521_key().key
        self.assertIsNone(self.verify(f"{signed}.{segment(private.sign(signed.encode(), ec.ECDSA(HASHES['512'])))}"))

    def test_left_out_zero(self) -> None:
        """A signature whose second number begins with a zero is not good without it, though no number changes."""
        signer = KeyRingSigner(full_ring())
        tokens = (sign(signer, {"n": number}, "ES512").rpartition(".") for number in range(200))
        signed, signature = next((one, two) for one, _, last in tokens if (two := from_b64url(last) or b"")[66] == 0)
        shorter = signature[:66] + signature[67:]

        answers = [self.verify(f"{signed}.{segment(content)}") is not None for content in (signature, shorter)]
        self.assertEqual(answers, [True, False])

    def test_rsa_signature_lengths(self) -> None:
        """An RSA signature of another length is not good."""
        signed, _, last = sign(KeyRingSigner(full_ring()), CLAIMS, "PS256").rpartition(".")
        signature = from_b64url(last) or b""
        for other in (
            b"",
            signature[:-1],
            signature + b"\0",
            b"\0" + signature,
            b"\xff" * 256,
            b"\0" * 256,
            b"\1" * 10_000,
        ):
            self.assertIsNone(self.verify(f"{signed}.{segment(other)}"))

    @settings(deadline=None, max_examples=200)
    @given(st.text(st.characters()) | st.from_regex(r"[A-Za-z0-9_-]{0,40}(\.[A-Za-z0-9_-]{0,40}){0,4}"))
    def test_any_text(self, text: str) -> None:
        """No text is good by chance, and none is a fault of ours."""
        self.assertIsNone(self.verify(text))

    @settings(deadline=None, max_examples=200)
    @given(
        st.dictionaries(
            st.sampled_from(["alg", "kid", "typ", "crit", "jwk"]),
            st.sampled_from(["ES256", "es256-1", "none", "", 1, None, ["x"], {"kty": "EC"}]),
        ),
        st.binary(max_size=40),
    )
    def test_any_header(self, header: dict[str, Any], claims: bytes) -> None:
        """Only the header that names the key that signed, its algorithm, and at most a type gets claims out."""
        answer = self.verify(forge(p256_key(), header, claims))
        plain = (
            header.get("alg") == "ES256" and header.get("kid") == "es256-1" and header.keys() <= {"alg", "kid", "typ"}
        )

        self.assertTrue(answer is None or (plain and isinstance(header.get("typ", ""), str)))
