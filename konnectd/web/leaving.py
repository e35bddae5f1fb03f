"""The pages of somebody who is signed in and not awaited anywhere: welcome, and the way out."""

from attrs import frozen

from konnectd.flows.endsession import Confirm, EndSession, Left
from konnectd.flows.sign_in import SignIn
from konnectd.http import HttpRequest, HttpResponse
from konnectd.web import happened
from konnectd.web.cookies import Cookies
from konnectd.web.faces import PageFaces
from konnectd.web.farewell import way_out
from konnectd.web.forms import Forms, query_of
from konnectd.web.route import Respond, Route, by_method
from konnectd.web.urls import Urls, form_targets, with_query
from konnectd.web.views import Account, GoodbyePage, SignedOutPage, WelcomePage


@frozen(kw_only=True)
class LeavingRoutes:
    """Welcome, goodbye, signed out; and the outer addresses of all pages."""

    urls: Urls
    faces: PageFaces
    forms: Forms
    cookies: Cookies
    sign_in: SignIn
    endsession: EndSession

    def routes(self) -> tuple[Route, ...]:
        """Return all routes."""
        urls, page, both = self.urls, self.faces.as_page, ("GET", "POST")
        welcome = by_method(get=self.on_welcome, post=self.on_goodbye)
        goodbye = by_method(get=self.on_goodbye_page, post=self.on_goodbye)
        outer = (
            (urls.paths.chooseaccount, urls.chooser),
            (urls.paths.consent, urls.consent),
            (urls.paths.welcome, urls.welcome),
            (urls.paths.goodbye, urls.goodbye),
        )
        return (
            Route(path=urls.welcome, methods=both, respond=welcome, face=page, name="welcome"),
            Route(path=urls.goodbye, methods=both, respond=goodbye, face=page, name="goodbye"),
            *(
                Route(path=path, methods=("GET",), respond=_forward(inner), face=page, name="outer-page")
                for path, inner in outer
            ),
        )

    async def on_welcome(self, request: HttpRequest) -> HttpResponse:
        """Say who is signed in."""
        logon = await self.sign_in.current(self.cookies.read(request))
        if logon is None:
            return HttpResponse.redirect(self.urls.sign_in_form)
        csrf, keep = self.forms.token(request, logon.session_id)
        view = WelcomePage(
            signout_action=self.urls.welcome,
            csrf=csrf,
            display_name=logon.name,
            username=logon.username,
            account_uri=self.urls.account,
            chooser_uri=self.urls.chooser,
        )
        targets = form_targets(self.urls.signed_out)
        return self.faces.pages.render(view, request, headers=self.cookies.write(keep), form_targets=targets)

    async def on_goodbye_page(self, request: HttpRequest) -> HttpResponse:
        """Ask whether to sign out, or say that nobody is signed in."""
        query = query_of(request)
        leaving = await self.endsession.read(query)
        client_name = leaving.client.display_name if leaving.client is not None else ""
        browser = self.cookies.read(request)
        logon = self.endsession.whom(leaving, browser)
        others = tuple(Account(o.username, o.name) for o in self.endsession.others(logon, browser))
        if logon is None:
            gone = SignedOutPage(
                client_name=client_name,
                return_uri=leaving.location,
                others=others,
                chooser_uri=self.urls.chooser,
                recognized=bool(request.recognized),
            )
            return self.faces.pages.render(gone, request, ui_locales=leaving.ui_locales)
        csrf, keep = self.forms.token(request, logon.session_id)
        view = GoodbyePage(
            action=self.urls.goodbye + with_query(query),
            csrf=csrf,
            display_name=logon.name,
            username=logon.username,
            client_name=client_name,
            others=others,
        )
        targets = form_targets(leaving.location or self.urls.signed_out)
        return self.faces.pages.render(
            view, request, ui_locales=leaving.ui_locales, headers=self.cookies.write(keep), form_targets=targets
        )

    async def on_goodbye(self, request: HttpRequest) -> HttpResponse:
        """Sign out when the person says so."""
        query = query_of(request)
        browser = self.cookies.read(request)
        logon = self.endsession.whom(await self.endsession.read(query), browser)
        everyone = False
        if logon is not None:
            form = self.forms.read(request, logon.session_id)
            if "signout" not in form:
                return HttpResponse.redirect(self.urls.welcome, 303)
            everyone = form.get("signout") == "all"
        answer = await self.endsession(query, browser, confirmed=True, everyone=everyone)
        match answer:
            case Left(cookies=cookies):
                left = HttpResponse.redirect(way_out(self.urls, answer), 303, self.cookies.write(cookies))
                return left.telling(*happened.signed_out(*answer.gone))
            case Confirm():
                return HttpResponse.redirect(self.urls.goodbye + with_query(query), 303)


def _forward(inner: str) -> Respond:
    """Make what sends a browser from an outer address to the inner one, where its cookies go."""

    async def respond(request: HttpRequest) -> HttpResponse:
        return HttpResponse.redirect(inner + with_query(query_of(request)))

    return respond
