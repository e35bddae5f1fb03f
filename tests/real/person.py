"""A person with a browser that is no browser: real HTTP, cookies as browsers keep them, redirects, forms.

It goes wherever it is sent, like browsers do, except to addresses of an application that has no server in a test: there
it stops, and the address it was sent to is what the application would have got.
"""

import http.client
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http.cookies import CookieError, SimpleCookie
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from attrs import field, frozen

from tests.support.markup import Element, answerable, elements, text_of

#: More redirects in a row than any flow has.
MOST_HOPS = 12
PATIENCE = 20.0
FORM = "application/x-www-form-urlencoded"
#: Who it says that it is; some applications tie a sign-in to this.
HEADERS = {"User-Agent": "Person/1.0", "Accept": "text/html,*/*;q=0.8", "Accept-Language": "en"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})


@frozen(kw_only=True)
class Cookie:
    """One cookie; it does not know ports, as no cookie does."""

    host: str
    name: str
    value: str = field(repr=False)
    path: str
    secure: bool
    http_only: bool
    same_site: str
    expires_at: float

    def goes_to(self, url: str) -> bool:
        """Tell whether a request for an address carries it. Spec: RFC 6265 5.1.4 and 5.4."""
        parts = urlsplit(url)
        path = parts.path or "/"
        below = path.startswith(self.path.rstrip("/") + "/")
        return (
            parts.hostname == self.host
            and (path == self.path or below)
            and (parts.scheme == "https" or not self.secure)
            and time.time() < self.expires_at
        )


@frozen(kw_only=True)
class Page:
    """What is to be seen.

    Attributes:
        url: its address.
        status: 0 for an address that was not opened because nobody is there.
        hops: the addresses that led here, the first one included.
    """

    url: str
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    hops: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What there is to read."""
        return text_of(self.body)

    @property
    def title(self) -> str:
        """The heading."""
        (heading,) = (element for element in elements(self.body) if element.name == "h1")
        return " ".join("".join(heading.text).split())

    @property
    def form(self) -> Element:
        """The form."""
        (form,) = (element for element in answerable(self.body) if element.name == "form")
        return form

    @property
    def fields(self) -> dict[str, str]:
        """Names and values of the form's fields, buttons left out."""
        found = (element.attributes for element in answerable(self.body) if element.name == "input")
        return {each["name"]: each.get("value", "") for each in found if "name" in each}

    def header(self, name: str) -> str:
        """Return a header; empty if there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Person:
    """One person's browser.

    Attributes:
        jar: its cookies.
        here: the page that is open; the origin of what is asked for next.
    """

    def __init__(self, *nobody_at: str) -> None:
        """Open it for the first time.

        Args:
            nobody_at: beginnings of addresses that are not opened.
        """
        self.jar: dict[tuple[str, str, str], Cookie] = {}
        self.here = Page(url="")
        self._nobody_at = nobody_at

    def open(self, url: str, *, typed: bool = False) -> Page:
        """Go to an address: by a link on the page that is open, or typed."""
        return self._go("GET", url, b"", Page(url="") if typed else self.here)

    def submit(self, **words: str) -> Page:
        """Fill in the form of the page that is open and send it; a button is a field as well."""
        form = self.here.form.attributes
        if form["method"].lower() != "post":
            raise AssertionError("a form that is not posted shows its words in the address")
        body = urlencode({**self.here.fields, **words}).encode()
        return self._go("POST", urljoin(self.here.url, form["action"]), body, self.here)

    def forget(self, host: str) -> None:
        """Throw the cookies of one host away."""
        self.jar = {key: cookie for key, cookie in self.jar.items() if cookie.host != host}

    def holds(self, name: str) -> bool:
        """Tell whether there is a living cookie of a name."""
        return any(cookie.name == name and time.time() < cookie.expires_at for cookie in self.jar.values())

    def _go(self, method: str, url: str, body: bytes, origin: Page) -> Page:
        """Ask, and follow redirects to their end."""
        hops: list[str] = []
        while True:
            if len(hops) > MOST_HOPS:
                raise AssertionError(f"in circles: {hops}")
            if url.startswith(self._nobody_at or ("\0",)):
                self.here = Page(url=url, hops=tuple(hops))
                return self.here
            page = self._ask(method, url, body, origin)
            if page.status not in _REDIRECTS:
                self.here = Page(url=url, status=page.status, headers=page.headers, body=page.body, hops=tuple(hops))
                return self.here
            hops.append(url)
            url = urljoin(url, page.header("Location"))
            if page.status not in _KEEP_METHOD:
                method, body = "GET", b""

    def _ask(self, method: str, url: str, body: bytes, origin: Page) -> Page:
        """Ask once."""
        parts = urlsplit(url)
        connection = self._connection(parts)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request(method, target, body or None, self._headers(method, url, origin))
            answer = connection.getresponse()
            headers, content = tuple(answer.getheaders()), answer.read()
        finally:
            connection.close()
        for name, value in headers:
            if name.lower() == "set-cookie":
                self._keep(value, url)
        return Page(url=url, status=answer.status, headers=headers, body=content)

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        """Return what connects to the host of an address."""
        return http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=PATIENCE)

    def _headers(self, method: str, url: str, origin: Page) -> Mapping[str, str]:
        """Return what a browser would send along."""
        site = _relation(origin.url, url)
        headers = {**HEADERS, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        if method == "POST":
            headers |= {"Content-Type": FORM, "Origin": _origin(origin.url)}
        kinds = {"", "none", "lax", "strict"}
        if site == "cross-site":
            kinds -= {"strict"} if method == "GET" else {"", "lax", "strict"}
        found = [each for each in self.jar.values() if each.goes_to(url) and each.same_site in kinds]
        found.sort(key=lambda cookie: -len(cookie.path))
        if found:
            headers["Cookie"] = "; ".join(f"{cookie.name}={cookie.value}" for cookie in found)
        return headers

    def _keep(self, line: str, url: str) -> None:
        """Do as a ``Set-Cookie`` header says, or fail where a browser would not take it. Spec: RFC 6265 5.3."""
        parts = urlsplit(url)
        jar: SimpleCookie = SimpleCookie()
        jar.load(line)
        if len(jar) != 1:
            raise CookieError(line)
        ((name, morsel),) = jar.items()
        if morsel["secure"] and parts.scheme != "https":
            raise CookieError(f"{name} is Secure, and browsers do not take it over {parts.scheme}")
        if morsel["samesite"].lower() == "none" and not morsel["secure"]:
            raise CookieError(f"browsers do not take {name}, which is for all sites and not Secure")
        if morsel["domain"] not in {"", parts.hostname}:
            raise CookieError(f"{name} is for {morsel['domain']}")
        path = morsel["path"] if morsel["path"].startswith("/") else parts.path.rpartition("/")[0] or "/"
        cookie = Cookie(
            host=parts.hostname or "",
            name=name,
            value=morsel.value,
            path=path,
            secure=bool(morsel["secure"]),
            http_only=bool(morsel["httponly"]),
            same_site=morsel["samesite"].lower(),
            expires_at=_end(morsel["max-age"], morsel["expires"]),
        )
        self.jar[cookie.host, name, path] = cookie
        if cookie.expires_at <= time.time():
            del self.jar[cookie.host, name, path]


def _end(max_age: str, expires: str) -> float:
    """Return when a cookie ends. Spec: RFC 6265 5.3, which prefers ``Max-Age``."""
    if max_age:
        return time.time() + float(max_age)
    return parsedate_to_datetime(expires).timestamp() if expires else float("inf")


def _origin(url: str) -> str:
    """Return the origin of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _relation(begun_at: str, url: str) -> str:
    """Say how an address is related to the one that led to it. Spec: Fetch Metadata 2.4."""
    if not begun_at:
        return "none"
    if _origin(begun_at) == _origin(url):
        return "same-origin"
    return "same-site" if urlsplit(begun_at).hostname == urlsplit(url).hostname else "cross-site"
