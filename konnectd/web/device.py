"""Sign-in of devices under its URLs: the endpoint for the device, and the page where a person types its code.

A code is looked up only when somebody who is signed in has posted it, and what is found is shown before anything is
allowed; an address that has the code in it does no more than fill the field.

Spec: RFC 8628 3.3 and 3.3.1.
"""

from attrs import frozen
from twisted.logger import Logger

from konnectd.flows.device import DeviceApproval, DeviceAuthorization, Found, Refusal, Waiting
from konnectd.flows.sign_in import SignIn
from konnectd.happenings import ConsentAnswered
from konnectd.http import HttpRequest, HttpResponse
from konnectd.protocol.authorize import FLOW
from konnectd.protocol.device import USER_CODE, USER_CODE_LENGTH, find_user_code, shown
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import ScopeCatalog
from konnectd.web import happened
from konnectd.web.cookies import Cookies
from konnectd.web.device_views import DeviceCodePage, DeviceDonePage, DeviceFault, DevicePage
from konnectd.web.errors import as_json
from konnectd.web.faces import PageFaces
from konnectd.web.forms import Forms, form_of, query_of
from konnectd.web.route import Cors, Route, by_method
from konnectd.web.urls import DEVICE_FLOW, Urls, with_query
from konnectd.web.views import scope_lines

#: Longest text that is put back into the field, in characters.
LONGEST_TYPED = 4 * USER_CODE_LENGTH
_TICKET, _FAULT, _DONE = "ticket", "fault", "done"


@frozen(kw_only=True)
class DeviceRoutes:
    """Endpoint and page."""

    urls: Urls
    faces: PageFaces
    forms: Forms
    cookies: Cookies
    sign_in: SignIn
    authorization: DeviceAuthorization
    approval: DeviceApproval
    catalog: ScopeCatalog
    log = Logger(namespace="konnectd.web")

    def routes(self) -> tuple[Route, ...]:
        """Return all routes."""
        urls, page = self.urls, self.faces.as_page
        respond = by_method(get=self.on_page, post=self.on_post)
        return (
            Route(
                path=urls.paths.device_authorization,
                methods=("POST",),
                respond=self.on_authorization,
                face=as_json,
                name="device-authorization",
                cors=Cors.ANY_ORIGIN,
            ),
            Route(path=urls.device, methods=("GET", "POST"), respond=respond, face=page, name="device"),
            Route(path=urls.paths.device, methods=("GET",), respond=self.on_short, face=page, name="outer-device"),
        )

    async def on_authorization(self, request: HttpRequest) -> HttpResponse:
        """Let a device begin."""
        authorization, form = request.header("authorization"), form_of(request)
        try:
            codes = await self.authorization(authorization, form)
        except OAuthError as error:
            error.about(await self.authorization.authenticate.trail(authorization, form))
            raise
        return HttpResponse.json(codes.to_json())

    async def on_short(self, request: HttpRequest) -> HttpResponse:
        """Send a browser from the address that people type to the one where its cookies go."""
        return HttpResponse.redirect(self.urls.device + _code_query(query_of(request)))

    async def on_page(self, request: HttpRequest) -> HttpResponse:
        """Ask for the code, or for a decision, or say that there is one; once somebody has signed in."""
        query, browser = query_of(request), self.cookies.read(request)
        # What is said at the end needs nobody who could still be asked about.
        logon = await (self.sign_in.current(browser) if _DONE in query else self.sign_in.present(browser))
        if logon is None:
            return self._to_sign_in(query, 302)
        if _DONE in query:
            view = DeviceDonePage(allowed=query.text(_DONE) == "allow")
            return self.faces.pages.render(view, request, ui_locales=query.text("ui_locales"))
        if _TICKET in query:
            return await self._decision_page(request, query, logon)
        fault = query.text(_FAULT)
        csrf, keep = self.forms.token(request, logon.session_id)
        code = DeviceCodePage(
            action=self.urls.device,
            csrf=csrf,
            display_name=logon.name,
            username=logon.username,
            user_code=_tidy(query.text(USER_CODE)),
            fault=DeviceFault(fault) if fault in set(DeviceFault) else None,
        )
        return self.faces.pages.render(code, request, headers=self.cookies.write(keep))

    async def _decision_page(self, request: HttpRequest, query: Parameters, logon: Logon) -> HttpResponse:
        """Show what a device asks for."""
        waiting = await self.approval.waiting(logon, query.text(_TICKET))
        if waiting is None:
            return HttpResponse.redirect(self._again(Refusal.UNKNOWN))
        csrf, keep = self.forms.token(request, logon.session_id)
        view = DevicePage(
            action=self.urls.device + with_query(Parameters({_TICKET: query.text(_TICKET)})),
            csrf=csrf,
            client_name=waiting.client.display_name,
            user_code=shown(waiting.user_code),
            display_name=logon.name,
            username=logon.username,
            lines=scope_lines(self.catalog, waiting.request.scope),
        )
        return self.faces.pages.render(view, request, headers=self.cookies.write(keep))

    async def on_post(self, request: HttpRequest) -> HttpResponse:
        """Take a code, or a decision."""
        query = query_of(request)
        logon = await self.sign_in.present(self.cookies.read(request))
        if logon is None:
            return self._to_sign_in(query, 303)
        form = self.forms.read(request, logon.session_id)
        if _TICKET not in query:
            return HttpResponse.redirect(await self._entered(logon, form.text(USER_CODE)), 303)
        allow = "allow" in form and "deny" not in form
        waiting = await self.approval.waiting(logon, query.text(_TICKET))
        if not await self.approval.decide(logon, query.text(_TICKET), allow=allow):
            return HttpResponse.redirect(self._again(Refusal.UNKNOWN), 303)
        done = with_query(Parameters({_DONE: "allow" if allow else "deny"}))
        told = () if waiting is None else (_answered(waiting, logon, allowed=allow),)
        return HttpResponse.redirect(self.urls.device + done, 303).telling(*told)

    async def _entered(self, logon: Logon, typed: str) -> str:
        """Return where somebody goes who typed a code."""
        attempt = await self.approval.enter(logon, typed)
        if isinstance(attempt, Found):
            return self.urls.device + with_query(Parameters({_TICKET: attempt.ticket}))
        if attempt is Refusal.TOO_MANY_TRIES:
            self.log.warn("too many codes of devices tried by {user!r}, refused for some minutes", user=logon.username)
        return self._again(attempt, typed)

    def _again(self, refusal: Refusal, typed: str = "") -> str:
        """Return where the code is typed once more."""
        tidy = _tidy(typed)
        kept = {USER_CODE: tidy} if tidy else {}
        return self.urls.device + with_query(Parameters({**kept, _FAULT: str(refusal)}))

    def _to_sign_in(self, query: Parameters, status: int) -> HttpResponse:
        """Send a browser to sign in; from there it can only come back here."""
        if not self.urls.own:
            return HttpResponse.redirect(self.urls.sign_in_for(self.urls.device + with_query(_code_of(query))), status)
        flow = with_query(Parameters({FLOW: DEVICE_FLOW, **dict(_code_of(query).items())}))
        return HttpResponse.redirect(self.urls.sign_in_form + flow, status)


def _answered(waiting: Waiting, logon: Logon, *, allowed: bool) -> ConsentAnswered:
    """Tell what somebody answered a device."""
    scope = str(waiting.request.scope) if allowed else ""
    return happened.consent(logon, waiting.client.client_id, scope, allowed=allowed)


def _tidy(typed: str) -> str:
    """Return what somebody typed as it is put back into the field."""
    user_code = find_user_code(typed)
    return shown(user_code) if user_code is not None else typed[:LONGEST_TYPED]


def _code_of(query: Parameters) -> Parameters:
    """Return the code alone of what is in an address; nothing when it can be none."""
    user_code = find_user_code(query.text(USER_CODE))
    return Parameters({USER_CODE: shown(user_code)} if user_code is not None else {})


def _code_query(query: Parameters) -> str:
    """Write the code alone of what is in an address."""
    return with_query(_code_of(query))
