"""The page where somebody sees and takes back what applications may do, and where they are signed in."""

from attrs import evolve, frozen

from konnectd.flows.permits import Permits
from konnectd.flows.remote_sign_out import RemoteSignOut
from konnectd.flows.sign_in import SignIn
from konnectd.happenings import Happening
from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import ClientRegistry
from konnectd.protocol.account import ListedSession, Permit
from konnectd.protocol.client import Client, split
from konnectd.protocol.end_user import Logon
from konnectd.protocol.logons import Stay
from konnectd.protocol.scope import ScopeCatalog
from konnectd.web import happened
from konnectd.web.account_views import AccountPage, PermitLine, SessionLine
from konnectd.web.cookies import Cookies
from konnectd.web.faces import PageFaces
from konnectd.web.forms import Forms, query_of
from konnectd.web.route import Route, by_method
from konnectd.web.urls import Urls
from konnectd.web.views import scope_lines


@frozen(kw_only=True)
class AccountRoutes:
    """The page, and what is posted from it."""

    urls: Urls
    faces: PageFaces
    forms: Forms
    cookies: Cookies
    clients: ClientRegistry
    sign_in: SignIn
    permits: Permits
    sign_out: RemoteSignOut
    catalog: ScopeCatalog

    def routes(self) -> tuple[Route, ...]:
        """Return all routes."""
        respond = by_method(get=self.on_page, post=self.on_change)
        methods = ("GET", "POST")
        return (
            Route(path=self.urls.account, methods=methods, respond=respond, face=self.faces.as_page, name="account"),
        )

    async def on_page(self, request: HttpRequest) -> HttpResponse:
        """Show everything there is."""
        logon = await self.sign_in.current(self.cookies.read(request))
        if logon is None:
            return HttpResponse.redirect(self.urls.sign_in_for(self.urls.account))
        csrf, keep = self.forms.token(request, logon.session_id)
        view = AccountPage(
            action=self.urls.account,
            csrf=csrf,
            back=self.urls.welcome,
            display_name=logon.name,
            username=logon.username,
            permits=tuple([await self._permit(permit) for permit in await self.permits.all(logon.sub)]),
            sessions=await self._sessions(logon),
        )
        return self.faces.pages.render(view, request, headers=self.cookies.write(keep))

    async def on_change(self, request: HttpRequest) -> HttpResponse:
        """Take back what a client may do, or end a session; an address that nobody makes is refused first."""
        query_of(request)
        logon = await self.sign_in.current(self.cookies.read(request))
        if logon is None:
            return HttpResponse.redirect(self.urls.sign_in_for(self.urls.account), 303)
        form = self.forms.read(request, logon.session_id)
        client_id, session_id = form.get("revoke"), form.get("end")
        told: list[Happening] = []
        if client_id is not None:
            # What is posted may be anything.
            known = await self.clients.get(client_id)
            await self.permits.forget(logon.sub, client_id)
            told.append(happened.withdrawn(logon, client_id if known is not None else ""))
        if session_id is not None and await self.sign_out(logon, session_id):
            told += happened.signed_out(evolve(logon, session_id=session_id), remote=True)
        return HttpResponse.redirect(self.urls.account, 303).telling(*told)

    async def _permit(self, permit: Permit) -> PermitLine:
        """Say who a client is and what it may do; one that is not registered any more has only its id."""
        client = await self.clients.get(permit.client_id)
        return PermitLine(
            client_id=permit.client_id,
            name=client.display_name if client is not None else permit.client_id,
            host=_host(client) if client is not None else "",
            since=permit.since,
            lines=scope_lines(self.catalog, permit.scope),
        )

    async def _sessions(self, logon: Logon) -> tuple[SessionLine, ...]:
        """Say where somebody is signed in."""
        sessions = await self.sign_out.whereabouts.all(logon)
        return tuple(_session(session, logon, self.sign_in.stay) for session in sessions)


def _session(session: ListedSession, logon: Logon, stay: Stay) -> SessionLine:
    """Say what one session is; who stays signed in is told until when at the latest."""
    return SessionLine(
        session_id=session.session_id,
        started_at=session.started_at,
        browser=session.browser,
        system=session.system,
        current=session.session_id == logon.session_id,
        until=session.started_at + stay.lifetime if session.kept and stay.offered else 0,
    )


def _host(client: Client) -> str:
    """Return where a client is; empty for a program on somebody's machine."""
    for uri in (client.uri, *client.redirect_uris):
        parts = split(uri)
        if parts is not None and parts.scheme == "https" and parts.hostname:
            return parts.hostname
    return ""
