"""The backend, one person in it, and what an application would get to know of them."""

from collections.abc import Mapping

from attrs import field, frozen

from konnectd.doctor.finding import Finding, fault, good, hint, warning
from konnectd.interfaces import BackendUnavailableError, NamingBackend
from konnectd.option import ConfigErrors
from konnectd.parts import World
from konnectd.protocol.claims import Approval, Presented
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import EndUser, public_subject
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.id_token import id_token
from konnectd.protocol.scope import OPENID, Scope
from konnectd.protocol.userinfo import claims as userinfo_claims

_BACKEND, _PERSON, _CLIENT = "backend", "person", "client"
#: Stands where a token would, whose hash is left out again.
_NO_TOKEN = "-"  # noqa: S105 - it is none
#: What an ID token says of itself, and nothing of a person.
_OF_TOKEN = frozenset({"iat", "exp", "auth_time", "at_hash"})


@frozen(kw_only=True)
class Sight:
    """What an application would get to know of a person.

    Attributes:
        client_id: which application; empty for one that does not exist.
        scope: what it would be granted.
        id_token: claims in the ID token of a code flow.
        userinfo: claims at the userinfo endpoint.
    """

    client_id: str
    scope: tuple[str, ...]
    id_token: Mapping[str, object] = field(repr=False)
    userinfo: Mapping[str, object] = field(repr=False)


async def look_at_backend(world: World) -> list[Finding]:
    """Let the backend check its settings against the real thing."""
    name = world.settings.backend
    try:
        await world.backend.check()
    except ConfigErrors as error:
        return [
            fault(
                _BACKEND,
                str(world.settings.locate(each)),
                cause="The server was reached, and does not accept this setting.",
                mend=f"Mend {each.option} in the configuration.",
            )
            for each in error.faults
        ]
    except BackendUnavailableError as error:
        return [
            fault(
                _BACKEND,
                f"{name} does not answer: {error}",
                cause="The server is not running, its address is wrong, or a firewall is in between.",
                mend="Reach it from this machine first. Nobody can sign in meanwhile.",
            )
        ]
    return [good(_BACKEND, f"{name} is as the settings say")]


async def look_at_person(world: World, username: str, client_id: str, scope: str) -> tuple[list[Finding], Sight | None]:
    """Look a person up, and say what an application would get to know of them.

    Args:
        world: the parts of a daemon.
        username: as they would type it.
        client_id: which application; empty for one with public subjects.
        scope: what it would ask for; empty for all there is.
    """
    client = await world.contents.registry.get(client_id) if client_id else Client(client_id="")
    if client is None:
        says = f"{client_id!r} is not registered"
        cause = "It is spelled in another way, or not in the file of identifier_registration_conf."
        return [fault(_CLIENT, says, cause=cause, mend="Register it, and reload.")], None
    try:
        asked = Scope.parse(scope)
    except OAuthError as error:
        return [fault(_CLIENT, error.description, cause="--scope.", mend="Scopes are words with blanks between.")], None
    user, found = await _find(world, username)
    if user is None:
        return found, None
    known = frozenset(world.scopes)
    wanted = asked.tokens or world.scopes
    granted = Scope.of((OPENID, *(token for token in wanted if token in known)))
    dropped = [token for token in wanted if token not in known]
    if dropped:
        found.append(
            hint(
                _CLIENT,
                f"nobody can be granted {' '.join(dropped)}",
                cause="The scope is not known here or not allowed.",
                mend="Look at allowed_scopes, identifier_scopes_conf and, for groups, ldap_groups.",
            )
        )
    return found, _sight(world, user, client, granted)


async def _find(world: World, username: str) -> tuple[EndUser | None, list[Finding]]:
    """Return a person as they are when an application asks, and what there is to say about that."""
    backend = world.backend
    if not isinstance(backend, NamingBackend):
        says = f"the backend {world.settings.backend} can not look people up by name"
        return None, [hint(_PERSON, says, cause="It learns of people when they sign in.")]
    try:
        first = await backend.find_by_username(username)
        user = await backend.find(first.user_id) if first is not None else None
    except BackendUnavailableError as error:
        return None, [fault(_PERSON, f"can not be looked up: {error}", cause="The backend.", mend="See above.")]
    if first is None:
        return None, [
            fault(
                _PERSON,
                f"{username!r} can not sign in",
                cause="Nobody has this name, several have it, or the account is disabled, locked or expired.",
                mend="Look at the entry, and at the filter and the attributes for signing in; docs/operate/ldap.md.",
            )
        ]
    if user is None:
        return None, [
            fault(
                _PERSON,
                f"{username!r} is found by name, but not by subject",
                cause="The attribute that makes the subject is missing, or several have the same value.",
                mend="Give everybody one of their own, or choose another attribute.",
            )
        ]
    found = [good(_PERSON, f"{username!r} is found, as {user.username!r}")]
    if not user.email:
        found.append(warning(_PERSON, "has no email address", cause="The entry.", mend="Many applications need one."))
    return user, found


def _sight(world: World, user: EndUser, client: Client, scope: Scope) -> Sight:
    """Return what an application would get to know."""
    now, provider = world.clock.now(), world.backend.name
    approval = Approval(
        issuer=world.settings.iss,
        grant_id="",
        client_id=client.client_id,
        scope=scope,
        user=user,
        provider=provider,
        sub=client.sub_of(user.subject, provider),
        concealed=client.pairwise is not None,
        auth_time=now,
        amr=("pwd",),
    )
    algorithm = client.id_token_signed_response_alg or world.settings.signing_method
    in_token = id_token(
        approval,
        now,
        world.lifetimes,
        algorithm=algorithm,
        access=_NO_TOKEN,
        full=client.scope_claims_in_id_token,
    )
    presented = Presented(
        client_id=client.client_id,
        sub=approval.sub,
        scope=scope,
        grant_id="",
        user_id=user.user_id,
        provider=provider,
        account=public_subject(user.subject, provider),
        concealed=approval.concealed,
    )
    return Sight(
        client_id=client.client_id,
        scope=scope.tokens,
        id_token={name: value for name, value in in_token.items() if name not in _OF_TOKEN},
        userinfo=userinfo_claims(presented, user),
    )
