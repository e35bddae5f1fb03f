"""The pages of the sign-in area on the way to a client: sign-in and consent; the chooser is `konnectd.web.chooser`.

Each page is given the whole request in its address, checks it from the client's registration on, and sends the browser
back to the authorization endpoint, which decides what is next. Every posted form is answered with 303, so that
reloading a page posts nothing again.
"""

from typing import TYPE_CHECKING

from attrs import frozen
from twisted.logger import Logger

from konnectd.flows.browser import Browser
from konnectd.flows.consent import Decisions
from konnectd.flows.logon import LogonForm, PasswordLogon, SignedIn, TooManyTries
from konnectd.flows.pending import PendingRequests
from konnectd.flows.recognized import RecognizedLogon
from konnectd.flows.sign_in import SignIn
from konnectd.happenings import SignInRefused
from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError, Refused
from konnectd.protocol.authorize import ANOTHER, CONSENT_STATE, INTERACTION, RETRY, AuthorizationRequest
from konnectd.protocol.end_user import Logon
from konnectd.protocol.local_text import NO_TEXT
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import ScopeCatalog
from konnectd.web import happened
from konnectd.web.agents import Agent
from konnectd.web.cookies import Cookies
from konnectd.web.faces import PageFaces
from konnectd.web.forms import FormRefusedError, Forms, query_of
from konnectd.web.notes import Notes
from konnectd.web.retries import Retries, Retry
from konnectd.web.route import Route, by_method
from konnectd.web.urls import Urls, checked, form_targets, with_query, with_request
from konnectd.web.views import ConsentPage, ErrorKind, SignInFault, SignInPage, scope_lines

if TYPE_CHECKING:
    from konnectd.web.federation import FederationRoutes
    from konnectd.web.federation_views import AuthoritiesPage

#: What the name of a field begins with that stands for a line of the consent page.
CHOICE = "scope."
#: Stands in the address of a browser that was just told who it is, which a proxy has said.
RECOGNIZED = "recognized"


@frozen(kw_only=True)
class IdentifierRoutes:
    """Sign-in page and consent page.

    Attributes:
        federation: the ways in by external authorities; None where there is none.
    """

    urls: Urls
    faces: PageFaces
    forms: Forms
    cookies: Cookies
    pending: PendingRequests
    sign_in: SignIn
    logon: PasswordLogon
    recognized: RecognizedLogon
    decisions: Decisions
    catalog: ScopeCatalog
    retries: Retries
    notes: Notes
    federation: "FederationRoutes | None" = None
    log = Logger(namespace="konnectd.web")

    def routes(self) -> tuple[Route, ...]:
        """Return all routes."""
        urls, page, both = self.urls, self.faces.as_page, ("GET", "POST")
        sign_in = by_method(get=self.on_sign_in_page, post=self.on_sign_in)
        return (
            Route(path=urls.paths.identifier, methods=("GET",), respond=self.on_entry, face=page, name="entry"),
            Route(path=urls.sign_in_form, methods=both, respond=sign_in, face=page, name="sign-in"),
            *self.consent_routes(),
        )

    def consent_routes(self) -> tuple[Route, ...]:
        """Return the routes of all that is not signing in."""
        consent = by_method(get=self.on_consent_page, post=self.on_consent)
        face = self.faces.as_page
        return (Route(path=self.urls.consent, methods=("GET", "POST"), respond=consent, face=face, name="consent"),)

    async def on_entry(self, request: HttpRequest) -> HttpResponse:
        """Show the sign-in page to a browser that a client waits for; send others to where they are recognized."""
        query = query_of(request)
        if "client_id" not in query:
            return HttpResponse.redirect(self.urls.sign_in_form + with_query(query))
        away = await self.federation.unasked(request, query) if self.federation is not None else None
        return away if away is not None else await self._sign_in_page(request, query)

    async def on_sign_in_page(self, request: HttpRequest) -> HttpResponse:
        """Show the sign-in page, unless somebody has signed in already and no client waits for them."""
        query = query_of(request)
        if "client_id" not in query and ANOTHER not in query:
            browser = self.cookies.read(request)
            if await self._is_known(browser):
                return HttpResponse.redirect(self.urls.onward(query))
            if RETRY not in query and self.sign_in.beside(browser):
                return HttpResponse.redirect(self.urls.chooser + with_query(query))
            if browser.recognized is not None and RECOGNIZED not in query and RETRY not in query:
                entered = await self.recognized(browser)
                if entered is not None:
                    # Here again, and no further: a browser without cookies would go round for ever.
                    here = self.urls.sign_in_form + with_query(Parameters({**dict(query.items()), RECOGNIZED: "1"}))
                    onward = HttpResponse.redirect(checked(here), headers=self.cookies.write(entered.cookies))
                    return onward.telling(happened.signed_in(entered.logon))
        away = await self.federation.unasked(request, query) if self.federation is not None else None
        return away if away is not None else await self._sign_in_page(request, query.without(RECOGNIZED))

    async def _is_known(self, browser: Browser) -> bool:
        """Tell whether somebody needs no sign-in page; when the backend does not answer, the page would not help them.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        try:
            return await self.sign_in.present(browser) is not None
        except BackendUnavailableError:
            return await self.sign_in.current(browser) is not None

    async def _sign_in_page(self, request: HttpRequest, query: Parameters) -> HttpResponse:
        """Show the sign-in page."""
        waiting = await self.pending.open(query) if "client_id" in query else None
        retry = self.retries.open(query.get(RETRY))
        elsewhere = self.federation
        if elsewhere is not None and not elsewhere.passwords:
            return self._authorities_page(request, query, waiting, elsewhere.page(query, waiting, retry))
        csrf, keep = self.forms.token(request)
        hint = waiting.login_hint if waiting is not None else ""
        view = SignInPage(
            action=self.urls.sign_in_form + with_query(query.without(RETRY)),
            csrf=csrf,
            client_name=waiting.client.display_name if waiting is not None else "",
            client_host=waiting.return_address.host if waiting is not None else "",
            logo=self.urls.logo(waiting.client) if waiting is not None else "",
            policy_uri=waiting.client.policy_uri if waiting is not None else "",
            tos_uri=waiting.client.tos_uri if waiting is not None else "",
            client_text=waiting.client.sign_in_text if waiting is not None else NO_TEXT,
            username=retry.username if retry is not None else hint,
            fault=retry.fault if retry is not None else elsewhere.fault(query) if elsewhere is not None else None,
            authorities=elsewhere.links(query) if elsewhere is not None else (),
            cancel_uri=elsewhere.cancel_uri(query) if elsewhere is not None else "",
            may_stay=self.sign_in.stay.offered,
            stay=retry.stay if retry is not None else self.sign_in.stay.preset,
        )
        return self.faces.pages.render(
            view,
            request,
            ui_locales=waiting.ui_locales if waiting is not None else query.text("ui_locales"),
            headers=self.cookies.write(keep),
            form_targets=_form_targets(waiting),
        )

    def _authorities_page(
        self, request: HttpRequest, query: Parameters, waiting: AuthorizationRequest | None, view: "AuthoritiesPage"
    ) -> HttpResponse:
        """Show the page of those who can not sign in here."""
        locales = waiting.ui_locales if waiting is not None else query.text("ui_locales")
        return self.faces.pages.render(view, request, ui_locales=locales)

    async def on_sign_in(self, request: HttpRequest) -> HttpResponse:
        """Check what somebody typed."""
        query = query_of(request)
        client_id = query.text("client_id")
        if "client_id" in query:
            await self.pending.open(query)
        typed = self._typed(request, beside=ANOTHER in query)
        if isinstance(typed, Retry):
            return self._again(query, typed)
        try:
            outcome = await self.logon(typed)
        except BackendUnavailableError as error:
            self.log.warn("nobody can sign in: {error}", error=str(error))
            retry = Retry(fault=SignInFault.UNAVAILABLE, username=typed.username, stay=typed.stay)
            return self._again(query, retry).telling(SignInRefused(reason=happened.UNAVAILABLE, client=client_id))
        if isinstance(outcome, SignedIn):
            onward = HttpResponse.redirect(self.urls.onward(query), 303, self.cookies.write(outcome.cookies))
            return onward.telling(happened.signed_in(outcome.logon, client_id))
        return self._refused(query, typed, outcome)

    def _refused(self, query: Parameters, typed: LogonForm, outcome: Refused | TooManyTries) -> HttpResponse:
        """Say that nobody was signed in."""
        client_id = query.text("client_id")
        guessing = isinstance(outcome, TooManyTries)
        said = "too_many_tries" if isinstance(outcome, TooManyTries) else str(outcome.reason)
        self.notes.sign_in_refused("sign-in", client_id, said)
        if guessing:
            self.log.warn("too many wrong passwords for {user!r}, refused for some minutes", user=typed.username[:64])
        fault = SignInFault.TOO_MANY_TRIES if guessing else SignInFault.WRONG_CREDENTIALS
        told = happened.sign_in_refused(outcome if isinstance(outcome, Refused) else None, client_id)
        return self._again(query, Retry(fault=fault, username=typed.username, stay=typed.stay)).telling(told)

    def _typed(self, request: HttpRequest, *, beside: bool) -> LogonForm | Retry:
        """Return what somebody typed, or why they have to do so again.

        Raises:
            FormRefusedError: it was posted from elsewhere, or the browser keeps no cookies.
            UntrustedRequestError: it is malformed.
        """
        try:
            form = self.forms.read(request)
        except FormRefusedError as refusal:
            if refusal.kind is not ErrorKind.STALE_FORM:
                raise
            return Retry(fault=SignInFault.STALE_FORM, stay=self.sign_in.stay.preset)
        agent = Agent.parse(request.header("user-agent"))
        typed = LogonForm(
            username=form.text("username"),
            password=form.text("password"),
            browser=agent.browser,
            system=agent.system,
            kept=self.cookies.read(request),
            beside=beside,
            stay="stay" in form,
        )
        if not typed.username.strip():
            return Retry(fault=SignInFault.MISSING_USERNAME, stay=typed.stay)
        if not typed.password:
            return Retry(fault=SignInFault.MISSING_PASSWORD, username=typed.username, stay=typed.stay)
        return typed

    def _again(self, query: Parameters, retry: Retry) -> HttpResponse:
        """Show the sign-in page once more."""
        page = self.urls.paths.identifier if "client_id" in query else self.urls.sign_in_form
        kept = dict(query.without(RETRY).items())
        return HttpResponse.redirect(
            checked(page + with_query(Parameters({**kept, RETRY: self.retries.seal(retry)}))), 303
        )

    async def _waiting(self, query: Parameters) -> AuthorizationRequest:
        """Return the request that a page is one step of.

        Raises:
            FormRefusedError: the page was opened by itself.
            OAuthError: the request is not one that the authorization endpoint would have let through.
            BackendUnavailableError: the registry did not answer.
        """
        if "client_id" not in query:
            raise FormRefusedError(ErrorKind.START_AGAIN)
        return await self.pending.open(query)

    async def on_consent_page(self, request: HttpRequest) -> HttpResponse:
        """Show what a client asks for, to nobody but who is there now: it has their name on it."""
        query = query_of(request)
        waiting = await self._waiting(query)
        logon = await self.sign_in.current(self.cookies.read(request))
        if logon is None:
            return HttpResponse.redirect(self.urls.onward(query))
        csrf, keep = self.forms.token(request, logon.session_id)
        view = self._consent_page(query, waiting, logon, csrf)
        return self._page(view, request, waiting, self.cookies.write(keep))

    def _consent_page(self, query: Parameters, waiting: AuthorizationRequest, logon: Logon, csrf: str) -> ConsentPage:
        """Make the consent page of a request."""
        return ConsentPage(
            action=self.urls.consent + with_query(query),
            csrf=csrf,
            client_name=waiting.client.display_name,
            logo=self.urls.logo(waiting.client),
            client_uri=waiting.client.uri,
            policy_uri=waiting.client.policy_uri,
            tos_uri=waiting.client.tos_uri,
            redirect_host=waiting.return_address.host,
            display_name=logon.name,
            username=logon.username,
            lines=scope_lines(self.catalog, self.pending.wanted(waiting)),
        )

    async def on_consent(self, request: HttpRequest) -> HttpResponse:
        """Record what the person answered, and go back to where it counts; nobody answers for who was there before."""
        query = query_of(request)
        waiting = await self._waiting(query)
        logon = await self.sign_in.current(self.cookies.read(request))
        if logon is None:
            return HttpResponse.redirect(self.urls.onward(query), 303)
        form = self.forms.read(request, logon.session_id)
        allow = "allow" in form and "deny" not in form
        keys = {name.removeprefix(CHOICE) for name, _ in form.items() if name.startswith(CHOICE)}
        chosen = self.catalog.choose(self.pending.wanted(waiting), keys)
        state, keep = self.decisions.record(waiting, logon, allow=allow, chosen=chosen)
        back = with_request(query, query.text(INTERACTION), **{CONSENT_STATE: state})
        told = happened.consent(logon, waiting.client.client_id, str(chosen) if allow else "", allowed=allow)
        return HttpResponse.redirect(self.urls.paths.authorize + back, 303, self.cookies.write((keep,))).telling(told)

    def _page(
        self,
        view: ConsentPage,
        request: HttpRequest,
        waiting: AuthorizationRequest,
        headers: tuple[tuple[bytes, bytes], ...],
    ) -> HttpResponse:
        """Render a page that a client waits behind."""
        return self.faces.pages.render(
            view, request, ui_locales=waiting.ui_locales, headers=headers, form_targets=_form_targets(waiting)
        )


def _form_targets(waiting: AuthorizationRequest | None) -> tuple[str, ...]:
    """Return where the redirects after a form may lead."""
    return form_targets(waiting.return_address.redirect_uri) if waiting is not None else ()
