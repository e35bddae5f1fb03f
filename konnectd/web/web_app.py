"""A front end of somebody else's in the place of our pages: its one document, and its files.

Everything is in memory since the start, each file under a path of its own, so no address leads to anything else. The
document is the same for all pages; which of them is meant, its script sees in the address.
"""

import hashlib
import re
from collections.abc import Mapping
from html import escape
from pathlib import PurePosixPath

from attrs import field, frozen

from konnectd.http import HTML_TYPE, NO_STORE, Headers, HttpRequest, HttpResponse
from konnectd.interfaces import Entropy
from konnectd.paths import Paths
from konnectd.web.policy import PERMISSIONS
from konnectd.web.route import Face, Route
from konnectd.web.static import ALONE

INDEX = "index.html"
WORKER = "service-worker.js"
#: What stands in the document for the path its pages are below, and for the word that marks what it may run.
PATH_PREFIX = "__PATH_PREFIX__"
CSP_NONCE = "__CSP_NONCE__"
NONCE_BYTES = 32

_SCRIPT = b"text/javascript; charset=utf-8"
_TYPES: Mapping[str, bytes] = {
    ".css": b"text/css; charset=utf-8",
    ".js": _SCRIPT,
    ".mjs": _SCRIPT,
    ".json": b"application/json",
    ".map": b"application/json",
    ".webmanifest": b"application/manifest+json",
    ".txt": b"text/plain; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
    ".jpg": b"image/jpeg",
    ".jpeg": b"image/jpeg",
    ".gif": b"image/gif",
    ".webp": b"image/webp",
    ".ico": b"image/x-icon",
    ".woff": b"font/woff",
    ".woff2": b"font/woff2",
    ".ttf": b"font/ttf",
    ".wasm": b"application/wasm",
}
_OTHER = b"application/octet-stream"
#: A part of a name that is made of what is in the file, as bundlers do; such a file never changes.
_HASHED = re.compile(r"[.-][0-9a-f]{8,64}[.]")
_FOR_GOOD = b"public, max-age=31536000, immutable"
#: Kept, but asked about each time: the next version has the same name.
_ASK = b"no-cache"


@frozen
class WebApp:
    """The front end.

    Attributes:
        files: by name, such as ``static/js/main.js``, with ``index.html`` among them.
    """

    paths: Paths
    files: Mapping[str, bytes] = field(repr=False)
    entropy: Entropy
    face: Face

    def routes(self) -> tuple[Route, ...]:
        """Return all routes; none when there is no front end."""
        if INDEX not in self.files:
            return ()
        paths, below = self.paths, self.paths.identifier.removesuffix("identifier")
        document = _Document(self.files[INDEX].decode("utf-8"), below.rstrip("/"), self.entropy)
        pages = (paths.identifier, paths.chooseaccount, paths.consent, paths.welcome, paths.goodbye, f"{below}{INDEX}")
        return (
            *(
                Route(path=path, methods=("GET",), respond=document.respond, face=self.face, name="web-app")
                for path in pages
            ),
            *(self._file(f"{below}{name}", content) for name, content in self.files.items() if name != INDEX),
        )

    def _file(self, path: str, content: bytes) -> Route:
        """Make the route of one file."""
        served = _File.of(path, content)
        return Route(path=path, methods=("GET",), respond=served.respond, face=self.face, name="web-app-file")


class _Document:
    """The document, but for a word that is another one in each answer."""

    def __init__(self, text: str, prefix: str, entropy: Entropy) -> None:
        """Fill in what is always the same."""
        self._text = text.replace(PATH_PREFIX, escape(prefix))
        self._entropy = entropy

    async def respond(self, _request: HttpRequest) -> HttpResponse:
        """Send the document, the same for every page."""
        nonce = self._entropy.token(NONCE_BYTES)
        headers = ((b"Content-Type", HTML_TYPE), *_page_headers(nonce))
        return HttpResponse(headers=headers, body=self._text.replace(CSP_NONCE, nonce).encode())


def _page_headers(nonce: str) -> Headers:
    """Return the headers of the document: it may run and load what is ours, and be in nobody's frame."""
    policy = "; ".join(
        (
            "default-src 'self'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "object-src 'none'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
    return (
        *NO_STORE,
        (b"Content-Security-Policy", policy.encode("ascii")),
        (b"X-Frame-Options", b"DENY"),
        # Its calls have to say where they come from, also by browsers that send no "Origin"; nobody else is told.
        (b"Referrer-Policy", b"same-origin"),
        (b"Cross-Origin-Resource-Policy", b"same-origin"),
        (b"Permissions-Policy", PERMISSIONS),
    )


@frozen(kw_only=True)
class _File:
    """One file, ready to be sent."""

    headers: Headers
    media_type: bytes
    etag: str
    content: bytes = field(repr=False)

    @classmethod
    def of(cls, path: str, content: bytes) -> "_File":
        """Make it ready."""
        name = PurePosixPath(path).name
        etag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
        media_type = _TYPES.get(PurePosixPath(path).suffix.lower(), _OTHER)
        # What is opened by itself may run nothing in our origin. A worker lives by the policy it comes with.
        alone = () if media_type == _SCRIPT else ((b"Content-Security-Policy", ALONE),)
        headers = (
            (b"Cache-Control", _FOR_GOOD if _HASHED.search(name) and name != WORKER else _ASK),
            (b"ETag", etag.encode("ascii")),
            (b"Cross-Origin-Resource-Policy", b"same-origin"),
            *alone,
        )
        return cls(headers=headers, media_type=media_type, etag=etag, content=content)

    async def respond(self, request: HttpRequest) -> HttpResponse:
        """Send the file, or only say that the browser's copy is still good.

        Spec: RFC 9110 13.1.2 (``If-None-Match``), 15.4.5 (304).
        """
        known = {tag.strip().removeprefix("W/") for tag in request.header("if-none-match").split(",")}
        if self.etag in known or "*" in known:
            return HttpResponse(status=304, headers=self.headers)
        return HttpResponse(headers=((b"Content-Type", self.media_type), *self.headers), body=self.content)
