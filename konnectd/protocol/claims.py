"""The claim sets of our tokens: how each is filled, and what must hold before one of them is believed.

Names, types and meaning of the ``kc.`` claims are a contract with Kopano's token library and with tokens that are
already out; every kind of token is told from the others by them, so that none can stand in for another.

Spec: OIDC Core 2; RFC 7519 4.1; RFC 8725 3.11 and 3.12 (kinds of tokens must not be confused).
"""

from collections.abc import Mapping
from typing import Self

from attrs import field, frozen

from konnectd.protocol.claims_request import NO_CLAIMS, ClaimsRequest
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import EndUser, Logon, public_subject
from konnectd.protocol.errors import BearerTokenError, OAuthError
from konnectd.protocol.grant import AuthorizationGrant
from konnectd.protocol.guest import GUEST, Guest
from konnectd.protocol.resource import audience
from konnectd.protocol.scope import Scope
from konnectd.protocol.token import Lifetimes
from konnectd.protocol.vocabulary import ErrorCode

#: How far another machine's clock may be off, in seconds.
LEEWAY = 60

#: What the backend is asked with when a token comes back.
IDENTITY = "kc.identity"
#: In it, and only where the client must not be able to read it: the public subject.
ACCOUNT = "kc.i.sub"
#: In it, in refresh tokens only: the id of the session, which is not the ``sid`` that the client knows it by.
SESSION = "kc.i.session"

#: Tell the kinds of tokens from each other; an ID token has none of them.
IS_ACCESS_TOKEN = "kc.isAccessToken"  # noqa: S105 - the name of a claim
IS_REFRESH_TOKEN = "kc.isRefreshToken"  # noqa: S105 - the name of a claim
#: What was allowed claim by claim, in each kind of token.
_CLAIMS_OF = {IS_ACCESS_TOKEN: "kc.authorizedClaims", IS_REFRESH_TOKEN: "kc.approvedClaims"}
#: Marks what a client has for itself; see `konnectd.protocol.client_grant`.
IS_CLIENT_TOKEN = "kc.isClientToken"  # noqa: S105 - the name of a claim
_REFERENCE = "kc.ref"
_GENERATION = "kc.generation"
_RESOURCES = "kc.approvedResources"
_WITHDRAWAL = "kc.withdrawal"
_CLIENT_ID = "client_id"


@frozen(kw_only=True)
class Approval:
    """What every token of one grant has in common: who, for whom, how much.

    Attributes:
        grant_id: what revokes them all.
        client_id: the audience.
        user: as the backend knows them at this moment.
        provider: the backend's name.
        sub: under which the client knows the person.
        concealed: the client may not learn who that is, so ``kc.identity`` has to be sealed.
        auth_time: None for a refresh token of an older installation, which does not tell.
        sid: under which the client knows the session.
        claims: what was allowed claim by claim.
        resources: the servers the access token is for; empty for the client itself.
        approved_resources: those that refreshing may ask for.
        generation: of the refresh token; each refresh begins a new one.
        withdrawal: the mark it was allowed under, as `konnectd.protocol.withdrawal` has it; empty for none.
        ends_at: when the family of refresh tokens ends; None for one that begins now.
        refresh_token: what the grant type made; empty when a new family may begin.
        guest: who it is when no backend knows them.
    """

    issuer: str
    grant_id: str
    client_id: str
    scope: Scope
    user: EndUser
    provider: str
    sub: str
    concealed: bool = False
    auth_time: int | None = None
    session_id: str = ""
    sid: str = ""
    amr: tuple[str, ...] = ()
    nonce: str = field(default="", repr=False)
    claims: ClaimsRequest = NO_CLAIMS
    resources: tuple[str, ...] = ()
    approved_resources: tuple[str, ...] = ()
    generation: int = 0
    withdrawal: str = ""
    ends_at: int | None = None
    refresh_token: str = field(default="", repr=False)
    guest: Guest | None = None

    @classmethod
    def of(
        cls,
        issuer: str,
        grant: AuthorizationGrant,
        user: EndUser,
        client: Client,
        resources: tuple[str, ...] | None = None,
    ) -> Self:
        """Make it from a redeemed grant of a client.

        Args:
            issuer: who we are.
            grant: what was allowed.
            user: the person behind it.
            client: whose it is.
            resources: which of the allowed ones the access token is for; None for all.
        """
        logon: Logon = grant.logon
        return cls(
            issuer=issuer,
            grant_id=grant.grant_id,
            client_id=grant.client_id,
            scope=grant.scope,
            user=user,
            provider=logon.provider,
            sub=client.sub_of(logon.subject, logon.provider),
            concealed=client.pairwise is not None,
            auth_time=logon.proven_at,
            session_id=logon.session_id,
            sid=client.sid_of(logon.session_id),
            amr=logon.amr,
            nonce=grant.nonce,
            claims=grant.claims,
            resources=grant.resources if resources is None else resources,
            approved_resources=grant.resources,
            withdrawal=grant.withdrawal,
            guest=logon.guest,
        )

    @classmethod
    def again(cls, issuer: str, presented: "Presented", user: EndUser, scope: Scope) -> Self:
        """Make it from a refresh token that was shown; what comes next is of the same family, and ends with it.

        Who asks for less gets less: of claims that were allowed one by one only those that the smaller scope opens.

        Spec: OIDC Core 12.2 (``iss``, ``sub``, ``aud`` and ``auth_time`` stay; no ``nonce`` is needed).
        """
        return cls(
            issuer=issuer,
            grant_id=presented.family,
            client_id=presented.client_id,
            scope=scope,
            user=user,
            provider=presented.provider,
            sub=presented.sub,
            concealed=presented.concealed,
            auth_time=presented.auth_time,
            session_id=presented.session_id,
            sid=presented.sid,
            amr=presented.amr,
            claims=presented.claims if scope == presented.scope else presented.claims.within(scope),
            resources=presented.resources,
            approved_resources=presented.resources,
            generation=presented.generation + 1,
            withdrawal=presented.withdrawal,
            ends_at=presented.expires_at,
        )

    @property
    def authorized(self) -> dict[str, object]:
        """What was allowed claim by claim, and what the client of a guest wants back, where Konnect has both."""
        return {**self.claims.to_json(), **(self.guest.returned if self.guest is not None else {})}

    @property
    def identity(self) -> dict[str, object]:
        """``kc.identity``: what the backend is asked with when the token comes back."""
        user = self.user
        named = {"kc.i.un": user.username, "kc.i.dn": user.name}
        members: dict[str, object] = {"kc.i.id": user.user_id, **{key: name for key, name in named.items() if name}}
        if self.concealed:
            members[ACCOUNT] = public_subject(user.subject, self.provider)
        return {**members, **user.identity}


def access_token(
    approval: Approval, jti: str, now: int, lifetimes: Lifetimes, *, profile: bool = False
) -> dict[str, object]:
    """Return the claims of an access token.

    Args:
        profile: it also says what every resource server knows how to read.

    Spec: RFC 9068 2.2; RFC 8707 2.
    """
    return {
        "iss": approval.issuer,
        "sub": approval.sub,
        "aud": audience(approval.resources, approval.client_id),
        "exp": now + lifetimes.access_token,
        "iat": now,
        "jti": jti,
        IS_ACCESS_TOKEN: True,
        "kc.authorizedScopes": list(approval.scope),
        "kc.identity": approval.identity,
        "kc.provider": approval.provider,
        _REFERENCE: approval.grant_id,
        **({_CLAIMS_OF[IS_ACCESS_TOKEN]: approval.authorized} if approval.authorized else {}),
        **({_CLIENT_ID: approval.client_id} if approval.resources or profile else {}),
        **({"scope": str(approval.scope), **session_claims(approval)} if profile else {}),
    }


def refresh_token(approval: Approval, jti: str, now: int, lifetimes: Lifetimes) -> dict[str, object]:
    """Return the claims of a refresh token."""
    return {
        "iss": approval.issuer,
        "sub": approval.sub,
        "aud": approval.client_id,
        "exp": now + lifetimes.refresh_token if approval.ends_at is None else approval.ends_at,
        "iat": now,
        "jti": jti,
        IS_REFRESH_TOKEN: True,
        "kc.approvedScopes": list(approval.scope),
        _REFERENCE: approval.grant_id,
        "kc.identity": {**approval.identity, **({SESSION: approval.session_id} if approval.session_id else {})},
        "kc.provider": approval.provider,
        **({_CLAIMS_OF[IS_REFRESH_TOKEN]: approval.claims.to_json()} if approval.claims is not NO_CLAIMS else {}),
        **({_GENERATION: approval.generation} if approval.generation else {}),
        **({_RESOURCES: list(approval.approved_resources)} if approval.approved_resources else {}),
        **({_WITHDRAWAL: approval.withdrawal} if approval.withdrawal else {}),
        **session_claims(approval),
    }


def session_claims(approval: Approval) -> dict[str, object]:
    """Return what is known about the logon behind a token."""
    claims = {"auth_time": approval.auth_time, "sid": approval.sid or None, "amr": list(approval.amr) or None}
    return {name: value for name, value in claims.items() if value is not None}


@frozen(kw_only=True)
class Presented:
    """One of our own tokens that was shown to us and may be believed.

    Attributes:
        grant_id: empty when an older installation made it.
        jti: what single access tokens are revoked by.
        session_id: of a refresh token: the session it ends with.
        sid: under which the client knows the session.
        audience: whom it is for.
        resources: of a refresh token: what it may be used for.
        generation: of a refresh token: how often its family was renewed.
        withdrawal: of a refresh token: the mark it was allowed under; empty for none.
        claims: what was allowed claim by claim.
        user_id: what the backend is asked with.
        account: the public subject, whoever ``sub`` is for the client.
        concealed: the two differ, and the client may not learn that.
        guest: who it is when no backend knows them.
    """

    client_id: str
    sub: str
    scope: Scope
    grant_id: str
    user_id: str
    provider: str
    account: str = field()
    concealed: bool = False
    auth_time: int | None = None
    session_id: str = ""
    sid: str = ""
    amr: tuple[str, ...] = ()
    jti: str = ""
    expires_at: int = 0
    audience: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    generation: int = 0
    withdrawal: str = ""
    claims: ClaimsRequest = NO_CLAIMS

    guest: Guest | None = None

    @account.default
    def _account(self) -> str:
        """Take the subject for the account where nothing else is known."""
        return self.sub

    @property
    def family(self) -> str:
        """What it is revoked by; a token that names no grant is a family of its own."""
        return self.grant_id or f"token:{self.jti}"


def find_access_token(claims: Mapping[str, object] | None, issuer: str, now: int) -> Presented | None:
    """Return an access token that is alive; None for anything else.

    Args:
        claims: None when the signature was not ours.
    """
    return _read(claims, issuer, now, IS_ACCESS_TOKEN, "kc.authorizedScopes")


def find_refresh_token(claims: Mapping[str, object] | None, issuer: str, now: int) -> Presented | None:
    """Return a refresh token that is alive, whoever's it is; None for anything else.

    Args:
        claims: None when the signature was not ours.
    """
    return _read(claims, issuer, now, IS_REFRESH_TOKEN, "kc.approvedScopes")


def check_access_token(claims: Mapping[str, object] | None, issuer: str, now: int) -> Presented:
    """Read an access token whose signature was ours.

    Args:
        claims: None when the signature was not.

    Raises:
        BearerTokenError: ``invalid_token``; also for one that is meant for another server, which could otherwise
            look up here whoever sends it tokens.

    Spec: RFC 6750 3.1; RFC 7519 4.1; RFC 9068 4 (``aud``).
    """
    presented = find_access_token(claims, issuer, now)
    if presented is None or not {presented.client_id, issuer} & set(presented.audience):
        raise BearerTokenError(ErrorCode.INVALID_TOKEN, "the access token is expired, revoked or not ours")
    return presented


def check_refresh_token(claims: Mapping[str, object] | None, issuer: str, client_id: str, now: int) -> Presented:
    """Read a refresh token whose signature was ours.

    Raises:
        OAuthError: ``invalid_grant``.

    Spec: RFC 6749 5.2 and 6.
    """
    presented = find_refresh_token(claims, issuer, now)
    if presented is None:
        raise OAuthError(ErrorCode.INVALID_GRANT, "the refresh token is expired, revoked or not ours")
    if presented.client_id != client_id:
        raise OAuthError(ErrorCode.INVALID_GRANT, "the refresh token was issued to another client")
    return presented


def _read(claims: Mapping[str, object] | None, issuer: str, now: int, kind: str, scopes: str) -> Presented | None:
    """Read a token of one kind."""
    if claims is None or claims.get(kind) is not True or not in_time(claims, issuer, now):
        return None
    match claims:
        case {"sub": str(sub), "kc.provider": str(provider), "kc.identity": dict(identity)}:
            user_id, granted = identity.get("kc.i.id"), claims.get(scopes)
        case _:
            return None
    aimed_at = _texts(claims.get("aud"))
    client_id = claims.get(_CLIENT_ID, claims.get("aud"))
    if not isinstance(user_id, str) or not isinstance(granted, list) or not isinstance(client_id, str):
        return None
    auth_time, sid, amr = claims.get("auth_time"), claims.get("sid"), claims.get("amr")
    session_id = identity.get(SESSION, sid)  # older tokens say no more than a sid, which is the session's id
    return Presented(
        client_id=client_id,
        sub=sub,
        scope=Scope.of(str(token) for token in granted),
        grant_id=str(claims.get(_REFERENCE) or ""),
        user_id=user_id,
        provider=provider,
        account=str(identity.get(ACCOUNT, sub)),
        concealed=ACCOUNT in identity,
        auth_time=auth_time if isinstance(auth_time, int) else None,
        session_id=session_id if isinstance(session_id, str) else "",
        sid=sid if isinstance(sid, str) else "",
        amr=_texts(amr),
        jti=str(claims.get("jti") or ""),
        expires_at=expires_at if isinstance(expires_at := claims.get("exp"), int) else 0,
        audience=aimed_at,
        resources=_texts(claims.get(_RESOURCES)),
        generation=generation if isinstance(generation := claims.get(_GENERATION), int) else 0,
        withdrawal=str(claims.get(_WITHDRAWAL) or ""),
        claims=ClaimsRequest.from_json(claims.get(_CLAIMS_OF[kind])),
        guest=Guest.from_identity(identity) if provider == GUEST else None,
    )


def _texts(value: object) -> tuple[str, ...]:
    """Read a claim that is a text or a list of texts."""
    if isinstance(value, list):
        return tuple(str(part) for part in value)
    return (value,) if isinstance(value, str) else ()


def in_time(claims: Mapping[str, object], issuer: str, now: int) -> bool:
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
