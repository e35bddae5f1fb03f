"""The ``claims`` parameter: claims that a client asks for one by one.

What is kept of it is which known claims shall stand where, and two conditions: who the person must be (``sub``) and
how they must have signed in (an essential ``acr``). A ``value`` is a wish. None is ever written into a token, because
whoever edits the address of a request could then tell a client anything about themselves.

A claim that is asked for by itself needs the same permission as the scope it belongs to: `ClaimsRequest.scope` stands
on the consent page beside the scopes that were asked for, and `ClaimsRequest.within` drops what was not allowed. What
is unknown or can not be given is passed over in silence; that a claim is essential changes nothing about that.

Spec: OIDC Core 5.5 and 5.5.1.
"""

from collections.abc import Iterable, Mapping
from typing import Self

from attrs import frozen

from konnectd.jsontext import read_strictly
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.scope import Scope
from konnectd.protocol.scope_claims import SCOPE_OF
from konnectd.protocol.vocabulary import ErrorCode

#: Longest parameter that is looked at, in characters.
LONGEST_CLAIMS = 8192

_USERINFO = "userinfo"
_ID_TOKEN = "id_token"  # noqa: S105 - the word on the wire


@frozen(kw_only=True)
class ClaimsRequest:
    """What is asked for beyond scopes.

    Attributes:
        userinfo: claims for the userinfo endpoint, known ones only.
        id_token: claims for ID tokens, known ones only.
        subjects: the person must be one of these; None for anybody.
        contexts: ``acr`` must be one of these; empty for any.
    """

    userinfo: tuple[str, ...] = ()
    id_token: tuple[str, ...] = ()
    subjects: frozenset[str] | None = None
    contexts: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the parameter.

        Text that is no JSON object is an error, although what is inside and not understood is none: a condition that
        can not be read must not pass for no condition.

        Raises:
            OAuthError: ``invalid_request``.

        Spec: OIDC Core 5.5 and 3.1.2.6; RFC 6749 4.1.2.1.
        """
        request = _read(text)
        userinfo, id_token = _members(request.get(_USERINFO)), _members(request.get(_ID_TOKEN))
        subjects = [_values(members["sub"]) for members in (userinfo, id_token) if "sub" in members]
        wanted = [found for found in subjects if found is not None]
        return cls(
            userinfo=_known(userinfo),
            id_token=_known(id_token),
            subjects=frozenset.intersection(*wanted) if wanted else None,
            contexts=_contexts(id_token.get("acr")),
        )

    @staticmethod
    def from_json(value: object) -> "ClaimsRequest":
        """Read the names that `to_json` wrote, or Konnect; whatever else is there counts as nothing."""
        if not value or not isinstance(value, dict):
            return NO_CLAIMS
        userinfo, id_token = _known(_members(value.get(_USERINFO))), _known(_members(value.get(_ID_TOKEN)))
        return ClaimsRequest(userinfo=userinfo, id_token=id_token) if userinfo or id_token else NO_CLAIMS

    def to_json(self) -> dict[str, object]:
        """Write the names, in the form of the parameter; conditions have been met by then."""
        if self is NO_CLAIMS:
            return {}
        named = ((_USERINFO, self.userinfo), (_ID_TOKEN, self.id_token))
        return {member: dict.fromkeys(names) for member, names in named if names}

    @property
    def scope(self) -> Scope:
        """The scopes that would open the same claims."""
        return Scope.of(SCOPE_OF[name] for name in (*self.userinfo, *self.id_token))

    def within(self, scope: Scope) -> "ClaimsRequest":
        """Return the claims that a scope opens; conditions are left behind."""
        userinfo, id_token = _allowed(self.userinfo, scope), _allowed(self.id_token, scope)
        return ClaimsRequest(userinfo=userinfo, id_token=id_token) if userinfo or id_token else NO_CLAIMS


#: Nothing is asked for.
NO_CLAIMS = ClaimsRequest()


def _read(text: str) -> Mapping[str, object]:
    """Read the JSON object.

    Raises:
        OAuthError: ``invalid_request``: there is none, or two readers could see different things in it.
    """
    if len(text) > LONGEST_CLAIMS:
        raise OAuthError(ErrorCode.INVALID_REQUEST, "claims is too long")
    try:
        value: object = read_strictly(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise OAuthError(ErrorCode.INVALID_REQUEST, "claims must be a JSON object")
    return value


def _members(value: object) -> Mapping[str, object]:
    """Return the members of an object; nothing has none."""
    return value if isinstance(value, dict) else {}


def _known(members: Mapping[str, object]) -> tuple[str, ...]:
    """Return the claims that are known."""
    return tuple(name for name in members if name in SCOPE_OF)


def _allowed(names: Iterable[str], scope: Scope) -> tuple[str, ...]:
    """Return the claims that a scope opens."""
    return tuple(name for name in names if SCOPE_OF[name] in scope)


def _values(request: object) -> frozenset[str] | None:
    """Return the values that would do for a claim; None when any would.

    Raises:
        OAuthError: ``invalid_request``: they are not text.
    """
    members = _members(request)
    if "value" not in members and "values" not in members:
        return None
    listed = members.get("values", [])
    wanted = [*(listed if isinstance(listed, list) else [None]), *([members["value"]] if "value" in members else [])]
    found = frozenset(value for value in wanted if isinstance(value, str))
    if not wanted or len(found) < len({repr(value) for value in wanted}):
        raise OAuthError(ErrorCode.INVALID_REQUEST, "claims asks for a value that is no text")
    return found


def _contexts(request: object) -> tuple[str, ...]:
    """Return the values of an essential ``acr``; a voluntary one is a wish.

    Raises:
        OAuthError: ``invalid_request``: they are not text.

    Spec: OIDC Core 5.5.1.1.
    """
    if _members(request).get("essential") is not True:
        return ()
    return tuple(sorted(_values(request) or ()))
