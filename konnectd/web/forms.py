"""Forms on our own pages: reading what was posted, and the token that keeps other sites from posting.

The token is the digest of a random cookie, keyed so that nobody else can compute it. Nothing is stored for it, so a
page can stay open all day in any number of tabs, be posted twice, or be reloaded.
"""

import hmac
import re

from attrs import frozen

from konnectd.flows.browser import CookieChange, Keep
from konnectd.http import FORM_TYPE, HttpRequest
from konnectd.interfaces import Entropy, Sealer
from konnectd.protocol.errors import UntrustedRequestError
from konnectd.protocol.parameters import Parameters, parse_form
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.web.cookies import FORM, Cookies
from konnectd.web.origin import is_same_origin
from konnectd.web.views import ErrorKind

#: Name of the field that carries the token.
FIELD = "csrf"
#: What the random cookie looks like: 32 bytes in base64url.
_COOKIE = re.compile("[A-Za-z0-9_-]{43}")


class FormRefusedError(Exception):
    """A page was opened by itself, or its form was not posted from it in this browser.

    Attributes:
        kind: what the page says about it.
    """

    def __init__(self, kind: ErrorKind) -> None:
        """Keep what it looks like."""
        super().__init__(kind)
        self.kind = kind


def query_of(request: HttpRequest) -> Parameters:
    """Return the parameters in a request's address.

    Raises:
        UntrustedRequestError: they are malformed or repeated.
    """
    return Parameters.from_pairs(parse_form(request.query))


def form_of(request: HttpRequest) -> Parameters:
    """Return the parameters in a request's body.

    Raises:
        UntrustedRequestError: it is not a form, or they are malformed or repeated.
    """
    return Parameters.from_pairs(_posted(request))


def parameters_of(request: HttpRequest) -> Parameters:
    """Return the parameters of a request that may come by GET or POST.

    Raises:
        UntrustedRequestError: they are malformed or repeated, be it once in the address and once in the body.
    """
    pairs = parse_form(request.query)
    if request.method == "POST":
        pairs += _posted(request)
    return Parameters.from_pairs(pairs)


def _posted(request: HttpRequest) -> tuple[tuple[str, str], ...]:
    """Read a body. Spec: RFC 6749 appendix B."""
    if not request.body:
        return ()
    if request.media_type != FORM_TYPE:
        raise UntrustedRequestError(ErrorCode.INVALID_REQUEST, f"the body must be {FORM_TYPE}")
    return parse_form(request.body.decode("latin-1"))


@frozen(kw_only=True)
class Forms:
    """Makes and checks the tokens of forms.

    Attributes:
        origin: of the issuer, as browsers write it.
    """

    cookies: Cookies
    sealer: Sealer
    entropy: Entropy
    origin: str

    def token(self, request: HttpRequest, session_id: str = "") -> tuple[str, tuple[CookieChange, ...]]:
        """Return the token for a form in a browser, and what the browser has to keep for it.

        Args:
            session_id: of the session the page speaks about, so that it says nothing for the next person's.
        """
        known = self._cookie(request)
        if known:
            return self._tag(known, session_id), ()
        fresh = self.entropy.token()
        return self._tag(fresh, session_id), (Keep(FORM, fresh),)

    def read(self, request: HttpRequest, session_id: str = "") -> Parameters:
        """Return what was posted from one of our own pages.

        Args:
            session_id: as given for the page's token.

        Raises:
            FormRefusedError: it was posted from elsewhere, or the browser keeps no cookies.
            UntrustedRequestError: it is malformed.
        """
        form = form_from_here(request, self.origin)
        cookie = self._cookie(request)
        if not cookie:
            raise FormRefusedError(ErrorKind.COOKIES_BLOCKED)
        if not hmac.compare_digest(form.text(FIELD).encode(), self._tag(cookie, session_id).encode()):
            raise FormRefusedError(ErrorKind.STALE_FORM)
        return form

    def _tag(self, cookie: str, session_id: str) -> str:
        """Return the token that belongs to a cookie."""
        return self.sealer.tag(FORM, f"{cookie} {session_id}")

    def _cookie(self, request: HttpRequest) -> str:
        """Return the cookie that forms are bound to; empty when there is none that could be ours."""
        value = self.cookies.read(request).sealed.get(FORM, "")
        return value if _COOKIE.fullmatch(value) is not None else ""


def form_from_here(request: HttpRequest, origin: str) -> Parameters:
    """Return what was posted, unless the browser says that it was posted from elsewhere.

    Alone it is enough for forms only that change nothing of value; all others have a token.

    Args:
        request: as it came.
        origin: ours, as browsers write it.

    Raises:
        FormRefusedError: it was posted from elsewhere.
        UntrustedRequestError: it is malformed.
    """
    if _came_from_elsewhere(request, origin):
        raise FormRefusedError(ErrorKind.CROSS_SITE)
    return form_of(request)


def _came_from_elsewhere(request: HttpRequest, origin: str) -> bool:
    """Tell whether a browser says that a form was posted from another site; some say nothing, and the token has to do.

    A page on a neighboring host can plant a cookie of ours whose token it knows, and post as ``Origin: null``. What it
    can not do is to speak in the browser's own name.

    Spec: Fetch Metadata Request Headers 2.3.
    """
    if request.header("sec-fetch-site") in {"cross-site", "same-site"}:
        return True
    if request.header("origin") in {"", "null"} and not request.header("referer"):
        return False
    return not is_same_origin(request, origin)
