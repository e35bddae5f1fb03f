"""The account chooser: everybody who is signed in in a browser; one of them goes on, leaves, or somebody else comes.

It is a step on the way to a client that asks for it (``prompt=select_account``), and a page of its own for people who
want to be somebody else. Nothing here takes a password, and nothing here moves when somebody proved who they are.
"""

from collections.abc import Sequence

from attrs import frozen

from konnectd.flows.browser import Browser
from konnectd.flows.consent import Decisions
from konnectd.flows.endsession import EndSession
from konnectd.flows.pending import PendingRequests
from konnectd.flows.side_by_side import SideBySide
from konnectd.http import HttpRequest, HttpResponse
from konnectd.protocol.authorize import ANOTHER, AuthorizationRequest
from konnectd.protocol.end_user import Logon
from konnectd.protocol.endsession import EndSessionRequest
from konnectd.protocol.parameters import Parameters
from konnectd.web import happened
from konnectd.web.chooser_views import ChooserPage
from konnectd.web.cookies import Cookies
from konnectd.web.faces import PageFaces
from konnectd.web.farewell import way_out
from konnectd.web.forms import Forms, query_of
from konnectd.web.route import Route, by_method
from konnectd.web.urls import Urls, checked, form_targets, with_query, with_request
from konnectd.web.views import Account


@frozen(kw_only=True)
class ChooserRoutes:
    """The chooser, and what is posted from it."""

    urls: Urls
    faces: PageFaces
    forms: Forms
    cookies: Cookies
    pending: PendingRequests
    decisions: Decisions
    endsession: EndSession

    def routes(self) -> tuple[Route, ...]:
        """Return its one route."""
        respond = by_method(get=self.on_page, post=self.on_choice)
        face = self.faces.as_page
        return (Route(path=self.urls.chooser, methods=("GET", "POST"), respond=respond, face=face, name="chooser"),)

    async def on_page(self, request: HttpRequest) -> HttpResponse:
        """Show who is signed in, and ask who goes on."""
        query = query_of(request)
        waiting = await self._waiting(query)
        browser = self.cookies.read(request)
        everyone = await self._browsers.everyone(browser)
        if not everyone:
            return HttpResponse.redirect(self._nobody(query))
        csrf, keep = self.forms.token(request, everyone[0].session_id)
        view = ChooserPage(
            action=self.urls.chooser + with_query(query),
            csrf=csrf,
            accounts=tuple(Account(logon.username, logon.name) for logon in everyone),
            current=everyone[0] == self.endsession.sign_in.find(browser),
            client_name=waiting.client.display_name if waiting is not None else "",
            client_host=waiting.return_address.host if waiting is not None else "",
            logo=self.urls.logo(waiting.client) if waiting is not None else "",
        )
        return self.faces.pages.render(
            view,
            request,
            ui_locales=waiting.ui_locales if waiting is not None else query.text("ui_locales"),
            headers=self.cookies.write(keep),
            form_targets=form_targets(waiting.return_address.redirect_uri if waiting else self.urls.signed_out),
        )

    async def on_choice(self, request: HttpRequest) -> HttpResponse:
        """Go on as one of them, sign one of them out, or let somebody else sign in."""
        query = query_of(request)
        waiting = await self._waiting(query)
        browser = self.cookies.read(request)
        everyone = await self._browsers.everyone(browser)
        if not everyone:
            return HttpResponse.redirect(self._nobody(query), 303)
        form = self.forms.read(request, everyone[0].session_id)
        leaving = _named(form.get("signout"), everyone)
        if leaving is not None:
            return await self._sign_out(query, browser, leaving, last=len(everyone) == 1)
        chosen = _named(form.get("account"), everyone)
        if "other" in form or chosen is None:
            # Not the configured page: this one knows that somebody wants to be somebody else.
            page = self.urls.paths.identifier if waiting is not None else self.urls.sign_in_form
            beside = Parameters({**dict(query.items()), ANOTHER: "1"})
            return HttpResponse.redirect(checked(page + with_query(beside)), 303)
        headers = self.cookies.write(self._browsers.choose(browser, chosen))
        if waiting is None:
            return HttpResponse.redirect(self.urls.home(query), 303, headers)
        interaction = self.decisions.chosen(waiting, query, chosen)
        return HttpResponse.redirect(self.urls.paths.authorize + with_request(query, interaction), 303, headers)

    async def _sign_out(self, query: Parameters, browser: Browser, logon: Logon, *, last: bool) -> HttpResponse:
        """End one session, tell its clients, and come back here while there is anybody left."""
        back = self.urls.chooser + with_query(query)
        if last:
            back = self.urls.onward(query) if "client_id" in query else ""
        location = self.forms.origin + back if back else ""
        left = await self.endsession.leave(EndSessionRequest(location=location), browser, logon)
        answer = HttpResponse.redirect(way_out(self.urls, left), 303, self.cookies.write(left.cookies))
        return answer.telling(*happened.signed_out(*left.gone))

    async def _waiting(self, query: Parameters) -> AuthorizationRequest | None:
        """Return the request that the page is one step of; None when somebody came by themselves.

        Raises:
            OAuthError: the request is not one that the authorization endpoint would have let through.
            BackendUnavailableError: the registry did not answer.
        """
        return await self.pending.open(query) if "client_id" in query else None

    def _nobody(self, query: Parameters) -> str:
        """Return where somebody goes who finds nobody to choose."""
        return self.urls.onward(query) if "client_id" in query else self.urls.sign_in_form + with_query(query)

    @property
    def _browsers(self) -> SideBySide:
        """What arranges the logons of a browser."""
        return SideBySide(sign_in=self.endsession.sign_in, sessions=self.endsession.sessions)


def _named(username: str | None, everyone: Sequence[Logon]) -> Logon | None:
    """Return who has a name for signing in; None for nobody who is signed in."""
    return next((logon for logon in everyone if logon.username == username), None)
