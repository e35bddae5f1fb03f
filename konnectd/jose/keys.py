"""Keys: what they can sign, which of them is the active one, and what the world sees of them.

A key is a value that is right: made from a weak or foreign key it raises, so nothing downstream checks again. Reading
key files is `konnectd.config.keys`, reading JSON Web Keys `konnectd.jose.jwk`; signing is `konnectd.jose.signing`.

The first listed key that fits an algorithm is the active one for it, always. The order of the key set never changes
between two starts, so that its bytes and their ETag do not either.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import TypeAlias

from attrs import Factory, field, frozen
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from konnectd.base64url import b64url

PrivateKeyObject: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey
PublicKeyObject: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | Ed25519PublicKey

SMALLEST_MODULUS = 2048
SMALLEST_EXPONENT = 65537
LONGEST_KID = 255
#: The name under which Konnect has always published the active key a second time.
DEFAULT_KID = "default"

RSA_ALGORITHMS = ("PS256", "PS384", "PS512", "RS256", "RS384", "RS512")
#: By the name `cryptography` has for the curve: the JOSE name, the one algorithm, bytes of a coordinate.
#: Spec: RFC 7518 3.4 and 6.2.1.
_CURVES: Mapping[str, tuple[str, str, int]] = {
    "secp256r1": ("P-256", "ES256", 32),
    "secp384r1": ("P-384", "ES384", 48),
    "secp521r1": ("P-521", "ES512", 66),
}
_CURVE_OF_METHOD: Mapping[str, ec.EllipticCurve] = {
    "ES256": ec.SECP256R1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
}
#: Every ``alg`` there is. HMAC is not among them: a public key must never be good for one.
METHODS = (*RSA_ALGORITHMS, "ES256", "ES384", "ES512", "EdDSA")


def check_kid(kid: str) -> str:
    """Return a key id that a token's header can carry.

    Raises:
        ValueError: it is empty, too long or not printable.
    """
    if not kid:
        raise ValueError("every key needs a key id")
    if len(kid) > LONGEST_KID or not kid.isprintable():
        raise ValueError(f"a key id has at most {LONGEST_KID} characters, all of them printable")
    return kid


def check_public(key: object) -> PublicKeyObject:
    """Return a public key that is of a kind we use and strong enough.

    Raises:
        ValueError: it is not, in words for operators.
    """
    match key:
        case rsa.RSAPublicKey():
            if key.key_size < SMALLEST_MODULUS:
                raise ValueError(f"an RSA key needs at least {SMALLEST_MODULUS} bits, this one has {key.key_size}")
            exponent = key.public_numbers().e
            if exponent < SMALLEST_EXPONENT:
                raise ValueError(f"an RSA key's public exponent must be at least {SMALLEST_EXPONENT}, it is {exponent}")
            return key
        case ec.EllipticCurvePublicKey():
            if key.curve.name not in _CURVES:
                raise ValueError(f"curve {key.curve.name} is not supported; use P-256, P-384 or P-521")
            return key
        case Ed25519PublicKey():
            return key
    raise ValueError("this kind of key is not supported; use RSA, EC (P-256, P-384, P-521) or Ed25519")


def check_private(key: object) -> PrivateKeyObject:
    """Return a private key that is of a kind we use and strong enough.

    Raises:
        ValueError: it is not, in words for operators.
    """
    match key:
        case rsa.RSAPrivateKey() | ec.EllipticCurvePrivateKey() | Ed25519PrivateKey():
            check_public(key.public_key())
            return key
    try:
        check_public(key)
    except ValueError:
        raise ValueError(
            "this is no private key of a supported kind; use RSA, EC (P-256, P-384, P-521) or Ed25519"
        ) from None
    raise ValueError("this is a public key; signing needs the private one")


def check_method(method: str, signing: Iterable["PrivateKey"]) -> str:
    """Return a signing method that exists and that one of the keys fits.

    Raises:
        ValueError: it does not, in words for operators.
    """
    if method not in METHODS:
        raise ValueError(f"{method} is not a signing method; use one of {', '.join(METHODS)}")
    keys = tuple(signing)
    if any(method in key.algorithms for key in keys):
        return method
    offers = "; ".join(f"{key.kid} ({key.curve or key.kty}) can do {', '.join(key.algorithms)}" for key in keys)
    raise ValueError(f"no signing key fits {method}: {offers or 'there is none'}")


@frozen
class PublicKey:
    """A key that checks signatures.

    Attributes:
        kid: what tokens and the key set call it.
        key: of `cryptography`.

    Raises:
        ValueError: at construction, when the key id is unusable or the key is weak or of another kind.
    """

    kid: str
    key: PublicKeyObject = field(eq=False, repr=False)
    #: Members of the JWK that make the key what it is. Spec: RFC 7638 3.2.
    parameters: Mapping[str, str] = field(init=False, repr=False, hash=False)
    algorithms: tuple[str, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Check, then look once at what never changes."""
        check_kid(self.kid)
        check_public(self.key)
        object.__setattr__(self, "parameters", _parameters(self.key))
        object.__setattr__(self, "algorithms", algorithms_of(self.key))

    @property
    def kty(self) -> str:
        """The kind of key: ``RSA``, ``EC`` or ``OKP``."""
        return self.parameters["kty"]

    @property
    def curve(self) -> str:
        """The JOSE name of its curve; empty for RSA."""
        return self.parameters.get("crv", "")

    @property
    def thumbprint(self) -> str:
        """The key's own name, equal for equal keys. Spec: RFC 7638 3."""
        text = json.dumps(self.parameters, sort_keys=True, separators=(",", ":"))
        return b64url(sha256(text.encode("ascii")).digest())

    def to_jwk(self) -> dict[str, object]:
        """Write it for a key set; ``alg`` stands there only when no other would fit. Spec: RFC 7517 4."""
        alg = {"alg": self.algorithms[0]} if len(self.algorithms) == 1 else {}
        kty, *rest = self.parameters.items()
        return {"use": "sig", kty[0]: kty[1], "kid": self.kid, **alg, **dict(rest)}


@frozen
class PrivateKey:
    """A key that signs.

    Attributes:
        kid: what tokens and the key set call it.
        key: of `cryptography`.
        public: what the world may know of it.

    Raises:
        ValueError: at construction, when the key id is unusable or the key is weak or of another kind.
    """

    kid: str
    key: PrivateKeyObject = field(eq=False, repr=False)
    public: PublicKey = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Check, and take out the public half."""
        check_private(self.key)
        object.__setattr__(self, "public", PublicKey(self.kid, self.key.public_key()))

    @property
    def kty(self) -> str:
        """The kind of key: ``RSA``, ``EC`` or ``OKP``."""
        return self.public.kty

    @property
    def curve(self) -> str:
        """The JOSE name of its curve; empty for RSA."""
        return self.public.curve

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Every ``alg`` it can sign with."""
        return self.public.algorithms

    @property
    def thumbprint(self) -> str:
        """The key's own name, equal for equal keys. Spec: RFC 7638 3."""
        return self.public.thumbprint

    @property
    def slow(self) -> bool:
        """Whether a signature takes long enough to be worth a thread: RSA beyond 2048 bits."""
        return isinstance(self.key, rsa.RSAPrivateKey) and self.key.key_size > SMALLEST_MODULUS


def _parameters(key: PublicKeyObject) -> Mapping[str, str]:
    """Return the required members of a JWK, ``kty`` first. Spec: RFC 7518 6; RFC 8037 2."""
    if isinstance(key, rsa.RSAPublicKey):
        modulus = key.public_numbers()
        return {"kty": "RSA", "n": _number(modulus.n), "e": _number(modulus.e)}
    if isinstance(key, ec.EllipticCurvePublicKey):
        curve, _, size = _CURVES[key.curve.name]
        point = key.public_numbers()
        return {"kty": "EC", "crv": curve, "x": _number(point.x, size), "y": _number(point.y, size)}
    return {"kty": "OKP", "crv": "Ed25519", "x": b64url(key.public_bytes_raw())}


def algorithms_of(key: PublicKeyObject) -> tuple[str, ...]:
    """Return what really fits a key: an elliptic curve has one algorithm, not a family. Spec: RFC 7518 3.4."""
    if isinstance(key, rsa.RSAPublicKey):
        return RSA_ALGORITHMS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return (_CURVES[key.curve.name][1],)
    return ("EdDSA",)


def _number(number: int, size: int = 0) -> str:
    """Write a number, big end first, in at least as many bytes as the curve asks for. Spec: RFC 7518 6.2.1.2."""
    return b64url(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


def _by_kid(ring: "KeyRing") -> Mapping[str, PublicKey]:
    """Index all keys, in the order of the key set.

    Raises:
        ValueError: two different keys have one key id.
    """
    found: dict[str, PublicKey] = {}
    for key in (*(key.public for key in ring.signing), *ring.validation):
        if found.setdefault(key.kid, key) != key:
            raise ValueError(f"two different keys have the key id {key.kid}")
    return found


@frozen
class KeyRing:
    """All keys of the daemon.

    Attributes:
        signing: the first that fits an algorithm is the active one for it.
        validation: further keys whose signatures still count, such as those that were active before.
        method: the algorithm used where nobody asks for another.

    Raises:
        ValueError: at construction, when no signing key fits the method or two different keys share a key id.
    """

    signing: tuple[PrivateKey, ...]
    validation: tuple[PublicKey, ...] = ()
    method: str = "PS256"
    by_kid: Mapping[str, PublicKey] = field(init=False, eq=False, repr=False, default=Factory(_by_kid, takes_self=True))

    def __attrs_post_init__(self) -> None:
        """Refuse a method that could not sign anything."""
        check_method(self.method, self.signing)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Every ``alg`` there is a signing key for, the default one first."""
        return tuple(dict.fromkeys((self.method, *(alg for key in self.signing for alg in key.algorithms))))

    @property
    def active(self) -> PrivateKey:
        """The key that signs by default."""
        return next(key for key in self.signing if self.method in key.algorithms)

    def find_active(self, algorithm: str) -> PrivateKey | None:
        """Return the key that signs by an algorithm: the first listed one that fits."""
        return next((key for key in self.signing if algorithm in key.algorithms), None)

    def find(self, kid: str) -> PublicKey | None:
        """Return a key by its id, whether it still signs or not."""
        return self.by_kid.get(kid)

    def jwks(self) -> dict[str, list[dict[str, object]]]:
        """Write the key set: signing keys, validation keys, then the active key once more as ``default``.

        Clients that were set up for Konnect may have ``default`` configured, so it stays unless a key has that id
        itself. All key ids are distinct.

        Spec: RFC 7517 5; OIDC Core 10.1.
        """
        keys = [key.to_jwk() for key in self.by_kid.values()]
        if DEFAULT_KID not in self.by_kid:
            keys.append({**self.active.public.to_jwk(), "kid": DEFAULT_KID})
        return {"keys": keys}


def generate(method: str = "PS256", kid: str = "") -> PrivateKey:
    """Make a random key for a method; without a key id it is called by its thumbprint.

    Raises:
        ValueError: there is no such method.
    """
    key: PrivateKeyObject
    if method in RSA_ALGORITHMS:
        key = rsa.generate_private_key(public_exponent=SMALLEST_EXPONENT, key_size=SMALLEST_MODULUS)
    elif method in _CURVE_OF_METHOD:
        key = ec.generate_private_key(_CURVE_OF_METHOD[method])
    elif method == "EdDSA":
        key = Ed25519PrivateKey.generate()
    else:
        raise ValueError(f"{method} is not a signing method; use one of {', '.join(METHODS)}")
    return PrivateKey(kid or PublicKey("new", key.public_key()).thumbprint, key)
