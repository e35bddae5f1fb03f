"""Clients: what the registry knows about one, and the rules for its redirect URIs and its secret.

A redirect URI is compared character by character, with one exception: a native client's loopback address may have any
port. There are no patterns and no prefixes, because each kind of looseness has been somebody's account takeover.

Spec: RFC 9700 2.1 and 4.1.1; RFC 8252 7.3 and 8.3.
"""

import hmac
import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b, sha256
from urllib.parse import SplitResult, urlsplit

from attrs import field, frozen

from konnectd.base64url import b64url
from konnectd.protocol.client_secret import SecretDigest
from konnectd.protocol.end_user import Logon, public_subject
from konnectd.protocol.local_text import NO_TEXT, LocalText
from konnectd.protocol.pairwise import Pairwise
from konnectd.protocol.vocabulary import AccessTokenFormat, ApplicationType, AuthMethod

#: Names a native client may use for this very machine. Spec: RFC 8252 7.3 and 8.3.
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
#: Schemes a browser runs, shows or reads from disk instead of handing over to an application.
FORBIDDEN_SCHEMES = frozenset(
    {"javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "ws", "wss", "ftp"}
)
#: Longest client id that is shown as it is, in characters; those of a file have no more.
LONGEST_SHOWN_ID = 255
#: Longest redirect URI, in characters.
LONGEST_URI = 2000
_SID = b"konnectd sid"
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
        scopes: what it may have for itself, without a person.
        resources: servers it may ask for tokens for.
        introspection: it may look at tokens of other clients.
        id_token_signed_response_alg: empty for the default.
        userinfo_signed_response_alg: empty for plain JSON.
        scope_claims_in_id_token: what its scopes open stands in its ID tokens too, not only at userinfo.
        id_token_encrypted_response_alg: how the key of its ID tokens is wrapped; empty for no encryption.
        id_token_encrypted_response_enc: how their content is encrypted.
        userinfo_encrypted_response_alg: as for ID tokens.
        userinfo_encrypted_response_enc: as for ID tokens.
        request_object_signing_alg: the one algorithm of its request objects; empty for any but ``none``.
        request_uris: where its request objects may be fetched.
        require_signed_request_object: a request counts only as far as the client signed it.
        require_pushed_authorization_requests: a request counts only when the client pushed it.
        implicit_scopes: asked for with each of its requests, whether it says so or not.
        response_types: those it may ask for, as metadata has them; empty for any.
        pairwise: how it knows people; None for public subjects.
        default_max_age: what counts where a request has no ``max_age``; None for nothing.
        sign_in_text: what people are told on the sign-in page on the way to it.
        dynamic: it registered itself, so nobody has looked at it.
        secret_digest: what tells its secret where that is not kept.
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
    # Addresses that we ask, or send browsers to, may have a key in their query.
    frontchannel_logout_uri: str = field(default="", repr=False)
    frontchannel_logout_session_required: bool = False
    backchannel_logout_uri: str = field(default="", repr=False)
    backchannel_logout_session_required: bool = False
    origins: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    introspection: bool = False
    access_token_format: AccessTokenFormat = AccessTokenFormat.KONNECT
    contacts: tuple[str, ...] = ()
    jwks: Mapping[str, object] | None = None
    jwks_uri: str = field(default="", repr=False)
    auth_method: AuthMethod | None = None
    token_endpoint_auth_signing_alg: str = ""
    id_token_signed_response_alg: str = ""
    userinfo_signed_response_alg: str = ""
    scope_claims_in_id_token: bool = False
    id_token_encrypted_response_alg: str = ""
    id_token_encrypted_response_enc: str = ""
    userinfo_encrypted_response_alg: str = ""
    userinfo_encrypted_response_enc: str = ""
    request_object_signing_alg: str = ""
    request_uris: tuple[str, ...] = field(default=(), repr=False)
    require_signed_request_object: bool = False
    require_pushed_authorization_requests: bool = False
    implicit_scopes: tuple[str, ...] = ()
    response_types: tuple[str, ...] = ()
    sector_identifier_uri: str = ""
    pairwise: Pairwise | None = None
    default_max_age: int | None = None
    require_auth_time: bool = False
    initiate_login_uri: str = ""
    logo_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    sign_in_text: LocalText = NO_TEXT
    dynamic: bool = False
    secret_digest: SecretDigest | None = None

    @property
    def public(self) -> bool:
        """Whether it can keep no secret, so that PKCE is all that binds a code to it. Spec: RFC 6749 2.1."""
        if self.secret or self.secret_digest is not None:
            return False
        return self.auth_method is not AuthMethod.PRIVATE_KEY_JWT

    @property
    def display_name(self) -> str:
        """What people are told it is called."""
        return self.name or self.short_id

    @property
    def short_id(self) -> str:
        """What it is called in a log or on a page: its id, or the beginning of a digest of one that nobody reads.

        The id of a client that registered itself is a whole registration, and it may write thousands of characters.
        """
        if len(self.client_id) <= LONGEST_SHOWN_ID:
            return self.client_id
        return f"{self.client_id[:4]}{sha256(self.client_id.encode()).hexdigest()[:16]}"

    def sub_of(self, subject: str, provider: str) -> str:
        """Return the ``sub`` under which this client knows a person. Spec: OIDC Core 8."""
        if self.pairwise is not None:
            return self.pairwise.sub(subject, provider)
        return public_subject(subject, provider)

    def sid_of(self, session_id: str) -> str:
        """Return the ``sid`` under which this client knows a session; empty for none.

        Each client has its own, or two of them could tell by it that somebody is the same person. For a client with
        pairwise subjects not even somebody who is told the session's id can compute it.

        Spec: OIDC Front-Channel Logout 3; OIDC Core 8.1.
        """
        if not session_id:
            return ""
        salt = self.pairwise.salt if self.pairwise is not None else b""
        text = f"{self.client_id} {session_id}".encode()
        digest = blake2b(text, digest_size=32, key=salt, person=_SID).digest()
        return b64url(digest)

    def knows(self, logon: Logon) -> frozenset[str]:
        """Return every name under which this client may know a person: the backend's own one it may have been granted.

        Nobody with pairwise subjects is ever told that one.
        """
        sub = self.sub_of(logon.subject, logon.provider)
        return frozenset({sub} if self.pairwise is not None else {sub, logon.subject})

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
        if self.secret_digest is not None:
            return self.secret_digest.accepts(secret)
        return bool(self.secret) and hmac.compare_digest(secret.encode(), self.secret.encode())

    def accepts_method(self, method: AuthMethod) -> bool:
        """Tell whether this client may authenticate in a way. Spec: OIDC Registration 2."""
        if self.public:
            return method is AuthMethod.NONE
        if self.auth_method is not None:
            return method is self.auth_method
        return method in {AuthMethod.BASIC, AuthMethod.POST}


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
    return len(uri) <= LONGEST_URI and _is_plain(uri)


@lru_cache(maxsize=1024)
def _is_plain(uri: str) -> bool:
    """Tell it of a URI of a length that can be remembered: each request has one, and few are different."""
    if _URI_CHARACTERS.fullmatch(uri) is None or "#" in uri:
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
