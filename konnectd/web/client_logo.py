"""The logo of a client under an address of ours, for the pages that somebody sees on the way to that client.

Pages may load pictures from nobody but us, or the client's server would learn who is about to sign in where. This path
is outside those that the sign-in cookies are sent to, and nothing about the person decides the answer.

Whatever goes wrong is told by 404 and nothing else: it is a picture, and a page is complete without it.
"""

from typing import assert_never

from attrs import frozen
from twisted.logger import Logger

from konnectd.flows.client_logo import ClientLogos, NoLogo
from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.client_logo import Logo
from konnectd.protocol.errors import OAuthError
from konnectd.web.errors import plain
from konnectd.web.forms import query_of
from konnectd.web.route import Route
from konnectd.web.urls import CLIENT_ID

#: Opened by itself a picture is a document. Somebody else has made this one, so it may do nothing in our origin.
ALONE = b"default-src 'none'; sandbox"
#: How long browsers keep it, in seconds; short, because a client that changes its logo keeps this address.
KEPT_BY_BROWSERS = 600


@frozen(kw_only=True)
class ClientLogoRoutes:
    """Where browsers find the logos of clients."""

    path: str
    logos: ClientLogos
    log = Logger(namespace="konnectd.web")

    def routes(self) -> tuple[Route, ...]:
        """Return the one route."""
        return (Route(path=self.path, methods=("GET",), respond=self.on_logo, face=_as_nothing, name="client-logo"),)

    async def on_logo(self, request: HttpRequest) -> HttpResponse:
        """Send the logo of the client that the address names.

        Raises:
            UntrustedRequestError: the address is malformed.
            BackendUnavailableError: the registry did not answer.

        Spec: OIDC Registration 2 (``logo_uri``).
        """
        answer = await self.logos.find(query_of(request).text(CLIENT_ID))
        match answer:
            case Logo(media_type=media_type, content=content):
                return HttpResponse(headers=_headers(media_type), body=content)
            case NoLogo(why=why):
                self.log.debug("no logo: {why}", why=why)
                return plain(404)
            case never:
                assert_never(never)


def _headers(media_type: str) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers of a picture. That nobody may take it for anything else is told with every answer of ours."""
    return (
        (b"Content-Type", media_type.encode("ascii")),
        (b"Cache-Control", b"private, max-age=%d" % KEPT_BY_BROWSERS),
        (b"Content-Security-Policy", ALONE),
        (b"Cross-Origin-Resource-Policy", b"same-origin"),
    )


def _as_nothing(error: Exception, request: HttpRequest, reference: str) -> HttpResponse | None:  # noqa: ARG001 - a Face
    """Say that there is nothing, whatever is wrong; a fault of ours is still one."""
    return plain(404) if isinstance(error, BackendUnavailableError | OAuthError) else None
