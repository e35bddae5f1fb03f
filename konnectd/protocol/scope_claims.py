"""Which claims a scope opens, and what they say about a person.

Spec: OIDC Core 5.1 and 5.4.
"""

from collections.abc import Iterable, Mapping

from konnectd.protocol import standard_claims
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.scope import EMAIL, GROUPS, GROUPWARE, NUMERIC_ID, PROFILE, UNIQUE_ID, Scope

#: The claims of each scope that are fields of `EndUser`: whoever is granted the scope may be shown them.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    PROFILE: ("name", "family_name", "given_name", "preferred_username"),
    EMAIL: ("email", "email_verified"),
    GROUPS: ("groups",),
    NUMERIC_ID: ("id", "username"),
    UNIQUE_ID: ("kc.uuid",),
    GROUPWARE: ("kopano/gc/id",),
}
#: The member of ``kc.identity`` that says who somebody is in a groupware server; other backends fill none.
GROUPWARE_ID = "kc.i.us"

_FURTHER = standard_claims.filled(standard_claims.NAMES)
#: Which scope opens which claim; a claim that is not here is not known.
SCOPE_OF: Mapping[str, str] = {
    **{name: scope for scope, names in _FIELDS.items() for name in names},
    **{name: standard_claims.SCOPE_OF.get(name, PROFILE) for name in _FURTHER},
}


def scope_claims(scope: Scope, user: EndUser) -> dict[str, object]:
    """Return what a scope lets somebody see of a person; what is not known is absent, not empty.

    Spec: OIDC Core 5.3.2 and 5.4.
    """
    members: dict[str, object] = {}
    if PROFILE in scope:
        members.update(
            _known(
                name=user.name,
                family_name=user.family_name,
                given_name=user.given_name,
                preferred_username=user.username,
            )
        )
    if EMAIL in scope and user.email:
        members.update(email=user.email, email_verified=user.email_verified)
    if GROUPS in scope and user.groups:
        members["groups"] = list(user.groups)
    members.update(_ids(scope, user))
    for name, value in user.further.items():
        if SCOPE_OF.get(name, "") in scope:
            members[name] = value
    return members


def _ids(scope: Scope, user: EndUser) -> dict[str, object]:
    """Return by what programs know a person, as far as a scope lets them."""
    members: dict[str, object] = {}
    if NUMERIC_ID in scope:
        members.update(_known(id=user.numeric_id or 0, username=user.username))
    if UNIQUE_ID in scope:
        members.update(_known(**{"kc.uuid": user.unique_id}))
    if GROUPWARE in scope:
        members.update(_known(**{"kopano/gc/id": user.identity.get(GROUPWARE_ID)}))
    return members


def named_claims(names: Iterable[str], user: EndUser) -> dict[str, object]:
    """Return what somebody may see of a person who was allowed claims one by one.

    Args:
        names: keys of `SCOPE_OF`.

    Spec: OIDC Core 5.5.
    """
    wanted = tuple(names)
    known = scope_claims(Scope.of(SCOPE_OF[name] for name in wanted), user)
    return {name: known[name] for name in wanted if name in known}


def claim_names(scopes: Iterable[str], of_backend: Iterable[str]) -> tuple[str, ...]:
    """Return the claims that somebody can be shown, for the metadata.

    Args:
        scopes: those that can be granted.
        of_backend: what the backend can fill; what hangs on a scope that can not be granted is left out.

    Spec: OIDC Discovery 3 (``claims_supported``).
    """
    granted, fillable = tuple(scopes), tuple(of_backend)
    seen = [name for scope in granted for name in _FIELDS.get(scope, ())]
    more = [name for name in fillable if SCOPE_OF.get(name, "") in {*granted, ""}]
    return tuple(dict.fromkeys([*seen, *more]))


def _known(**members: object) -> dict[str, object]:
    """Leave out what is empty."""
    return {name: value for name, value in members.items() if value}
