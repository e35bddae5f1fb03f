"""Registered clients: how each proves who it is, and by which keys.

Spec: OIDC Registration 2 (``token_endpoint_auth_method``, ``token_endpoint_auth_signing_alg``, ``jwks_uri``).
"""

from urllib.parse import urlsplit

from attrs import evolve

from konnectd.config.yamlfile import Table
from konnectd.protocol.client import Client, is_plain_uri
from konnectd.protocol.client_assertion import ALGORITHMS, SECRET_ALGORITHMS
from konnectd.protocol.vocabulary import AuthMethod

_METHOD = "token_endpoint_auth_method"
_ALGORITHM = "token_endpoint_auth_signing_alg"
_JWKS_URI = "jwks_uri"


def with_authentication(client: Client, table: Table) -> Client:
    """Return a client with what its entry says of its proof; whatever is wrong becomes a fault of the table."""
    client = evolve(client, jwks_uri=_jwks_uri(client, table))
    client = evolve(client, auth_method=_auth_method(client, table))
    return evolve(client, token_endpoint_auth_signing_alg=_algorithm(client, table))


def _jwks_uri(client: Client, table: Table) -> str:
    """Read where the client publishes its keys. It is we who connect there, so http is no choice."""
    uri = table.text(_JWKS_URI)
    if not uri:
        return ""
    if not is_plain_uri(uri) or urlsplit(uri).scheme != "https":
        table.fault(_JWKS_URI, "must begin with https://, and have no user name, no blanks and no fragment")
    if client.jwks is not None:
        table.fault(_JWKS_URI, "does not go together with jwks")
    return uri


def _auth_method(client: Client, table: Table) -> AuthMethod | None:
    """Read how the client authenticates, which must go with what it has to show."""
    text = table.text(_METHOD)
    if not text:
        return None
    try:
        method = AuthMethod(text)
    except ValueError:
        table.fault(_METHOD, f"must be one of {', '.join(AuthMethod)}")
        return None
    match method:
        case AuthMethod.NONE:
            if client.secret:
                table.fault(_METHOD, "none does not go with a secret")
        case AuthMethod.PRIVATE_KEY_JWT:
            if client.jwks is None and not client.jwks_uri:
                table.fault(_METHOD, f"{method} needs jwks or jwks_uri")
        case _:
            if not client.secret:
                table.fault(_METHOD, f"{method} needs a secret")
    return method


def _algorithm(client: Client, table: Table) -> str:
    """Read by which algorithm the client signs its proof; without one, by any that suits its method.

    It means nothing for other methods, but files of Konnect carry it.
    """
    text = table.text(_ALGORITHM)
    known = ALGORITHMS.get(client.auth_method) if client.auth_method is not None else None
    if known is None:
        return ""
    if text and text not in known:
        table.fault(_ALGORITHM, f"must be one of {', '.join(known)}")
    if client.auth_method is AuthMethod.SECRET_JWT and client.secret:
        _check_length(client.secret, text if text in known else "", table)
    return text


def _check_length(secret: str, algorithm: str, table: Table) -> None:
    """Miss bytes of a secret that signs: it must be as long as the hash. Spec: RFC 7518 3.2."""
    shortest = SECRET_ALGORITHMS.get(algorithm, min(SECRET_ALGORITHMS.values()))
    if len(secret.encode()) < shortest:
        table.fault("secret", f"must have at least {shortest} bytes, because it signs")
