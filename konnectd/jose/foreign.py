"""Tokens that somebody else signed: checked against the key set they publish.

Our own tokens are checked by `konnectd.jose.signing`, which knows what we never write. A stranger may write more, so a
general library reads it here; still no key is taken from the token itself, and none is fetched.

Issuer, audience and times are the caller's business.

Spec: RFC 7515 5.2; RFC 7517 5; RFC 8725 3.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from attrs import field, frozen

from konnectd.jose.keys import METHODS
from konnectd.jose.signing import LONGEST_TOKEN, read_segment


class ForeignTokenError(Exception):
    """A token can not be believed; the text says why, in words for the developer of whoever got it."""


@frozen(kw_only=True)
class ForeignToken:
    """A token whose signature fits a key of its issuer.

    Attributes:
        header: what its header says.
        claims: what it says.
    """

    header: Mapping[str, object] = field(repr=False)
    claims: Mapping[str, object] = field(repr=False)

    @property
    def algorithm(self) -> str:
        """How it is signed."""
        return str(self.header["alg"])


def verify_foreign(token: str, jwks: Mapping[str, object], algorithms: Collection[str]) -> ForeignToken:
    """Check the signature of a compact JWS.

    Args:
        token: as it came.
        jwks: the key set of its issuer, fetched from where the issuer says.
        algorithms: those the issuer announced; of these only signatures by a private key count, so that neither no
            signature at all nor one by a public key as a shared secret is good.

    Raises:
        ForeignTokenError: it can not be believed.
    """
    # Costs 20 ms at start, which only those pay who get such a token.
    from jwcrypto.common import JWException  # noqa: PLC0415 - see above
    from jwcrypto.jwk import JWKSet  # noqa: PLC0415 - see above
    from jwcrypto.jws import JWS  # noqa: PLC0415 - see above

    if len(token) > LONGEST_TOKEN or not token.isascii() or token.count(".") != 2:
        raise ForeignTokenError("it is not a signed token in three parts")
    try:
        signed = JWS()
        signed.deserialize(token)
        header = signed.jose_header
        algorithm = header.get("alg")
        if algorithm not in METHODS or algorithm not in algorithms:
            raise ForeignTokenError("it is signed by an algorithm that its issuer does not announce")
        key = _find_key(JWKSet.from_json(json.dumps(jwks)), header)
        signed.allowed_algs = [algorithm]
        signed.verify(key, algorithm)
        return ForeignToken(header=dict(header), claims=_claims(signed.payload))
    except (JWException, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ForeignTokenError("its signature does not fit any key of its issuer") from error


def named_key(token: str) -> str | None:
    """Return the name of the key that a token says it is signed with; None when it does not say. Nothing is checked."""
    header = read_segment(token.partition(".")[0]) if len(token) <= LONGEST_TOKEN and token.isascii() else None
    kid = header.get("kid") if header is not None else None
    return kid if isinstance(kid, str) else None


def _find_key(keys: Any, header: Mapping[str, object]) -> Any:  # noqa: ANN401 - jwcrypto carries no types
    """Return the one key a header names; without a name there must be only one that could be meant.

    Raises:
        ForeignTokenError: there is no such key.

    Spec: OIDC Core 10.1 (``kid`` is needed when there are several keys).
    """
    kid = header.get("kid")
    usable = [key for key in keys if key.get("use", "sig") == "sig" and (kid is None or key.get("kid") == kid)]
    if len(usable) != 1:
        raise ForeignTokenError("its issuer publishes no key of that name")
    return usable[0]


def _claims(payload: bytes) -> dict[str, object]:
    """Read the claims; a repeated one makes two readers see two tokens, so then it is none.

    Raises:
        ForeignTokenError: it is no JSON object with distinct members.
    """
    claims = json.loads(payload, object_pairs_hook=_distinct)
    if not isinstance(claims, dict):
        raise ForeignTokenError("what is signed is no set of claims")
    return claims


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Collect members.

    Raises:
        ForeignTokenError: one is there twice.
    """
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ForeignTokenError("a claim is there twice")
    return members
