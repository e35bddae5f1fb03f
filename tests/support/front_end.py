"""A front end of somebody else's, without its browser: it speaks the identifier API as Konnect's own one does."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from tests.support.application import json_of
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.visitor import Visit, Visitor

INNER = "/signin/v1/identifier/_/"
GUARD = "Kopano-Konnect-XSRF: 1"
JSON_HEADER = "Content-Type: application/json;charset=utf-8"
STATE_HEADER = "Kopano-Konnect-State"
#: A front end as it stands in a folder.
FILES = {
    "index.html": b'<p data-path-prefix="__PATH_PREFIX__"><script nonce="__CSP_NONCE__"></script>__CSP_NONCE__</p>',
    "static/js/main.0123abcd.js": b"'use strict';",
    "static/logo.svg": b"<svg/>",
    "service-worker.js": b"// nothing",
}
WORDS = ("--identifier-client-path=/front/end",)


def with_front_end(*words: str, **parts: Any) -> Daemon:
    """Assemble a daemon whose pages are a front end's."""
    return Daemon(*WORDS, *words, web_app=FILES, **parts)


class FrontEnd:
    """The program in a browser, at one page.

    Attributes:
        query: of the address it was opened at.
        flow: what it was told that it is for.
        greeting: what it was told last about who is there; empty for nobody.
    """

    def __init__(self, visitor: Visitor, visit: Visit | None = None) -> None:
        """Be loaded at the address a browser is at."""
        self.visitor = visitor
        self.query = dict(parse_qsl(urlsplit(visit.url).query)) if visit is not None else {}
        self.flow = self.query.pop("flow", "")
        self.greeting: dict[str, Any] = {}

    def post(self, name: str, body: str, *headers: str, body_header: str = JSON_HEADER) -> Heard:
        """Send text as it is."""
        url = urljoin(self.visitor.daemon.origin, INNER + name)
        return self.visitor.send("POST", url, body, *headers, body_header=body_header)

    def call(self, name: str, **members: Any) -> Heard:
        """Ask as a page of ours does."""
        return self.post(name, json.dumps({"state": "s-1", **members}), GUARD, f"Origin: {self.visitor.daemon.origin}")

    def question(self) -> dict[str, str]:
        """Return what a greeting is asked with."""
        wanted = {name: self.query[name] for name in ("prompt", "max_age", "id_token_hint") if name in self.query}
        if self.flow not in {"oidc", "oauth", "consent"}:
            return wanted
        scope = f"{self.query.get('scope', '')} {self.query.get('claims_scope', '')}".strip()
        address = {name: self.query.get(name, "") for name in ("client_id", "redirect_uri")}
        return {**wanted, "flow": self.flow, "scope": scope, **address}

    def hello(self) -> bool:
        """Ask who is there, and tell whether somebody is."""
        answer = self.call("hello", **self.question())
        self.greeting = json_of(answer) if answer.status == 200 else {}
        return bool(self.greeting)

    def logon(self, *params: str) -> int:
        """Sign somebody in, and return the status."""
        answer = self.call("logon", params=list(params), hello=self.question())
        if answer.status == 200:
            self.greeting = json_of(answer)["hello"]
        return answer.status

    def consent(self, scope: str = "", *, allow: bool = True) -> Heard:
        """Answer as somebody who has seen what a client asks for, and keep what leads to that."""
        self.query["konnect"] = "state-of-consent"
        return self.call(
            "consent",
            state="state-of-consent",
            allow=allow,
            scope=scope or " ".join(self.greeting.get("scopes", {})),
            client_id=self.query.get("client_id", ""),
            redirect_uri=self.query.get("redirect_uri", ""),
            ref=self.query.get("state", ""),
            flow_nonce=self.query.get("nonce", ""),
        )

    def onward(self, **changes: str) -> Visit:
        """Go on, as somebody who is done."""
        query = {**self.query, "prompt": "none", **changes}
        return self.visitor.open(f"{self.greeting['continue_uri']}?{urlencode(sorted(query.items()))}")
