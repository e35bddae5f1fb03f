"""An application that signs people in by a cookie and tells konnectd who they are; for trying the cookie backend out.

    python3 whoami.py 8088

It needs nothing but Python. Anybody can sign in under any of its names, so it is an example and no way to sign people
in: what is to be kept of it is the answer of `Visit.do_POST`, which is all that konnectd asks for.
"""

import json
import secrets
import sys
import time
from html import escape
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

COOKIE = "example-app"
#: Where people may be sent back to: konnectd, and nobody else. `continue` comes from an address that anybody can write.
CONTINUE_TO = ("http://localhost:", "http://127.0.0.1:")
PEOPLE = {
    "alice": {"sub": "alice", "name": "Alice Liddell", "email": "alice@example.org", "id": 1},
    "bob": {"sub": "bob", "name": "Bob Builder", "email": "bob@example.org", "id": 2},
}
#: Who is signed in, and since when, by the value of the cookie.
SESSIONS: dict[str, tuple[str, int]] = {}


class Visit(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Say who carries the cookie: 401 for nobody, 403 for a session that is over."""
        ticket = self._ticket()
        if not ticket:
            self._answer(HTTPStatus.UNAUTHORIZED)
        elif ticket not in SESSIONS:
            self._answer(HTTPStatus.FORBIDDEN)
        else:
            name, since = SESSIONS[ticket]
            content = json.dumps({**PEOPLE[name], "auth_time": since}).encode()
            self._answer(HTTPStatus.OK, content, ("Content-Type", "application/json"))

    def do_GET(self) -> None:
        """Show the sign-in page; sign somebody in, or out, and send them back."""
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        back = query.get("continue", "")
        if back and not back.startswith(CONTINUE_TO):
            self._answer(HTTPStatus.BAD_REQUEST)
        elif address.path.endswith("/logout"):
            SESSIONS.pop(self._ticket(), None)
            self._answer(HTTPStatus.OK, b"signed out", ("Set-Cookie", f"{COOKIE}=; Path=/; Max-Age=0"))
        elif query.get("user") in PEOPLE:
            ticket = secrets.token_urlsafe()
            SESSIONS[ticket] = (query["user"], int(time.time()))
            kept = ("Set-Cookie", f"{COOKIE}={ticket}; Path=/; HttpOnly; SameSite=Lax")
            self._answer(HTTPStatus.SEE_OTHER, b"", kept, ("Location", back or "/"))
        else:
            self._answer(HTTPStatus.OK, _page(back), ("Content-Type", "text/html; charset=utf-8"))

    def _ticket(self) -> str:
        """Return the value of the cookie; empty without one."""
        try:
            cookies = SimpleCookie(self.headers.get("Cookie", ""))
        except CookieError:
            return ""
        return cookies[COOKIE].value if COOKIE in cookies else ""

    def _answer(self, status: HTTPStatus, content: bytes = b"", *headers: tuple[str, str]) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(content))), ("Cache-Control", "no-store")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name in the base class
        """Say nothing: an address has `continue` in it."""


def _page(back: str) -> bytes:
    """Return the sign-in page."""
    buttons = "".join(
        f'<button name="user" value="{name}">{escape(who["name"])}</button>' for name, who in PEOPLE.items()
    )
    hidden = f'<input type="hidden" name="continue" value="{escape(back)}">'
    return f"<!doctype html><title>Sign in</title><h1>Sign in</h1><form>{hidden}{buttons}</form>".encode()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Visit).serve_forever()
