"""URIs that a client may register, from a file or by asking; what it then presents is `konnectd.protocol.client`.

Each rule returns what is wrong, as the rest of a sentence that begins with the URI, or nothing.

Spec: OIDC Registration 2; RFC 9700 2.1; RFC 8252 7 and 8.4.
"""

from collections.abc import Iterable

from konnectd.protocol.client import LOOPBACK_HOSTS, is_plain_uri, split
from konnectd.protocol.vocabulary import ApplicationType


def redirect_uri_problem(uri: str, kind: ApplicationType, *, http: bool) -> str:
    """Say what is wrong with a redirect URI.

    Args:
        uri: as it would be registered.
        kind: where the client runs.
        http: addresses without TLS are allowed.

    Spec: RFC 9700 2.1; RFC 8252 7 and 8.4; OIDC Registration 2 (``redirect_uris``, ``application_type``).
    """
    if "*" in uri:
        return "has a wildcard; each address must be written out"
    if "#" in uri:
        return "must not have a fragment"
    if not is_plain_uri(uri):
        return "is not a plain absolute URI (no user name, no blanks, no scheme a browser runs itself)"
    parts = split(uri)
    if parts is None or not (parts.netloc or parts.path):
        return "has nothing after its scheme"
    if parts.scheme == "https" or (parts.scheme == "http" and http):
        return ""
    if kind is ApplicationType.WEB:
        return "must begin with https:// (or the client be native, or insecure for trying things out)"
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        return "must begin with https://; only http://localhost, http://127.0.0.1 and http://[::1] may go without"
    return ""


def implicit_uri_problem(uri: str, kind: ApplicationType) -> str:
    """Say what is wrong with a redirect URI that tokens are sent to without a code.

    On somebody's own machine any program could be waiting for them.

    Spec: OIDC Registration 2 (``application_type``: web clients with the implicit grant).
    """
    parts = split(uri)
    if kind is ApplicationType.WEB and parts is not None and parts.hostname in LOOPBACK_HOSTS:
        return "must not be on the loopback host when tokens come without a code"
    return ""


def private_scheme_problem(uri: str) -> str:
    """Say what is wrong with the scheme of a URI of a program that nobody has looked at.

    Schemes without a period belong to mail programs, telephones, settings and the like: a link to us that ends in one
    would start those, with a text that a stranger chose.

    Spec: RFC 8252 7.1 and 8.4.
    """
    parts = split(uri)
    if parts is None or parts.scheme in {"http", "https"} or "." in parts.scheme:
        return ""
    return "must have the reversed name of a domain for its scheme, such as com.example.app:"


def page_uri_problem(uri: str, *, http: bool) -> str:
    """Say what is wrong with the address of a page, or of what a client is told at.

    Args:
        uri: as it would be registered.
        http: an address without TLS is good enough.
    """
    schemes = {"https", "http"} if http else {"https"}
    parts = split(uri) if is_plain_uri(uri) else None
    if parts is None or parts.scheme not in schemes:
        return "must be a plain https URL" if not http else "must be a plain http or https URL"
    return ""


def sector_of(redirect_uris: Iterable[str], sector_identifier_uri: str = "") -> str:
    """Return the sector of a client; empty when its redirect URIs do not agree on one.

    Spec: OIDC Core 8.1 (the host of ``sector_identifier_uri``, or else of all redirect URIs).
    """
    uris = [sector_identifier_uri] if sector_identifier_uri else list(redirect_uris)
    parts = [split(uri) for uri in uris]
    hosts = {part.hostname or "" if part is not None and part.scheme in {"http", "https"} else "" for part in parts}
    return hosts.pop() if len(hosts) == 1 else ""
