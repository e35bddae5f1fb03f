"""An application that registers itself, as certification tests and libraries do."""

import json
from typing import Any, Self
from urllib.parse import urlsplit

from konnectd.jose.keys import PrivateKey
from konnectd.protocol.client import Client
from konnectd.protocol.vocabulary import AuthMethod
from tests.support.application import Application, json_of
from tests.support.assembly import Daemon
from tests.support.assertions import ASSERTION_TYPE, by_secret, keyed
from tests.support.connection import Heard
from tests.support.requests import CALLBACK
from tests.support.visitor import Visit, Visitor

REGISTER = "/konnect/v1/register"
JSON_HEADER = "Content-Type: application/json"
ON = "--allow-dynamic-client-registration"


def register(daemon: Daemon, said: object, *headers: str) -> Heard:
    """Send client metadata."""
    return daemon.ask("POST", REGISTER, JSON_HEADER, *headers, body=json.dumps(said).encode())


class SelfRegistered(Application):
    """A client's end of the protocol, with what it was told when it registered.

    Attributes:
        told_at_start: the answer to its registration.
        key: what it signs with.
    """

    told_at_start: dict[str, Any]
    key: PrivateKey | None = None
    _proofs: int = 0

    @classmethod
    def begin(cls, daemon: Daemon, key: PrivateKey | None = None, **members: object) -> Self:
        """Register a client with one redirect URI, unless it says otherwise.

        Raises:
            AssertionError: it was refused.
        """
        answer = register(daemon, {"redirect_uris": [CALLBACK], **members})
        if answer.status != 201:
            raise AssertionError(f"{answer.status} {answer.body!r}")
        told = json_of(answer)
        client = Client(
            client_id=told["client_id"],
            secret=told.get("client_secret", ""),
            auth_method=AuthMethod(told["token_endpoint_auth_method"]),
        )
        app = cls(daemon, client, told["redirect_uris"][0])
        app.told_at_start, app.key = told, key
        return app

    def manage(self, method: str, said: object = None, *, token: str | None = None) -> Heard:
        """Ask where the registration is managed."""
        uri = urlsplit(self.told_at_start["registration_client_uri"])
        shown = self.told_at_start["registration_access_token"] if token is None else token
        headers = [f"Authorization: Bearer {shown}"] if shown else []
        body = b"" if said is None else json.dumps(said).encode()
        return self.daemon.ask(method, f"{uri.path}?{uri.query}", *headers, *([JSON_HEADER] if body else []), body=body)

    def run_through(self, visitor: Visitor | None = None, username: str = "alice", /, **changes: str | None) -> Visit:
        """Let a person sign in and agree, and return where the browser is then."""
        visitor = visitor or Visitor(self.daemon)
        visit = self.arrive(visitor, **changes)
        if not visit.left and "password" in visit.fields:
            visit = visitor.submit(visit, username=username, password=self.daemon.people.passwords[username])
        if not visit.left and visit.answer.status == 200 and visit.path.endswith("/consent"):
            visit = visitor.submit(visit, allow="1")
        return visit

    def code(self, visitor: Visitor | None = None, **changes: str | None) -> str:
        """Return the code of a whole run."""
        return self.told(self.run_through(visitor, **changes))["code"]

    def _prove(self, values: dict[str, str | None], changes: dict[str, str | None]) -> Heard:
        """Send a token request with the proof it is registered for."""
        sent = {**values, **changes}
        match self.client.auth_method:
            case AuthMethod.BASIC:
                return self.ask_token(self.basic(), **sent)
            case AuthMethod.POST:
                return self.ask_token(**{"client_secret": self.client.secret, **self._named(), **sent})
            case AuthMethod.PRIVATE_KEY_JWT | AuthMethod.SECRET_JWT:
                return self.ask_token(**{**self.proof(), **sent})
            case _:
                return self.ask_token(**{**self._named(), **sent})

    def _named(self) -> dict[str, str | None]:
        """Say who it is."""
        return {"client_id": self.client.client_id}

    def proof(self, **changes: object) -> dict[str, str | None]:
        """Return a signature that proves who it is, a new one each time."""
        self._proofs += 1
        now = self.daemon.clock.now()
        claims = {"jti": f"proof-{self._proofs}", "iat": now, "exp": now + 60, **changes}
        proof = keyed(self.client, self.key, **claims) if self.key else by_secret(self.client, **claims)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": proof}
