"""Addresses that endpoints have had elsewhere: they send the browser on to where the endpoint is.

The endpoint can not answer at them itself: cookies are sent to the paths below which it is, and to no other.
"""

from collections.abc import Mapping
from functools import partial

from attrs import frozen

from konnectd.http import HttpRequest, HttpResponse
from konnectd.web.route import Face, Route
from konnectd.web.urls import checked


@frozen(kw_only=True)
class MovedRoutes:
    """The addresses.

    Attributes:
        moved: where each path sends on to.
        face: how a failure looks.
    """

    moved: Mapping[str, str]
    face: Face

    def routes(self) -> tuple[Route, ...]:
        """Return a route for each."""
        return tuple(
            Route(path=old, methods=("GET", "POST"), respond=partial(_send_on, new), face=self.face, name="moved")
            for old, new in self.moved.items()
        )


async def _send_on(path: str, request: HttpRequest) -> HttpResponse:
    """Repeat a request elsewhere, with its query, and with its form if it was posted. Spec: RFC 9110 15.4.8.

    Raises:
        OAuthError: the address gets too long.
    """
    location = f"{path}?{request.query}" if request.query else path
    return HttpResponse.redirect(checked(location), 307)
