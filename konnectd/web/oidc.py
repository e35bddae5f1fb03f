"""The protocol's endpoints under their URLs: read the request, ask the flow, write the answer."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import assert_never

from attrs import evolve, frozen

from konnectd.flows import endsession, userinfo
from konnectd.flows.authorize import Answer, Authorize, Refusal, ToChooser, ToClient, ToConsent, ToSignIn
from konnectd.flows.par import PushRequest
from konnectd.flows.token import Token
from konnectd.happenings import Happening, Rejected, TokensIssued
from konnectd.http import JSON_TYPE, NO_STORE, Headers, HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.asking import asked
from konnectd.protocol.authorize import CLAIMS_SCOPE
from konnectd.protocol.delivery import Delivery
from konnectd.protocol.discovery import DOCUMENT_MAX_AGE
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.reasons import reason_of
from konnectd.protocol.trail import Trail
from konnectd.web import happened
from konnectd.web.cookies import Cookies
from konnectd.web.errors import as_challenge, as_json
from konnectd.web.faces import PageFaces
from konnectd.web.farewell import way_out
from konnectd.web.forms import form_of, parameters_of
from konnectd.web.notes import Answered, Notes, rejected
from konnectd.web.route import Cors, Face, Respond, Route
from konnectd.web.urls import Urls, checked, form_targets, with_request
from konnectd.web.views import FormPostPage

#: How the log calls the page that is due.
_DUE: Mapping[type[Answer], Answered] = {
    ToSignIn: Answered.SIGN_IN,
    ToChooser: Answered.CHOOSER,
    ToConsent: Answered.CONSENT,
}


@frozen
class Document:
    """Bytes that are the same for everybody, made once.

    Spec: RFC 9110 8.8.3 (``ETag``) and 13.1.2 (``If-None-Match``).
    """

    full: HttpResponse
    unchanged: HttpResponse
    etag: str

    @classmethod
    def of(cls, value: Mapping[str, object], content_type: bytes = JSON_TYPE) -> "Document":
        """Make the bytes of a JSON document."""
        body = json.dumps(value, indent=2).encode() + b"\n"
        etag = f'"{sha256(body).hexdigest()[:32]}"'
        headers = (
            (b"Cache-Control", f"public, max-age={DOCUMENT_MAX_AGE}".encode()),
            (b"ETag", etag.encode()),
        )
        return cls(
            full=HttpResponse(headers=((b"Content-Type", content_type), *headers), body=body),
            unchanged=HttpResponse(status=304, headers=headers),
            etag=etag,
        )

    async def respond(self, request: HttpRequest) -> HttpResponse:
        """Answer with the document, or say that it is the same as before."""
        known = request.header("if-none-match")
        return self.unchanged if known and (known == "*" or self.etag in known) else self.full


@frozen(kw_only=True)
class OidcRoutes:
    """The endpoints that clients know."""

    urls: Urls
    metadata: Document
    jwks: Document
    authorize: Authorize
    token: Token
    par: PushRequest
    userinfo: userinfo.UserInfo
    endsession: endsession.EndSession
    cookies: Cookies
    faces: PageFaces
    notes: Notes

    def routes(self) -> tuple[Route, ...]:
        """Return all routes."""
        paths, page, both = self.urls.paths, self.faces.as_page, ("GET", "POST")
        return (
            Route(path=paths.health_check, methods=both, respond=_healthy, face=as_json, name="health-check"),
            _for_scripts("discovery", paths.discovery, ("GET",), self.metadata.respond),
            _for_scripts("jwks", paths.jwks, ("GET",), self.jwks.respond),
            Route(
                path=paths.authorize, methods=both, respond=self.on_authorize, face=page, name="authorize", fast=True
            ),
            _for_scripts("token", paths.token, ("POST",), self.on_token),
            _for_scripts("par", paths.par, ("POST",), self.on_par),
            _for_scripts("userinfo", paths.userinfo, both, self.on_userinfo, as_challenge),
            Route(path=paths.endsession, methods=both, respond=self.on_endsession, face=page, name="endsession"),
        )

    async def on_authorize(self, request: HttpRequest) -> HttpResponse:
        """Answer an authorization request, or send the browser to the page that is due."""
        parameters = parameters_of(request)
        answer = await self.authorize(parameters, self.cookies.read(request))
        if self.notes.every:
            await self._note(parameters, answer)
        # After a posted form the browser must not post again where it is sent. Spec: RFC 9110 15.4.4.
        status = 303 if request.method == "POST" else 302
        response = self._respond(request, parameters, answer, status)
        told = self._outcome(answer, status)
        return response.telling(*told) if told else response

    def _respond(self, request: HttpRequest, parameters: Parameters, answer: Answer, status: int) -> HttpResponse:
        """Send the browser on."""
        match answer:
            case ToClient(delivery=delivery, cookies=cookies):
                return self._deliver(request, parameters, delivery, self.cookies.write(cookies))
            case ToSignIn(request=carried, interaction=interaction, cookies=cookies, claims_scope=more):
                location = self.urls.to_sign_in(carried, interaction, **_also(more))
                return HttpResponse.redirect(checked(location), status, self.cookies.write(cookies))
            case ToChooser(request=carried, interaction=interaction, cookies=cookies, claims_scope=more):
                flow = "" if self.urls.own else "oidc"
                location = self.urls.chooser + with_request(carried, interaction, flow=flow, **_also(more))
                return HttpResponse.redirect(checked(location), status, self.cookies.write(cookies))
            case ToConsent(request=carried, interaction=interaction, cookies=cookies, claims_scope=more):
                location = self.urls.consent + with_request(carried, interaction, flow="consent", **_also(more))
                return HttpResponse.redirect(checked(location), status, self.cookies.write(cookies))
            case _:
                assert_never(answer)

    def _outcome(self, answer: Answer, status: int) -> tuple[Happening, ...]:
        """Tell who came in, and what came of a request that goes back to its client."""
        refused = isinstance(answer, ToClient) and answer.refusal is not None
        if not (refused or self.notes.counted):
            return ()
        entered = happened.entered(answer.entered)
        match answer:
            case ToClient(refusal=Refusal() as refusal):
                return (*entered, self._tell(refusal, status))
            case ToClient(logon=Logon() as logon, granted=granted, client_id=client):
                return (*entered, happened.authorized(logon, client, granted))
        return entered

    def _tell(self, refusal: Refusal, status: int) -> Rejected:
        """Tell of an error that the browser carries to a client, in the log where anybody wants to know."""
        error, arrival = refusal.error, refusal.arrival
        if self.notes.wants(error):
            error.about(asked(arrival.address.client, arrival.parameters, self.authorize.pending.supported))
            return self.notes.redirected("authorize", error, status)
        trail = Trail(client=arrival.address.client.client_id, error=str(error.code))
        return rejected(reason_of(error.code, error.description), trail)

    async def _note(self, parameters: Parameters, answer: Answer) -> None:
        """Tell of an authorization request that is not refused."""
        pending = self.authorize.pending
        try:
            client = await pending.clients.get(parameters.text("client_id"))
        except BackendUnavailableError:
            return  # it was there when it mattered
        trail = asked(client, parameters, pending.supported)
        if not isinstance(answer, ToClient):
            self.notes.granted("authorize", trail, _DUE[type(answer)])
        elif answer.refusal is None:
            self.notes.granted("authorize", evolve(trail, granted=answer.granted.tokens), Answered.REDIRECT)

    def _deliver(
        self, request: HttpRequest, parameters: Parameters, delivery: Delivery, headers: Headers
    ) -> HttpResponse:
        """Send an answer to the client: by a redirect, or by a form that the browser posts."""
        if not delivery.fields:
            status = 303 if request.method == "POST" else 302
            return HttpResponse.redirect(delivery.location, status, headers)
        view = FormPostPage(action=delivery.location, fields=delivery.fields)
        return self.faces.pages.render(
            view,
            request,
            ui_locales=parameters.text("ui_locales"),
            headers=headers,
            form_targets=form_targets(delivery.location),
        )

    async def on_token(self, request: HttpRequest) -> HttpResponse:
        """Answer a token request."""
        authorization, form = request.header("authorization"), form_of(request)
        try:
            tokens = await self.token(authorization, form)
        except OAuthError as error:
            error.about(await self.token.authenticate.trail(authorization, form))
            raise
        if self.notes.every:
            trail = await self.token.authenticate.trail(authorization, form)
            self.notes.granted("token", evolve(trail, granted=tokens.scope.tokens), Answered.JSON)
        answer = HttpResponse.json(tokens.to_json())
        if not self.notes.counted:
            return answer
        issued = TokensIssued(grant_type=form.text("grant_type"), client=tokens.client_id, scope=str(tokens.scope))
        return answer.telling(issued)

    async def on_par(self, request: HttpRequest) -> HttpResponse:
        """Keep a pushed authorization request."""
        authorization, form = request.header("authorization"), form_of(request)
        try:
            reference = await self.par(authorization, form)
        except OAuthError as error:
            error.about(await self.par.authenticate.trail(authorization, form))
            raise
        return HttpResponse.json(reference.to_json(), 201)

    async def on_userinfo(self, request: HttpRequest) -> HttpResponse:
        """Answer a userinfo request."""
        form = form_of(request) if request.method == "POST" else None
        answer = await self.userinfo(request.header("authorization"), form)
        match answer:
            case userinfo.Plain(claims=claims):
                return HttpResponse.json(claims)
            case userinfo.Signed(jws=token) | userinfo.Encrypted(jwe=token):
                headers = ((b"Content-Type", b"application/jwt"), *NO_STORE)
                return HttpResponse(headers=headers, body=token.encode("ascii"))
            case _:
                assert_never(answer)

    async def on_endsession(self, request: HttpRequest) -> HttpResponse:
        """End the session, or send the browser to the page that asks."""
        parameters = parameters_of(request)
        answer = await self.endsession(parameters, self.cookies.read(request))
        status = 303 if request.method == "POST" else 302
        match answer:
            case endsession.Confirm():
                return HttpResponse.redirect(checked(self.urls.confirm(parameters)), status)
            case endsession.Left(cookies=cookies):
                left = HttpResponse.redirect(way_out(self.urls, answer), status, self.cookies.write(cookies))
                return left.telling(*happened.signed_out(*answer.gone))
            case _:
                assert_never(answer)


def _also(claims_scope: str) -> dict[str, str]:
    """Return what the address of a front end says besides: scopes that single claims stand for, if there are any."""
    return {CLAIMS_SCOPE: claims_scope} if claims_scope else {}


async def _healthy(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - what answers is a Respond
    """Say that the process answers."""
    return HttpResponse(headers=NO_STORE)


def _for_scripts(name: str, path: str, methods: tuple[str, ...], respond: Respond, face: Face = as_json) -> Route:
    """Make the route of an endpoint that programs use, those in a browser included."""
    return Route(path=path, methods=methods, respond=respond, face=face, name=name, cors=Cors.ANY_ORIGIN, fast=True)
