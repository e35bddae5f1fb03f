"""Who asks: same-origin checks for forms and scripts of our own, and what scripts of other origins may read.

Cookies alone do not prove that a person meant a request; where it comes from is told by the browser.
"""

from urllib.parse import urlsplit

from konnectd.http import Headers, HttpRequest, HttpResponse
from konnectd.web.route import Cors, Route

_DEFAULT_PORTS = {"https": 443, "http": 80}

#: Request headers that scripts of clients send to us, beyond those every script may send.
ALLOWED_HEADERS = (
    b"Accept, Accept-Language, Authorization, Content-Language, Content-Type, If-None-Match, Origin, X-Requested-With"
)
#: Browsers keep a preflight's answer at most this long, whatever is said.
PREFLIGHT_SECONDS = b"7200"

#: Always the same for everybody, so caches need no ``Vary``; never with ``Access-Control-Allow-Credentials``.
READABLE: Headers = (
    (b"Access-Control-Allow-Origin", b"*"),
    (b"Access-Control-Expose-Headers", b"WWW-Authenticate, ETag"),
)


def is_same_origin(request: HttpRequest, issuer_origin: str) -> bool:
    """Tell whether a page of ours made the request.

    ``Origin`` decides when there is one, else ``Referer``; a request with neither is not ours. Browsers send ``Origin:
    null`` from a page whose referrer policy is ``no-referrer``, also to itself; then the browser's own
    ``Sec-Fetch-Site``, which no page can set, decides.

    Args:
        request: as it came.
        issuer_origin: scheme and host of the issuer identifier, such as ``https://sso.example.com``.

    Spec: RFC 6454 4 and 7; Fetch Metadata Request Headers 2.3.
    """
    ours = origin_of(issuer_origin)
    if ours is None:
        return False
    origin = request.header("origin")
    if origin == "null":
        return request.header("sec-fetch-site") == "same-origin"
    return origin_of(origin or request.header("referer")) == ours


def origin_of(url: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of a URL with the default port filled in, or None when it has no origin.

    Spec: RFC 6454 4.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    default = _DEFAULT_PORTS.get(parts.scheme)
    if default is None or not parts.hostname or parts.username is not None:
        return None
    return parts.scheme, parts.hostname.lower(), default if port is None else port


def is_preflight(request: HttpRequest) -> bool:
    """Tell whether a browser asks on behalf of a script what it may send.

    Spec: Fetch 3.2.2 (CORS-preflight request).
    """
    return bool(request.method == "OPTIONS" and request.header("access-control-request-method"))


def allow(route: Route) -> bytes:
    """Return the methods of a route as they stand in ``Allow``."""
    methods = list(route.methods)
    if "GET" in methods and "HEAD" not in methods:
        methods.insert(methods.index("GET") + 1, "HEAD")
    if "OPTIONS" not in methods:
        methods.append("OPTIONS")
    return ", ".join(methods).encode("ascii")


def answer_options(route: Route, request: HttpRequest) -> HttpResponse:
    """Answer ``OPTIONS``: what a route can do, and to a script's browser what the script may send.

    Spec: RFC 9110 9.3.7; Fetch 3.2.3 (HTTP responses).
    """
    methods = allow(route)
    headers: Headers = ((b"Allow", methods),)
    if route.cors is Cors.ANY_ORIGIN and is_preflight(request):
        headers = (
            *headers,
            (b"Access-Control-Allow-Methods", methods),
            (b"Access-Control-Allow-Headers", ALLOWED_HEADERS),
            (b"Access-Control-Max-Age", PREFLIGHT_SECONDS),
        )
    return HttpResponse(status=204, headers=headers)
