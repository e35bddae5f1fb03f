"""Letting guests in: what a client has to have signed, and what its guests are granted.

All that counts comes from the signed object: whoever edits an address adds nothing, not even a scope. The registration
says in place of a person what is granted, and what would show a bare subject is never granted.
"""

import json
from collections.abc import Collection, Mapping
from hashlib import blake2b

from attrs import frozen

from konnectd.jsontext import write
from konnectd.protocol.client import Client
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.guest import GUEST, Guest
from konnectd.protocol.request_object import check_times, refusal
from konnectd.protocol.scope import (
    EMAIL,
    GROUPS,
    GROUPWARE,
    GUEST_OK,
    NUMERIC_ID,
    OFFLINE_ACCESS,
    OPENID,
    PROFILE,
    RAW_SUBJECT,
    UNIQUE_ID,
    Scope,
)
from konnectd.protocol.vocabulary import ErrorCode

#: Longest text about a guest, in characters.
LONGEST_TEXT = 255
#: Longest ``passthru``, in bytes of JSON: it travels in every access token.
LONGEST_PASSTHRU = 2048
#: Longest ``jti``, in characters.
LONGEST_JTI = 255
#: How far off the end of an object may be, in seconds: until then it has to be remembered that it was used.
LONGEST_LIFE = 24 * 3600
#: What may be granted beside the scopes that the registration trusts a client with.
_ALWAYS = frozenset({OPENID, PROFILE, EMAIL, NUMERIC_ID, GUEST_OK})
#: What can be: nothing that names somebody in a directory, and nothing that outlives a visit.
_NEVER = (OFFLINE_ACCESS, RAW_SUBJECT, UNIQUE_ID, GROUPWARE, GROUPS)


@frozen(kw_only=True)
class Admission:
    """That a client may bring a guest.

    Attributes:
        scope: what the guest's tokens are good for.
        entry: the key in a store under which it stands that the object was used.
        life: for how many seconds that has to be remembered.
    """

    guest: Guest
    scope: Scope
    entry: str
    life: int


def brings_guest(claims: Mapping[str, object] | None) -> bool:
    """Tell whether a client asks, in an object that it has signed, to let a guest in.

    Args:
        claims: of the object; None without one.
    """
    return claims is not None and GUEST_OK in str(claims.get("scope")).split(" ") and GUEST in _wanted(claims)


def admit(client: Client, claims: Mapping[str, object], supported: Collection[str], now: int) -> Admission:
    """Say whether a client may bring the guest that its object speaks of, and with what.

    Args:
        client: who has signed the object.
        claims: what it says.
        supported: every scope that people can be granted here.
        now: seconds since the epoch.

    Raises:
        OAuthError: ``invalid_request_object``, or ``invalid_scope`` for a client that is not trusted with guests.
    """
    guest = _guest(claims)
    expires_at, jti = claims.get("exp"), claims.get("jti")
    if not isinstance(jti, str) or not jti or len(jti) > LONGEST_JTI:
        raise refusal("a request object for a guest needs a jti")
    if isinstance(expires_at, bool) or not isinstance(expires_at, (int, float)):
        raise refusal("a request object for a guest needs an exp")
    check_times(claims, now)
    if expires_at > now + LONGEST_LIFE:
        raise refusal("a request object for a guest must not be good for more than a day")
    digest = blake2b(write([client.client_id, jti]), digest_size=32).hexdigest()
    # A minute longer than any clock believes in it.
    life = max(int(expires_at) - now, 0) + 120
    return Admission(guest=guest, scope=_scope(client, claims, supported), entry=f"guest:{digest}", life=life)


def replayed() -> OAuthError:
    """Return the refusal of an object that was used before."""
    return refusal("the request object has been used")


def _scope(client: Client, claims: Mapping[str, object], supported: Collection[str]) -> Scope:
    """Return what a guest may be granted of what the object asks for.

    Raises:
        OAuthError: ``invalid_scope``: guests are nothing the client is trusted with.
    """
    trusted = client.trusted_scopes
    if trusted is None and not client.trusted:
        raise _untrusted()
    if trusted is not None and GUEST_OK not in trusted:
        raise _untrusted()
    allowed = _ALWAYS | frozenset(supported if trusted is None else trusted)
    return Scope.parse(str(claims["scope"])).keep(allowed).without(*_NEVER)


def _untrusted() -> OAuthError:
    """Return the refusal of a client that may bring no guests."""
    return OAuthError(ErrorCode.INVALID_SCOPE, "the client is not trusted with guests")


def _wanted(claims: Mapping[str, object]) -> Mapping[str, object]:
    """Return the claims that an object asks for in ID tokens."""
    match claims.get("claims"):
        case {"id_token": dict(wanted)}:
            return wanted
    return {}


def _guest(claims: Mapping[str, object]) -> Guest:
    """Read what an object says about a guest.

    Raises:
        OAuthError: something is not as it has to be.
    """
    wanted = _wanted(claims)
    guest_id = _text(wanted, GUEST)
    if not guest_id:
        raise refusal("the guest in the request object has no id")
    verified = _value(wanted, "email_verified")
    if verified is not None and not isinstance(verified, bool):
        raise refusal("email_verified of the guest must be true or false")
    return Guest(
        guest_id=guest_id,
        name=_text(wanted, "name"),
        family_name=_text(wanted, "family_name"),
        given_name=_text(wanted, "given_name"),
        email=_text(wanted, "email"),
        email_verified=verified is True,
        passthru=_passthru(claims),
    )


def _value(wanted: Mapping[str, object], name: str) -> object:
    """Return the value that a claim is asked for with; None for none."""
    asked = wanted.get(name)
    return asked.get("value") if isinstance(asked, dict) else None


def _text(wanted: Mapping[str, object], name: str) -> str:
    """Return the text that a claim is asked for with; empty for none."""
    value = _value(wanted, name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise refusal(f"{name} of the guest must be printable text of at most {LONGEST_TEXT} characters")
    return value


def _passthru(claims: Mapping[str, object]) -> object:
    """Return what a client wants back."""
    asked = claims.get("claims")
    value = asked.get("passthru") if isinstance(asked, dict) else None
    if value is not None and len(_json(value)) > LONGEST_PASSTHRU:
        raise refusal(f"passthru of the request object must be at most {LONGEST_PASSTHRU} bytes of JSON")
    return value


def _json(value: object) -> str:
    """Write a value as JSON, in ASCII."""
    try:
        return json.dumps(value, separators=(",", ":"))
    except RecursionError:
        raise refusal("the request object is nested too deeply") from None
