"""What a registered client's tokens are like, and what it may do with tokens: read from its entry in the file.

Spec: RFC 7591 2; RFC 8707 2; RFC 7662 4.
"""

from attrs import evolve

from konnectd.config.values import scope_token
from konnectd.config.yamlfile import Table
from konnectd.protocol.client import Client, is_plain_uri
from konnectd.protocol.client_grant import GRANT_TYPE
from konnectd.protocol.vocabulary import AccessTokenFormat

#: Grant types that begin with a redirect.
_REDIRECTING = frozenset({"authorization_code", "implicit"})


def with_tokens(client: Client, table: Table) -> Client:
    """Return a client with what its entry says about tokens; whatever is wrong becomes a fault of the table."""
    client = evolve(
        client,
        scopes=_scopes(table),
        resources=_resources(table),
        introspection=table.switch("introspection"),
        access_token_format=_format(table),
    )
    if GRANT_TYPE in client.grant_types and client.public:
        table.fault("grant_types", f"{GRANT_TYPE} is for clients that can prove who they are")
    if client.introspection and client.public:
        table.fault("introspection", "is for clients that can prove who they are")
    return client


def needs_redirect_uris(table: Table) -> bool:
    """Tell whether a client sends people to us: not one that only acts for itself, or only looks at tokens."""
    grant_types = table.texts("grant_types")
    if grant_types:
        return not _REDIRECTING.isdisjoint(grant_types)
    return not table.switch("introspection")


def _scopes(table: Table) -> tuple[str, ...]:
    """Read what a client may have for itself."""
    for item in table.items("scopes"):
        try:
            scope_token(item.text)
        except ValueError as error:
            table.fault("scopes", str(error), item.source)
    return table.texts("scopes")


def _resources(table: Table) -> tuple[str, ...]:
    """Read which servers a client may ask for tokens for. Spec: RFC 8707 2."""
    for item in table.items("resources"):
        if not is_plain_uri(item.text):
            table.fault("resources", "each must be an absolute URI without a fragment", item.source)
    return tuple(dict.fromkeys(table.texts("resources")))


def _format(table: Table) -> AccessTokenFormat:
    """Read what access tokens look like; as Konnect's unless it says otherwise."""
    text = table.text("access_token_format") or AccessTokenFormat.KONNECT
    try:
        return AccessTokenFormat(text)
    except ValueError:
        table.fault("access_token_format", f"must be one of {', '.join(AccessTokenFormat)}")
        return AccessTokenFormat.KONNECT
