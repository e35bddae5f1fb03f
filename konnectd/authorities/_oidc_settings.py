"""What an entry of the kind ``oidc`` says besides what all entries say."""

import json
from collections.abc import Mapping

from attrs import field, frozen

from konnectd.authority_entry import AuthorityEntry, EntryTable, address_problem
from konnectd.protocol.pkce import METHOD
from konnectd.protocol.scope import OPENID

#: What says who somebody is unless the entry names something else.
USUAL_CLAIM = "preferred_username"
CODE = "code"
ID_TOKEN = "id_token"  # noqa: S105 - the name of a response type
QUERY = "query"
FORM_POST = "form_post"
_USUAL_SCOPES = (OPENID, "profile")
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "user_info_endpoint", "end_session_endpoint")


@frozen(kw_only=True)
class OidcSettings:
    """How an OpenID provider is asked.

    Attributes:
        client_secret: empty when we have none there.
        response_type: ``code`` or ``id_token``; empty to go by what the provider offers.
        response_mode: ``query`` or ``form_post``; empty for what suits the response type.
        discovery_uri: where its metadata are; empty when they all stand here.
        endpoints: those that are named here, by name; they count for more than what is discovered.
        jwks: its keys as JSON; empty when they are fetched.
    """

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    scopes: tuple[str, ...] = _USUAL_SCOPES
    response_type: str = ""
    response_mode: str = ""
    discovery_uri: str = ""
    endpoints: tuple[tuple[str, str], ...] = ()
    jwks: str = field(default="", repr=False)


def read_settings(table: EntryTable, entry: AuthorityEntry) -> OidcSettings:  # noqa: ARG001 - what a kind is given
    """Read the keys of its own; what can not be used becomes a fault of the table."""
    discover = table.switch("discover") if table.has("discover") else True
    issuer = _address(table, "iss")
    if not table.has("iss"):
        table.fault("iss", "is required: without it no answer could be told from that of another provider")
    named = tuple((name, address) for name in _ENDPOINTS if (address := _address(table, name)))
    jwks = _jwks(table)
    metadata = _address(table, "metadata_endpoint")
    if not discover:
        for key in ("authorization_endpoint", "jwks"):
            if not table.has(key):
                table.fault(key, "is required where discover is no")
    if not table.text("client_id"):
        table.fault("client_id", "is required: the name by which the provider knows us")
    _check_pkce(table)
    settings = OidcSettings(
        issuer=issuer,
        client_id=table.text("client_id"),
        client_secret=table.text("client_secret"),
        scopes=_scopes(table),
        response_type=_word(table, "response_type", (CODE, ID_TOKEN)),
        response_mode=_word(table, "response_mode", (QUERY, FORM_POST)),
        discovery_uri=(metadata or discovery_uri(issuer)) if discover else "",
        endpoints=named,
        jwks=jwks,
    )
    _check_code(table, settings, dict(named))
    return settings


def discovery_uri(issuer: str) -> str:
    """Return where a provider's metadata are. Spec: OIDC Discovery 4.1."""
    return f"{issuer.removesuffix('/')}/.well-known/openid-configuration"


def _check_code(table: EntryTable, settings: OidcSettings, endpoints: Mapping[str, str]) -> None:
    """Refuse codes that nobody could redeem."""
    if settings.response_type == CODE and not settings.discovery_uri and "token_endpoint" not in endpoints:
        table.fault("token_endpoint", "is required for response_type code where discover is no")


def _check_pkce(table: EntryTable) -> None:
    """Refuse what proves nothing. Spec: RFC 7636 4.2; RFC 9700 2.1.1."""
    if table.text("code_challenge_method") not in {"", METHOD}:
        table.fault("code_challenge_method", f"must be {METHOD}: any other one proves nothing")


def _scopes(table: EntryTable) -> tuple[str, ...]:
    """Read the scopes. Spec: OIDC Core 3.1.2.1 (``openid``)."""
    scopes = table.texts("scopes") or _USUAL_SCOPES
    if OPENID not in scopes:
        table.fault("scopes", f"must have {OPENID} among them")
    if any(" " in scope or not scope.isascii() for scope in scopes):
        table.fault("scopes", "must be a list of scopes, one each")
    return tuple(dict.fromkeys(scopes))


def _word(table: EntryTable, key: str, words: tuple[str, ...]) -> str:
    """Read one of some words; empty if absent."""
    text = table.text(key)
    if text and text not in words:
        table.fault(key, f"must be {' or '.join(words)}")
    return text


def _address(table: EntryTable, key: str) -> str:
    """Read an address; empty if absent."""
    text = table.text(key)
    problem = address_problem(text) if text else ""
    if problem:
        table.fault(key, problem)
    return text


def _jwks(table: EntryTable) -> str:
    """Read the provider's keys as JSON; empty if absent. Spec: RFC 7517 5."""
    jwks = table.plain("jwks")
    if jwks is None:
        return ""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) and "kty" in key for key in keys):
        table.fault("jwks", "must have keys, a list of public keys with a kty each")
        return ""
    return json.dumps(jwks)
