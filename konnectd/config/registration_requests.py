"""Registered clients: in which ways they make authorization requests.

Spec: OIDC Registration 2 (``request_uris``); RFC 9101 10.5; RFC 9126 6.
"""

from urllib.parse import urlsplit

from attrs import evolve

from konnectd.config.values import scope_token
from konnectd.config.yamlfile import Table
from konnectd.protocol.client import Client, is_plain_uri
from konnectd.protocol.request_object import LONGEST_REQUEST_URI, UNSIGNED

_REQUIRE_SIGNED = "require_signed_request_object"


def with_requests(client: Client, table: Table) -> Client:
    """Read what a client's registration says of its requests; whatever is wrong becomes a fault of the table.

    Args:
        client: what has been read so far.
        table: the registration.
    """
    for item in table.items("request_uris"):
        problem = _problem(item.text)
        if problem:
            table.fault("request_uris", problem, item.source)
    for item in table.items("implicit_scopes"):
        try:
            scope_token(item.text)
        except ValueError as error:
            table.fault("implicit_scopes", str(error), item.source)
    signed = table.switch(_REQUIRE_SIGNED)
    if signed and client.request_object_signing_alg == UNSIGNED:
        table.fault(_REQUIRE_SIGNED, "does not go with request_object_signing_alg: none")
    return evolve(
        client,
        request_uris=tuple(dict.fromkeys(table.texts("request_uris"))),
        implicit_scopes=tuple(dict.fromkeys(table.texts("implicit_scopes"))),
        require_signed_request_object=signed,
        require_pushed_authorization_requests=table.switch("require_pushed_authorization_requests"),
    )


def _problem(uri: str) -> str:
    """Return what is wrong with the address of a request object, empty if nothing; it is only ever asked by https."""
    address = uri.partition("#")[0]
    if len(uri) > LONGEST_REQUEST_URI:
        return f"must have at most {LONGEST_REQUEST_URI} characters"
    if not is_plain_uri(address) or urlsplit(address).scheme != "https":
        return "must begin with https://, and have no user name and no blanks"
    return ""
