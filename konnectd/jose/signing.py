"""Tokens of our own: compact JWS, signed and checked with `cryptography` directly.

A general JOSE library costs more than the rest of a request, and most of what it can do is what attackers ask for: a
key inside the header, a key fetched from somewhere, HMAC with a public key, no signature at all. Here the key ring
alone says which key id goes with which algorithm, and a header that says anything we never write is refused.

Tokens are limited in size before they are decoded. Times, issuer, audience and kind are the caller's business.

Spec: RFC 7515 5; RFC 7518 3; RFC 8037 3.1; RFC 8725 3.
"""

import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Protocol, TypeAlias

from attrs import field, frozen
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from konnectd.base64url import b64url, from_b64url
from konnectd.jose.keys import KeyRing, PrivateKeyObject, PublicKeyObject
from konnectd.jsontext import read, read_strictly, write

#: Longest token that is looked at, and longest header in it, in characters.
LONGEST_TOKEN = 16 * 1024
LONGEST_HEADER = 1024
#: How many tokens a verifier remembers as good.
REMEMBERED = 2048
#: How many header segments a verifier remembers as ours: three are common, and others can make up more.
_MOST_HEADERS = 64
#: All that we ever write into a header. Not here, and why: ``jwk``, ``jku``, ``x5u``, ``x5c`` bring or fetch a foreign
#: key, ``crit`` and ``b64`` change the rules, ``zip`` lets a small token grow.
_HEADER_MEMBERS = frozenset({"alg", "kid", "typ"})

Sign: TypeAlias = Callable[[bytes], bytes]
Check: TypeAlias = Callable[[bytes, bytes], bool]

_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}


class Defer(Protocol):
    """Runs a function in a thread, as ``deferToThreadPool`` does with its first two arguments given."""

    def __call__(self, function: Sign, message: bytes, /) -> Awaitable[bytes]:
        """Return what the function returns, later."""
        ...


@frozen
class _ActiveKey:
    """What is known in advance about signing by one algorithm."""

    kid: str
    sign: Sign = field(repr=False)
    slow: bool


class KeyRingSigner:
    """Signs with the active key of a ring."""

    def __init__(self, ring: KeyRing, defer: Defer | None = None) -> None:
        """Prepare every algorithm.

        Args:
            ring: the keys; the first listed one that fits an algorithm signs.
            defer: where slow keys (RSA beyond 2048 bits) sign; without it they sign at once.
        """
        self._algorithms = ring.algorithms
        self._defer = defer
        # From the last to the first, so that the first listed key has the last word.
        self._keys: dict[str, _ActiveKey] = {
            algorithm: _ActiveKey(key.kid, _signing(algorithm, key.key), key.slow)
            for key in reversed(ring.signing)
            for algorithm in key.algorithms
        }
        self._headers: dict[tuple[str, str], str] = {}
        self._successor: KeyRingSigner | None = None

    def give_way(self, successor: "KeyRingSigner") -> None:
        """Let another one sign from now on, whoever asks this one: a key that is gone signs no more, for nobody."""
        self._successor = successor

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The ``alg`` values there is a key for, the default one first."""
        return self._algorithms

    async def sign(self, claims: Mapping[str, object], algorithm: str | None = None, typ: str = "JWT") -> str:
        """Return a compact JWS; without an algorithm, or with one there is no key for, by the default one."""
        if self._successor is not None:
            return await self._successor.sign(claims, algorithm, typ)
        alg = algorithm if algorithm in self._keys else self._algorithms[0]
        key = self._keys[alg]
        signed = f"{self._header(alg, typ)}.{b64url(write(claims))}"
        message = signed.encode("ascii")
        if key.slow and self._defer is not None:
            signature = await self._defer(key.sign, message)
        else:
            signature = key.sign(message)
        return f"{signed}.{b64url(signature)}"

    def _header(self, alg: str, typ: str) -> str:
        """Return the first segment; made once, since there are few and they never change."""
        header = self._headers.get((alg, typ))
        if header is None:
            members = {"alg": alg, "kid": self._keys[alg].kid, "typ": typ}
            header = b64url(json.dumps(members, separators=(",", ":")).encode("ascii"))
            self._headers[alg, typ] = header
        return header


class KeyRingVerifier:
    """Checks tokens against all keys of a ring.

    It remembers the tokens it found good, since a client shows one access token many times. It is made for one ring:
    other keys mean another verifier, which remembers nothing.
    """

    def __init__(self, ring: KeyRing, remembered: int = REMEMBERED) -> None:
        """Prepare every key with every algorithm that fits it."""
        self._checks: dict[tuple[str, str], Check] = {
            (kid, algorithm): checking(algorithm, key.key)
            for kid, key in ring.by_kid.items()
            for algorithm in key.algorithms
        }
        self._remembered = remembered
        self._headers: dict[str, Check] = {}
        self._good: OrderedDict[bytes, str] = OrderedDict()

    def __len__(self) -> int:
        """Return how many tokens it remembers."""
        return len(self._good)

    def verify(self, token: str) -> Mapping[str, object] | None:
        """Return the claims when one of our keys signed them; they are the caller's own copy."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            return None
        # Nobody learns another token from how long this look-up takes: what is compared is a hash of the whole token.
        digest = sha256(token.encode("ascii")).digest()
        text = self._good.get(digest)
        if text is not None:
            self._good.move_to_end(digest)
            known = read(text)
            return known if isinstance(known, dict) else None
        claims = self._verify(token)
        if claims is None:
            return None
        # The text, because reading it again costs less than copying what was read, to the bottom.
        self._good[digest] = (from_b64url(token.split(".", 2)[1]) or b"").decode("utf-8")
        if len(self._good) > self._remembered:
            self._good.popitem(last=False)
        return claims

    def _verify(self, token: str) -> dict[str, object] | None:
        """Check a token that nothing is known about; no claim is read before the signature is good."""
        segments = token.split(".", 3)
        if len(segments) != 3:
            return None
        check = self._find_check(segments[0])
        signature = from_b64url(segments[2])
        if check is None or signature is None:
            return None
        if not check(signature, f"{segments[0]}.{segments[1]}".encode("ascii")):
            return None
        return read_segment(segments[1])

    def _find_check(self, segment: str) -> Check | None:
        """Return how the key that a header names checks signatures; None when there is no such key or algorithm."""
        known = self._headers.get(segment)
        if known is not None:
            return known
        if len(segment) > LONGEST_HEADER:
            return None
        match read_segment(segment):
            case {"alg": str(alg), "kid": str(kid), **others} if others.keys() <= _HEADER_MEMBERS:
                check = self._checks.get((kid, alg)) if isinstance(others.get("typ", ""), str) else None
                if check is not None and len(self._headers) < _MOST_HEADERS:
                    self._headers[segment] = check
                return check
        return None


def _signing(algorithm: str, key: PrivateKeyObject) -> Sign:
    """Return how a key signs by an algorithm that fits it."""
    if isinstance(key, rsa.RSAPrivateKey):
        rsa_key, hashing, pad = key, _HASHES[algorithm[2:]], _padding(algorithm)
        return lambda message: rsa_key.sign(message, pad, hashing)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        ec_key, ecdsa, size = key, ec.ECDSA(_HASHES[algorithm[2:]]), _coordinate_size(key.curve)
        return lambda message: _raw(ec_key.sign(message, ecdsa), size)
    return key.sign


def checking(algorithm: str, key: PublicKeyObject) -> Check:
    """Return how a key checks signatures of an algorithm that fits it."""
    if isinstance(key, rsa.RSAPublicKey):
        rsa_key, hashing, pad = key, _HASHES[algorithm[2:]], _padding(algorithm)
        return _checked(lambda signature, message: rsa_key.verify(signature, message, pad, hashing))
    if isinstance(key, ec.EllipticCurvePublicKey):
        ec_key, ecdsa, size = key, ec.ECDSA(_HASHES[algorithm[2:]]), _coordinate_size(key.curve)
        return _checked(lambda signature, message: ec_key.verify(_der(signature, size), message, ecdsa))
    return _checked(key.verify)


def _checked(verify: Callable[[bytes, bytes], None]) -> Check:
    """Turn a check that raises into one that answers."""

    def check(signature: bytes, message: bytes) -> bool:
        try:
            verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    return check


def _padding(algorithm: str) -> padding.AsymmetricPadding:
    """Return the padding of an RSA algorithm; for PSS the salt is as long as the hash, also when checking.

    Spec: RFC 7518 3.5.
    """
    if algorithm.startswith("RS"):
        return padding.PKCS1v15()
    hashing = _HASHES[algorithm[2:]]
    return padding.PSS(mgf=padding.MGF1(hashing), salt_length=hashing.digest_size)


def _coordinate_size(curve: ec.EllipticCurve) -> int:
    """Return the bytes of one half of a signature. Spec: RFC 7518 3.4."""
    return (curve.key_size + 7) // 8


def _raw(signature: bytes, size: int) -> bytes:
    """Write an ECDSA signature as two numbers of fixed length."""
    r, s = decode_dss_signature(signature)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _der(signature: bytes, size: int) -> bytes:
    """Read two numbers of fixed length.

    Raises:
        ValueError: it is not exactly as long as two of them.
    """
    if len(signature) != 2 * size:
        raise ValueError("the signature has another length")
    return encode_dss_signature(int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))


def read_segment(segment: str) -> dict[str, object] | None:
    """Read the JSON object in a segment; None for anything else, repeated members included.

    Two readers of an object with repeated members may see two different objects, so it is not one.
    """
    content = from_b64url(segment)
    if content is None:
        return None
    try:
        value: object = read_strictly(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
