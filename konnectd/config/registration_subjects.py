"""How a registered client knows people, and what it expects of a sign-in: read from its entry in the file.

Spec: OIDC Registration 2; OIDC Core 8.
"""

from attrs import evolve

from konnectd.config.yamlfile import Table
from konnectd.protocol.client import Client
from konnectd.protocol.client_metadata import LARGEST_AGE
from konnectd.protocol.pairwise import Pairwise
from konnectd.protocol.registered_uri import page_uri_problem, sector_of
from konnectd.protocol.response_type import name, parse

_SUBJECT_TYPES = ("public", "pairwise")


def with_subjects(client: Client, table: Table, salt: bytes) -> Client:
    """Return a client with what its entry says about people; whatever is wrong becomes a fault of the table.

    Args:
        client: as it has been read so far.
        table: its entry.
        salt: goes into pairwise subjects; empty when there are none.
    """
    return evolve(
        client,
        logo_uri=_page(table, "logo_uri", http=True),
        policy_uri=_page(table, "policy_uri", http=True),
        tos_uri=_page(table, "tos_uri", http=True),
        response_types=_response_types(table),
        sector_identifier_uri=_page(table, "sector_identifier_uri", http=False),
        pairwise=_pairwise(client, table, salt),
        default_max_age=_seconds(table, "default_max_age"),
        require_auth_time=table.switch("require_auth_time"),
        initiate_login_uri=_page(table, "initiate_login_uri", http=False),
    )


def _pairwise(client: Client, table: Table, salt: bytes) -> Pairwise | None:
    """Read whether a client knows people by names of its own. Spec: OIDC Core 8.1."""
    kind = table.text("subject_type") or "public"
    if kind not in _SUBJECT_TYPES:
        table.fault("subject_type", f"must be one of {', '.join(_SUBJECT_TYPES)}")
    if kind != "pairwise":
        return None
    sector = sector_of(client.redirect_uris, table.text("sector_identifier_uri"))
    if not sector:
        table.fault("sector_identifier_uri", "is required: redirect_uris are not all on one web host")
    if not salt:
        table.fault("subject_type", "pairwise needs pairwise_salt to be set")
    return Pairwise(sector, salt) if sector and salt else None


def _response_types(table: Table) -> tuple[str, ...]:
    """Read what a client may ask for; anything, unless it says."""
    found = [(item, parse(item.text)) for item in table.items("response_types")]
    for item, response_type in found:
        if response_type is None:
            table.fault("response_types", f"{item.text} is no response type", item.source)
    return tuple(name(response_type) for _, response_type in found if response_type is not None)


def _seconds(table: Table, key: str) -> int | None:
    """Read a span of time."""
    text = table.text(key)
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and int(text) <= LARGEST_AGE):
        table.fault(key, "must be a whole number of seconds")
        return None
    return int(text)


def _page(table: Table, key: str, *, http: bool) -> str:
    """Read the address of a page."""
    text = table.text(key)
    problem = page_uri_problem(text, http=http) if text else ""
    if problem:
        table.fault(key, problem)
    return text
