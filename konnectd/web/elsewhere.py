"""The sign-in addresses where people do not sign in here: they lead to the page of somebody else's, and back.

They are for browsers that no client waits for, for those that come from our pages, and for the addresses of Konnect.
"""

from attrs import frozen

from konnectd.flows.known import KnownLogon
from konnectd.flows.pending import PendingRequests
from konnectd.http import HttpRequest, HttpResponse
from konnectd.protocol.authorize import INTERACTION
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.web.cookies import Cookies
from konnectd.web.faces import PageFaces
from konnectd.web.forms import query_of
from konnectd.web.route import Route
from konnectd.web.urls import Urls, checked, with_query, with_request

#: Stands in the address of a browser that was at the page where people sign in, or was just told who it is.
BACK = "back"


@frozen(kw_only=True)
class ElsewhereRoutes:
    """What is at the sign-in addresses."""

    urls: Urls
    faces: PageFaces
    cookies: Cookies
    pending: PendingRequests
    known: KnownLogon

    def routes(self) -> tuple[Route, ...]:
        """Return all routes."""
        urls, page = self.urls, self.faces.as_page
        paths = (("entry", urls.paths.identifier), ("sign-in", urls.sign_in_form))
        return tuple(
            Route(path=path, methods=("GET",), respond=self.on_page, face=page, name=name) for name, path in paths
        )

    async def on_page(self, request: HttpRequest) -> HttpResponse:
        """Send a browser on when somebody is there, and otherwise to where people sign in; there once.

        Raises:
            OAuthError: the request is not one that the authorization endpoint would have let through, or whoever has
                been to the sign-in page is nobody.
            BackendUnavailableError: backend, store or registry did not answer.
        """
        query = query_of(request)
        if "client_id" in query:
            return await self._for_client(query)
        now = await self.known(self.cookies.read(request))
        cookies = self.cookies.write(now.cookies)
        if not now.is_somebody:
            if BACK in query or not self.urls.elsewhere:
                raise OAuthError(ErrorCode.LOGIN_REQUIRED, "nobody is signed in where the sign-in page says so")
            return HttpResponse.redirect(checked(self.urls.sign_in_and_back(self._here(query))), headers=cookies)
        if now.cookies and BACK not in query:
            # Here again, and no further: a browser that keeps no cookies would go round for ever.
            return HttpResponse.redirect(checked(self._here(query)), headers=cookies)
        if now.cookies:
            raise OAuthError(ErrorCode.LOGIN_REQUIRED, "the browser keeps no cookies")
        return HttpResponse.redirect(self.urls.onward(query.without(BACK)))

    async def _for_client(self, query: Parameters) -> HttpResponse:
        """Send somebody to sign in for a request, wherever it has come from."""
        await self.pending.open(query)
        interaction = query.text(INTERACTION)
        if self.urls.elsewhere:
            return HttpResponse.redirect(checked(self.urls.to_sign_in(query, interaction)))
        return HttpResponse.redirect(checked(self.urls.paths.authorize + with_request(query, interaction)))

    def _here(self, query: Parameters) -> str:
        """Return the address of a browser that has been here, path and query."""
        return self.urls.sign_in_form + with_query(Parameters({**dict(query.items()), BACK: "1"}))
