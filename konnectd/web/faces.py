"""The face of failure that people see: a page that says whose move it is, and how to find it in the log."""

from attrs import frozen

from konnectd.http import Headers, HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.errors import Doubt, OAuthError, UntrustedRequestError
from konnectd.web.forms import FormRefusedError
from konnectd.web.notes import nothing_there
from konnectd.web.pages import Pages
from konnectd.web.views import ErrorKind, ErrorPage

_KIND_OF_DOUBT = {
    Doubt.REQUEST: ErrorKind.MALFORMED_REQUEST,
    Doubt.CLIENT: ErrorKind.UNKNOWN_CLIENT,
    Doubt.REDIRECT_URI: ErrorKind.REDIRECT_URI,
    # Mostly somebody who pressed the back button after all was done.
    Doubt.REFERENCE: ErrorKind.START_AGAIN,
}
_STATUS_OF_FORM = {ErrorKind.START_AGAIN: 400, ErrorKind.METHOD: 405}
_RETRY: Headers = ((b"Retry-After", b"5"),)


@frozen
class PageFaces:
    """Makes error pages. Each of them has the reference of a line in the log, which the edge writes."""

    pages: Pages

    def as_page(self, error: Exception, request: HttpRequest, reference: str) -> HttpResponse | None:
        """Tell a person what is wrong."""
        match error:
            case FormRefusedError(kind=kind):
                page = ErrorPage(status=_STATUS_OF_FORM.get(kind, 403), kind=kind, reference=reference)
            case UntrustedRequestError(doubt=doubt):
                page = _page(400, _KIND_OF_DOUBT[doubt], error, reference)
            case OAuthError():
                page = _page(400, ErrorKind.MALFORMED_REQUEST, error, reference)
            case BackendUnavailableError():
                page = ErrorPage(status=503, kind=ErrorKind.UNAVAILABLE, reference=reference)
                return self.pages.render(page, request, headers=_RETRY)
            case _:
                return None
        return self.pages.render(page, request)

    def not_found(self, request: HttpRequest, reference: str) -> HttpResponse:
        """Tell a person that there is nothing."""
        nothing_there(reference, request.path)
        return self.pages.render(ErrorPage(status=404, kind=ErrorKind.NOT_FOUND, reference=reference), request)

    def failure(self, request: HttpRequest, reference: str) -> HttpResponse:
        """Tell a person that it is our fault, without a word about what it is."""
        return self.pages.render(ErrorPage(status=500, kind=ErrorKind.FAULT, reference=reference), request)


def _page(status: int, kind: ErrorKind, error: OAuthError, reference: str) -> ErrorPage:
    """Make the page of a broken rule."""
    return ErrorPage(status=status, kind=kind, code=str(error.code), description=error.description, reference=reference)
