"""Cookies on the wire: names, paths, flags and life. What is in them is sealed elsewhere.

An issuer on this very machine may be plain http; there no cookie can be ``Secure``, so it can have neither the
``__Secure-`` prefix nor ``SameSite=None``. Everywhere else the names are Konnect's.

Spec: RFC 6265bis 4.1.2 and 4.1.3.
"""

from attrs import frozen

from konnectd.flows.browser import BROWSER_STATE, KEPT_BROWSER_STATE, Browser, CookieChange, Keep, Recognized
from konnectd.http import Headers, HttpRequest
from konnectd.web.agents import Agent
from konnectd.web.locales import CHOSEN

_PREFIX = "__Secure-"
_LONG_AGO = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0"
#: The cookie that forms are bound to. It is needed on our own pages only.
FORM = "KKFT"


@frozen(kw_only=True)
class Cookies:
    """Reads and writes the cookies of one installation.

    Attributes:
        secure: whether browsers reach us by https.
        path: of the cookies that belong to the sign-in area; they go nowhere else.
        form_path: of the cookie that forms are bound to, which the sign-in page needs as well.
        session_path: of the browser state, which a script of ours reads there.
        root: of what counts wherever a page can be, error pages among them.
    """

    secure: bool
    path: str
    form_path: str
    session_path: str = "/"
    root: str = "/"

    def read(self, request: HttpRequest) -> Browser:
        """Return what a browser kept for us, by short names, and who sits there as far as we are told."""
        prefix = _PREFIX if self.secure else ""
        found = request.cookies
        sealed = {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}
        return Browser(sealed, _recognized(request) if request.recognized else None)

    def write(self, changes: tuple[CookieChange, ...]) -> Headers:
        """Return the headers that tell a browser what to keep and what to forget."""
        return tuple((b"Set-Cookie", self._line(change).encode("ascii")) for change in changes)

    def wire_name(self, name: str) -> str:
        """Return what a cookie is called on the wire."""
        return f"{_PREFIX}{name}" if self.secure else name

    def _line(self, change: CookieChange) -> str:
        """Return one ``Set-Cookie`` value."""
        form, language = change.name == FORM, change.name == CHOSEN
        value, life = "", f"; {_LONG_AGO}"
        if isinstance(change, Keep):
            value, life = change.value, "" if change.max_age is None else f"; Max-Age={change.max_age}"
        path = self.form_path if form else self.root if language else self.path
        hidden = "; HttpOnly"
        if change.name in {BROWSER_STATE, KEPT_BROWSER_STATE}:
            path, hidden = self.session_path, ""
        # Silent renewal in frames of other sites needs the logon there; forms and languages are ours alone.
        site = "; SameSite=None" if self.secure and not (form or language) else "; SameSite=Lax"
        secure = "; Secure" if self.secure else ""
        return f"{self.wire_name(change.name)}={value}; Path={path}{life}{secure}{hidden}{site}"


def _recognized(request: HttpRequest) -> Recognized:
    """Return who a proxy says the person is, and what in."""
    agent = Agent.parse(request.header("user-agent"))
    return Recognized(request.recognized, agent.browser, agent.system)
