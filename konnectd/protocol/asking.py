"""What may be told of a request: words that are ours, and names that a registered client chose.

Whatever else a request carries may be a secret that somebody has put into the wrong place, so it is told by kind or not
at all: the log and the trails in it are read by more people than may act as the client.
"""

import re
from collections.abc import Collection

from konnectd.protocol.client import Client, split
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.response_type import name as name_of_response_type
from konnectd.protocol.response_type import parse as parse_response_type
from konnectd.protocol.trail import Trail
from konnectd.protocol.vocabulary import Prompt

#: Stands for a value that is none of those there are.
UNKNOWN = "unknown"
_RESPONSE_MODES = frozenset({"query", "fragment", "form_post"})
_GRANT_TYPES = frozenset(
    {
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
        "password",
        "implicit",
    }
)
#: A host as people write it, with a port if it has one.
_HOST = re.compile(r"(?=.{1,100}\Z)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?\Z")
#: What scopes look like; a longer one, or one with other characters, may be anything.
_SCOPE = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,39}\Z")


def asked(client: Client | None, parameters: Parameters, supported: Collection[str] | None = None) -> Trail:
    """Return what may be told of a request.

    Args:
        client: that is registered under its ``client_id``; None for none.
        parameters: the request.
        supported: every scope that can be granted here; None when it does not matter.
    """
    if client is None:
        return Trail(host=host_of(parameters.text("redirect_uri")))
    scopes = tuple(token for token in parameters.text("scope").split(" ") if _SCOPE.match(token) is not None)
    return Trail(
        client=client.client_id,
        response_type=_response_type(parameters),
        response_mode=_among(parameters.text("response_mode"), _RESPONSE_MODES),
        grant_type=_among(parameters.text("grant_type"), _GRANT_TYPES),
        prompt=" ".join(word for word in Prompt if word in parameters.text("prompt").split()),
        asked=scopes,
        dropped=() if supported is None else tuple(token for token in scopes if token not in supported),
    )


def astray(client: Client, uri: str) -> Trail:
    """Return what may be told of a redirect URI that is not the client's: where it leads, and in what it differs."""
    return Trail(client=client.client_id, host=host_of(uri), differs=difference(uri, client.redirect_uris))


def host_of(uri: str) -> str:
    """Return host and port of a web address if they look like such; empty otherwise."""
    parts = split(uri)
    if parts is None or parts.scheme not in {"http", "https"} or _HOST.match(parts.netloc) is None:
        return ""
    return parts.netloc.lower()


def difference(uri: str, registered: Collection[str]) -> str:
    """Return the parts in which a URI differs from the registered one that is most like it.

    Returns:
        ``scheme``, ``host``, ``path`` and ``query``, as many as there are; ``slash`` when it is one at the end alone;
        ``case`` when it is that alone; empty when there is nothing to compare.
    """
    found = sorted((words for words in (_difference(uri, one) for one in registered) if words), key=len)
    return " ".join(found[0]) if found else ""


def _difference(uri: str, registered: str) -> tuple[str, ...]:
    """Return the parts in which two URIs differ; empty when one of them is none."""
    if uri.rstrip("/") == registered.rstrip("/"):
        return ("slash",)
    if uri.lower() == registered.lower():
        return ("case",)
    left, right = split(uri), split(registered)
    if left is None or right is None:
        return ()
    pairs = {
        "scheme": (left.scheme, right.scheme),
        "host": (left.netloc, right.netloc),
        "path": (left.path, right.path),
        "query": (left.query, right.query),
    }
    return tuple(name for name, (one, other) in pairs.items() if one != other)


def _response_type(parameters: Parameters) -> str:
    """Return the name of a response type."""
    text = parameters.text("response_type")
    found = parse_response_type(text)
    return name_of_response_type(found) if found is not None else (UNKNOWN if text else "")


def _among(value: str, known: Collection[str]) -> str:
    """Return a value if it is one of those there are."""
    return value if not value or value in known else UNKNOWN
