"""Signing people out because the external authority that has signed them in says so."""

from typing import ClassVar

from attrs import frozen
from twisted.logger import Logger

from konnectd.authority import Authority, AuthorityError, DemandingAuthority, Departure, Returned
from konnectd.flows.browser import Browser
from konnectd.flows.endsession import EndSession, Left
from konnectd.http import Headers, HttpRequest, HttpResponse
from konnectd.protocol.end_user import Logon
from konnectd.protocol.endsession import EndSessionRequest
from konnectd.web import happened
from konnectd.web.cookies import Cookies
from konnectd.web.faces import PageFaces
from konnectd.web.farewell import way_out
from konnectd.web.forms import FormRefusedError
from konnectd.web.urls import Urls, form_targets
from konnectd.web.views import ErrorKind, FormPostPage


@frozen(kw_only=True)
class Demands:
    """Answers authorities that want somebody signed out."""

    urls: Urls
    faces: PageFaces
    cookies: Cookies
    endsession: EndSession
    log: ClassVar[Logger] = Logger(namespace="konnectd.web")

    async def obey(
        self, request: HttpRequest, authority: DemandingAuthority, returned: Returned, browser: Browser
    ) -> HttpResponse:
        """Sign somebody out because an authority says so, or ask them.

        Raises:
            FormRefusedError: it can not be believed.
            BackendUnavailableError: registry or store did not answer.
        """
        authority_id = authority.entry.authority_id
        try:
            demand = await authority.demanded(returned)
            if not demand.certain:
                return HttpResponse.redirect(self.urls.goodbye)
            departure = await authority.answer(demand, done=True)
        except AuthorityError as error:
            self.log.warn(
                "authority {authority} can not end a session here: {error}", authority=authority_id, error=str(error)
            )
            raise FormRefusedError(ErrorKind.START_AGAIN) from error
        meant = [logon for logon in self._everyone(browser) if _is_of(logon, authority_id, demand.reference)]
        location = departure.location if departure is not None and not departure.fields else ""
        left = await self.endsession.leave(EndSessionRequest(location=location), browser, *meant, onward=False)
        return self._answered(request, authority, departure, left).telling(*happened.signed_out(*left.gone))

    def _answered(
        self, request: HttpRequest, authority: Authority, departure: Departure | None, left: Left
    ) -> HttpResponse:
        """Send somebody back to the authority, over the page that tells clients if that has to be seen."""
        headers = self.cookies.write(left.cookies)
        if departure is not None and departure.fields:
            return send_away(self.faces, request, departure, authority, headers)
        status = 303 if request.method == "POST" else 302
        return HttpResponse.redirect(way_out(self.urls, left), status, headers)

    def _everyone(self, browser: Browser) -> tuple[Logon, ...]:
        """Return all who are signed in in a browser."""
        current = self.endsession.sign_in.find(browser)
        return (*((current,) if current is not None else ()), *self.endsession.sign_in.beside(browser))


def send_away(
    faces: PageFaces, request: HttpRequest, departure: Departure, authority: Authority, headers: Headers
) -> HttpResponse:
    """Send a browser to another site: by a redirect, or by a form that it posts."""
    if not departure.fields:
        status = 303 if request.method == "POST" else 302
        return HttpResponse.redirect(departure.location, status, headers)
    view = FormPostPage(action=departure.location, fields=departure.fields, client_name=authority.entry.name)
    targets = form_targets(departure.location)
    return faces.pages.render(view, request, headers=headers, form_targets=targets)


def _is_of(logon: Logon, authority_id: str, reference: str) -> bool:
    """Tell whether a logon is the one that an authority means."""
    external = logon.external
    return external is not None and external.authority_id == authority_id and reference in {"", external.reference}
