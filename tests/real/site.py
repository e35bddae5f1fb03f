"""A web server for files that a page of a test consists of, on loopback."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

_TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


@contextmanager
def site(files: Mapping[str, Path]) -> Iterator[str]:
    """Serve files and stop again.

    Args:
        files: by the path at which each is found.

    Yields:
        The origin. Its host is ``localhost``, because 127.0.0.1 would be another site than the daemon's for a browser.
    """

    class Visit(BaseHTTPRequestHandler):
        """One request."""

        def do_GET(self) -> None:
            """Answer with the file."""
            file = files.get(self.path.partition("?")[0])
            content = file.read_bytes() if file else b""
            self.send_response(200 if file else 404)
            self.send_header("Content-Type", _TYPES.get(file.suffix if file else "", "text/plain"))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name in the base class
            """Say nothing: the test looks for itself."""

    server = ThreadingHTTPServer(("localhost", 0), Visit)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
