"""The pages of the sign-in area on the way to a client: sign-in, account chooser, consent.

Each page is given the whole request in its address, checks it from the client's registration on, and sends the browser
back to the authorization endpoint, which decides what is next. Every posted form is answered with 303, so that
reloading a page posts nothing again.
"""

from attrs import frozen
from twisted.logger import Logger

from konnectd.flows.consent import Decisions
from konnectd.flows.logon import LogonForm, PasswordLogon, SignedIn, TooManyTries
from konnectd.flows.pending import PendingRequests
from konnectd.flows.sign_in import SignIn
from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.authorize import CONSENT_STATE, FLOW, INTERACTION, RETRY, AuthorizationRequest
from konnectd.protocol.device import USER_CODE, find_user_code, shown
from konnectd.protocol.end_user import Logon
from konnectd.protocol.local_text import NO_TEXT
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import ScopeCatalog
from konnectd.web.agents import Agent
from konnectd.web.cookies import Cookies
from konnectd.web.faces import PageFaces
from konnectd.web.forms import FormRefusedError, Forms, query_of
from konnectd.web.notes import Notes
from konnectd.web.retries import Retries, Retry
from konnectd.web.route import Route, by_method
from konnectd.web.urls import DEVICE_FLOW, Urls, checked, form_targets, with_query, with_request
from konnectd.web.views import Account, ChooserPage, ConsentPage, ErrorKind, SignInFault, SignInPage, scope_lines

#: What the name of a field begins with that stands for a line of the consent page.
CHOICE = "scope."


@frozen(kw_only=True)
class IdentifierRoutes:
    """Sign-in page, account chooser and consent page."""

    urls: Urls
    faces: PageFaces
    forms: Forms
    cookies: Cookies
    pending: PendingRequests
    sign_in: SignIn
    logon: PasswordLogon
    decisions: Decisions
    catalog: ScopeCatalog
    retries: Retries
    notes: Notes
    log = Logger(namespace="konnectd.web")

    def routes(self) -> tuple[Route, ...]:
        """Return all routes."""
        urls, page, both = self.urls, self.faces.as_page, ("GET", "POST")
        sign_in = by_method(get=self.on_sign_in_page, post=self.on_sign_in)
        chooser = by_method(get=self.on_chooser_page, post=self.on_choice)
        consent = by_method(get=self.on_consent_page, post=self.on_consent)
        return (
            Route(path=urls.paths.identifier, methods=("GET",), respond=self.on_entry, face=page, name="entry"),
            Route(path=urls.sign_in_form, methods=both, respond=sign_in, face=page, name="sign-in"),
            Route(path=urls.chooser, methods=both, respond=chooser, face=page, name="chooser"),
            Route(path=urls.consent, methods=both, respond=consent, face=page, name="consent"),
        )

    async def on_entry(self, request: HttpRequest) -> HttpResponse:
        """Show the sign-in page to a browser that a client waits for; send others to where they are recognized."""
        query = query_of(request)
        if "client_id" not in query:
            return HttpResponse.redirect(self.urls.sign_in_form + with_query(query))
        return await self._sign_in_page(request, query)

    async def on_sign_in_page(self, request: HttpRequest) -> HttpResponse:
        """Show the sign-in page, unless somebody has signed in already and no client waits for them."""
        query = query_of(request)
        if "client_id" not in query and await self.sign_in.current(self.cookies.read(request)) is not None:
            return HttpResponse.redirect(self._onward(query))
        return await self._sign_in_page(request, query)

    async def _sign_in_page(self, request: HttpRequest, query: Parameters) -> HttpResponse:
        """Show the sign-in page."""
        waiting = await self.pending.open(query) if "client_id" in query else None
        csrf, keep = self.forms.token(request)
        retry = self.retries.open(query.get(RETRY))
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
            fault=retry.fault if retry is not None else None,
        )
        return self.faces.pages.render(
            view,
            request,
            ui_locales=waiting.ui_locales if waiting is not None else query.text("ui_locales"),
            headers=self.cookies.write(keep),
            form_targets=_form_targets(waiting),
        )

    async def on_sign_in(self, request: HttpRequest) -> HttpResponse:
        """Check what somebody typed."""
        query = query_of(request)
        if "client_id" in query:
            await self.pending.open(query)
        typed = self._typed(request)
        if isinstance(typed, Retry):
            return self._again(query, typed)
        try:
            outcome = await self.logon(typed)
        except BackendUnavailableError as error:
            self.log.warn("nobody can sign in: {error}", error=str(error))
            return self._again(query, Retry(fault=SignInFault.UNAVAILABLE, username=typed.username))
        if isinstance(outcome, SignedIn):
            return HttpResponse.redirect(self._onward(query), 303, self.cookies.write(outcome.cookies))
        guessing = isinstance(outcome, TooManyTries)
        said = "too_many_tries" if isinstance(outcome, TooManyTries) else str(outcome.reason)
        self.notes.sign_in_refused("sign-in", query.text("client_id"), said)
        if guessing:
            self.log.warn("too many wrong passwords for {user!r}, refused for some minutes", user=typed.username[:64])
        fault = SignInFault.TOO_MANY_TRIES if guessing else SignInFault.WRONG_CREDENTIALS
        return self._again(query, Retry(fault=fault, username=typed.username))

    def _typed(self, request: HttpRequest) -> LogonForm | Retry:
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
            return Retry(fault=SignInFault.STALE_FORM)
        agent = Agent.parse(request.header("user-agent"))
        typed = LogonForm(
            username=form.text("username"),
            password=form.text("password"),
            browser=agent.browser,
            system=agent.system,
            earlier=self.sign_in.find(self.cookies.read(request)),
        )
        if not typed.username.strip():
            return Retry(fault=SignInFault.MISSING_USERNAME)
        if not typed.password:
            return Retry(fault=SignInFault.MISSING_PASSWORD, username=typed.username)
        return typed

    def _again(self, query: Parameters, retry: Retry) -> HttpResponse:
        """Show the sign-in page once more."""
        page = self.urls.paths.identifier if "client_id" in query else self.urls.sign_in_form
        kept = dict(query.without(RETRY).items())
        return HttpResponse.redirect(
            checked(page + with_query(Parameters({**kept, RETRY: self.retries.seal(retry)}))), 303
        )

    def _onward(self, query: Parameters) -> str:
        """Return where somebody goes who has signed in."""
        if "client_id" not in query:
            return self._home(query)
        return self.urls.paths.authorize + with_request(query, query.text(INTERACTION))

    def _home(self, query: Parameters) -> str:
        """Return where somebody goes whom no client awaits: to a page of ours, never to one that an address names."""
        if query.get(FLOW) != DEVICE_FLOW:
            return self.urls.welcome
        code = find_user_code(query.text(USER_CODE))
        return self.urls.device + with_query(Parameters({USER_CODE: shown(code)} if code is not None else {}))

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

    async def on_chooser_page(self, request: HttpRequest) -> HttpResponse:
        """Show who is signed in, and ask whether to go on as them."""
        query = query_of(request)
        waiting = await self._waiting(query)
        logon = self.sign_in.find(self.cookies.read(request))
        if logon is None:
            return HttpResponse.redirect(self._onward(query))
        csrf, keep = self.forms.token(request, logon.session_id)
        view = ChooserPage(
            action=self.urls.chooser + with_query(query),
            csrf=csrf,
            account=Account(logon.username, logon.name),
            client_name=waiting.client.display_name,
            client_host=waiting.return_address.host,
            logo=self.urls.logo(waiting.client),
        )
        return self._page(view, request, waiting, self.cookies.write(keep))

    async def on_choice(self, request: HttpRequest) -> HttpResponse:
        """Go on as who they are, or let somebody else sign in."""
        query = query_of(request)
        waiting = await self._waiting(query)
        logon = self.sign_in.find(self.cookies.read(request))
        if logon is None:
            return HttpResponse.redirect(self._onward(query), 303)
        form = self.forms.read(request, logon.session_id)
        if "other" in form or form.get("account") != logon.username:
            # Not the configured page: this one knows that somebody wants to be somebody else.
            return HttpResponse.redirect(checked(self.urls.paths.identifier + with_query(query)), 303)
        interaction = self.decisions.chosen(waiting, query, logon)
        return HttpResponse.redirect(self.urls.paths.authorize + with_request(query, interaction), 303)

    async def on_consent_page(self, request: HttpRequest) -> HttpResponse:
        """Show what a client asks for."""
        query = query_of(request)
        waiting = await self._waiting(query)
        logon = self.sign_in.find(self.cookies.read(request))
        if logon is None:
            return HttpResponse.redirect(self._onward(query))
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
        """Record what the person answered, and go back to where it counts."""
        query = query_of(request)
        waiting = await self._waiting(query)
        logon = self.sign_in.find(self.cookies.read(request))
        if logon is None:
            return HttpResponse.redirect(self._onward(query), 303)
        form = self.forms.read(request, logon.session_id)
        allow = "allow" in form and "deny" not in form
        keys = {name.removeprefix(CHOICE) for name, _ in form.items() if name.startswith(CHOICE)}
        chosen = self.catalog.choose(self.pending.wanted(waiting), keys)
        state, keep = self.decisions.record(waiting, logon, allow=allow, chosen=chosen)
        back = with_request(query, query.text(INTERACTION), **{CONSENT_STATE: state})
        return HttpResponse.redirect(self.urls.paths.authorize + back, 303, self.cookies.write((keep,)))

    def _page(
        self,
        view: ChooserPage | ConsentPage,
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
