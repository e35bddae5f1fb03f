"""People and applications who ask for everything that a sign-in needs, while something happens to the daemon.

Some ask on one connection that stays open, others on a new one for each request. Every answer has to be the one that
the protocol has for it; anything else, and a connection that ends, is a failure.
"""

import base64
import http.client
import json
import re
import threading
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

from attrs import field, frozen

from tests.real.crew import Crew
from tests.real.person import FORM, Person
from tests.support.requests import CHALLENGE, VERIFIER

METADATA, JWKS = "/.well-known/openid-configuration", "/konnect/v1/jwks.json"
AUTHORIZE, TOKEN, USERINFO = "/signin/v1/identifier/_/authorize", "/konnect/v1/token", "/konnect/v1/userinfo"
_PATIENCE = 30.0
_STYLE = re.compile(rb'href="([^"]*/konnectd\.[^"]*\.css)"')


class UnexpectedError(Exception):
    """An answer is not the one that there should be."""


@frozen(kw_only=True)
class Application:
    """A client that is registered all the time, and one of its people."""

    client_id: str
    secret: str = field(repr=False)
    callback: str
    username: str
    password: str = field(repr=False)

    @property
    def request(self) -> str:
        """The target of an authorization request."""
        words = {
            "client_id": self.client_id,
            "redirect_uri": self.callback,
            "response_type": "code",
            "scope": "openid profile",
            "state": "s",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return f"{AUTHORIZE}?{urlencode(words)}"


class Line:
    """A way to the daemon: one connection, or one for each request."""

    def __init__(self, port: int, *, kept: bool) -> None:
        """Ask nothing yet."""
        self._port = port
        self._kept = kept
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, target: str, status: int = 200, body: str = "", **headers: str) -> http.client.HTTPResponse:
        """Ask, and return the answer, whose body is in ``content``.

        Raises:
            UnexpectedError: it has another status.
        """
        connection = self._connection or http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        connection.request("POST" if body else "GET", target, body or None, headers)
        answer = connection.getresponse()
        self.content = answer.read()
        self._connection = connection if self._kept else None
        if not self._kept:
            connection.close()
        if answer.status != status:
            raise UnexpectedError(f"{target}: {answer.status} instead of {status}: {self.content[:200]!r}")
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()


class Crowd(Crew):
    """Asks from several threads until it is told to stop.

    Attributes:
        answered: how many answers were as they should be.
        signed_in: how many people were signed in from beginning to end.
        failures: what was not as it should be.
        waits: how long each answer took that was not part of a sign-in, in seconds.
    """

    def __init__(self, port: int, application: Application) -> None:
        """Get ready."""
        self.answered = 0
        self.signed_in = 0
        self.failures: list[str] = []
        self.waits: list[float] = []
        self._port = port
        self._application = application
        self._stop = threading.Event()
        self._lock = threading.Lock()
        work = (self._look, self._sign_in)
        self._threads = [
            threading.Thread(target=self._go_on, args=(step, kept), daemon=True)
            for step in work
            for kept in (True, False)
        ]

    def _go_on(self, step: Callable[[Line], None], kept: bool) -> None:
        """Do something until it is enough."""
        line = Line(self._port, kept=kept)
        while not self._stop.is_set():
            try:
                step(line)
            except (OSError, http.client.HTTPException, UnexpectedError, AssertionError) as error:
                with self._lock:
                    self.failures.append(repr(error))
                line.close()
                line = Line(self._port, kept=kept)
        line.close()

    def _ask(
        self, line: Line, target: str, status: int = 200, body: str = "", **headers: str
    ) -> http.client.HTTPResponse:
        """Ask, and count."""
        begun = time.monotonic()
        answer = line.ask(target, status, body, **headers)
        with self._lock:
            self.answered += 1
            self.waits.append(time.monotonic() - begun)
        return answer

    def _look(self, line: Line) -> None:
        """Look at documents and at the sign-in page, with what it refers to."""
        self._ask(line, METADATA)
        self._ask(line, JWKS)
        page = str(self._ask(line, self._application.request, 302).headers["Location"])
        self._ask(line, urlsplit(page).path + "?" + urlsplit(page).query)
        for style in _STYLE.findall(line.content):
            self._ask(line, style.decode())

    def _sign_in(self, line: Line) -> None:
        """Sign somebody in, get tokens, and look who it is."""
        app, person = self._application, Person(self._application.callback)
        page = person.open(f"http://localhost:{self._port}{app.request}", typed=True)
        if page.status != http.client.OK or not page.fields:
            raise UnexpectedError(f"no form: {page.url} {page.status}: {page.text[:300]!r}")
        came_back = person.submit(username=app.username, password=app.password)
        words = parse_qs(urlsplit(came_back.url).query)
        if "code" not in words:
            raise UnexpectedError(f"no code: {came_back.url} {came_back.status}")
        body = urlencode(
            {
                "grant_type": "authorization_code",
                "code": words["code"][0],
                "redirect_uri": app.callback,
                "code_verifier": VERIFIER,
            }
        )
        proof = base64.b64encode(f"{app.client_id}:{app.secret}".encode()).decode()
        self._ask(line, TOKEN, 200, body, Authorization=f"Basic {proof}", **{"Content-Type": FORM})
        token = json.loads(line.content)["access_token"]
        self._ask(line, USERINFO, Authorization=f"Bearer {token}")
        with self._lock:
            self.signed_in += 1
            self.answered += len(came_back.hops) + 1
