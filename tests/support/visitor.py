"""A browser in memory: it keeps cookies as browsers do, follows redirects while they stay with us, and posts forms."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit
from xml.etree import ElementTree

from attrs import field, frozen

from tests.support.assembly import FORM_HEADER, Daemon
from tests.support.connection import Heard
from tests.support.markup import DOCTYPE, answerable, text_of

#: More redirects in a row than any flow has.
MOST_HOPS = 8


@frozen(kw_only=True)
class Cookie:
    """One cookie in a jar."""

    name: str
    value: str = field(repr=False)
    path: str
    secure: bool
    same_site: str
    expires_at: float

    def goes_to(self, path: str) -> bool:
        """Tell whether a request gets it. Spec: RFC 6265 5.1.4."""
        return path == self.path or (
            path.startswith(self.path) and (self.path.endswith("/") or path[len(self.path)] == "/")
        )


@frozen(kw_only=True)
class Visit:
    """Where a browser has ended up.

    Attributes:
        url: the whole address; somebody else's when the last answer sent the browser away.
        answer: the last one that we gave.
        locations: where each redirect on the way led.
        left: whether it is with somebody else now.
    """

    url: str
    answer: Heard
    locations: tuple[str, ...] = ()
    left: bool = False

    @property
    def path(self) -> str:
        """The path of the address."""
        return urlsplit(self.url).path

    @property
    def text(self) -> str:
        """What there is to read."""
        return text_of(self.answer.body)

    @property
    def title(self) -> str:
        """The heading."""
        root = ElementTree.fromstring(self.answer.body.decode().removeprefix(DOCTYPE))  # noqa: S314 - our own page
        return " ".join("".join(next(root.iter("h1")).itertext()).split())

    @property
    def fields(self) -> dict[str, str]:
        """Names and values of the form's fields, buttons left out."""
        return {
            element.attributes["name"]: element.attributes.get("value", "")
            for element in answerable(self.answer.body)
            if element.name == "input"
        }

    @property
    def action(self) -> str:
        """Where the form goes."""
        (action,) = (e.attributes["action"] for e in answerable(self.answer.body) if e.name == "form")
        return action


class Visitor:
    """One person's browser.

    Attributes:
        jar: its cookies, by name and path.
    """

    def __init__(self, daemon: Daemon) -> None:
        """Open it for the first time."""
        self.daemon = daemon
        self.jar: dict[tuple[str, str], Cookie] = {}

    def open(self, url: str, *, cross_site: bool = True) -> Visit:
        """Go to an address, as a link or a redirect of an application does."""
        return self._follow("GET", urljoin(self.daemon.origin, url), "", (), cross_site)

    def post(self, url: str, fields: Mapping[str, str], *headers: str, cross_site: bool = True) -> Visit:
        """Post fields to an address, as a form of anybody's does."""
        return self._follow("POST", urljoin(self.daemon.origin, url), urlencode(fields), headers, cross_site)

    def submit(self, visit: Visit, *headers: str, **fields: str) -> Visit:
        """Fill in the form of a page and press a button, which is a field as well."""
        sent = {**visit.fields, **fields}
        ours = headers or (f"Origin: {self.daemon.origin}", f"Referer: {visit.url}", "Sec-Fetch-Site: same-origin")
        return self.post(urljoin(visit.url, visit.action), sent, *ours, cross_site=False)

    def send(
        self,
        method: str,
        url: str,
        body: str = "",
        *headers: str,
        cross_site: bool = False,
        body_header: str = FORM_HEADER,
    ) -> Heard:
        """Ask once and keep the cookies of the answer."""
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        cookies = self.cookies_for(url, lax=not (cross_site and method == "POST"))
        lines = [f"Cookie: {cookies}"] if cookies else []
        lines += [body_header] if body and body_header else []
        answer = self.daemon.ask(method, target, *lines, *headers, body=body.encode())
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                self._keep(value, secure=parts.scheme == "https")
        return answer

    def cookies_for(self, url: str, *, lax: bool = True) -> str:
        """Return what goes into the ``Cookie`` header: longest paths first. Spec: RFC 6265 5.4."""
        parts = urlsplit(url)
        found = [
            cookie
            for cookie in self.jar.values()
            if cookie.goes_to(parts.path)
            and self.daemon.clock.now() < cookie.expires_at
            and (lax or cookie.same_site == "None")
            and (not cookie.secure or parts.scheme == "https")
        ]
        found.sort(key=lambda cookie: -len(cookie.path))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in found)

    def holds(self, name: str) -> bool:
        """Tell whether there is a cookie of a name that has not run out."""
        now = self.daemon.clock.now()
        return any(cookie.name == name and now < cookie.expires_at for cookie in self.jar.values())

    def _follow(self, method: str, url: str, body: str, headers: tuple[str, ...], cross_site: bool) -> Visit:
        """Ask, and go where the answers say as long as it is with us."""
        locations: list[str] = []
        answer = self.send(method, url, body, *headers, cross_site=cross_site)
        while answer.header("Location"):
            if answer.status != (303 if method == "POST" else 302):
                raise AssertionError(f"{method} is answered by {answer.status}")
            url = urljoin(url, answer.header("Location"))
            locations.append(url)
            if not url.startswith(f"{self.daemon.origin}/"):
                return Visit(url=url, answer=answer, locations=tuple(locations), left=True)
            if len(locations) > MOST_HOPS:
                raise AssertionError(f"in circles: {locations}")
            method = "GET"
            answer = self.send("GET", url, cross_site=cross_site)
        return Visit(url=url, answer=answer, locations=tuple(locations))

    def _keep(self, line: str, *, secure: bool) -> None:
        """Do as a ``Set-Cookie`` header says, or refuse what a browser refuses."""
        jar: SimpleCookie = SimpleCookie()
        jar.load(line)
        if len(jar) != 1:
            raise CookieError(line)
        ((name, morsel),) = jar.items()
        prefixed = name.startswith("__Secure-")
        if (prefixed or morsel["samesite"] == "None") and not morsel["secure"]:
            raise CookieError(f"a browser does not keep {name}")
        if morsel["secure"] and not secure:
            raise CookieError(f"a browser does not take {name} over http")
        age = float(morsel["max-age"] or "inf")
        cookie = Cookie(
            name=name,
            value=morsel.value,
            path=morsel["path"],
            secure=bool(morsel["secure"]),
            same_site=morsel["samesite"],
            expires_at=self.daemon.clock.now() + age,
        )
        self.jar[name, cookie.path] = cookie
        if age <= 0:
            del self.jar[name, cookie.path]
