"""What a registered client says about how it wants to be told that a session is over."""

import re

from attrs import evolve

from konnectd.config.yamlfile import Table
from konnectd.protocol.client import Client, is_plain_uri, split
from konnectd.protocol.session import web_origin

_FRONT = "frontchannel_logout"
_BACK = "backchannel_logout"
#: A page can name no other host as one that it opens in a frame.
_HOST = re.compile(r"[a-z0-9._-]+")


def with_logout(client: Client, table: Table, *, http: bool) -> Client:
    """Read the addresses that are told when a session is over.

    Args:
        client: as it has been read so far.
        table: its entry.
        http: addresses that browsers open may go without TLS.

    Spec: OIDC Front-Channel Logout 2; OIDC Back-Channel Logout 2.2.
    """
    front = _uri(table, f"{_FRONT}_uri", http=http)
    origins = {web_origin(uri) for uri in client.redirect_uris}
    if front and web_origin(front) not in origins:
        table.fault(f"{_FRONT}_uri", "must be at the scheme, host and port of one of redirect_uris")
    parts = split(front)
    if front and parts is not None and _HOST.fullmatch(parts.hostname or "") is None:
        table.fault(f"{_FRONT}_uri", "must have a host that is a name or an IPv4 address")
    return evolve(
        client,
        frontchannel_logout_uri=front,
        frontchannel_logout_session_required=table.switch(f"{_FRONT}_session_required"),
        # What clients chose is only ever asked by https, whoever they are.
        backchannel_logout_uri=_uri(table, f"{_BACK}_uri", http=False),
        backchannel_logout_session_required=table.switch(f"{_BACK}_session_required"),
    )


def _uri(table: Table, key: str, *, http: bool) -> str:
    """Read one address; empty means none."""
    text = table.text(key)
    parts = split(text)
    if not text:
        return ""
    if not is_plain_uri(text) or parts is None or parts.scheme not in {"http", "https"}:
        table.fault(key, "must be an absolute https URL without fragment and user name")
        return ""
    if parts.scheme == "http" and not http:
        table.fault(key, "must begin with https:// (or the client be insecure, for trying things out)")
        return ""
    return text
