"""The registered applications: addresses in the clear, weak secrets, keys that can not be fetched."""

import json
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from konnectd.doctor.finding import Finding, fault, good, hint, warning
from konnectd.interfaces import Fetch, FetchError
from konnectd.protocol.client import LOOPBACK_HOSTS, Client

_ABOUT = "clients"
#: A secret with fewer characters can be guessed by somebody with patience.
_SHORTEST = 20
#: How many sets of keys are fetched.
_MOST_FETCHED = 50


async def look(clients: Iterable[Client], fetch: Fetch) -> list[Finding]:
    """Look at every client of the file."""
    known = tuple(clients)
    if not known:
        return [
            hint(
                _ABOUT,
                "none is registered",
                cause="identifier_registration_conf is not set, or the file has no clients.",
                mend="Register each application; docs/operate/clients.md shows how.",
            )
        ]
    found = [finding for client in known for finding in _entry(client)]
    found += _shared(known)
    with_uri = [client for client in known if client.jwks_uri]
    for client in with_uri[:_MOST_FETCHED]:
        found += await _keys(client, fetch)
    if len(with_uri) > _MOST_FETCHED:
        found.append(hint(_ABOUT, f"the keys of {len(with_uri) - _MOST_FETCHED} further clients were not fetched"))
    return found or [good(_ABOUT, f"{len(known)} registered, nothing to complain about")]


def _entry(client: Client) -> Iterator[Finding]:
    """Look at one entry."""
    plain = [uri for uri in (*client.redirect_uris, *client.post_logout_redirect_uris) if _in_the_clear(uri)]
    if plain:
        yield warning(
            _ABOUT,
            f"{client.short_id}: codes travel in the clear to {urlsplit(plain[0]).netloc}",
            cause="A redirect URI begins with http://.",
            mend="Let the application have a certificate, and register the https address.",
        )
    if client.insecure:
        yield warning(
            _ABOUT,
            f"{client.short_id}: insecure is set",
            cause="It allows http addresses, and is for trying things out.",
            mend="Take it out of the entry.",
        )
    if client.secret and len(client.secret) < _SHORTEST:
        yield warning(
            _ABOUT,
            f"{client.short_id}: its secret is short ({len(client.secret)} characters)",
            cause="Somebody has made it up.",
            mend="Make a random one of 32 bytes (openssl rand -base64 32), here and in the application.",
        )


def _in_the_clear(uri: str) -> bool:
    """Tell whether what goes to an address can be read on the way."""
    parts = urlsplit(uri)
    return parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS


def _shared(clients: tuple[Client, ...]) -> Iterator[Finding]:
    """Look for clients that have the same secret."""
    by_secret: dict[str, list[str]] = {}
    for client in clients:
        if client.secret:
            by_secret.setdefault(client.secret, []).append(client.short_id)
    for names in by_secret.values():
        if len(names) > 1:
            yield warning(
                _ABOUT,
                f"{', '.join(names)[:200]} have the same secret",
                cause="An entry was copied.",
                mend="Give each a random one of its own: each can pretend to be the other.",
            )


async def _keys(client: Client, fetch: Fetch) -> list[Finding]:
    """Fetch the keys of a client, as is done when it shows a proof."""
    try:
        content = await fetch.get(client.jwks_uri)
    except FetchError as error:
        return [
            fault(
                _ABOUT,
                f"{client.short_id}: its keys can not be fetched: {error}",
                cause="The application does not run, or its address is not a public one.",
                mend="Start it, correct jwks_uri, or name its network in fetch_allow.",
            )
        ]
    try:
        document = json.loads(content)
        count = len(document["keys"]) if isinstance(document["keys"], list) else 0
    except (ValueError, KeyError, TypeError, RecursionError):
        count = 0
    if count:
        return []
    return [
        fault(
            _ABOUT,
            f"{client.short_id}: there are no keys at its jwks_uri",
            cause="Something else is at this address.",
            mend="Correct jwks_uri in its entry.",
        )
    ]
