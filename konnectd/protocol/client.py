"""Clients: what the registry knows about one, and the rules for its redirect URIs and its secret.

A redirect URI is compared character by character, with one exception: a native client's loopback address may have any
port. There are no patterns and no prefixes, because each kind of looseness has been somebody's account takeover.

Spec: RFC 9700 2.1 and 4.1.1; RFC 8252 7.3 and 8.3.
"""

import hmac
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from attrs import field, frozen

from konnectd.protocol.vocabulary import ApplicationType, AuthMethod

#: Names a native client may use for this very machine. Spec: RFC 8252 7.3 and 8.3.
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
#: Schemes a browser runs, shows or reads from disk instead of handing over to an application.
FORBIDDEN_SCHEMES = frozenset(
    {"javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "ws", "wss", "ftp"}
)
#: Longest redirect URI, in characters.
LONGEST_URI = 2000
#: What a URI may consist of. Spec: RFC 3986 2.
_URI_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")


@frozen(kw_only=True)
class Client:
    """A registered client.

    Attributes:
        client_id: as registered.
        secret: empty for a public client.
        name: for people; empty if it has none.
        uri: its home page, for people.
        trusted: nobody is asked for consent.
        insecure: http redirect URIs are allowed, for trying things out.
        auth_method: the one method it may use; None means any that fits its kind.
        origins: where its scripts run.
        id_token_signed_response_alg: empty for the default.
        userinfo_signed_response_alg: empty for plain JSON.
    """

    client_id: str
    secret: str = field(default="", repr=False)
    name: str = ""
    uri: str = ""
    trusted: bool = False
    trusted_scopes: tuple[str, ...] | None = None
    insecure: bool = False
    application_type: ApplicationType = ApplicationType.WEB
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    jwks: Mapping[str, object] | None = None
    auth_method: AuthMethod | None = None
    id_token_signed_response_alg: str = ""
    userinfo_signed_response_alg: str = ""
    request_object_signing_alg: str = ""

    @property
    def public(self) -> bool:
        """Whether it can keep no secret, so that PKCE is all that binds a code to it. Spec: RFC 6749 2.1."""
        return not self.secret

    @property
    def display_name(self) -> str:
        """What people are told it is called."""
        return self.name or self.client_id

    def allows_redirect_uri(self, uri: str) -> bool:
        """Tell whether a code may be sent to a URI."""
        return _allows(uri, self.redirect_uris, self.application_type)

    def allows_post_logout_redirect_uri(self, uri: str) -> bool:
        """Tell whether a browser may be sent to a URI after signing out.

        A client that registered none may use its redirect URIs, as clients of Konnect do.

        Spec: OIDC RP-Initiated Logout 3.
        """
        return _allows(uri, self.post_logout_redirect_uris or self.redirect_uris, self.application_type)

    def accepts_secret(self, secret: str) -> bool:
        """Tell whether a secret is this client's; in constant time."""
        return not self.public and hmac.compare_digest(secret.encode(), self.secret.encode())

    def accepts_method(self, method: AuthMethod) -> bool:
        """Tell whether this client may authenticate in a way. Spec: OIDC Registration 2."""
        if self.public:
            return method is AuthMethod.NONE
        if self.auth_method is not None:
            return method is self.auth_method
        return method is not AuthMethod.NONE


def _allows(uri: str, registered: tuple[str, ...], application_type: ApplicationType) -> bool:
    """Compare a presented URI with the registered ones."""
    if not is_plain_uri(uri):
        return False
    if uri in registered:
        return True
    if application_type is not ApplicationType.NATIVE:
        return False
    presented = _without_loopback_port(uri)
    return presented is not None and any(presented == _without_loopback_port(known) for known in registered)


def is_plain_uri(uri: str) -> bool:
    """Tell whether text is an absolute URI that every reader splits the same way and that may stand in a redirect.

    Refused are fragments, userinfo, backslashes, blanks, control and non-ASCII characters, and schemes that a browser
    runs itself.

    Spec: RFC 6749 3.1.2 (no fragment); RFC 9700 4.1.
    """
    if len(uri) > LONGEST_URI or _URI_CHARACTERS.fullmatch(uri) is None or "#" in uri:
        return False
    parts = split(uri)
    return parts is not None and parts.scheme not in FORBIDDEN_SCHEMES and "@" not in parts.netloc


def split(uri: str) -> SplitResult | None:
    """Split an absolute URI; None when it has no scheme, or its host or port make no sense."""
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return None
    if not parts.scheme:
        return None
    if parts.scheme in {"http", "https"} and not parts.hostname:
        return None
    return parts


def _without_loopback_port(uri: str) -> str | None:
    """Return what must be equal about two loopback URIs: all but the port, as written. None for any other URI.

    Spec: RFC 8252 7.3.
    """
    parts = split(uri)
    if parts is None or parts.scheme != "http" or parts.hostname not in LOOPBACK_HOSTS:
        return None
    # Not the parts that were read: "LOCALHOST", "HTTP:" or a lone "?" must not pass as the registered spelling.
    host = parts.netloc.removesuffix(f":{parts.port}") if parts.port is not None else parts.netloc
    return uri.replace(parts.netloc, host, 1)
