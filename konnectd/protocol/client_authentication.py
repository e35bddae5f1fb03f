"""How a client proves who it is: what it sends, and whether it may prove it in that way.

Secrets are here. Assertions (signed proofs) are `konnectd.protocol.client_assertion`; each method, from request to
answer, is a file of `konnectd.authentication`.

Spec: RFC 6749 2.3; OIDC Core 9.
"""

import binascii
from base64 import b64decode
from urllib.parse import unquote_plus

from attrs import field, frozen

from konnectd.protocol.client import Client
from konnectd.protocol.errors import InvalidClientError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import AuthMethod

#: Longest Authorization header that is decoded, in characters.
LONGEST_CREDENTIALS = 4096


@frozen(kw_only=True)
class Credentials:
    """What a client sent to prove who it is, in one way.

    Attributes:
        client_id: who it says it is.
        secret: what only it knows.
        assertion: what only it can have signed.
    """

    client_id: str
    secret: str = field(default="", repr=False)
    assertion: str = field(default="", repr=False)
    method: AuthMethod


def find_basic(authorization: str, parameters: Parameters) -> Credentials | None:
    """Return the credentials in the header; None when there is no header.

    ``Basic id:`` with an empty secret is how some libraries of public clients say that they have none, so it proves
    nothing and says so.

    Raises:
        InvalidClientError: the header can not be read, or the body speaks of somebody else.

    Spec: RFC 7617 2; RFC 6749 2.3.1 (values in the header are form-encoded).
    """
    if not authorization:
        return None
    client_id, secret = _basic(authorization)
    if parameters.get("client_id") not in {None, client_id}:
        raise InvalidClientError("client_id in the body is not the one in the header")
    return Credentials(client_id=client_id, secret=secret, method=AuthMethod.BASIC if secret else AuthMethod.NONE)


def find_post(parameters: Parameters) -> Credentials | None:
    """Return the secret in the body; None when there is none.

    Raises:
        InvalidClientError: it is nobody's.

    Spec: RFC 6749 2.3.1.
    """
    secret = parameters.get("client_secret")
    if secret is None:
        return None
    return Credentials(client_id=parameters.text("client_id"), secret=secret, method=AuthMethod.POST)


def find_none(parameters: Parameters) -> Credentials | None:
    """Return who a client says it is; None when it does not say. Spec: RFC 6749 3.2.1; OIDC Core 9 (``none``)."""
    client_id = parameters.get("client_id")
    return None if client_id is None else Credentials(client_id=client_id, method=AuthMethod.NONE)


def check_registered(credentials: Credentials, client: Client | None) -> Client:
    """Return the client when it may prove in this way that it is itself; whether it does is for others to check.

    Raises:
        InvalidClientError: there is no such client, or it is registered for another way.

    Spec: RFC 6749 5.2 (``invalid_client``); OIDC Registration 2 (``token_endpoint_auth_method``).
    """
    if client is None or client.client_id != credentials.client_id:
        raise wrong_credentials()
    if not client.accepts_method(credentials.method):
        raise InvalidClientError(f"client may not authenticate by {credentials.method}")
    return client


def check_secret(credentials: Credentials, client: Client) -> None:
    """Check the secret.

    Raises:
        InvalidClientError: it is not the client's.
    """
    if not client.accepts_secret(credentials.secret):
        raise wrong_credentials()


def wrong_credentials() -> InvalidClientError:
    """Return the one error for an unknown client and for a wrong proof: nobody learns which clients there are."""
    return InvalidClientError("client is unknown or its credentials are wrong")


def _basic(authorization: str) -> tuple[str, str]:
    """Read an ``Authorization: Basic`` header."""
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
