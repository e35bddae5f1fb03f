"""What the demo application knows about the provider, all of it from the provider's metadata, and what it asks there.

Spec: OIDC Discovery 4; OIDC Core 3.1.2.1, 3.1.3.1, 5.3.1, 12.1; OIDC RP-Initiated Logout 2; RFC 7636 4.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Self
from urllib.parse import quote, urlencode

from attrs import field, frozen

from konnectd.base64url import b64url
from konnectd.demo.errors import SignInError, Trouble
from konnectd.demo.messages import Call, Exchange, Pairs
from konnectd.protocol.client import is_plain_uri

#: What the application asks for, as far as the provider knows it.
WISHES = ("openid", "profile", "email", "groups", "offline_access")
_METADATA_PATH = "/.well-known/openid-configuration"


def metadata_uri(issuer: str) -> str:
    """Return where an issuer publishes its metadata. Spec: OIDC Discovery 4."""
    return issuer.rstrip("/") + _METADATA_PATH


@frozen(kw_only=True)
class Provider:
    """A provider by its metadata.

    Attributes:
        end_session: empty if there is none.
        algorithms: how it says that it signs ID tokens.
        scope: what of our wishes it knows.
        names_itself: it puts its issuer into authorization responses (RFC 9207).
    """

    issuer: str
    authorization: str
    token_endpoint: str
    userinfo: str
    jwks: str
    end_session: str = ""
    algorithms: tuple[str, ...] = ()
    scope: tuple[str, ...] = ("openid",)
    names_itself: bool = False

    @classmethod
    def parse(cls, exchange: Exchange, issuer: str) -> Self:
        """Read the metadata of an issuer.

        Raises:
            SignInError: it is not the metadata of this issuer, or lacks what we need.

        Spec: OIDC Discovery 4.3 (the issuer must be the very one that was asked for).
        """
        members = exchange.reply.members
        if exchange.reply.status != 200 or members.get("issuer") != issuer:
            raise SignInError(Trouble.NONSENSE, f"{exchange.call.uri} has no metadata of the issuer {issuer}")
        secure = issuer.startswith("https://")
        known = _texts(members, "scopes_supported")
        return cls(
            issuer=issuer,
            authorization=_address(members, "authorization_endpoint", secure=secure),
            token_endpoint=_address(members, "token_endpoint", secure=secure),
            userinfo=_address(members, "userinfo_endpoint", secure=secure),
            jwks=_address(members, "jwks_uri", secure=secure),
            end_session=_address(members, "end_session_endpoint", secure=secure)
            if "end_session_endpoint" in members
            else "",
            algorithms=_texts(members, "id_token_signing_alg_values_supported"),
            scope=tuple(token for token in WISHES if token in known or token == "openid"),
            names_itself=members.get("authorization_response_iss_parameter_supported") is True,
        )


@frozen(kw_only=True)
class Application:
    """What the demo application is registered as.

    Attributes:
        redirect_uri: where it takes codes.
        home_uri: its first page, where people return to after signing out.
    """

    client_id: str
    redirect_uri: str
    home_uri: str


@frozen(kw_only=True)
class Ticket:
    """The three random values of one sign-in. They exist for it only.

    Attributes:
        state: proves that an answer belongs to a request of this browser.
        nonce: proves that an ID token belongs to it.
        code_verifier: proves that who redeems the code is who asked for it.
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)

    @property
    def code_challenge(self) -> str:
        """What may be seen of the verifier. Spec: RFC 7636 4.2."""
        digest = sha256(self.code_verifier.encode("ascii")).digest()
        return b64url(digest)


def authorization_pairs(provider: Provider, application: Application, ticket: Ticket) -> Pairs:
    """Return the parameters of the authorization request."""
    return (
        ("response_type", "code"),
        ("client_id", application.client_id),
        ("redirect_uri", application.redirect_uri),
        ("scope", " ".join(provider.scope)),
        ("state", ticket.state),
        ("nonce", ticket.nonce),
        ("code_challenge", ticket.code_challenge),
        ("code_challenge_method", "S256"),
    )


def code_call(provider: Provider, application: Application, ticket: Ticket, code: str) -> Call:
    """Return the request that redeems a code."""
    return Call(
        method="POST",
        uri=provider.token_endpoint,
        form=(
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", application.redirect_uri),
            ("client_id", application.client_id),
            ("code_verifier", ticket.code_verifier),
        ),
    )


def refresh_call(provider: Provider, application: Application, refresh_token: str) -> Call:
    """Return the request that asks for new tokens."""
    return Call(
        method="POST",
        uri=provider.token_endpoint,
        form=(
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("client_id", application.client_id),
        ),
    )


def userinfo_call(provider: Provider, access_token: str) -> Call:
    """Return the request for what the provider tells about a person."""
    return Call(uri=provider.userinfo, headers=(("Authorization", f"Bearer {access_token}"),))


def sign_out_pairs(application: Application, id_token: str, state: str) -> Pairs:
    """Return the parameters of the sign-out request."""
    return (
        ("id_token_hint", id_token),
        ("client_id", application.client_id),
        ("post_logout_redirect_uri", application.home_uri),
        ("state", state),
    )


def with_pairs(uri: str, pairs: Pairs) -> str:
    """Add parameters to an endpoint's address, which may have some. Spec: RFC 6749 3.1."""
    return uri + ("&" if "?" in uri else "?") + urlencode(pairs, quote_via=quote, safe="")


def _address(members: Mapping[str, object], name: str, *, secure: bool) -> str:
    """Return the address of an endpoint.

    Raises:
        SignInError: it is none, or one without TLS of an issuer that has it.
    """
    address = members.get(name)
    schemes = ("https://",) if secure else ("https://", "http://")
    if not isinstance(address, str) or not is_plain_uri(address) or not address.startswith(schemes):
        raise SignInError(Trouble.NONSENSE, f"the provider's metadata has no usable {name}")
    return address


def _texts(members: Mapping[str, object], name: str) -> tuple[str, ...]:
    """Return a list of texts; what is none is left out."""
    listed = members.get(name)
    return tuple(text for text in listed if isinstance(text, str)) if isinstance(listed, list) else ()
