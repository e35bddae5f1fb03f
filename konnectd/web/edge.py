"""From twisted.web's requests to values and back; the only file that touches Klein, and where failures end.

Each route is mounted in a Klein application. Those that are hot are in a table of exact paths as well, which is looked
at first because Klein costs as much as all of the rest. Klein only finds the route: everything else, methods and
failures included, is done in one place for both, so that a route answers the same on either.

A failure that an endpoint has a face for is answered with it. Any other is logged once, with its traceback, and
answered without a word. Neither the log nor an answer ever shows what was asked, as it may carry codes and tokens.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, TypeAlias

from attrs import evolve, frozen
from klein import Klein
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.resource import Resource
from werkzeug.exceptions import HTTPException

from konnectd.http import HttpRequest, HttpResponse
from konnectd.interfaces import BackendUnavailableError
from konnectd.web import origin, wire
from konnectd.web.errors import method_not_allowed, plain
from konnectd.web.forms import FormRefusedError
from konnectd.web.mount import AMBIGUOUS, Mounted
from konnectd.web.notes import Answered, refused
from konnectd.web.proxies import FORWARDED_FOR, FORWARDED_USER, Proxies, UnclearHeaderError, host_of, name_in
from konnectd.web.route import Route
from konnectd.web.transport import Request
from konnectd.web.views import ErrorKind
from konnectd.web.waiting import Waiting, resume

log = Logger()

#: Makes an answer from a request and the reference that is also in the log.
Hide: TypeAlias = Callable[[HttpRequest, str], HttpResponse]
#: Told of every answer: the route (None without one), what was asked, what was answered, and after how many seconds.
Observe: TypeAlias = Callable[[Route | None, HttpRequest, HttpResponse, float], None]

#: Spec: RFC 3986 3.3 (path).
_PATH = re.compile(rb"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*\Z")
#: Printable ASCII without ``#``, which can not be part of a request target; clients are careless about the rest.
_QUERY = re.compile(rb"[!\"$-~]*\Z")
_EVERY_METHOD = b"GET, HEAD, POST, OPTIONS"


@frozen(kw_only=True)
class Replies:
    """Makes the answers of all routes.

    Attributes:
        not_found: answers where there is no route; gets a reference like ``failure``.
        failure: answers what is our fault.
        reference: makes a name for one failure that is both in the log and in the answer.
    """

    not_found: Hide
    failure: Hide
    reference: Callable[[], str]

    async def reply(self, mounted: Mounted, request: HttpRequest) -> HttpResponse:
        """Return the answer of a route, whatever happens, unless it is canceled.

        Raises:
            CancelledError: the browser left, or its answer took too long.
        """
        if request.method not in mounted.methods:
            if request.method == "OPTIONS":
                return origin.answer_options(mounted.route, request)
            if request.method != "HEAD" or "GET" not in mounted.methods:
                return self.refuse_method(mounted, request)
            request = evolve(request, method="GET")
        try:
            answer = await mounted.route.respond(request)
        except CancelledError:
            raise
        except Exception as error:  # all failures of all endpoints end here
            return self.explain(mounted, request, error)
        return answer

    def refuse_method(self, mounted: Mounted, request: HttpRequest) -> HttpResponse:
        """Return the answer to a method that a route does not take: a page where there are pages."""
        reference, error = self.reference(), FormRefusedError(ErrorKind.METHOD)
        try:
            answer = mounted.route.face(error, request, reference)
        except Exception:  # a face that fails is our fault as well
            return self.hide(mounted.route.name, request, reference)
        if answer is None:
            return method_not_allowed(mounted.allow)
        told = refused(mounted.route.name, error, reference, status=answer.status, answered=Answered.by(answer))
        return answer.with_headers((b"Allow", mounted.allow)).telling(told)

    def missing(self, request: HttpRequest) -> HttpResponse:
        """Return the answer where there is no route."""
        try:
            return self.not_found(request, self.reference())
        except Exception:  # a page that fails is our fault
            return self.hide("-", request)

    def explain(self, mounted: Mounted, request: HttpRequest, error: Exception) -> HttpResponse:
        """Give a failure its face, or hide it."""
        reference = self.reference()
        try:
            answer = mounted.route.face(error, request, reference)
        except Exception:  # a face that fails is our fault as well
            return self.hide(mounted.route.name, request, reference)
        if answer is None:
            failure = Failure(error)  # type: ignore[no-untyped-call]
            return self.hide(mounted.route.name, request, reference, failure)
        told = refused(mounted.route.name, error, reference, status=answer.status, answered=Answered.by(answer))
        return answer.telling(told)

    def too_late(self, mounted: Mounted, request: HttpRequest) -> HttpResponse:
        """Return the answer when a route takes too long: something behind us does not answer."""
        return self.explain(mounted, request, BackendUnavailableError("no answer within the time for one request"))

    def hide(
        self, route_name: str, request: HttpRequest, reference: str = "", failure: Failure | None = None
    ) -> HttpResponse:
        """Log what is our fault and answer without a word about it.

        Args:
            route_name: for the log; the request itself never gets there, as it may carry codes and tokens.
            request: what was asked.
            reference: a new one if empty.
            failure: the one being handled if None.
        """
        reference = reference or self.reference()
        log.failure("{route}: our fault, reference {reference}", failure=failure, route=route_name, reference=reference)
        try:
            answer = self.failure(request, reference)
            wire.check_headers(answer.headers)
        except Exception:  # the last resort must not need one
            log.failure("the page for our faults fails itself, reference {reference}", reference=reference)
            return plain(500)
        return answer


def read(request: server.Request) -> HttpRequest:
    """Take from Twisted's request all that the daemon ever looks at, with nothing decoded."""
    path, _, query = request.uri.partition(b"?")
    content = request.content
    return HttpRequest(
        method=request.method.decode("ascii"),
        path=path.decode("latin-1"),
        query=query.decode("latin-1"),
        headers={
            _lower(name): (values[0] if len(values) == 1 else _join(name, values)).decode("latin-1")
            for name, values in request.requestHeaders.getAllRawHeaders()
        },
        body=b"" if content is None else content.read(),
        peer=host_of(request.client),
    )


def read_behind(proxies: Proxies, request: server.Request) -> HttpRequest:
    """Take the same, and if it comes from a trusted proxy, what that says about whoever is at its other end.

    Raises:
        UnclearHeaderError: it says it in a way that could be understood in two.
    """
    seen, headers = read(request), request.requestHeaders
    if not proxies.trusts(request.client):
        return seen
    client = proxies.client(headers.getRawHeaders(FORWARDED_FOR) or ())
    return evolve(seen, forwarded=client, recognized=name_in(headers.getRawHeaders(FORWARDED_USER) or ()))


@lru_cache(maxsize=256)
def _lower(name: bytes) -> str:
    """Return a header's name in lower case; there are few different ones."""
    return name.decode("latin-1").lower()


def _join(name: bytes, values: Sequence[bytes]) -> bytes:
    """Join a repeated header.

    Spec: RFC 9110 5.3; RFC 9113 8.2.3 for cookies.
    """
    return (b"; " if name == b"Cookie" else b", ").join(values)


class Edge(Resource):
    """All routes as one resource."""

    isLeaf = True

    def __init__(
        self,
        routes: Sequence[Route],
        replies: Replies,
        seconds: Callable[[], float],
        observe: Observe | None = None,
        proxies: Proxies | None = None,
    ) -> None:
        """Mount the routes.

        Args:
            routes: each path once.
            replies: makes their answers.
            seconds: a clock for durations.
            observe: told of every answer.
            proxies: that are trusted; None for none, which costs nothing.

        Raises:
            ValueError: two routes have one path, or a path is not a plain one.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self._replies = replies
        self._seconds = seconds
        self._observe = observe
        self._read: Callable[[server.Request], HttpRequest] = read
        self._proxies = proxies
        if proxies is not None:
            self._read = partial(read_behind, proxies)
        self._fast: dict[bytes, Mounted] = {}
        self._klein = Klein()
        if len({route.path for route in routes}) != len(routes):
            raise ValueError("two routes have one path")
        for route in routes:
            self._mount(Mounted.of(route))
        missing = _Missing(self._missing)
        unmatched: Any = lambda _request, _failure: missing  # noqa: E731 - Klein's types and its calls disagree
        self._klein.handle_errors(HTTPException)(unmatched)
        self._tree: Any = self._klein.resource()

    def _mount(self, mounted: Mounted) -> None:
        """Put a route into Klein, and into the fast lane if it is hot."""

        def respond(request: Any) -> Deferred[None] | None:  # noqa: ANN401 - what Klein hands over is Twisted's
            return self._start(mounted, request)

        self._klein.route(mounted.route.path, endpoint=mounted.route.path)(respond)
        if mounted.route.fast:
            self._fast[mounted.route.path.encode("ascii")] = mounted

    def render(self, request: server.Request) -> int:
        """Serve as a resource of any site, as tests without a socket do."""
        self(request)
        return server.NOT_DONE_YET

    def __call__(self, request: server.Request) -> None:
        """Answer a request, now or later."""
        if self._proxies is not None and not self._is_clear(self._proxies, request):
            return
        path, _, query = request.uri.partition(b"?")
        mounted = self._fast.get(path)
        if query and _QUERY.match(query) is None:
            self._refuse(request)
        elif mounted is not None:
            self._start(mounted, request)
        elif _PATH.match(path) is None:
            self._off_path(request, path)
        elif AMBIGUOUS.search(path) is not None:
            self._missing(request)
        else:
            request.prepath = []
            request.postpath = path[1:].split(b"/")
            self._tree.render(request)

    def _is_clear(self, proxies: Proxies, request: server.Request) -> bool:
        """Tell whether a trusted proxy says clearly who is there, if it says it; what is not clear is refused here."""
        names = request.requestHeaders.getRawHeaders(FORWARDED_USER)
        if not names or not proxies.trusts(request.client):
            return True
        try:
            name_in(names)
        except UnclearHeaderError as error:
            text, peer = "refused a request of the trusted proxy {peer}: {problem}", host_of(request.client) or "unix"
            log.warn(text, peer=peer, problem=str(error))
            self._finish(request, read(request), None, plain(400), self._seconds())
            return False
        return True

    def _off_path(self, request: server.Request, path: bytes) -> None:
        """Answer a target that is no path: the server as a whole, or nonsense.

        Absolute URLs are for proxies; taking them would mean to hear two host names at once.

        Spec: RFC 9112 3.2.4 (``OPTIONS *``).
        """
        if path == b"*" and request.method == b"OPTIONS":
            answer = HttpResponse(status=204, headers=((b"Allow", _EVERY_METHOD),))
            self._finish(request, self._read(request), None, answer, self._seconds())
        else:
            self._refuse(request)

    def _refuse(self, request: server.Request) -> None:
        """Answer a target that no client of ours sends."""
        self._finish(request, read(request), None, plain(400), self._seconds())

    def _missing(self, request: server.Request) -> None:
        """Answer that there is nothing."""
        started = self._seconds()
        seen = self._read(request)
        self._finish(request, seen, None, self._replies.missing(seen), started)

    def _start(self, mounted: Mounted, request: server.Request) -> Deferred[None] | None:
        """Answer at once what needs no waiting; for the rest return what tells when it is over."""
        started = self._seconds()
        seen = self._read(request)
        reply = self._replies.reply(mounted, seen)
        try:
            waits_for = reply.send(None)
        except StopIteration as stop:
            self._finish(request, seen, mounted, stop.value, started)
            return None
        except CancelledError:
            # Nobody canceled this one: something behind us was, and let it through.
            self._finish(request, seen, mounted, self._replies.hide(mounted.route.name, seen), started)
            return None
        return Waiting(
            request,
            resume(reply, waits_for),
            finish=lambda answer: self._finish(request, seen, mounted, answer, started),
            too_late=lambda: self._replies.too_late(mounted, seen),
            stray=lambda failure: self._replies.hide(mounted.route.name, seen, failure=failure),
        ).over

    def _finish(
        self, request: server.Request, seen: HttpRequest, mounted: Mounted | None, answer: HttpResponse, started: float
    ) -> None:
        """Send an answer, and tell who counts."""
        fixed = b"" if mounted is None else mounted.fixed
        try:
            _send(request, answer, fixed)
        except wire.UnsafeHeaderError:
            answer = self._replies.hide("-" if mounted is None else mounted.route.name, seen)
            _send(request, answer, fixed)
        if self._observe is not None:
            try:
                self._observe(None if mounted is None else mounted.route, seen, answer, self._seconds() - started)
            except Exception:  # whoever counts must not keep the next answer from anybody
                log.failure("an answer could not be counted")


class _Missing(Resource):
    """Where Klein goes for paths without a route: it leaves the answer to a resource alone."""

    isLeaf = True

    def __init__(self, answer: Callable[[server.Request], None]) -> None:
        """Keep who answers."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._answer = answer

    def render(self, request: server.Request) -> int:
        """Let it be answered."""
        self._answer(request)
        return server.NOT_DONE_YET


def _send(request: server.Request, answer: HttpResponse, fixed: bytes) -> None:
    """Send an answer on our own kind of request, or on Twisted's, which in-memory tests use.

    Raises:
        UnsafeHeaderError: a header could not be sent as it is; nothing was sent.
    """
    if isinstance(request, Request):
        request.send(answer, fixed)
        return
    wire.check_headers(answer.headers)
    request.setResponseCode(answer.status)
    headers = request.responseHeaders
    headers.removeHeader(b"Server")
    if wire.has_content(answer):
        headers.addRawHeader(b"Content-Length", b"%d" % len(answer.body))
    for line in fixed.splitlines():
        name, _, value = line.partition(b": ")
        headers.addRawHeader(name, value)
    for name, value in wire.full_headers(answer.headers):
        headers.addRawHeader(name, value)
    untyped: Any = request
    untyped.write(answer.body)
    untyped.finish()
