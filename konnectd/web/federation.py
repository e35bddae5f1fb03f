"""The addresses where browsers leave for external authorities and come back from them.

Where something fails, the person sees the page with all ways in and what was wrong, in words of ours; or the client is
told, where its person has seen no page of ours, or none of ours are there.
"""

from typing import ClassVar

from attrs import field, frozen
from twisted.logger import Logger

from konnectd.authority import Authority, AuthorityError, DemandingAuthority, Rebuff, Returned
from konnectd.authority_entry import Doorway
from konnectd.flows.browser import Browser, CookieChange
from konnectd.flows.federate import Federate
from konnectd.happenings import SignInRefused
from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.protocol.authorize import ANOTHER, FLOW, INTERACTION, RETRY, AuthorizationRequest
from konnectd.protocol.end_user import Logon
from konnectd.protocol.identifier_api import CONSENT_FLOW
from konnectd.protocol.local_text import NO_TEXT
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.trip import Trip
from konnectd.protocol.vocabulary import ErrorCode, Prompt
from konnectd.web import happened
from konnectd.web.agents import Agent
from konnectd.web.authority_demands import Demands, send_away
from konnectd.web.cookies import Cookies
from konnectd.web.faces import PageFaces
from konnectd.web.federation_views import AuthoritiesPage
from konnectd.web.forms import FormRefusedError, form_of, query_of
from konnectd.web.notes import Notes
from konnectd.web.retries import Retries, Retry
from konnectd.web.route import Respond, Route
from konnectd.web.urls import Urls, checked, with_query, with_request
from konnectd.web.views import AuthorityLink, ErrorKind, SignInFault

#: Konnect's address to begin at, for authorities of any kind, and what names one there.
START = "oauth2/start"
AUTHORITY_ID = "authority_id"
#: Asks for the page instead of an authority, as in the successor of Konnect.
IDENTIFIER = "identifier"
MUST = "must"
#: Stands in the address of a browser that has come back, and that no client waits for.
BACK = "back"

_FAULTS = {
    Rebuff.DENIED: SignInFault.AUTHORITY_DENIED,
    Rebuff.UNAVAILABLE: SignInFault.AUTHORITY_UNAVAILABLE,
    Rebuff.UNKNOWN_AUTHORITY: SignInFault.AUTHORITY_UNAVAILABLE,
    Rebuff.UNKNOWN_USER: SignInFault.AUTHORITY_UNKNOWN_USER,
    Rebuff.NOT_LISTED: SignInFault.AUTHORITY_UNKNOWN_USER,
}
#: What may go by itself, or has to do with the person and not with the set-up.
_EVERYDAY = frozenset({Rebuff.DENIED, Rebuff.NOT_LISTED, Rebuff.UNKNOWN_USER, Rebuff.NO_TRIP, Rebuff.STALE})
_LATER = frozenset({Rebuff.UNAVAILABLE, Rebuff.UNKNOWN_AUTHORITY})


@frozen
class _Rebuffed:
    """Somebody who was not signed in, and where they were.

    Attributes:
        query: of the page they were sent from.
        unasked: they have seen no page of ours.
        cookies: what the browser keeps or forgets.
    """

    error: AuthorityError
    authority_id: str
    query: Parameters
    unasked: bool = False
    cookies: tuple[CookieChange, ...] = ()


@frozen(kw_only=True)
class FederationRoutes:
    """Leaving and coming back.

    Attributes:
        doorways: where browsers come back, and the ids of the authorities that they may come from.
        metadata: paths below the sign-in page where something is published about us, each with its authorities.
        passwords: whether people can sign in here, too.
    """

    urls: Urls
    faces: PageFaces
    cookies: Cookies
    federate: Federate
    demands: Demands
    retries: Retries
    notes: Notes
    doorways: tuple[tuple[Doorway, frozenset[str]], ...]
    metadata: tuple[tuple[str, tuple[str, ...]], ...] = ()
    passwords: bool = field(default=True)
    log: ClassVar[Logger] = Logger(namespace="konnectd.web")

    def routes(self) -> tuple[Route, ...]:
        """Return all routes."""
        base, page = self.urls.paths.identifier, self.faces.as_page
        found = [
            Route(path=f"{base}/{START}", methods=("GET",), respond=self.on_start, face=page, name="authority-start")
        ]
        for doorway, ids in self.doorways:
            found.append(
                Route(
                    path=f"{base}/{doorway.path}",
                    methods=doorway.methods,
                    respond=self._returns(doorway, ids),
                    face=page,
                    name="authority-return",
                )
            )
        for path, offered in self.metadata:
            respond = self._publishes(offered)
            found.append(
                Route(path=f"{base}/{path}", methods=("GET",), respond=respond, face=page, name="authority-metadata")
            )
        return tuple(found)

    # Leaving

    async def unasked(self, request: HttpRequest, query: Parameters) -> HttpResponse | None:
        """Send somebody on who is to sign in and need not be asked where; None for the page.

        Raises:
            OAuthError: the request is not one that the authorization endpoint would have let through.
            BackendUnavailableError: the registry did not answer.
        """
        authority = self.federate.default
        if authority is None or RETRY in query or BACK in query or query.get(IDENTIFIER) == MUST:
            return None
        if query.get(FLOW) == CONSENT_FLOW:
            return None
        if self.federate.pending.away(query) is not None or query.get("prompt") == Prompt.NONE:
            return None
        return await self._leave(request, authority, query, unasked=True)

    async def on_start(self, request: HttpRequest) -> HttpResponse:
        """Send somebody to the authority that they have chosen."""
        query = query_of(request)
        authority_id, rest = query.text(AUTHORITY_ID), query.without(AUTHORITY_ID, RETRY, BACK, IDENTIFIER)
        try:
            authority = self.federate.find(authority_id)
        except AuthorityError as error:
            await self._arrival(rest)
            return self._rebuffed(_Rebuffed(error, "", rest), 302)
        return await self._leave(request, authority, rest)

    async def _leave(
        self, request: HttpRequest, authority: Authority, query: Parameters, *, unasked: bool = False
    ) -> HttpResponse:
        """Send somebody to an authority."""
        pending = self.federate.pending
        arrival = await pending.arrive(query) if "client_id" in query else None
        wish = self.federate.wish(query, arrival)
        browser = self.cookies.read(request)
        try:
            begun = await self.federate.begin(authority, wish, query, browser, unasked=unasked)
        except AuthorityError as error:
            return self._rebuffed(_Rebuffed(error, authority.entry.authority_id, query, unasked), 302)
        return send_away(self.faces, request, begun.departure, authority, self.cookies.write(begun.cookies))

    async def _arrival(self, query: Parameters) -> AuthorizationRequest | None:
        """Return the request that waits; None for none.

        Raises:
            OAuthError: it is not one that the authorization endpoint would have let through.
            BackendUnavailableError: the registry did not answer.
        """
        return await self.federate.pending.open(query) if "client_id" in query else None

    # Coming back

    def _returns(self, doorway: Doorway, ids: frozenset[str]) -> Respond:
        """Make what answers at a doorway."""

        async def respond(request: HttpRequest) -> HttpResponse:
            parameters = form_of(request) if request.method == "POST" else query_of(request)
            returned = Returned(doorway=doorway.path, method=request.method, parameters=parameters, query=request.query)
            browser = self.cookies.read(request)
            trip = self.federate.trip(parameters.text(doorway.state), browser)
            if trip is None or trip.authority_id not in ids:
                return await self._unexpected(request, returned, browser, ids)
            if trip.leaving:
                return await self._left(trip, returned, browser)
            return await self._arrive(request, trip, returned, browser)

        return respond

    async def _arrive(self, request: HttpRequest, trip: Trip, returned: Returned, browser: Browser) -> HttpResponse:
        """Sign somebody in who comes back."""
        agent = Agent.parse(request.header("user-agent"))
        status = 303 if request.method == "POST" else 302
        forget = self.federate.forget(trip, browser)
        try:
            returning = await self.federate.arrive(trip, returned, browser, (agent.browser, agent.system))
        except AuthorityError as error:
            return self._rebuffed(_Rebuffed(error, trip.authority_id, trip.query, trip.unasked, forget), status)
        except BackendUnavailableError as error:
            self.log.warn("nobody can sign in: {error}", error=str(error))
            told = SignInRefused(
                reason=happened.UNAVAILABLE, client=trip.query.text("client_id"), authority=trip.authority_id
            )
            return self._again(trip.query, SignInFault.UNAVAILABLE, status, forget).telling(told)
        onward = self._onward(trip.query, returning.logon)
        answer = HttpResponse.redirect(checked(onward), status, self.cookies.write(returning.cookies))
        return answer.telling(happened.signed_in(returning.logon, trip.query.text("client_id")))

    def _onward(self, query: Parameters, logon: Logon) -> str:
        """Return where somebody goes who is signed in now."""
        if "client_id" in query:
            interaction = self.federate.pending.moved_on(query, account=logon.sub)
            return self.urls.paths.authorize + with_request(query, interaction)
        kept = dict(query.without(ANOTHER).items())
        return self.urls.sign_in_form + with_query(Parameters({**kept, BACK: "1"}))

    def _rebuffed(self, rebuffed: _Rebuffed, status: int) -> HttpResponse:
        """Say that nobody was signed in: to the person, or to the client.

        Raises:
            FormRefusedError: there is neither a page of ours nor a client to be told.
        """
        error, query = rebuffed.error, rebuffed.query
        self._tell(error, rebuffed.authority_id, query)
        told = SignInRefused(reason=str(error.rebuff), client=query.text("client_id"), authority=rebuffed.authority_id)
        code = ErrorCode.TEMPORARILY_UNAVAILABLE if error.rebuff in _LATER else ErrorCode.ACCESS_DENIED
        to_client = not self.urls.own or (rebuffed.unasked and error.rebuff is Rebuff.DENIED)
        refusal = self.federate.pending.moved_on(query, refusal=code) if to_client and "client_id" in query else ""
        if refusal:
            location = checked(self.urls.paths.authorize + with_request(query, refusal))
            return HttpResponse.redirect(location, status, self.cookies.write(rebuffed.cookies)).telling(told)
        if not self.urls.own:
            raise FormRefusedError(ErrorKind.START_AGAIN)
        fault = _FAULTS.get(error.rebuff, SignInFault.AUTHORITY_FAILED)
        return self._again(query, fault, status, rebuffed.cookies).telling(told)

    def _tell(self, error: AuthorityError, authority_id: str, query: Parameters) -> None:
        """Tell the operator: what was wrong, and that a sign-in was refused."""
        emit = self.log.info if error.rebuff in _EVERYDAY else self.log.warn
        emit("authority {authority} signed nobody in: {error}", authority=authority_id or "-", error=str(error))
        self.notes.sign_in_refused("authority-return", query.text("client_id"), str(error.rebuff))

    def _again(
        self, query: Parameters, fault: SignInFault, status: int, cookies: tuple[CookieChange, ...]
    ) -> HttpResponse:
        """Show the page with all ways in."""
        page = self.urls.paths.identifier if "client_id" in query else self.urls.sign_in_form
        kept = dict(query.without(RETRY, BACK).items())
        if "client_id" in query and INTERACTION in query:
            kept[INTERACTION] = self.federate.pending.moved_on(query) or query.text(INTERACTION)
        location = page + with_query(Parameters({**kept, RETRY: self.retries.seal(Retry(fault=fault))}))
        return HttpResponse.redirect(checked(location), status, self.cookies.write(cookies))

    # Signing out

    async def _left(self, trip: Trip, returned: Returned, browser: Browser) -> HttpResponse:
        """Send somebody on who has signed out there, too."""
        try:
            await self.federate.finish(trip)
            await self.federate.find(trip.authority_id).left(returned, trip.remembered)
        except AuthorityError as error:
            self.log.info(
                "authority {authority} has not signed somebody out: {error}",
                authority=trip.authority_id,
                error=str(error),
            )
        except BackendUnavailableError:
            # They are signed out here already, and coming back twice does no harm.
            pass
        headers = self.cookies.write(self.federate.forget(trip, browser))
        status = 303 if returned.method == "POST" else 302
        return HttpResponse.redirect(trip.after or self.urls.signed_out, status, headers)

    async def _unexpected(
        self, request: HttpRequest, returned: Returned, browser: Browser, ids: frozenset[str]
    ) -> HttpResponse:
        """Answer somebody who has not left from here: an authority may have sent them to be signed out.

        Raises:
            FormRefusedError: nobody has.
            BackendUnavailableError: registry or store did not answer.
        """
        for authority_id in sorted(ids):
            authority = self.federate.authorities[authority_id]
            if isinstance(authority, DemandingAuthority) and authority.recognizes(returned):
                return await self.demands.obey(request, authority, returned, browser)
        raise FormRefusedError(ErrorKind.START_AGAIN)

    # Pages

    def links(self, query: Parameters) -> tuple[AuthorityLink, ...]:
        """Return where people can sign in.

        Args:
            query: of the page that shows it.
        """
        start = f"{self.urls.paths.identifier}/{START}"
        kept = dict(query.without(RETRY, BACK, IDENTIFIER).items())
        return tuple(
            AuthorityLink(
                name=authority.entry.name,
                location=start + with_query(Parameters({**kept, AUTHORITY_ID: authority_id})),
            )
            for authority_id, authority in self.federate.authorities.items()
        )

    def cancel_uri(self, query: Parameters) -> str:
        """Return where somebody goes back to their application who was at an authority; empty for nobody else."""
        progress = self.federate.pending.away(query)
        if progress is None or "client_id" not in query:
            return ""
        refusal = self.federate.pending.moved_on(query, refusal=ErrorCode.ACCESS_DENIED)
        return self.urls.paths.authorize + with_request(query, refusal)

    def fault(self, query: Parameters) -> SignInFault | None:
        """Return what the page says that is shown although somebody was signed in for the very request; None if not."""
        progress = self.federate.pending.away(query)
        return SignInFault.OTHER_ACCOUNT if progress is not None and progress.account else None

    def page(self, query: Parameters, waiting: AuthorizationRequest | None, retry: Retry | None) -> AuthoritiesPage:
        """Return the page of those who can not sign in here."""
        client = waiting.client if waiting is not None else None
        return AuthoritiesPage(
            client_name=client.display_name if client is not None else "",
            client_host=waiting.return_address.host if waiting is not None else "",
            logo=self.urls.logo(client) if client is not None else "",
            policy_uri=client.policy_uri if client is not None else "",
            tos_uri=client.tos_uri if client is not None else "",
            client_text=client.sign_in_text if client is not None else NO_TEXT,
            fault=retry.fault if retry is not None else self.fault(query),
            authorities=self.links(query),
            cancel_uri=self.cancel_uri(query),
        )

    # What is published

    def _publishes(self, offered: tuple[str, ...]) -> Respond:
        """Make what shows something about us: to the authority that is named, or to the first."""

        async def respond(request: HttpRequest) -> HttpResponse:
            wanted = query_of(request).get(AUTHORITY_ID) or offered[0]
            document = self.federate.find(wanted).metadata() if wanted in offered else None
            if document is None:
                return self.faces.not_found(request, self.notes.reference())
            headers = ((b"Content-Type", document.media_type.encode("ascii")),)
            return HttpResponse(headers=headers, body=document.content)

        return respond
