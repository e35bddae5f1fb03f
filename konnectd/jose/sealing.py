"""Values that only this daemon can read: what stands in cookies, forms and codes.

Sealed text is base64url without padding of

    version (1 byte) | salt (24 random bytes) | AES-256-GCM of [end (8 bytes) | claims (JSON)]

The key and nonce of each value are its own: both come from BLAKE2b, keyed with the 32 bytes of the installation's
secret, over the purpose, and keyed with that result, over the salt. GCM with one key and random nonces of 96 bits
must stop after 2^32 values; here two values share key and nonce only if their salts of 192 bits are equal, which is
out of reach for 2^64 values (the chance is less than 2^-64), so no limit has to be watched.

The purpose goes into the key and is authenticated besides, the end is inside: a value opens for its purpose, until its
end, or not at all. Tags come from keys of their own, so that no tag is ever part of a sealed value.
"""

from collections.abc import Mapping
from hashlib import blake2b
from os import urandom

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from konnectd.base64url import b64url, from_b64url
from konnectd.jsontext import read, write

SECRET_SIZE = 32
#: Longest sealed text, in characters.
LONGEST_SEALED = 64 * 1024

_VERSION = b"\x01"
_SALT_SIZE = 24
_KEY_SIZE = 32
_NONCE_SIZE = 12
_GCM_TAG_SIZE = 16
_END_SIZE = 8
_SHORTEST = len(_VERSION) + _SALT_SIZE + _END_SIZE + _GCM_TAG_SIZE
_TAG_SIZE = 16

#: What a key is for; BLAKE2b gives each its own function. At most 16 bytes.
_FOR_SEALING = b"konnectd seal 1"
_FOR_TAGGING = b"konnectd tag 1"


class SecretSealer:
    """Seals with the installation's secret."""

    def __init__(self, secret: bytes) -> None:
        """Keep the secret.

        Raises:
            ValueError: it has not exactly 32 bytes.
        """
        if len(secret) != SECRET_SIZE:
            raise ValueError(f"the encryption secret must have {SECRET_SIZE} bytes, it has {len(secret)}")
        self._secret = bytes(secret)
        # Purposes are words of our own code, so there are only a few.
        self._keys: dict[tuple[str, bytes], bytes] = {}

    def seal(self, purpose: str, claims: Mapping[str, object], expires_at: int) -> str:
        """Return text safe for cookies and URLs that `open` understands until a moment (seconds since the epoch).

        Raises:
            ValueError: the claims are larger than what `open` would look at.
        """
        content = write(claims)
        salt = urandom(_SALT_SIZE)
        cipher, nonce = self._cipher(purpose, salt)
        plaintext = expires_at.to_bytes(_END_SIZE, "big", signed=True) + content
        text = b64url(_VERSION + salt + cipher.encrypt(nonce, plaintext, _authenticated(purpose)))
        if len(text) > LONGEST_SEALED:
            raise ValueError(f"too much to seal for the purpose {purpose}")
        return text

    def open(self, purpose: str, text: str, now: int) -> Mapping[str, object] | None:
        """Return the claims; None when it is not ours, was sealed for another purpose, or has expired."""
        if len(text) > LONGEST_SEALED:
            return None
        sealed = from_b64url(text)
        if sealed is None or len(sealed) < _SHORTEST or sealed[:1] != _VERSION:
            return None
        salt, ciphertext = sealed[1 : 1 + _SALT_SIZE], sealed[1 + _SALT_SIZE :]
        cipher, nonce = self._cipher(purpose, salt)
        try:
            plaintext = cipher.decrypt(nonce, ciphertext, _authenticated(purpose))
        except InvalidTag:
            return None
        if now >= int.from_bytes(plaintext[:_END_SIZE], "big", signed=True):
            return None
        claims = read(plaintext[_END_SIZE:])
        return claims if isinstance(claims, dict) else None

    def tag(self, purpose: str, text: str) -> str:
        """Return a keyed digest (base64url, 128 bit) that proves this daemon has made something."""
        key = self._purpose_key(purpose, _FOR_TAGGING)
        return b64url(blake2b(_utf8(text), digest_size=_TAG_SIZE, key=key).digest())

    def _cipher(self, purpose: str, salt: bytes) -> tuple[AESGCM, bytes]:
        """Return the cipher and the nonce of one value."""
        key = self._purpose_key(purpose, _FOR_SEALING)
        derived = blake2b(salt, digest_size=_KEY_SIZE + _NONCE_SIZE, key=key).digest()
        return AESGCM(derived[:_KEY_SIZE]), derived[_KEY_SIZE:]

    def _purpose_key(self, purpose: str, use: bytes) -> bytes:
        """Return the key of one purpose and use, made when it is first needed."""
        key = self._keys.get((purpose, use))
        if key is None:
            key = blake2b(_utf8(purpose), digest_size=_KEY_SIZE, key=self._secret, person=use).digest()
            self._keys[purpose, use] = key
        return key


def _authenticated(purpose: str) -> bytes:
    """Return what a value can not be opened without, besides the key."""
    return _VERSION + _utf8(purpose)


def _utf8(text: str) -> bytes:
    """Write any text, also what came out of a browser's bytes with lone surrogates, each in its own way."""
    return text.encode("utf-8", "surrogatepass")
