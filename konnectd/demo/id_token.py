"""The rules by which the demo application believes an ID token, each with what it found, so that it can be shown.

The signature has been checked before, in `konnectd.jose.foreign`.

Spec: OIDC Core 3.1.3.7 and 12.2.
"""

import hmac
from collections.abc import Iterator, Mapping
from typing import TypeGuard

from attrs import field, frozen

from konnectd.demo.errors import SignInError, Trouble
from konnectd.jose.foreign import ForeignToken
from konnectd.protocol.claims import LEEWAY
from konnectd.protocol.id_token import left_half_hash


@frozen
class Check:
    """A rule that holds.

    Attributes:
        rule: what must hold.
        found: why it does.
    """

    rule: str
    found: str = field(repr=False)


@frozen(kw_only=True)
class Expected:
    """What an ID token must agree with.

    Attributes:
        nonce: of the sign-in.
        refreshed: the token came for a refresh token, so that it need not repeat the nonce.
        sub: who it must be about; empty when it is the token that tells.
    """

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    access_token: str = field(repr=False)
    now: int
    refreshed: bool = False
    sub: str = ""


@frozen(kw_only=True)
class IdToken:
    """An ID token that is believed.

    Attributes:
        text: as it came.
        checks: why it is believed.
    """

    text: str = field(repr=False)
    header: Mapping[str, object] = field(repr=False)
    claims: Mapping[str, object] = field(repr=False)
    checks: tuple[Check, ...] = field(repr=False)

    @property
    def sub(self) -> str:
        """Who it is about."""
        return str(self.claims["sub"])


def believe(text: str, token: ForeignToken, expected: Expected) -> IdToken:
    """Return an ID token that keeps all rules.

    Args:
        text: the token as it came.
        token: the same, with its signature checked.
        expected: what it must agree with.

    Raises:
        SignInError: it does not.
    """
    kid = token.header.get("kid", "without a name")
    signed = Check("The signature fits a key the provider publishes.", f"{token.algorithm}, key {kid}")
    return IdToken(
        text=text,
        header=token.header,
        claims=token.claims,
        checks=(signed, *_checks(token, expected)),
    )


def _checks(token: ForeignToken, expected: Expected) -> Iterator[Check]:
    """Yield each rule that holds."""
    yield _issuer(token.claims, expected)
    yield _subject(token.claims, expected)
    yield _audience(token.claims, expected)
    yield _times(token.claims, expected)
    yield _nonce(token.claims, expected)
    yield _access_token(token, expected)


def _refuse(description: str) -> SignInError:
    """Return why a token is not believed."""
    return SignInError(Trouble.NOT_BELIEVED, description)


def _issuer(claims: Mapping[str, object], expected: Expected) -> Check:
    """Check who made it."""
    if claims.get("iss") != expected.issuer:
        raise _refuse("iss is not the provider that was asked")
    return Check("iss is the provider that was asked.", expected.issuer)


def _subject(claims: Mapping[str, object], expected: Expected) -> Check:
    """Check whom it is about. Spec: OIDC Core 2 (``sub``), 12.2."""
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= 255:
        raise _refuse("sub is missing, so it is about nobody")
    if expected.sub and sub != expected.sub:
        raise _refuse("sub is not the person who signed in")
    return Check("sub is the person who signed in." if expected.sub else "sub names one person.", sub)


def _audience(claims: Mapping[str, object], expected: Expected) -> Check:
    """Check whom it is for. Spec: OIDC Core 3.1.3.7 (3) to (5)."""
    aud = claims.get("aud")
    audience = aud if isinstance(aud, list) else [aud]
    if expected.client_id not in audience:
        raise _refuse("aud does not name this application; the token was made for somebody else")
    if len(audience) > 1 and claims.get("azp") != expected.client_id:
        raise _refuse("aud names several, and azp is not this application")
    if claims.get("azp", expected.client_id) != expected.client_id:
        raise _refuse("azp is not this application")
    return Check("aud is this application.", expected.client_id)


def _times(claims: Mapping[str, object], expected: Expected) -> Check:
    """Check that it is neither over nor from the future; clocks may differ a little."""
    exp, iat = claims.get("exp"), claims.get("iat")
    if not _is_time(exp) or not _is_time(iat):
        raise _refuse("exp or iat is missing")
    if expected.now >= exp + LEEWAY:
        raise _refuse("exp is over")
    if iat > expected.now + LEEWAY:
        raise _refuse("iat is in the future")
    return Check("exp is not over, and iat is not in the future.", f"good for {int(exp - expected.now)} more seconds")


def _is_time(value: object) -> TypeGuard[int | float]:
    """Tell whether a claim is a number; Python counts truth as one."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _nonce(claims: Mapping[str, object], expected: Expected) -> Check:
    """Check that it was made for this sign-in. Spec: OIDC Core 3.1.3.7 (11), 12.2."""
    nonce = claims.get("nonce")
    if nonce is None and expected.refreshed:
        return Check("nonce may be missing here.", "it belongs to a sign-in, and this is none")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise _refuse("nonce is not the one of this sign-in; somebody may have played an old token back")
    return Check("nonce is the one of this sign-in.", nonce)


def _access_token(token: ForeignToken, expected: Expected) -> Check:
    """Check that it goes with the access token it came with. Spec: OIDC Core 3.1.3.8."""
    at_hash = token.claims.get("at_hash")
    if at_hash is None:
        return Check("at_hash may be missing here.", "both tokens came over one connection to the provider")
    expected_hash = left_half_hash(expected.access_token, token.algorithm)
    if not isinstance(at_hash, str) or not hmac.compare_digest(at_hash.encode(), expected_hash.encode()):
        raise _refuse("at_hash does not fit the access token; one of the two was exchanged")
    return Check("at_hash fits the access token.", at_hash)
