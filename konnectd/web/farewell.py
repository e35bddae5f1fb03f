"""The page that shows somebody who has left which applications were told, and tells those that listen in browsers.

Spec: OIDC Front-Channel Logout 3 (frames with ``iss`` and ``sid``).
"""

from urllib.parse import urlencode

from attrs import frozen

from konnectd.flows.backchannel import SILENT, TOLD
from konnectd.flows.endsession import EndSession, Left
from konnectd.http import HttpRequest, HttpResponse
from konnectd.protocol.session import Farewell, Notice
from konnectd.web.faces import PageFaces
from konnectd.web.forms import query_of
from konnectd.web.route import Route
from konnectd.web.urls import Urls
from konnectd.web.views import FarewellLine, FarewellPage, PartyState

#: The parameter that names a sign-out.
LEFT = "left"

_STATES = {TOLD: PartyState.TOLD, SILENT: PartyState.SILENT}


def way_out(urls: Urls, left: Left) -> str:
    """Return where a browser goes that has left.

    The page about it must be seen when applications are told by it, and may be seen when nothing else is to be.
    """
    elsewhere = left.location or (urls.signed_out if urls.own_signed_out else "")
    if left.farewell_id and (left.frames or not elsewhere):
        return f"{urls.farewell}?{urlencode({LEFT: left.farewell_id})}"
    return left.location or urls.signed_out


@frozen(kw_only=True)
class FarewellRoutes:
    """The page about a sign-out."""

    urls: Urls
    faces: PageFaces
    endsession: EndSession

    def routes(self) -> tuple[Route, ...]:
        """Return its one route."""
        face = self.faces.as_page
        return (Route(path=self.urls.farewell, methods=("GET",), respond=self.on_page, face=face, name="farewell"),)

    async def on_page(self, request: HttpRequest) -> HttpResponse:
        """Show who was told; somebody who comes too late sees that they are signed out."""
        farewell_id = query_of(request).get(LEFT)
        found = await self.endsession.farewell(farewell_id) if farewell_id is not None else None
        if found is None:
            return HttpResponse.redirect(self.urls.signed_out)
        farewell, answers = found
        view = self._view(request, farewell, answers)
        return self.faces.pages.render(view, request, frames=farewell.frames)

    def _view(self, request: HttpRequest, farewell: Farewell, answers: tuple[str, ...]) -> FarewellPage:
        """Make the page."""
        lines = tuple(_line(notice, answer) for notice, answer in zip(farewell.notices, answers, strict=True))
        waiting = any(line.state is PartyState.WAITING for line in lines)
        return FarewellPage(
            lines=lines,
            return_uri=farewell.location or (self.urls.signed_out if self.urls.own_signed_out else ""),
            client_name=farewell.client_name if farewell.location else "",
            again=f"{request.path}?{request.query}" if waiting and not farewell.frames else "",
            onward=bool(farewell.frames),
            recognized=bool(request.recognized),
        )


def _line(notice: Notice, answer: str) -> FarewellLine:
    """Make the line about one application."""
    state = _STATES.get(answer, PartyState.WAITING) if notice.posted else PartyState.IN_FRAME
    if not notice.posted and not notice.frame:
        state = PartyState.SILENT
    return FarewellLine(name=notice.name, state=state, frame=notice.frame)
