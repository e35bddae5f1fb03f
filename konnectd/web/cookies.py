"""Cookies on the wire: names, paths, flags and life. What is in them is sealed elsewhere.

An issuer on this very machine may be plain http; there no cookie can be ``Secure``, so it can have neither the
``__Secure-`` prefix nor ``SameSite=None``. Everywhere else the names are Konnect's.

Spec: RFC 6265bis 4.1.2 and 4.1.3.
"""

from collections.abc import Mapping

from attrs import frozen

from konnectd.flows.browser import BROWSER_STATE, KEPT_BROWSER_STATE, Browser, CookieChange, Keep, Recognized
from konnectd.http import Headers, HttpRequest
from konnectd.protocol.progress import TRIP_COOKIE
from konnectd.sources import Carried, is_ours
from konnectd.web.agents import Agent
from konnectd.web.locales import CHOSEN

_PREFIX = "__Secure-"
_LONG_AGO = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0"
#: The cookie that forms are bound to. It is needed on our own pages only.
FORM = "KKFT"
#: As much of a header about the browser as others are told, in characters.
LONGEST_HEADER = 1024


@frozen(kw_only=True)
class Cookies:
    """Reads and writes the cookies of one installation.

    Attributes:
        secure: whether browsers reach us by https.
        path: of the cookies that belong to the sign-in area; they go nowhere else.
        form_path: of the cookie that forms are bound to, which the sign-in page needs as well.
        session_path: of the browser state, which a script of ours reads there.
        root: of what counts wherever a page can be, error pages among them.
        by_browser: whether the backend knows people by what their browsers carry, and a proxy has no say in it.
        shown: the cookies that it has to see; empty for all that are not ours, None for none.
    """

    secure: bool
    path: str
    form_path: str
    session_path: str = "/"
    root: str = "/"
    by_browser: bool = False
    shown: tuple[str, ...] | None = None

    def read(self, request: HttpRequest) -> Browser:
        """Return what a browser kept for us, by short names, and who sits there as far as we are told."""
        prefix = _PREFIX if self.secure else ""
        found = request.cookies
        sealed = {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}
        if self.by_browser:
            agent = Agent.parse(request.header("user-agent"))
            carried = self._carried(request, found)
            return Browser(sealed, carried=carried, program=(agent.browser, agent.system))
        return Browser(sealed, _recognized(request) if request.recognized else None)

    def _carried(self, request: HttpRequest, found: Mapping[str, str]) -> Carried:
        """Return what a browser carries for the backend, which gets to see no cookie of ours."""
        shown = {} if self.shown is None else {name: value for name, value in found.items() if self._is_shown(name)}
        return Carried(
            cookies=shown,
            accept_language=request.header("accept-language")[:LONGEST_HEADER],
            user_agent=request.header("user-agent")[:LONGEST_HEADER],
        )

    def _is_shown(self, name: str) -> bool:
        """Tell whether the backend gets to see a cookie."""
        return not is_ours(name) and (not self.shown or name in self.shown)

    def write(self, changes: tuple[CookieChange, ...]) -> Headers:
        """Return the headers that tell a browser what to keep and what to forget."""
        return tuple((b"Set-Cookie", self._line(change).encode("ascii")) for change in changes)

    def wire_name(self, name: str) -> str:
        """Return what a cookie is called on the wire."""
        return f"{_PREFIX}{name}" if self.secure else name

    def _line(self, change: CookieChange) -> str:
        """Return one ``Set-Cookie`` value."""
        form, language = change.name == FORM, change.name == CHOSEN
        trip = change.name.startswith(TRIP_COOKIE)
        value, life = "", f"; {_LONG_AGO}"
        if isinstance(change, Keep):
            value, life = change.value, "" if change.max_age is None else f"; Max-Age={change.max_age}"
        path = self.form_path if form or trip else self.root if language else self.path
        hidden = "; HttpOnly"
        if change.name in {BROWSER_STATE, KEPT_BROWSER_STATE}:
            path, hidden = self.session_path, ""
        # Silent renewal in frames of other sites needs the logon there, and some authorities post to us; forms and
        # languages are ours alone.
        site = "; SameSite=None" if self.secure and not (form or language) else "; SameSite=Lax"
        secure = "; Secure" if self.secure else ""
        return f"{self.wire_name(change.name)}={value}; Path={path}{life}{secure}{hidden}{site}"


def _recognized(request: HttpRequest) -> Recognized:
    """Return who a proxy says the person is, and what in."""
    agent = Agent.parse(request.header("user-agent"))
    return Recognized(request.recognized, agent.browser, agent.system)
