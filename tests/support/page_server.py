"""A small HTTP server on loopback, in a thread, for browsers to look at pages."""

from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from attrs import evolve

from konnectd.http import HttpRequest, HttpResponse
from konnectd.paths import Paths
from konnectd.protocol.branding import PLAIN, Branding
from konnectd.web.branding import Branded
from konnectd.web.pages import Pages
from konnectd.web.static import StaticFiles
from konnectd.web.templates_path import find_templates
from konnectd.web.views import View
from konnectd.world import SystemEntropy
from tests.support.fakes import run
from tests.support.logos import PNG
from tests.support.views import LOGO

PREFIX = "/static/"


def static_files() -> StaticFiles:
    """Read the static files of this checkout."""
    return StaticFiles.read(find_templates() / "static", PREFIX)


class PageServer:
    """Serves views and static files, and keeps what is posted.

    Attributes:
        posts: every request that was posted, in order.
        views: what is shown under which path.
        logos: pictures of applications, by path.
        form_targets: passed to every page.
        ui_locales: passed to every page.
        on_post: answers what is posted.
        respond: answers everything; `answer` unless replaced.
    """

    def __init__(self, branding: Branding = PLAIN) -> None:
        """Prepare to serve on any free port, as an installation that has made something its own."""
        self.posts: list[HttpRequest] = []
        self.views: dict[str, View] = {}
        self.logos: dict[str, bytes] = {urlsplit(LOGO).path: PNG}
        self.form_targets: tuple[str, ...] = ()
        self.ui_locales = ""
        self.on_post: Callable[[HttpRequest], HttpResponse] = lambda request: HttpResponse.text("posted")
        self.respond: Callable[[HttpRequest], HttpResponse] = self.answer
        look = Branded.of(branding, static_files(), PREFIX)
        self._pages = Pages(
            find_templates(),
            static=look.static,
            entropy=SystemEntropy(),
            brand=look.brand,
            paths=evolve(Paths.below(""), pages="/"),
        )
        self._static = {route.path: route for route in look.static.routes}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop, and give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """Return the whole address of a path."""
        return f"http://{host}:{self._server.server_port}{path}"

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        if request.method == "POST":
            self.posts.append(request)
            return self.on_post(request)
        if request.path in self._static:
            return run(self._static[request.path].respond(request))  # type: ignore[arg-type]
        if request.path in self.logos:
            return HttpResponse(headers=((b"Content-Type", b"image/png"),), body=self.logos[request.path])
        if request.path in self.views:
            view, targets = self.views[request.path], self.form_targets
            return self._pages.render(view, request, ui_locales=self.ui_locales, form_targets=targets)
        return HttpResponse.text("nothing here", status=404)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        """Make the class that `http.server` wants."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            """Turns requests into values and answers into bytes."""

            def do_GET(self) -> None:
                """Answer."""
                self.respond()

            def do_POST(self) -> None:
                """Answer."""
                self.respond()

            def respond(self) -> None:
                """Answer."""
                path, _, query = self.path.partition("?")
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                response = server.respond(
                    HttpRequest(method=self.command, path=path, query=query, headers=headers, body=body)
                )
                self.send_response(response.status)
                for name, value in (*response.headers, (b"Content-Length", str(len(response.body)).encode())):
                    self.send_header(name.decode("latin-1"), value.decode("latin-1"))
                # A browser that was ended, or sent elsewhere, no longer waits for what it has asked for.
                with suppress(ConnectionError):
                    self.end_headers()
                    self.wfile.write(response.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
                """Say nothing."""

        return Handler
