"""What one route is: declared once, served by Klein and, when it is hot, by the fast lane as well."""

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TypeAlias

from attrs import frozen

from konnectd.http import HttpRequest, HttpResponse

#: How a known failure looks at one endpoint: a page, JSON or a challenge. None means it knows no face for it, which
#: makes it our fault. The last argument is the reference that is also in the log.
Face: TypeAlias = Callable[[Exception, HttpRequest, str], HttpResponse | None]
Respond: TypeAlias = Callable[[HttpRequest], Awaitable[HttpResponse]]


class Cors(Enum):
    """Whether scripts of other origins may read an endpoint's answers; never with cookies."""

    NONE = "none"
    ANY_ORIGIN = "any_origin"


@frozen(kw_only=True)
class Route:
    """One exact path and what answers there.

    Attributes:
        path: as in the request target, without ``?``.
        methods: upper case; ``HEAD`` goes with ``GET``, ``OPTIONS`` is answered by the server.
        respond: makes the answer.
        face: makes the answer of a failure.
        name: for logs and counters, the same in every installation.
        cors: who may read it.
        fast: served by the exact-path table before Klein is entered.
    """

    path: str
    methods: tuple[str, ...]
    respond: Respond
    face: Face
    name: str
    cors: Cors = Cors.NONE
    fast: bool = False


def by_method(*, get: Respond, post: Respond) -> Respond:
    """Make one answer for a page and for what is posted from it, which share a path."""

    def respond(request: HttpRequest) -> Awaitable[HttpResponse]:
        return post(request) if request.method == "POST" else get(request)

    return respond
