"""The rules by which an ID token of an external authority is believed; its signature has been checked before.

Every rule says no in words for the operator, in which nothing stands that the token says.

Spec: OIDC Core 3.1.3.7, 3.2.2.11 and 3.3.2.11.
"""

import hmac
from collections.abc import Mapping
from typing import TypeGuard

from attrs import field, frozen

from konnectd.protocol.id_token import left_half_hash

#: Longest ``sub``, in characters. Spec: OIDC Core 2.
LONGEST_SUBJECT = 255
#: Of how many ways to prove who one is we take notice, and how long the word for one may be.
MOST_METHODS = 10
LONGEST_METHOD = 32


class UnbelievableTokenError(Exception):
    """An ID token breaks a rule; the text says which."""


@frozen(kw_only=True)
class Expected:
    """What an ID token must agree with.

    Attributes:
        nonce: of the request it answers.
        now: in seconds since the epoch.
        skew: by how many seconds the other clock may differ.
        access_token: that came with it; empty for none.
        code: that came with it; empty for none.
    """

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    now: int
    skew: int
    access_token: str = field(default="", repr=False)
    code: str = field(default="", repr=False)


def check_id_token(claims: Mapping[str, object], algorithm: str, expected: Expected) -> None:
    """Check all that a token says about itself.

    Args:
        claims: whose signature is good.
        algorithm: by which it is signed.
        expected: what they must agree with.

    Raises:
        UnbelievableTokenError: they do not.
    """
    if claims.get("iss") != expected.issuer:
        raise UnbelievableTokenError("iss is not this authority")
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= LONGEST_SUBJECT:
        raise UnbelievableTokenError("sub is missing or too long")
    _check_audience(claims, expected.client_id)
    _check_times(claims, expected)
    if not _is_same(claims.get("nonce"), expected.nonce):
        raise UnbelievableTokenError("nonce is not the one of this sign-in")
    _check_hash(claims.get("at_hash"), expected.access_token, algorithm, "at_hash does not fit the access token")
    _check_hash(claims.get("c_hash"), expected.code, algorithm, "c_hash does not fit the code")


def _check_audience(claims: Mapping[str, object], client_id: str) -> None:
    """Check whom it is for. Spec: OIDC Core 3.1.3.7 (3) to (5)."""
    aud, azp = claims.get("aud"), claims.get("azp")
    audience = aud if isinstance(aud, list) else [aud]
    if client_id not in audience:
        raise UnbelievableTokenError("aud does not name us: it was made for somebody else")
    if azp is None and len(audience) > 1:
        raise UnbelievableTokenError("aud names several, and azp is missing")
    if azp is not None and azp != client_id:
        raise UnbelievableTokenError("azp is not us: it was made for somebody else")


def _check_times(claims: Mapping[str, object], expected: Expected) -> None:
    """Check that it is neither over nor from the future."""
    exp, iat, nbf = claims.get("exp"), claims.get("iat"), claims.get("nbf")
    if not is_time(exp) or not is_time(iat):
        raise UnbelievableTokenError("exp or iat is missing")
    if expected.now >= exp + expected.skew:
        raise UnbelievableTokenError("exp is over")
    if iat > expected.now + expected.skew:
        raise UnbelievableTokenError("iat is in the future; the clocks differ")
    if nbf is not None and not (is_time(nbf) and nbf <= expected.now + expected.skew):
        raise UnbelievableTokenError("nbf is in the future; the clocks differ")


def _check_hash(found: object, text: str, algorithm: str, problem: str) -> None:
    """Check that what came beside it belongs to it, as far as it says so. Spec: OIDC Core 3.1.3.8."""
    if found is not None and text and not _is_same(found, left_half_hash(text, algorithm)):
        raise UnbelievableTokenError(problem)


def _is_same(found: object, expected: str) -> bool:
    """Compare without telling how much was right."""
    return isinstance(found, str) and hmac.compare_digest(found.encode("utf-8", "surrogatepass"), expected.encode())


def is_time(value: object) -> TypeGuard[int | float]:
    """Tell whether a claim is a moment; Python counts truth as a number, and there is no end of infinity."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10**12


def methods(claims: Mapping[str, object]) -> tuple[str, ...]:
    """Return how somebody proved who they are, as far as it is said in words. Spec: OIDC Core 2 (``amr``); RFC 8176."""
    amr = claims.get("amr")
    words = [word for word in amr if isinstance(word, str)] if isinstance(amr, list) else []
    good = (word for word in words if word.isascii() and word.isprintable() and 0 < len(word) <= LONGEST_METHOD)
    return tuple(dict.fromkeys(good))[:MOST_METHODS]


def identity(claims: Mapping[str, object], name: str) -> str:
    """Return the value of the claim that says who somebody is; empty when it says nothing of use.

    An address counts only when the authority says that it has verified it: else anybody could give that of
    somebody else.

    Spec: OIDC Core 5.1 (``email_verified``) and 5.7.
    """
    value = claims.get(name)
    if not isinstance(value, str):
        return ""
    if name == "email" and claims.get("email_verified") not in (True, "true"):
        return ""
    return value.strip()
