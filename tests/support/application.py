"""An application that signs people in with us, as a client library does it: authorization, tokens, userinfo."""

import json
from base64 import b64encode
from typing import Any
from urllib.parse import quote_plus, urlencode

from konnectd.protocol.client import Client
from tests.support.assembly import Daemon
from tests.support.connection import Heard
from tests.support.redirects import answer_of
from tests.support.requests import CALLBACK, CHALLENGE, MAIL, VERIFIER
from tests.support.visitor import Visit, Visitor


class Application:
    """A client's end of the protocol."""

    def __init__(self, daemon: Daemon, client: Client = MAIL, redirect_uri: str = CALLBACK) -> None:
        """Be registered as somebody."""
        self.daemon = daemon
        self.client = client
        self.redirect_uri = redirect_uri

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """Return a good authorization request with some parameters replaced, or left out (None)."""
        values: dict[str, str | None] = {
            "client_id": self.client.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": "openid",
            "state": "state-1",
            "nonce": "nonce-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in {**values, **changes}.items() if value is not None}

    def url(self, **changes: str | None) -> str:
        """Return the address a browser is sent to."""
        return f"{self.daemon.settings.paths.authorize}?{urlencode(self.parameters(**changes))}"

    def arrive(self, visitor: Visitor, **changes: str | None) -> Visit:
        """Send a browser to us."""
        return visitor.open(self.url(**changes))

    def sign_in(self, visitor: Visitor, username: str = "alice", /, **changes: str | None) -> Visit:
        """Send a browser to us and let its person sign in."""
        page = self.arrive(visitor, **changes)
        return visitor.submit(page, username=username, password=self.daemon.people.passwords[username])

    def told(self, visit: Visit) -> dict[str, str]:
        """Return what a browser brings back; an error when it has not come back."""
        if not visit.left or not visit.url.startswith(self.redirect_uri.partition("?")[0] + "?"):
            raise AssertionError(f"the browser is at {visit.url}")
        return answer_of(visit.url)

    def code(self, visitor: Visitor | None = None, **changes: str | None) -> str:
        """Return the code of a whole run; for a trusted client."""
        return self.told(self.sign_in(visitor or Visitor(self.daemon), **changes))["code"]

    def basic(self, client_id: str | None = None, secret: str | None = None) -> str:
        """Return the header that proves who the client is. Spec: RFC 6749 2.3.1."""
        pair = (client_id or self.client.client_id, self.client.secret if secret is None else secret)
        text = ":".join(quote_plus(part) for part in pair)
        return f"Authorization: Basic {b64encode(text.encode()).decode()}"

    def ask_token(self, *headers: str, **values: str | None) -> Heard:
        """Send a token request as it is; None leaves a parameter out."""
        sent = {name: value for name, value in values.items() if value is not None}
        return self.daemon.post(self.daemon.settings.paths.token, urlencode(sent), *headers)

    def redeem(self, code: str, **changes: str | None) -> Heard:
        """Redeem a code, with the proof that suits the client."""
        values: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
        }
        return self._prove(values, changes)

    def refresh(self, token: str, **changes: str | None) -> Heard:
        """Use a refresh token."""
        return self._prove({"grant_type": "refresh_token", "refresh_token": token}, changes)

    def _prove(self, values: dict[str, str | None], changes: dict[str, str | None]) -> Heard:
        """Send a token request with the client's proof."""
        if self.client.public:
            return self.ask_token(**{**values, "client_id": self.client.client_id, **changes})
        return self.ask_token(self.basic(), **{**values, **changes})

    def tokens(self, visitor: Visitor | None = None, **changes: str | None) -> dict[str, Any]:
        """Return what a whole run gives out."""
        return json_of(self.redeem(self.code(visitor, **changes)))

    def userinfo(self, access_token: str) -> Heard:
        """Ask who somebody is."""
        return self.daemon.get(self.daemon.settings.paths.userinfo, f"Authorization: Bearer {access_token}")


def json_of(answer: Heard) -> dict[str, Any]:
    """Read a JSON object."""
    if not answer.header("Content-Type").startswith("application/json"):
        raise AssertionError(f"{answer.status} {answer.header('Content-Type')}")
    value: dict[str, Any] = json.loads(answer.body)
    return value


def error_of(answer: Heard) -> tuple[int, str]:
    """Return status and error code of a refusal in JSON."""
    return answer.status, str(json_of(answer)["error"])
