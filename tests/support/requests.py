"""Clients, and a complete good authorization request to change one thing about."""

from konnectd.protocol.authorize import AuthorizationRequest, ReturnAddress
from konnectd.protocol.client import Client
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import ApplicationType

ISSUER = "https://sso.example.com"
CALLBACK = "https://notes.example.org/cb"
BYE = "https://notes.example.org/bye"
#: Spec: RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

#: A web application that keeps a secret and needs consent.
NOTES = Client(
    client_id="notes",
    secret="notes-secret",
    name="Notes",
    redirect_uris=(CALLBACK, "https://notes.example.org/cb?tenant=1&code=planted"),
    post_logout_redirect_uris=(BYE, "https://notes.example.org/bye?state=planted&tenant=1"),
)
#: A web application of the house: nobody is asked for consent.
MAIL = Client(client_id="mail", secret="mail-secret", trusted=True, redirect_uris=(CALLBACK,))
#: A single-page application, which can keep no secret.
PAGE = Client(client_id="page", redirect_uris=(CALLBACK,))
#: A program on somebody's machine.
PROGRAM = Client(
    client_id="program",
    application_type=ApplicationType.NATIVE,
    redirect_uris=("http://127.0.0.1/cb?a=1", "http://[::1]:8000/cb", "http://localhost/cb", "org.example.program:/cb"),
)
CLIENTS = (NOTES, MAIL, PAGE, PROGRAM)

_GOOD = {
    "client_id": "notes",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid profile email",
    "state": "state-1",
    "nonce": "nonce-1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def sent(**changes: str | None) -> Parameters:
    """Return a good request of Notes with some parameters replaced, or left out (None)."""
    values = {**_GOOD, **changes}
    return Parameters.from_pairs((name, value) for name, value in values.items() if value is not None)


def form(**values: str | None) -> Parameters:
    """Return just these parameters; None stands for one that is left out."""
    return Parameters.from_pairs((name, value) for name, value in values.items() if value is not None)


def address_of(client: Client = NOTES, /, **changes: str | None) -> ReturnAddress:
    """Return the proven address of a good request with some changes."""
    return ReturnAddress.verify(client, sent(client_id=client.client_id, **changes))


def request_of(client: Client = NOTES, /, **changes: str | None) -> AuthorizationRequest:
    """Return a good request with some changes, checked."""
    parameters = sent(client_id=client.client_id, **changes)
    return AuthorizationRequest.parse(ReturnAddress.verify(client, parameters), parameters)
