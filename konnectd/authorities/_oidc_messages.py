"""What travels between an OpenID provider and us, as values: what is remembered, what is asked for, what comes back."""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import quote_plus

from attrs import field, frozen

from konnectd.authorities._oidc_provider import read_object
from konnectd.authority import SKEW, AuthorityError, Heard, Rebuff, Returned, Wish
from konnectd.base64url import b64url
from konnectd.protocol.authorize import Pairs
from konnectd.protocol.external_id_token import is_time
from konnectd.protocol.pkce import METHOD
from konnectd.protocol.vocabulary import Prompt

#: Longest access token that is handed on, in characters.
LONGEST_ACCESS_TOKEN = 16 * 1024
#: Errors that say that the provider may do it later. Spec: RFC 6749 4.1.2.1.
_LATER = frozenset({"temporarily_unavailable", "server_error"})


@frozen(kw_only=True)
class Trip:
    """What is remembered between departure and return.

    Attributes:
        verifier: of PKCE; empty for an ID token in the answer.
        fresh_since: when the person has to have proved who they are at the earliest, in seconds since the epoch; 0 for
            any time.
        must_say: the answer has to say when that was.
    """

    nonce: str = field(repr=False)
    verifier: str = field(default="", repr=False)
    fresh_since: int = 0
    must_say: bool = False

    @classmethod
    def begin(cls, wish: Wish, nonce: str, verifier: str, now: int) -> "Trip":
        """Note what a request asks for that is made now."""
        since = [now] if Prompt.LOGIN in wish.prompt else []
        since += [] if wish.max_age is None else [now - wish.max_age]
        return cls(nonce=nonce, verifier=verifier, fresh_since=max(since, default=0), must_say=wish.max_age is not None)

    def to_json(self) -> dict[str, object]:
        """Write it."""
        return {"n": self.nonce, "v": self.verifier, "f": self.fresh_since, "m": self.must_say}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> "Trip":
        """Read what `to_json` wrote.

        Raises:
            AuthorityError: it is none.
        """
        match value:
            case {"n": str(nonce), "v": str(verifier), "f": int(fresh_since), "m": bool(must_say)} if nonce:
                return cls(nonce=nonce, verifier=verifier, fresh_since=fresh_since, must_say=must_say)
        raise AuthorityError(Rebuff.INVALID, "nothing is known of the request that it answers")


@frozen(kw_only=True)
class Tokens:
    """The tokens of an answer.

    Attributes:
        access_token: empty when there is none.
    """

    id_token: str = field(repr=False)
    access_token: str = field(default="", repr=False)


def challenge(verifier: str) -> Pairs:
    """Return what proves later that it is we who redeem a code. Spec: RFC 7636 4.2 and 4.3."""
    if not verifier:
        return ()
    return (("code_challenge", b64url(sha256(verifier.encode("ascii")).digest())), ("code_challenge_method", METHOD))


def wished(wish: Wish) -> list[tuple[str, str]]:
    """Return what the request that waits asks for. Spec: OIDC Core 3.1.2.1."""
    found = [
        ("prompt", " ".join(sorted(wish.prompt))),
        ("max_age", "" if wish.max_age is None else str(wish.max_age)),
        ("login_hint", wish.login_hint),
        ("acr_values", wish.acr_values),
        ("ui_locales", wish.ui_locales),
    ]
    return [(name, value) for name, value in found if value]


def part(returned: Returned, name: str, longest: int) -> str:
    """Return a part of an answer.

    Raises:
        AuthorityError: it is missing, or no such thing.
    """
    text = returned.parameters.text(name)
    if not text or len(text) > longest or not text.isascii() or not text.isprintable():
        raise AuthorityError(Rebuff.INVALID, f"its answer has no good {name}")
    return text


def check_error(returned: Returned) -> None:
    """Look whether an answer is an error, of which nothing is believed but its word.

    Raises:
        AuthorityError: it is one.

    Spec: RFC 6749 4.1.2.1; OIDC Core 3.1.2.6.
    """
    error = returned.parameters.get("error")
    if error is not None:
        rebuff = Rebuff.UNAVAILABLE if error in _LATER else Rebuff.DENIED
        raise AuthorityError(rebuff, f"it answers with the error {error[:40]!r}")


def refusal(heard: Heard) -> str:
    """Return the error in an answer of the token endpoint, as far as it is a word; empty for none."""
    try:
        error = read_object(heard.content, "").get("error")
    except AuthorityError:
        return ""
    return f", {error[:40]!r}" if isinstance(error, str) else ""


def basic(client_id: str, secret: str) -> str:
    """Return who we are as a header has it. Spec: RFC 6749 2.3.1 and appendix B."""
    return "Basic " + b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode("ascii")


def read_tokens(members: Mapping[str, object]) -> Tokens:
    """Read a token response.

    Raises:
        AuthorityError: there is no ID token in it.

    Spec: OIDC Core 3.1.3.3.
    """
    match members:
        case {"id_token": str(id_token), "access_token": str(access), "token_type": str(kind)}:
            good = access.isascii() and access.isprintable() and len(access) <= LONGEST_ACCESS_TOKEN
            usable = good and kind.lower() == "bearer" and " " not in access
            return Tokens(id_token=id_token, access_token=access if usable else "")
        case {"id_token": str(id_token)}:
            return Tokens(id_token=id_token)
    raise AuthorityError(Rebuff.INVALID, "the answer of its token endpoint has no ID token")


def freshness(claims: Mapping[str, object], trip: Trip) -> int | None:
    """Return when somebody has proved who they are; None when the token does not say.

    Raises:
        AuthorityError: it is longer ago than was asked for, or may be.

    Spec: OIDC Core 2 (``auth_time``) and 3.1.3.7 (13).
    """
    found = claims.get("auth_time")
    auth_time = int(found) if is_time(found) else None
    if auth_time is None and trip.must_say:
        raise AuthorityError(Rebuff.STALE, "max_age was asked for, and its ID token has no auth_time")
    if auth_time is not None and trip.fresh_since and auth_time < trip.fresh_since - SKEW:
        raise AuthorityError(Rebuff.STALE, "max_age or prompt=login was asked for, and auth_time is older")
    return auth_time
