"""The identifier API under its URLs: who may ask, JSON in, and out what front ends of Konnect know how to read.

Only pages of the issuer's own origin may ask: a header that no form can send, and the browser's word for where a
request comes from. What is refused is told in a line of text. Nothing here decides about a person.
"""

from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import TypeAlias, assert_never

from attrs import evolve, frozen
from twisted.logger import Logger

from konnectd.flows.browser import CookieChange
from konnectd.flows.identifier_api import Done, Entered, Greeted, IdentifierApi, Nobody
from konnectd.happenings import Happening
from konnectd.http import FORM_TYPE, NO_STORE, HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.identifier_api import (
    ConsentAnswer,
    Hello,
    LogonAttempt,
    parse_logoff,
    read_body,
    refused,
)
from konnectd.protocol.scope import ScopeCatalog
from konnectd.web import happened
from konnectd.web.agents import Agent
from konnectd.web.cookies import Cookies
from konnectd.web.errors import plain
from konnectd.web.origin import is_same_origin
from konnectd.web.route import Face, Respond, Route
from konnectd.web.urls import Urls

#: The header that a script of another origin could only send after asking us, which is never granted.
GUARD = "kopano-konnect-xsrf"
#: Echoes what a front end knows its answer by, where there is no body for it.
STATE_HEADER = b"Kopano-Konnect-State"
#: The largest body in bytes; an ID token as a hint is the largest thing in any.
LARGEST_BODY = 32 * 1024
_JSON = "application/json"
_ELSEWHERE = frozenset({"cross-site", "same-site"})
#: What a person typed may be longer than, but not a line of the log, in characters.
_LONGEST_LOGGED = 64

_Answer: TypeAlias = Callable[[HttpRequest, object], Awaitable[HttpResponse]]


@frozen(kw_only=True)
class IdentifierApiRoutes:
    """`hello`, `logon`, `logoff` and `consent`.

    Attributes:
        catalog: what scopes mean to people.
    """

    urls: Urls
    api: IdentifierApi
    cookies: Cookies
    catalog: ScopeCatalog
    log = Logger(namespace="konnectd.web")

    def routes(self, pages: Iterable[Route] = ()) -> tuple[Route, ...]:
        """Return all routes, and with them those of pages; where both have a path, forms go to the page.

        Args:
            pages: of our own or of somebody else.
        """
        found = {page.path: page for page in pages}
        answers: dict[str, _Answer] = {
            "hello": self.on_hello,
            "logon": self.on_logon,
            "logoff": self.on_logoff,
            "consent": self.on_consent,
        }
        for name, answer in answers.items():
            path = f"{self.urls.paths.inner}{name}"
            route = Route(
                path=path, methods=("POST",), respond=self._guarded(answer), face=as_text, name=f"identifier-{name}"
            )
            found[path] = _shared(found[path], route) if path in found else route
        return tuple(found.values())

    def _guarded(self, answer: _Answer) -> Respond:
        """Make what answers only pages of our own origin, and only JSON."""

        async def respond(request: HttpRequest) -> HttpResponse:
            if not self._is_ours(request):
                origin = self.urls.origin
                self.log.info("refused a call of the identifier API: it comes from no page of {origin}", origin=origin)
                return plain(400)
            if request.media_type != _JSON:
                raise refused(f"the body must be {_JSON}")
            if len(request.body) > LARGEST_BODY:
                raise refused(f"the body is larger than {LARGEST_BODY} bytes")
            return await answer(request, read_body(request.body))

        return respond

    def _is_ours(self, request: HttpRequest) -> bool:
        """Tell whether a page of ours asks.

        ``Origin`` decides where there is one, and nobody with the origin ``null`` is us, whatever else they say.

        Spec: RFC 6454 7; Fetch Metadata Request Headers 2.3.
        """
        if request.header(GUARD) != "1" or request.header("sec-fetch-site") in _ELSEWHERE:
            return False
        return request.header("origin") != "null" and is_same_origin(request, self.urls.origin)

    async def on_hello(self, request: HttpRequest, body: object) -> HttpResponse:
        """Say who is there and what is next."""
        hello = Hello.parse(body)
        outcome = await self.api.hello(hello, self.cookies.read(request))
        match outcome:
            case Greeted(greeting=greeting, cookies=cookies, entered=entered):
                headers = (*NO_STORE, *self.cookies.write(cookies))
                answer = HttpResponse.json(greeting.to_json(self.catalog), headers=headers)
                return answer.telling(*happened.entered(entered))
            case Nobody(cookies=cookies, entered=entered):
                return self._nobody(hello.state, cookies).telling(*happened.entered(entered))
            case never:
                assert_never(never)

    async def on_logon(self, request: HttpRequest, body: object) -> HttpResponse:
        """Sign somebody in."""
        attempt = LogonAttempt.parse(body)
        agent = Agent.parse(request.header("user-agent"))
        outcome = await self.api.logon(attempt, self.cookies.read(request), (agent.browser, agent.system))
        match outcome:
            case Entered(greeting=greeting, cookies=cookies, entered=entered, waiting=client):
                hello = greeting.to_json(self.catalog) if greeting is not None else None
                return self._done(attempt.state, cookies, hello=hello).telling(*happened.entered(entered, client))
            case Nobody(guessing=guessing, refused=refusal, waiting=client, entered=entered):
                if guessing:
                    user = attempt.username[:_LONGEST_LOGGED]
                    self.log.warn("too many wrong passwords for {user!r}, refused for some minutes", user=user)
                told: tuple[Happening, ...] = happened.entered(entered)
                if guessing or refusal is not None:
                    told = (happened.sign_in_refused(refusal, client),)
                return self._nobody(attempt.state).telling(*told)
            case never:
                assert_never(never)

    async def on_logoff(self, request: HttpRequest, body: object) -> HttpResponse:
        """Sign somebody out."""
        state = parse_logoff(body)
        outcome = await self.api.logoff(self.cookies.read(request))
        return self._done(state, outcome.cookies).telling(*happened.signed_out(*outcome.gone))

    async def on_consent(self, request: HttpRequest, body: object) -> HttpResponse:
        """Keep what somebody answered a client."""
        answer = ConsentAnswer.parse(body)
        outcome = await self.api.consent(answer, self.cookies.read(request))
        match outcome:
            case Done(cookies=cookies, logon=logon, waiting=client, scope=scope):
                return self._done(answer.state, cookies).telling(*_consent(logon, client, scope, allowed=True))
            case Nobody(cookies=cookies, logon=logon, waiting=client):
                return self._nobody(answer.state, cookies).telling(*_consent(logon, client, "", allowed=False))
            case never:
                assert_never(never)

    def _done(self, state: str, cookies: tuple[CookieChange, ...], **more: object) -> HttpResponse:
        """Say that it is done."""
        headers = (*NO_STORE, *self.cookies.write(cookies))
        return HttpResponse.json({"success": True, "state": state, **more}, headers=headers)

    def _nobody(self, state: str, cookies: tuple[CookieChange, ...] = ()) -> HttpResponse:
        """Say no, without a word about why."""
        echo = (STATE_HEADER, state.encode("ascii"))
        return HttpResponse(status=204, headers=(echo, *NO_STORE, *self.cookies.write(cookies)))


def _consent(logon: Logon | None, client: str, scope: str, *, allowed: bool) -> tuple[Happening, ...]:
    """Tell what somebody answered; nothing when nobody was there to answer."""
    return () if logon is None else (happened.consent(logon, client, scope, allowed=allowed),)


def as_text(error: Exception, request: HttpRequest, reference: str) -> HttpResponse | None:  # noqa: ARG001 - a Face
    """Tell a front end what is wrong, in a line of text; it looks at the status alone."""
    match error:
        case OAuthError(description=description):
            return _line(400, description)
        case BackendUnavailableError():
            return _line(500, f"try again later, reference {reference}")
    return None


def _line(status: int, detail: str) -> HttpResponse:
    """Return a status with a detail."""
    return HttpResponse.text(f"{status} {HTTPStatus(status).phrase} - {detail}\n", status=status)


def _shared(page: Route, call: Route) -> Route:
    """Make one route of a page and a call that share a path: what a form posts goes to the page."""

    def is_for_page(request: HttpRequest) -> bool:
        return request.method != "POST" or (request.media_type == FORM_TYPE and not request.header(GUARD))

    def respond(request: HttpRequest) -> Awaitable[HttpResponse]:
        return page.respond(request) if is_for_page(request) else call.respond(request)

    def face(error: Exception, request: HttpRequest, reference: str) -> HttpResponse | None:
        chosen: Face = page.face if is_for_page(request) else call.face
        return chosen(error, request, reference)

    return evolve(page, respond=respond, face=face)
