"""The whole demo without a socket: the real provider, the application, and a browser that keeps cookies."""

from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from attrs import frozen
from treq.testing import RequestTraversalAgent, StubTreq
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from konnectd.assembly import assemble
from konnectd.backends.file import FileBackend
from konnectd.background import Background
from konnectd.config.contents import read_contents
from konnectd.demo.assembly import demo_routes, with_client
from konnectd.demo.command import read_settings
from konnectd.demo.fetch import HttpFetch
from konnectd.demo.people import PEOPLE
from konnectd.parts import World
from konnectd.stores.memory import MemoryStore
from konnectd.web.route import Route
from konnectd.web.site import klein_resource
from konnectd.world import SystemClock, SystemEntropy
from tests.support.markup import elements

ORIGIN = "http://localhost:8777"
MOST_REDIRECTS = 12


class DirectChecker:
    """Knows the passwords of the demo's people without hashing anything."""

    async def matches(self, password_hash: str, password: str) -> bool:
        """Tell whether a password is the one behind a hash."""
        return any(person.password_hash == password_hash and person.password == password for person in PEOPLE)

    async def close(self) -> None:
        """Let go of nothing."""


class LateAgent:
    """An agent for routes that are not there yet when it is made."""

    def __init__(self) -> None:
        """Begin without anything to ask."""
        self.target: Any = None
        self.requests: list[bytes] = []

    def request(self, method: bytes, uri: bytes, headers: Headers | None = None, body: object = None) -> Deferred[Any]:
        """Make a request."""
        self.requests.append(uri)
        answer: Deferred[Any] = self.target.request(method, uri, headers, body)
        return answer


@frozen(kw_only=True)
class Page:
    """What a browser shows.

    Attributes:
        hops: addresses it was sent to before.
    """

    url: str
    status: int
    headers: Headers
    body: bytes
    hops: tuple[str, ...] = ()

    def header(self, name: str) -> str:
        """Return a header; empty if there is none."""
        return (self.headers.getRawHeaders(name) or [""])[0]

    def field(self, name: str) -> str:
        """Return the value of the first field of that name in a form."""
        return next(item.attributes["value"] for item in elements(self.body) if item.attributes.get("name") == name)

    @property
    def fields(self) -> dict[str, str]:
        """Return names and values of all fields, marked boxes included and buttons left out."""
        found = (item.attributes for item in elements(self.body) if item.name == "input")
        return {attributes["name"]: attributes["value"] for attributes in found}

    def action(self, word: str) -> str:
        """Return where the first form goes whose action has a word in it."""
        return next(
            item.attributes["action"]
            for item in elements(self.body)
            if item.name == "form" and word in item.attributes["action"]
        )


class Demo:
    """The provider and the application.

    Attributes:
        agent: the application's way to the provider.
        resource: everything, as Twisted serves it.
    """

    def __init__(self, *argv: str) -> None:
        """Put everything together."""
        settings = read_settings(["--signing-method=ES256", *argv], {})
        contents = with_client(read_contents(settings, warn=lambda _: None), settings)
        backend = FileBackend((person.file_user for person in PEOPLE), DirectChecker())
        world = World.build(settings, contents, backend, MemoryStore(SystemClock()))
        assembly = assemble(world, Background(Clock()))
        self.agent = LateAgent()
        # Both have the machine's clock: their tokens must agree about the time.
        fetch = HttpFetch(self.agent, Clock())
        routes: tuple[Route, ...] = demo_routes(settings, fetch, SystemClock(), SystemEntropy())
        self.resource = klein_resource(
            (*assembly.routes, *routes),
            not_found=assembly.faces.not_found,
            failure=assembly.faces.failure,
            reference=lambda: "reference",
        )
        self.agent.target = RequestTraversalAgent(self.resource)


class Visitor:
    """A browser without scripts.

    Attributes:
        cookies: what it keeps, by path and name.
        lines: every ``Set-Cookie`` it was sent.
    """

    def __init__(self, case: SynchronousTestCase, demo: Demo, *, origin: str = ORIGIN, base: str = "") -> None:
        """Begin without cookies."""
        self._origin = origin
        self._base = base
        self._case = case
        self._client = StubTreq(demo.resource)
        self._demo = demo
        self.cookies: dict[tuple[str, str], str] = {}
        self.lines: list[str] = []

    def get(self, url: str, **headers: str) -> Page:
        """Open an address and follow where it leads."""
        return self._go("GET", urljoin(self._origin, url), None, headers)

    def post(self, url: str, form: Mapping[str, str], **headers: str) -> Page:
        """Post a form from one of the origin's own pages and follow where it leads."""
        return self._go("POST", urljoin(self._origin, url), form, {"Origin": self._origin, **headers})

    def _go(self, method: str, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]) -> Page:
        """Make a request and follow redirects."""
        hops: list[str] = []
        for _ in range(MOST_REDIRECTS):
            page = self.once(method, url, form, headers)
            if page.status not in {302, 303}:
                return Page(url=url, status=page.status, headers=page.headers, body=page.body, hops=tuple(hops))
            hops.append(url)
            method, url, form = "GET", urljoin(url, page.header("Location")), None
        raise AssertionError(f"sent in circles: {hops}")

    def once(
        self, method: str, url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Page:
        """Make one request."""
        sent = Headers({name: [value] for name, value in (headers or {}).items()})
        path = urlsplit(url).path
        cookies = [f"{name}={value}" for (where, name), value in self.cookies.items() if path.startswith(where)]
        if cookies:
            sent.addRawHeader("Cookie", "; ".join(cookies))
        body = None
        if form is not None:
            sent.addRawHeader("Content-Type", "application/x-www-form-urlencoded")
            body = urlencode(form).encode()
        answer: Deferred[Any] = self._client.request(
            method, url.partition("#")[0], headers=sent, data=body, allow_redirects=False, unbuffered=True
        )
        # What the application asks of the provider meanwhile goes over connections of its own.
        self._demo.agent.target.flush()
        self._client.flush()
        response = self._case.successResultOf(answer)
        content = self._case.successResultOf(self._client.content(response))
        self._keep(response.headers)
        return Page(url=url, status=response.code, headers=response.headers, body=content)

    def _keep(self, headers: Headers) -> None:
        """Keep and forget what an answer says."""
        for line in headers.getRawHeaders("Set-Cookie") or []:
            self.lines.append(line)
            for name, morsel in SimpleCookie(line).items():
                key = (morsel["path"], name)
                if morsel["max-age"] == "0":
                    self.cookies.pop(key, None)
                else:
                    self.cookies[key] = morsel.value

    def sign_in(self, username: str = "alice", password: str = "wonderland", answer: str = "allow") -> Page:
        """Go from the first page to the application's answer."""
        home = self.get(f"{self._base}/demo/")
        form = self.post(home.action("start"), {"csrf": home.field("csrf")})
        fields = {"csrf": form.field("csrf"), "username": username, "password": password}
        consent = self.post(form.action(""), fields)
        return self.post(consent.action(""), {**consent.fields, answer: "1"})
