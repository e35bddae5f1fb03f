"""Keys written as JSON Web Keys: how a document becomes a `PrivateKey` or a `PublicKey`.

Only single keys of our own are read here. What a client registers as its keys is another matter and not here.
"""

import json
from collections.abc import Mapping

from konnectd.jose.keys import (
    PrivateKey,
    PublicKey,
    PublicKeyObject,
    algorithms_of,
    check_private,
    check_public,
)


def from_jwk(text: str, default_kid: str = "") -> PrivateKey | PublicKey:
    """Read a JSON Web Key; private when it has the private part.

    Args:
        text: the JSON document.
        default_kid: its key id if it has none, such as the name of its file; else its thumbprint.

    Raises:
        ValueError: it is no usable signing key, in words for operators.

    Spec: RFC 7517 4.
    """
    # Costs 20 ms at start, which only those pay who have a key in this form.
    from jwcrypto.common import JWException  # noqa: PLC0415 - see above
    from jwcrypto.jwk import JWK  # noqa: PLC0415 - see above

    members = _jwk_members(text)
    try:
        # Not given to the constructor, which makes a new key when one of the members is called "generate".
        jwk = JWK()
        jwk.import_key(**members)
        key: object = jwk.get_op_key("sign" if jwk.has_private else "verify")
    except (JWException, TypeError, ValueError, KeyError) as error:
        raise ValueError(f"the JSON Web Key can not be used: {error}") from error
    if jwk.has_private:
        private = check_private(key)
        _check_alg(members, algorithms_of(private.public_key()))
        return PrivateKey(_kid(members, private.public_key(), default_kid), private)
    public = check_public(key)
    _check_alg(members, algorithms_of(public))
    return PublicKey(_kid(members, public, default_kid), public)


def _jwk_members(text: str) -> dict[str, object]:
    """Read a JWK as JSON and refuse what could only be meant for something else.

    Raises:
        ValueError: no JSON object, a whole key set, a symmetric key or one for encryption.
    """
    try:
        members: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON document: line {error.lineno} can not be read") from error
    except RecursionError as error:
        raise ValueError("a JSON Web Key is not that deep") from error
    if not isinstance(members, dict):
        raise ValueError("a JSON Web Key is a JSON object")  # noqa: TRY004 - the text is wrong, not its type
    if "keys" in members:
        raise ValueError("this is a set of keys; give each key as a document of its own")
    if members.get("kty") not in ("RSA", "EC", "OKP"):
        raise ValueError("the JSON Web Key is of a kind that is not supported; use RSA, EC or OKP")
    if members.get("use", "sig") != "sig":
        raise ValueError("the JSON Web Key is not meant for signatures (its use is not sig)")
    return members


def _check_alg(members: Mapping[str, object], algorithms: tuple[str, ...]) -> None:
    """Refuse a JWK that says of itself it is for something the key can not do.

    Raises:
        ValueError: its ``alg`` does not fit.
    """
    if members.get("alg", algorithms[0]) not in algorithms:
        raise ValueError(f"the JSON Web Key's alg does not fit it; it can do {', '.join(algorithms)}")


def _kid(members: Mapping[str, object], key: PublicKeyObject, default_kid: str) -> str:
    """Return the id of a JWK, or what stands in for it."""
    kid = members.get("kid") or default_kid
    return str(kid) if kid else PublicKey("new", key).thumbprint
