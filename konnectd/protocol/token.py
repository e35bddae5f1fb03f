"""The token request and what a client gets; how it proves who it is, is `konnectd.protocol.client_authentication`.

Spec: RFC 6749 4.1.3, 5.1 and 6; OIDC Core 3.1.3 and 12.
"""

from attrs import evolve, field, frozen

from konnectd.protocol import pkce
from konnectd.protocol.client import Client
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import AuthorizationGrant
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import OPENID, RAW_SUBJECT, Scope
from konnectd.protocol.vocabulary import ErrorCode


@frozen(kw_only=True)
class Lifetimes:
    """How long tokens live, in seconds."""

    access_token: int = 600
    id_token: int = 3600
    refresh_token: int = 94_608_000

    def within(self, longest_access_token: int | None) -> "Lifetimes":
        """Return the same, with access tokens that live no longer than some seconds; None for no bound."""
        if longest_access_token is None or self.access_token <= longest_access_token:
            return self
        return evolve(self, access_token=longest_access_token)


def check_code_grant(grant: AuthorizationGrant, client: Client, parameters: Parameters) -> None:
    """Check that a code is redeemed by the one it was sent to.

    Raises:
        OAuthError: ``invalid_grant``: another client, another redirect URI, or a wrong PKCE verifier.

    Spec: RFC 6749 4.1.3; RFC 7636 4.6.
    """
    if grant.client_id != client.client_id:
        raise OAuthError(ErrorCode.INVALID_GRANT, "the code was issued to another client")
    if parameters.get("redirect_uri") != grant.redirect_uri:
        raise OAuthError(ErrorCode.INVALID_GRANT, "redirect_uri is not the one of the authorization request")
    pkce.check_verifier(grant.code_challenge, parameters.get("code_verifier"))


def narrow_scope(granted: Scope, parameters: Parameters) -> Scope:
    """Return the scope of a refresh: what was granted, or the part of it the client asks for.

    ``konnect/raw_sub`` stays even if it is not asked for: it says how a person is named, and that must not change.

    Raises:
        OAuthError: ``invalid_scope``: it asks for more, or leaves out openid.

    Spec: RFC 6749 6; OIDC Core 12.1 and 12.2 (``sub`` stays).
    """
    asked = parameters.get("scope")
    if asked is None:
        return granted
    scope = Scope.parse(asked)
    if not granted.covers(scope) or OPENID not in scope:
        raise OAuthError(ErrorCode.INVALID_SCOPE, "scope must be part of what was granted and contain openid")
    return granted.keep({*scope, RAW_SUBJECT})


@frozen(kw_only=True)
class TokenResponse:
    """What the token endpoint gives out.

    Attributes:
        client_id: to whom; not sent.
    """

    access_token: str = field(repr=False)
    id_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    expires_in: int
    scope: Scope
    client_id: str = ""

    def to_json(self) -> dict[str, object]:
        """Write it for the wire. Spec: RFC 6749 5.1; OIDC Core 3.1.3.3."""
        members: dict[str, object] = {"access_token": self.access_token, "token_type": "Bearer"}
        if self.id_token:
            members["id_token"] = self.id_token
        if self.refresh_token:
            members["refresh_token"] = self.refresh_token
        members["expires_in"] = self.expires_in
        members["scope"] = str(self.scope)
        return members
