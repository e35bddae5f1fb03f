"""The token request, how a client proves who it is in it, and what it gets.

Spec: RFC 6749 2.3, 4.1.3, 5.1, 5.2 and 6; OIDC Core 3.1.3 and 12.
"""

import binascii
from base64 import b64decode
from typing import Self
from urllib.parse import unquote_plus

from attrs import field, frozen

from konnectd.protocol import pkce
from konnectd.protocol.client import Client
from konnectd.protocol.errors import InvalidClientError, OAuthError
from konnectd.protocol.grant import AuthorizationGrant
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import OPENID, RAW_SUBJECT, Scope
from konnectd.protocol.vocabulary import AuthMethod, ErrorCode

#: Longest Authorization header that is decoded, in characters.
LONGEST_CREDENTIALS = 4096


@frozen(kw_only=True)
class Lifetimes:
    """How long tokens live, in seconds."""

    access_token: int = 600
    id_token: int = 3600
    refresh_token: int = 94_608_000


@frozen(kw_only=True)
class Credentials:
    """What a client sent to prove who it is, in the one way it chose."""

    client_id: str
    secret: str = field(default="", repr=False)
    method: AuthMethod

    @classmethod
    def parse(cls, authorization: str, parameters: Parameters) -> Self:
        """Read the credentials of a token request.

        Raises:
            InvalidClientError: there are none, they are malformed, or two ways were used at once.

        Spec: RFC 6749 2.3 (one method a request) and 2.3.1 (values in the header are form-encoded).
        """
        client_id = parameters.get("client_id")
        secret = parameters.get("client_secret")
        if authorization:
            header_id, header_secret = _basic(authorization)
            if secret is not None:
                raise InvalidClientError("credentials were sent both in the header and in the body")
            if client_id is not None and client_id != header_id:
                raise InvalidClientError("client_id in the body is not the one in the header")
            return cls(client_id=header_id, secret=header_secret, method=AuthMethod.BASIC)
        if client_id is None:
            raise InvalidClientError("no client credentials were sent")
        if secret is not None:
            return cls(client_id=client_id, secret=secret, method=AuthMethod.POST)
        return cls(client_id=client_id, method=AuthMethod.NONE)

    def authenticate(self, client: Client | None) -> Client:
        """Return the client when these are its credentials.

        Raises:
            InvalidClientError: unknown client, wrong secret, or a method it is not registered for; the text is the
                same for an unknown client and a wrong secret.

        Spec: RFC 6749 5.2 (``invalid_client``); OIDC Core 9.
        """
        if client is None or client.client_id != self.client_id:
            raise InvalidClientError("client is unknown or its credentials are wrong")
        method = self.method
        if client.public and not self.secret:
            # "Basic id:" with an empty secret is how some libraries of public clients say that they have none.
            method = AuthMethod.NONE
        if not client.accepts_method(method):
            raise InvalidClientError(f"client may not authenticate by {method}")
        if method is not AuthMethod.NONE and not client.accepts_secret(self.secret):
            raise InvalidClientError("client is unknown or its credentials are wrong")
        return client


def _basic(authorization: str) -> tuple[str, str]:
    """Read an ``Authorization: Basic`` header. Spec: RFC 7617 2; RFC 6749 2.3.1."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > LONGEST_CREDENTIALS:
        raise InvalidClientError("the Authorization header must use the Basic scheme")
    try:
        user, colon, password = b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
        client_id = unquote_plus(user, errors="strict")
        secret = unquote_plus(password, errors="strict")
    except (binascii.Error, UnicodeError, ValueError):
        raise InvalidClientError("the Authorization header is malformed") from None
    if not colon or not client_id:
        raise InvalidClientError("the Authorization header is malformed")
    return client_id, secret


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
    """What the token endpoint gives out."""

    access_token: str = field(repr=False)
    id_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    expires_in: int
    scope: Scope

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
