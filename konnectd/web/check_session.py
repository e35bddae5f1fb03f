"""The page that scripts of clients open in a frame, to ask whether the session is still the one they know.

It is not for people and shows nothing. Everything it does is in ``check-session.js``: it looks at the browser state,
which is in a cookie for this page alone, and answers whoever has it in a frame. Any site may do that; what a script
learns is one of three words about a ``session_state`` that was made for its own client and its own origin.

Spec: OIDC Session Management 3 and 4.2.
"""

from attrs import field, frozen

from konnectd.flows.browser import BROWSER_STATE
from konnectd.http import HTML_TYPE, NO_STORE, HttpRequest, HttpResponse
from konnectd.interfaces import Entropy
from konnectd.web.cookies import Cookies
from konnectd.web.errors import as_json
from konnectd.web.route import Route
from konnectd.web.static import StaticFiles

SCRIPT = "check-session.js"
_NONCE_BYTES = 16
#: Nobody's text is in it: the address of a file of ours, a nonce and the name of a cookie.
_PAGE = (
    b'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8" /><title>Session</title></head>'
    b'<body><script src="%b" nonce="%b" data-cookie="%b"></script></body></html>\n'
)


@frozen(kw_only=True)
class CheckSession:
    """Serves the page."""

    path: str
    cookies: Cookies
    static: StaticFiles = field(repr=False)
    entropy: Entropy

    def routes(self) -> tuple[Route, ...]:
        """Return its one route."""
        return (
            Route(
                path=self.path, methods=("GET",), respond=self.on_page, face=as_json, name="check-session", fast=True
            ),
        )

    async def on_page(self, request: HttpRequest) -> HttpResponse:  # noqa: ARG002 - what answers is a Respond
        """Send the page."""
        nonce = self.entropy.token(_NONCE_BYTES).encode("ascii")
        cookie = self.cookies.wire_name(BROWSER_STATE).encode("ascii")
        body = _PAGE % (self.static.url(SCRIPT).encode("ascii"), nonce, cookie)
        # There is deliberately no frame-ancestors: being in a frame of a client is what it is for.
        policy = b"default-src 'none'; script-src 'nonce-%b'; base-uri 'none'; form-action 'none'" % nonce
        headers = (
            (b"Content-Type", HTML_TYPE),
            *NO_STORE,
            (b"Content-Security-Policy", policy),
            (b"Referrer-Policy", b"no-referrer"),
            (b"Cross-Origin-Resource-Policy", b"cross-origin"),
        )
        return HttpResponse(headers=headers, body=body)
