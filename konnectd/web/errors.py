"""Faces of failure: how a broken rule looks at an endpoint for programs, and the plain answers of the server itself.

Pages for people are made in `konnectd.web.pages`. Nothing here ever shows the text of an exception that is not an
`OAuthError`.
"""

from http import HTTPStatus

from konnectd.http import NO_STORE, Headers, HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.errors import BearerTokenError, InvalidClientError, OAuthError
from konnectd.protocol.vocabulary import ErrorCode

#: Where to sign in, for programs that show it; one for the whole installation.
_REALM = 'realm="konnectd"'
_RETRY_AFTER = (b"Retry-After", b"5")
_STATUS_OF_CODE = {
    ErrorCode.SERVER_ERROR: 500,
    ErrorCode.TEMPORARILY_UNAVAILABLE: 503,
    ErrorCode.INVALID_TOKEN: 401,
    ErrorCode.INSUFFICIENT_SCOPE: 403,
}


def as_json(error: Exception, request: HttpRequest, reference: str) -> HttpResponse | None:
    """Tell a program what is wrong, as the token and registration endpoints do.

    Spec: RFC 6749 5.2; RFC 7591 3.2.2.
    """
    match error:
        case BearerTokenError():
            return as_challenge(error, request, reference)
        case InvalidClientError():
            return _tell(401, error.code, error.description, ((b"WWW-Authenticate", f"Basic {_REALM}".encode()),))
        case OAuthError():
            return _tell(_STATUS_OF_CODE.get(error.code, 400), error.code, error.description)
        case BackendUnavailableError():
            return _unavailable(reference)
    return None


def as_challenge(error: Exception, request: HttpRequest, reference: str) -> HttpResponse | None:
    """Ask a program for a better access token, as the userinfo endpoint does.

    Spec: RFC 6750 3 and 3.1.
    """
    match error:
        case BearerTokenError():
            status = 401 if error.bare else _STATUS_OF_CODE.get(error.code, 400)
            challenge = _challenge(error)
            return _tell(status, error.code, error.description, ((b"WWW-Authenticate", challenge),))
    return as_json(error, request, reference)


def _challenge(error: BearerTokenError) -> bytes:
    """Return the value of ``WWW-Authenticate``; without an error when nothing was tried."""
    if error.bare:
        return f"Bearer {_REALM}".encode()
    return f'Bearer {_REALM}, error="{error.code}", error_description="{_quotable(error.description)}"'.encode()


def _quotable(text: str) -> str:
    """Return text as it may stand between quotes in a header, whatever somebody put into a description.

    Spec: RFC 6750 3 (``error_description``).
    """
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text)


def _tell(status: int, code: ErrorCode, description: str, headers: Headers = ()) -> HttpResponse:
    """Return the JSON object of an error."""
    return HttpResponse.json(
        {"error": str(code), "error_description": description}, status=status, headers=(*NO_STORE, *headers)
    )


def _unavailable(reference: str) -> HttpResponse:
    """Return what is said when something behind us does not answer."""
    description = f"try again later, reference {reference}"
    return _tell(503, ErrorCode.TEMPORARILY_UNAVAILABLE, description, (_RETRY_AFTER,))


def plain(status: int, headers: Headers = ()) -> HttpResponse:
    """Answer with a status and its phrase, and nothing of what was asked."""
    return HttpResponse.text(f"{status} {HTTPStatus(status).phrase}\n", status=status, headers=(*NO_STORE, *headers))


def not_found(_request: HttpRequest, _reference: str) -> HttpResponse:
    """Say that there is nothing; for servers without pages."""
    return plain(404)


def method_not_allowed(allow: bytes) -> HttpResponse:
    """Say which methods there are instead.

    Spec: RFC 9110 15.5.6.
    """
    return plain(405, ((b"Allow", allow),))


def failure(_request: HttpRequest, reference: str) -> HttpResponse:
    """Say that it is our fault and how to name it to the operator, without a word about what it is."""
    return HttpResponse.text(f"500 Internal Server Error\nReference: {reference}\n", status=500)
