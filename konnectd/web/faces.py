"""The face of failure that people see: a page that says whose move it is, and how to find it in the log."""

from attrs import frozen
from twisted.logger import Logger

from konnectd.http import Headers, HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.errors import Doubt, OAuthError, UntrustedRequestError
from konnectd.web.forms import FormRefusedError
from konnectd.web.pages import Pages
from konnectd.web.views import ErrorKind, ErrorPage

_KIND_OF_DOUBT = {
    Doubt.REQUEST: ErrorKind.MALFORMED_REQUEST,
    Doubt.CLIENT: ErrorKind.UNKNOWN_CLIENT,
    Doubt.REDIRECT_URI: ErrorKind.REDIRECT_URI,
    # Mostly somebody who pressed the back button after all was done.
    Doubt.REFERENCE: ErrorKind.START_AGAIN,
}
_RETRY: Headers = ((b"Retry-After", b"5"),)
#: What a page may be longer than, but not a line of the log, in characters.
_LONGEST_LOGGED = 100


@frozen
class PageFaces:
    """Makes error pages.

    Each of them leaves one line in the log, so that the reference somebody reads from the page finds it; what a
    stranger typed is only in it as a field, cut short.
    """

    pages: Pages
    log = Logger(namespace="konnectd.web")

    def as_page(self, error: Exception, request: HttpRequest, reference: str) -> HttpResponse | None:
        """Tell a person what is wrong."""
        match error:
            case FormRefusedError(kind=kind):
                page = ErrorPage(status=400 if kind is ErrorKind.START_AGAIN else 403, kind=kind, reference=reference)
            case UntrustedRequestError(doubt=doubt):
                page = _page(400, _KIND_OF_DOUBT[doubt], error, reference)
            case OAuthError():
                page = _page(400, ErrorKind.MALFORMED_REQUEST, error, reference)
            case BackendUnavailableError():
                page = ErrorPage(status=503, kind=ErrorKind.UNAVAILABLE, reference=reference)
                return self.pages.render(page, request, headers=_RETRY)
            case _:
                return None
        return self._refuse(page, request)

    def not_found(self, request: HttpRequest, reference: str) -> HttpResponse:
        """Tell a person that there is nothing."""
        return self._refuse(ErrorPage(status=404, kind=ErrorKind.NOT_FOUND, reference=reference), request)

    def failure(self, request: HttpRequest, reference: str) -> HttpResponse:
        """Tell a person that it is our fault, without a word about what it is."""
        return self.pages.render(ErrorPage(status=500, kind=ErrorKind.FAULT, reference=reference), request)

    def _refuse(self, page: ErrorPage, request: HttpRequest) -> HttpResponse:
        """Show a page that nobody else logs."""
        self.log.info(
            "refused with a page: {kind} {code} {description} [{reference}] on {path}",
            kind=str(page.kind),
            code=page.code,
            description=page.description,
            reference=page.reference,
            path=request.path[:_LONGEST_LOGGED],
        )
        return self.pages.render(page, request)


def _page(status: int, kind: ErrorKind, error: OAuthError, reference: str) -> ErrorPage:
    """Make the page of a broken rule."""
    return ErrorPage(status=status, kind=kind, code=str(error.code), description=error.description, reference=reference)
