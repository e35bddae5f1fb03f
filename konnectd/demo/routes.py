"""The pages and forms of the demo application: which request does what, and what its browser keeps.

A browser keeps two cookies for it: one that its forms and its sign-ins are bound to, and, once somebody has signed in,
the name of a session. Both are random, so whoever can not read them can not guess them.
"""

import hmac

from attrs import frozen

from konnectd.demo import texts
from konnectd.demo.errors import SignInError, Trouble
from konnectd.demo.messages import Exchange
from konnectd.demo.pages import DemoPages
from konnectd.demo.provider import sign_out_pairs, with_pairs
from konnectd.demo.relying_party import RelyingParty, SignedIn
from konnectd.demo.shelf import Shelf
from konnectd.demo.steps import steps
from konnectd.demo.views import Guest, LandingPage, StepsPage, TroublePage
from konnectd.http import Headers, HttpRequest, HttpResponse
from konnectd.interfaces import Clock, Entropy
from konnectd.protocol.errors import UntrustedRequestError
from konnectd.web.cookies import Cookies
from konnectd.web.forms import FormRefusedError, Forms, query_of
from konnectd.web.origin import origin_of
from konnectd.web.route import Respond, Route

#: How many people can be signed in at a time, and for how many seconds after their last step.
MOST_SESSIONS = 200
SESSION_TTL = 3600
#: Long enough to confirm a sign-out, in seconds.
LEAVING_TTL = 600
_SESSION_COOKIE = "konnectd_demo"
_LONGEST_COOKIE = 64
#: What the tag of the form cookie is for when a sign-in is bound to it.
_SIGN_IN = "sign-in"
_STATUS = {Trouble.UNREACHABLE: 502, Trouble.NONSENSE: 502, Trouble.NOT_BELIEVED: 502}


@frozen(kw_only=True)
class Look:
    """What the pages tell about this demo.

    Attributes:
        base: the path of all pages, ending in a slash.
        origin: scheme, host and port of the issuer.
        metadata_uri: where the provider publishes its metadata.
        backend: where people come from.
        guests: those whose passwords may be shown.
        form_targets: where the browser may end after a form, besides here.
    """

    base: str
    origin: str
    metadata_uri: str
    backend: str
    guests: tuple[Guest, ...] = ()
    form_targets: tuple[str, ...] = ()

    @property
    def secure(self) -> bool:
        """Whether cookies may only travel over TLS."""
        return self.origin.startswith("https://")


class DemoRoutes:
    """Everything below one path."""

    def __init__(
        self,
        look: Look,
        *,
        party: RelyingParty,
        pages: DemoPages,
        forms: Forms,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Keep what pages are made from, and begin without anybody."""
        self._look = look
        self._party = party
        self._pages = pages
        self._forms = forms
        self._entropy = entropy
        self._sessions: Shelf[SignedIn] = Shelf(clock, most=MOST_SESSIONS, ttl=SESSION_TTL)
        self._leaving: Shelf[str] = Shelf(clock, most=MOST_SESSIONS, ttl=LEAVING_TTL)

    def routes(self) -> tuple[Route, ...]:
        """Return all routes."""
        base = self._look.base
        return (
            self._route(base, "GET", self.on_home, "demo"),
            self._route(f"{base}start", "POST", self.on_start, "demo-start"),
            self._route(f"{base}callback", "GET", self.on_callback, "demo-callback"),
            self._route(f"{base}steps", "GET", self.on_steps, "demo-steps"),
            self._route(f"{base}userinfo", "POST", self.on_userinfo, "demo-userinfo"),
            self._route(f"{base}refresh", "POST", self.on_refresh, "demo-refresh"),
            self._route(f"{base}sign-out", "POST", self.on_sign_out, "demo-sign-out"),
            *(self._route(path, "GET", self._go_home, "demo-entry") for path in dict.fromkeys(("/", base[:-1]))),
        )

    def _route(self, path: str, method: str, respond: Respond, name: str) -> Route:
        """Return one route."""
        return Route(path=path, methods=(method,), respond=respond, face=self.face, name=name)

    async def _go_home(self, _request: HttpRequest) -> HttpResponse:
        """Send the browser to the first page."""
        return HttpResponse.redirect(self._look.base)

    async def on_home(self, request: HttpRequest) -> HttpResponse:
        """Say what this is; whoever is signed in sees the steps instead."""
        if self._is_elsewhere(request):
            return HttpResponse.redirect(self._look.origin + self._look.base)
        session_id = _session_id(request)
        if self._sessions.get(session_id) is not None:
            return HttpResponse.redirect(f"{self._look.base}steps")
        browser, _ = self._forms.token(request, _SIGN_IN)
        left = self._leaving.take(query_of(request).text("state"))
        csrf, keep = self._forms.token(request)
        view = LandingPage(
            start_action=f"{self._look.base}start",
            csrf=csrf,
            issuer=self._party.issuer,
            metadata_uri=self._look.metadata_uri,
            client_id=self._party.application.client_id,
            guests=self._look.guests,
            backend=self._look.backend,
            signed_out=left is not None and hmac.compare_digest(left, browser),
        )
        cookies = self._forms.cookies.write(keep)
        return self._pages.render(view, headers=cookies, form_targets=self._look.form_targets)

    async def on_start(self, request: HttpRequest) -> HttpResponse:
        """Send the browser to the provider.

        Raises:
            FormRefusedError: the form is not ours.
            SignInError: the provider does not answer.
            UntrustedRequestError: the form is malformed.
        """
        self._forms.read(request)
        browser, _ = self._forms.token(request, _SIGN_IN)
        attempt = await self._party.begin(browser)
        return HttpResponse.redirect(attempt.authorization_uri, 303)

    async def on_callback(self, request: HttpRequest) -> HttpResponse:
        """Take the provider's answer; a session that was there before is over.

        Raises:
            SignInError: nobody is signed in.
            UntrustedRequestError: the answer is malformed.
        """
        browser, _ = self._forms.token(request, _SIGN_IN)
        signed_in = await self._party.finish(query_of(request), browser)
        self._sessions.take(_session_id(request))
        # A new name for each session: nobody can have put the old one into this browser.
        session_id = self._entropy.token()
        self._sessions.put(session_id, signed_in)
        return HttpResponse.redirect(f"{self._look.base}steps", headers=self._cookie(session_id))

    async def on_steps(self, request: HttpRequest) -> HttpResponse:
        """Show everything that was said."""
        session_id = _session_id(request)
        signed_in = self._sessions.get(session_id)
        if signed_in is None:
            return HttpResponse.redirect(self._look.base)
        csrf, keep = self._forms.token(request, session_id)
        view = StepsPage(
            name=_name_of(signed_in.userinfo) or signed_in.id_token.sub,
            csrf=csrf,
            steps=tuple(steps(signed_in, self._party.application, self._look.base)),
        )
        cookies = self._forms.cookies.write(keep)
        return self._pages.render(view, headers=cookies, form_targets=self._look.form_targets)

    async def on_userinfo(self, request: HttpRequest) -> HttpResponse:
        """Ask the userinfo endpoint again.

        Raises:
            FormRefusedError: the form is not ours.
            SignInError: the provider does not answer, or not properly.
            UntrustedRequestError: the form is malformed.
        """
        session_id, signed_in = self._posted(request)
        if signed_in is not None:
            self._sessions.put(session_id, await self._party.ask_userinfo(signed_in))
        return HttpResponse.redirect(f"{self._look.base}steps#userinfo", 303)

    async def on_refresh(self, request: HttpRequest) -> HttpResponse:
        """Exchange the refresh token.

        Raises:
            FormRefusedError: the form is not ours.
            SignInError: the provider does not answer, or not properly.
            UntrustedRequestError: the form is malformed.
        """
        session_id, signed_in = self._posted(request)
        if signed_in is not None and signed_in.tokens.refresh_token:
            self._sessions.put(session_id, await self._party.refresh(signed_in))
        return HttpResponse.redirect(f"{self._look.base}steps#refresh", 303)

    async def on_sign_out(self, request: HttpRequest) -> HttpResponse:
        """Forget the session and send the browser to the provider, to end the one there.

        Raises:
            FormRefusedError: the form is not ours.
            UntrustedRequestError: the form is malformed.
        """
        session_id, signed_in = self._posted(request)
        forget = self._cookie("")
        if signed_in is None:
            return HttpResponse.redirect(self._look.base, 303, forget)
        self._sessions.take(session_id)
        browser, _ = self._forms.token(request, _SIGN_IN)
        state = self._entropy.token()
        self._leaving.put(state, browser)
        # Without such an endpoint only our own session can be ended.
        location = with_pairs(self._look.base, (("state", state),))
        if signed_in.attempt.provider.end_session:
            pairs = sign_out_pairs(self._party.application, signed_in.latest_id_token.text, state)
            location = with_pairs(signed_in.attempt.provider.end_session, pairs)
        return HttpResponse.redirect(location, 303, forget)

    def face(self, error: Exception, _request: HttpRequest, _reference: str) -> HttpResponse | None:
        """Tell what went wrong; a fault of our own has no face here."""
        match error:
            case SignInError(trouble=trouble, code=code, description=description):
                status = _STATUS.get(trouble, 400)
            case FormRefusedError():
                trouble, code, description, status = Trouble.NOT_FROM_HERE, "", "", 403
            case UntrustedRequestError(description=description):
                trouble, code, status = Trouble.MALFORMED, "", 400
            case _:
                return None
        title, what = texts.TROUBLES[trouble]
        view = TroublePage(
            title=title,
            what=what,
            code=code,
            meaning=texts.CODES.get(code, ""),
            description=description,
            home=self._look.base,
        )
        return self._pages.render(view, status=status)

    def _posted(self, request: HttpRequest) -> tuple[str, SignedIn | None]:
        """Return the session a form was posted in.

        Raises:
            FormRefusedError: the form is not ours.
            UntrustedRequestError: it is malformed.
        """
        session_id = _session_id(request)
        self._forms.read(request, session_id)
        return session_id, self._sessions.get(session_id)

    def _is_elsewhere(self, request: HttpRequest) -> bool:
        """Tell whether the browser calls this machine by another name than the issuer does.

        The answer would come back under the issuer's name, where the browser keeps other cookies. Behind a proxy the
        name that arrives here may be the proxy's choice, so it says nothing.
        """
        if self._look.secure or not request.header("host"):
            return False
        return origin_of(f"http://{request.header('host')}") != origin_of(self._look.origin)

    def _cookie(self, session_id: str) -> Headers:
        """Return what makes the browser keep a session, or forget it when it is empty."""
        life = "" if session_id else "; Max-Age=0"
        secure = "; Secure" if self._look.secure else ""
        line = f"{_SESSION_COOKIE}={session_id}; Path={self._look.base}{life}{secure}; HttpOnly; SameSite=Lax"
        return ((b"Set-Cookie", line.encode("ascii")),)


def cookies_of(look: Look) -> Cookies:
    """Return how the cookie of forms is written."""
    return Cookies(secure=look.secure, path=look.base, form_path=look.base)


def _session_id(request: HttpRequest) -> str:
    """Return the session a browser names; empty when it names none."""
    return request.cookies.get(_SESSION_COOKIE, "")[:_LONGEST_COOKIE]


def _name_of(userinfo: Exchange) -> str:
    """Return what to call a person; empty when the provider told no name."""
    name = userinfo.reply.members.get("name")
    return name if isinstance(name, str) else ""
