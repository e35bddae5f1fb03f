"""The switch at the foot of our pages: choosing the language, and coming back to the same page in it.

It is an ordinary form, so that it works without scripts and changes nothing by a link from elsewhere. What was chosen
is kept in a cookie, and counts for more than what a client or the browser wish for.
"""

from attrs import frozen

from konnectd.flows.browser import Keep
from konnectd.http import HttpRequest, HttpResponse
from konnectd.paths import Paths
from konnectd.web.cookies import Cookies
from konnectd.web.faces import PageFaces
from konnectd.web.forms import form_from_here
from konnectd.web.locales import CHOSEN
from konnectd.web.route import Route
from konnectd.web.switch import leads_back

#: How long a choice is kept, in seconds: a year.
KEPT = 365 * 24 * 3600


@frozen(kw_only=True)
class LanguageRoutes:
    """Where the switch is posted to."""

    paths: Paths
    faces: PageFaces
    cookies: Cookies
    origin: str

    def routes(self) -> tuple[Route, ...]:
        """Return the only route."""
        face = self.faces.as_page
        return (Route(path=self.paths.language, methods=("POST",), respond=self.on_choice, face=face, name="language"),)

    async def on_choice(self, request: HttpRequest) -> HttpResponse:
        """Keep what somebody chose, and show the same page again.

        Raises:
            FormRefusedError: it was posted from elsewhere.
            UntrustedRequestError: it is malformed.
        """
        form = form_from_here(request, self.origin)
        chosen = self.faces.pages.locales.find(form.text("language"))
        back = form.text("back")
        kept = (Keep(CHOSEN, chosen.tag, KEPT),) if chosen is not None else ()
        where = back if leads_back(back, self.paths) else self.paths.identifier
        return HttpResponse.redirect(where, 303, self.cookies.write(kept))
