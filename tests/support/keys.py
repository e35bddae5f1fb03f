"""Keys for tests, each made once per process, and hashes that are quick to check."""

from functools import cache

from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import rsa

from konnectd.jose.keys import KeyRing, PrivateKey, generate


@cache
def key_for(method: str, number: int = 1) -> PrivateKey:
    """Return a key that signs by a method, always the same; further numbers are further keys."""
    return generate(method, f"{method.lower()}-{number}")


def rsa_key(number: int = 1) -> PrivateKey:
    """Return an RSA key of 2048 bits."""
    return key_for("PS256", number)


def p256_key(number: int = 1) -> PrivateKey:
    """Return a key on P-256, the quickest to sign with."""
    return key_for("ES256", number)


def p384_key(number: int = 1) -> PrivateKey:
    """Return a key on P-384."""
    return key_for("ES384", number)


def p521_key(number: int = 1) -> PrivateKey:
    """Return a key on P-521."""
    return key_for("ES512", number)


def ed25519_key(number: int = 1) -> PrivateKey:
    """Return a key on Ed25519."""
    return key_for("EdDSA", number)


@cache
def large_rsa_key() -> PrivateKey:
    """Return an RSA key of 3072 bits."""
    return PrivateKey("rsa-3072", rsa.generate_private_key(public_exponent=65537, key_size=3072))


@cache
def full_ring() -> KeyRing:
    """Return a ring with a key of every kind."""
    return KeyRing((rsa_key(), p256_key(), p384_key(), p521_key(), ed25519_key()))


@cache
def quick_hash(password: str) -> str:
    """Return a hash that costs next to nothing to check."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)
