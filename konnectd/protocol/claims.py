"""The claim sets of our tokens: how each is filled, and what must hold before one of them is believed.

Names, types and meaning of the ``kc.`` claims are a contract with Kopano's token library and with tokens that are
already out; every kind of token is told from the others by them, so that none can stand in for another.

Spec: OIDC Core 2; RFC 7519 4.1; RFC 8725 3.11 and 3.12 (kinds of tokens must not be confused).
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256, sha384, sha512
from typing import Any, Self

from attrs import field, frozen

from konnectd.protocol.end_user import EndUser, Logon
from konnectd.protocol.errors import BearerTokenError, OAuthError
from konnectd.protocol.grant import AuthorizationGrant
from konnectd.protocol.scope import RAW_SUBJECT, Scope
from konnectd.protocol.token import Lifetimes
from konnectd.protocol.vocabulary import ErrorCode

#: How far another machine's clock may be off, in seconds.
LEEWAY = 60

_IS_ACCESS_TOKEN = "kc.isAccessToken"  # noqa: S105 - the name of a claim
_IS_REFRESH_TOKEN = "kc.isRefreshToken"  # noqa: S105 - the name of a claim
_REFERENCE = "kc.ref"

_HASHES: Mapping[str, Callable[[bytes], Any]] = {"256": sha256, "384": sha384, "512": sha512}


def left_half_hash(text: str, algorithm: str) -> str:
    """Return the ``at_hash`` of a token for an ID token signed by an algorithm.

    Spec: OIDC Core 3.1.3.6; RFC 8032 for EdDSA, whose hash is SHA-512.
    """
    digest = _HASHES.get(algorithm[-3:], sha512)(text.encode("ascii")).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")


@frozen(kw_only=True)
class Approval:
    """What every token of one grant has in common: who, for whom, how much.

    Attributes:
        grant_id: what revokes them all.
        client_id: the audience.
        user: as the backend knows them at this moment.
        provider: the backend's name.
        auth_time: None for a refresh token of an older installation, which does not tell.
        refresh_token: the one that was used, to be given back; empty when the grant may make a new one.
    """

    issuer: str
    grant_id: str
    client_id: str
    scope: Scope
    user: EndUser
    provider: str
    sub: str
    auth_time: int | None = None
    session_id: str = ""
    amr: tuple[str, ...] = ()
    nonce: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)

    @classmethod
    def of(cls, issuer: str, grant: AuthorizationGrant, user: EndUser) -> Self:
        """Make it from a redeemed grant."""
        logon: Logon = grant.logon
        return cls(
            issuer=issuer,
            grant_id=grant.grant_id,
            client_id=grant.client_id,
            scope=grant.scope,
            user=user,
            provider=logon.provider,
            sub=logon.sub,
            auth_time=logon.auth_time,
            session_id=logon.session_id,
            amr=logon.amr,
            nonce=grant.nonce,
        )

    @classmethod
    def again(cls, issuer: str, presented: "Presented", user: EndUser, scope: Scope, token: str) -> Self:
        """Make it from a refresh token that was shown.

        Spec: OIDC Core 12.2 (``iss``, ``sub``, ``aud`` and ``auth_time`` stay; no ``nonce`` is needed).
        """
        return cls(
            issuer=issuer,
            grant_id=presented.grant_id,
            client_id=presented.client_id,
            scope=scope,
            user=user,
            provider=presented.provider,
            sub=presented.sub,
            auth_time=presented.auth_time,
            session_id=presented.session_id,
            amr=presented.amr,
            refresh_token=token,
        )

    @property
    def identity(self) -> dict[str, object]:
        """``kc.identity``: what the backend is asked with when the token comes back."""
        user = self.user
        members: dict[str, object] = {"kc.i.id": user.user_id, "kc.i.un": user.username}
        if user.name:
            members["kc.i.dn"] = user.name
        return {**members, **user.identity}


def access_token(approval: Approval, jti: str, now: int, lifetimes: Lifetimes) -> dict[str, object]:
    """Return the claims of an access token."""
    return {
        "iss": approval.issuer,
        "sub": approval.sub,
        "aud": approval.client_id,
        "exp": now + lifetimes.access_token,
        "iat": now,
        "jti": jti,
        _IS_ACCESS_TOKEN: True,
        "kc.authorizedScopes": list(approval.scope),
        "kc.identity": approval.identity,
        "kc.provider": approval.provider,
        _REFERENCE: approval.grant_id,
    }


def refresh_token(approval: Approval, jti: str, now: int, lifetimes: Lifetimes) -> dict[str, object]:
    """Return the claims of a refresh token."""
    return {
        "iss": approval.issuer,
        "sub": approval.sub,
        "aud": approval.client_id,
        "exp": now + lifetimes.refresh_token,
        "iat": now,
        "jti": jti,
        _IS_REFRESH_TOKEN: True,
        "kc.approvedScopes": list(approval.scope),
        _REFERENCE: approval.grant_id,
        "kc.identity": approval.identity,
        "kc.provider": approval.provider,
        **_session(approval),
    }


def id_token(approval: Approval, access: str, algorithm: str, now: int, lifetimes: Lifetimes) -> dict[str, object]:
    """Return the claims of an ID token that goes with an access token.

    Spec: OIDC Core 2, 3.1.3.6 and 3.1.3.7.
    """
    claims: dict[str, object] = {
        "iss": approval.issuer,
        "sub": approval.user.subject if RAW_SUBJECT in approval.scope else approval.sub,
        "aud": approval.client_id,
        "exp": now + lifetimes.id_token,
        "iat": now,
        "at_hash": left_half_hash(access, algorithm),
        **_session(approval),
    }
    if approval.nonce:
        claims["nonce"] = approval.nonce
    return claims


def _session(approval: Approval) -> dict[str, object]:
    """Return what is known about the logon behind a token."""
    claims: dict[str, object] = {}
    if approval.auth_time is not None:
        claims["auth_time"] = approval.auth_time
    if approval.session_id:
        claims["sid"] = approval.session_id
    if approval.amr:
        claims["amr"] = list(approval.amr)
    return claims


@frozen(kw_only=True)
class Presented:
    """One of our own tokens that was shown to us and may be believed.

    Attributes:
        grant_id: empty when an older installation made it.
        user_id: what the backend is asked with.
    """

    client_id: str
    sub: str
    scope: Scope
    grant_id: str
    user_id: str
    provider: str
    auth_time: int | None = None
    session_id: str = ""
    amr: tuple[str, ...] = ()


def check_access_token(claims: Mapping[str, object] | None, issuer: str, now: int) -> Presented:
    """Read an access token whose signature was ours.

    Args:
        claims: None when the signature was not.

    Raises:
        BearerTokenError: ``invalid_token``.

    Spec: RFC 6750 3.1; RFC 7519 4.1.
    """
    presented = _read(claims, issuer, now, _IS_ACCESS_TOKEN, "kc.authorizedScopes")
    if presented is None:
        raise BearerTokenError(ErrorCode.INVALID_TOKEN, "the access token is expired, revoked or not ours")
    return presented


def check_refresh_token(claims: Mapping[str, object] | None, issuer: str, client_id: str, now: int) -> Presented:
    """Read a refresh token whose signature was ours.

    Raises:
        OAuthError: ``invalid_grant``.

    Spec: RFC 6749 5.2 and 6.
    """
    presented = _read(claims, issuer, now, _IS_REFRESH_TOKEN, "kc.approvedScopes")
    if presented is None:
        raise OAuthError(ErrorCode.INVALID_GRANT, "the refresh token is expired, revoked or not ours")
    if presented.client_id != client_id:
        raise OAuthError(ErrorCode.INVALID_GRANT, "the refresh token was issued to another client")
    return presented


def _read(claims: Mapping[str, object] | None, issuer: str, now: int, kind: str, scopes: str) -> Presented | None:
    """Read a token of one kind."""
    if claims is None or claims.get(kind) is not True or not _in_time(claims, issuer, now):
        return None
    match claims:
        case {"aud": str(client_id), "sub": str(sub), "kc.provider": str(provider), "kc.identity": dict(identity)}:
            user_id, granted = identity.get("kc.i.id"), claims.get(scopes)
        case _:
            return None
    if not isinstance(user_id, str) or not isinstance(granted, list):
        return None
    auth_time, session_id, amr = claims.get("auth_time"), claims.get("sid"), claims.get("amr")
    return Presented(
        client_id=client_id,
        sub=sub,
        scope=Scope.of(str(token) for token in granted),
        grant_id=str(claims.get(_REFERENCE) or ""),
        user_id=user_id,
        provider=provider,
        auth_time=auth_time if isinstance(auth_time, int) else None,
        session_id=session_id if isinstance(session_id, str) else "",
        amr=tuple(str(method) for method in amr) if isinstance(amr, list) else (),
    )


def _in_time(claims: Mapping[str, object], issuer: str, now: int) -> bool:
    """Tell whether a token of ours is alive. Spec: RFC 7519 4.1.1, 4.1.4, 4.1.5."""
    expires_at, not_before, issued_at = claims.get("exp"), claims.get("nbf", 0), claims.get("iat", 0)
    return (
        claims.get("iss") == issuer
        and isinstance(expires_at, int)
        and isinstance(not_before, int)
        and isinstance(issued_at, int)
        and now < expires_at
        and not_before <= now + LEEWAY
        and issued_at <= now + LEEWAY
    )


@frozen(kw_only=True)
class Hint:
    """What an ID token of ours says when it comes back as ``id_token_hint``."""

    sub: str
    client_id: str
    session_id: str = ""


def check_hint(claims: Mapping[str, object] | None, issuer: str) -> Hint:
    """Read an ``id_token_hint`` whose signature was ours; it may have expired.

    Raises:
        OAuthError: ``invalid_request``: it is not an ID token of ours.

    Spec: OIDC Core 3.1.2.1 (``id_token_hint``); OIDC RP-Initiated Logout 2; RFC 8725 3.11.
    """
    if claims is not None and _IS_ACCESS_TOKEN not in claims and _IS_REFRESH_TOKEN not in claims:
        match claims:
            case {"iss": str(iss), "sub": str(sub), "aud": str(client_id), "exp": int(), "iat": int()} if iss == issuer:
                session_id = claims.get("sid")
                return Hint(sub=sub, client_id=client_id, session_id=session_id if isinstance(session_id, str) else "")
    raise OAuthError(ErrorCode.INVALID_REQUEST, "id_token_hint is not an ID token of this provider")
