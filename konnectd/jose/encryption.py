"""Tokens and claims that only one client can read: compact JWE, made with the client's key or from its secret.

Nothing of ours is ever decrypted here, so there is no padding for anybody to ask about. What is offered: RSA-OAEP and
ECDH-ES with a public key the client registered, and AES with a key that is derived from its secret. What is not, and
why: ``RSA1_5``, whose padding betrays content to who may ask often enough; ``PBES2``, which lets a stranger choose how
long a computation takes; compression, which betrays content by its length.

Spec: RFC 7516; RFC 7518 4 and 5; OIDC Core 10.2; RFC 8725 3.2 and 3.6.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256, sha384, sha512
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from konnectd.interfaces import BackendUnavailableError, ClientKeys
from konnectd.protocol.client import Client
from konnectd.protocol.public_key import public_members
from konnectd.protocol.wrapping import Wrapping

if TYPE_CHECKING:
    from jwcrypto.jwk import JWK

#: Ways to wrap a key with a public key of the client's, by the kinds of keys that can.
_PUBLIC: Mapping[str, frozenset[str]] = {
    "RSA-OAEP": frozenset({"RSA"}),
    "RSA-OAEP-256": frozenset({"RSA"}),
    "ECDH-ES": frozenset({"EC", "OKP"}),
    "ECDH-ES+A128KW": frozenset({"EC", "OKP"}),
    "ECDH-ES+A256KW": frozenset({"EC", "OKP"}),
}
#: Ways to wrap it with a secret, by the bytes of the key that is made of it; ``dir`` needs what the content needs.
_SECRET: Mapping[str, int] = {"A128KW": 16, "A256KW": 32, "dir": 0}
#: Ways to encrypt content, by the bytes of their key.
_CONTENT: Mapping[str, int] = {"A128CBC-HS256": 32, "A256CBC-HS512": 64, "A128GCM": 16, "A256GCM": 32}

#: The ``alg`` values there are.
ALGORITHMS = (*_PUBLIC, *_SECRET)
#: The ``enc`` values there are, the default one first. Spec: OIDC Registration 2.
CONTENT_ALGORITHMS = tuple(_CONTENT)
#: Curves of keys that keys can be agreed with.
_CURVES = frozenset({"P-256", "P-384", "P-521", "X25519"})
#: Weaker keys protect nothing.
_SHORTEST_RSA_KEY = 2048
#: What a key may be for that is used here. Spec: RFC 7517 4.3.
_OPERATIONS = frozenset({"encrypt", "wrapKey", "deriveKey", "deriveBits"})


class ClientEncrypter:
    """Encrypts for clients. It is a `konnectd.interfaces.Encrypter`."""

    def __init__(self, keys: ClientKeys) -> None:
        """Remember where keys are."""
        self._keys = keys

    async def encrypt(self, client: Client, content: str, wrapping: Wrapping) -> str:
        """Return a compact JWE that only the client can read.

        Raises:
            BackendUnavailableError: the client's keys could not be fetched, or none of them is for this.

        Spec: OIDC Core 10.2; RFC 7519 5.2 (``cty``).
        """
        key = await self._key(client, wrapping)
        header = {"alg": wrapping.alg, "enc": wrapping.enc, "typ": "JWT"}
        if wrapping.nested:
            header["cty"] = "JWT"
        kid = key.get("kid")
        if kid and wrapping.alg in _PUBLIC:
            header["kid"] = str(kid)
        from jwcrypto.common import JWException  # noqa: PLC0415 - costs 20 ms, which only who has such clients pays
        from jwcrypto.jwe import JWE  # noqa: PLC0415 - the same

        token = JWE(content.encode(), protected=header, algs=[wrapping.alg, wrapping.enc])
        try:
            token.add_recipient(key)
        except (JWException, ValueError) as error:
            # A key that can be read and is none: a modulus no library takes, a point that gives nothing away.
            raise BackendUnavailableError(f"the key of client {client.short_id} can not be used") from error
        return str(token.serialize(compact=True))

    async def _key(self, client: Client, wrapping: Wrapping) -> "JWK":
        """Return the key to wrap with."""
        if wrapping.alg in _SECRET:
            return _derived(client.secret, _SECRET[wrapping.alg] or _CONTENT[wrapping.enc])
        key = find_key(await self._keys.members(client), wrapping.alg)
        if key is None:
            raise BackendUnavailableError(f"client {client.short_id} has no key that fits {wrapping.alg}")
        return key


def needs_secret(algorithm: str) -> bool:
    """Tell whether an algorithm takes the client's secret, and not a key of its own."""
    return algorithm in _SECRET


def find_key(members: Iterable[object], algorithm: str) -> "JWK | None":
    """Return the first key that a key can be wrapped with; one that says it is for encryption goes first.

    Args:
        members: JSON Web Keys.
        algorithm: one that takes a public key.

    Spec: RFC 7517 4.2 to 4.4; OIDC Core 10.2.
    """
    read = (public_members(member) for member in members)
    fitting = [member for member in read if member is not None and _fits(member, algorithm)]
    fitting.sort(key=lambda member: member.get("use") != "enc")
    return next((key for member in fitting if (key := _public_key(member)) is not None), None)


def _fits(member: Mapping[str, object], algorithm: str) -> bool:
    """Tell whether a key says of itself that it can do something."""
    operations = member.get("key_ops")
    return (
        member.get("kty") in _PUBLIC[algorithm]
        and member.get("use", "enc") == "enc"
        and member.get("alg", algorithm) == algorithm
        and (member.get("kty") == "RSA" or member.get("crv") in _CURVES)
        and (not isinstance(operations, list) or any(operation in _OPERATIONS for operation in operations))
    )


def _public_key(member: Mapping[str, object]) -> "JWK | None":
    """Return the public part of a key; None when it is broken or weak."""
    from jwcrypto.common import JWException  # noqa: PLC0415 - see above
    from jwcrypto.jwk import JWK  # noqa: PLC0415 - see above

    try:
        # Its ways to be used have been looked at, and would keep the library from some of them.
        kept = {name: value for name, value in member.items() if name not in {"use", "key_ops", "alg"}}
        key = JWK.from_json(JWK.from_json(json.dumps(kept)).export_public())
        found: object = key.get_op_key("wrapKey")
    except (JWException, ValueError, TypeError, KeyError):
        return None
    weak = isinstance(found, RSAPublicKey) and found.key_size < _SHORTEST_RSA_KEY
    return None if weak else key


def _derived(secret: str, size: int) -> "JWK":
    """Return the key that is made of a secret: so many bytes of the shortest hash that has them.

    Raises:
        BackendUnavailableError: there is no secret, so everybody could make that key.

    Spec: OIDC Core 10.2.
    """
    from jwcrypto.common import base64url_encode  # noqa: PLC0415 - see above
    from jwcrypto.jwk import JWK  # noqa: PLC0415 - see above

    if not secret:
        raise BackendUnavailableError("a client without a secret is registered for encryption with one")
    digests = (sha256(secret.encode()), sha384(secret.encode()), sha512(secret.encode()))
    digest = next(found.digest() for found in digests if found.digest_size >= size)
    return JWK(kty="oct", k=base64url_encode(digest[:size]))
