"""A provider for tests that says whatever it is told to say, right or wrong."""

import json
from collections.abc import Mapping

from konnectd.demo.errors import SignInError, Trouble
from konnectd.demo.messages import Call, Exchange, Reply
from konnectd.demo.provider import Application
from konnectd.demo.relying_party import RelyingParty
from konnectd.jose.keys import KeyRing, generate
from konnectd.jose.signing import KeyRingSigner
from konnectd.protocol.id_token import left_half_hash
from konnectd.protocol.parameters import Parameters
from tests.support.fakes import NOON, CountingEntropy, FixedClock, run

ISSUER = "https://id.example.com"
METADATA_URI = f"{ISSUER}/.well-known/openid-configuration"
APPLICATION = Application(
    client_id="demo", redirect_uri="https://id.example.com/demo/callback", home_uri="https://id.example.com/demo/"
)
METADATA: Mapping[str, object] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
    "jwks_uri": f"{ISSUER}/jwks",
    "end_session_endpoint": f"{ISSUER}/endsession",
    "scopes_supported": ["openid", "profile", "offline_access"],
    "id_token_signing_alg_values_supported": ["ES256"],
    "authorization_response_iss_parameter_supported": True,
}
RING = KeyRing((generate("ES256", "first"),), method="ES256")
OTHER_RING = KeyRing((generate("ES256", "first"),), method="ES256")
ACCESS_TOKEN = "access-1"


class FakeProvider:
    """Answers what a provider answers; anything in it can be laid over.

    Attributes:
        metadata: laid over the metadata; None takes a member away.
        claims: laid over the claims of ID tokens; None takes one away.
        token_response: laid over the token response; None takes a member away.
        userinfo: the answer of the userinfo endpoint.
        ring: what ID tokens are signed with; the published key is always that of `RING`.
        refusal: the status and members of a refusal at the token endpoint, if it refuses.
        silent: addresses that do not answer.
        calls: what it was asked.
        nonce: put into ID tokens, as the authorization request had it.
    """

    def __init__(self) -> None:
        """Begin as a good one."""
        self.metadata: dict[str, object] = {}
        self.claims: dict[str, object] = {}
        self.token_response: dict[str, object] = {}
        self.userinfo = Reply(status=200, text=json.dumps({"sub": "person-1", "name": "Alice Liddell"}))
        self.ring = RING
        self.refusal: tuple[int, Mapping[str, object]] | None = None
        self.silent: set[str] = set()
        self.calls: list[Call] = []
        self.nonce = ""

    async def __call__(self, call: Call) -> Exchange:
        """Answer one request."""
        self.calls.append(call)
        if call.uri in self.silent:
            raise SignInError(Trouble.UNREACHABLE, call.uri)
        return Exchange(call=call, reply=await self._answer(call))

    async def _answer(self, call: Call) -> Reply:
        """Answer at an endpoint."""
        if call.uri == METADATA_URI:
            members = {**METADATA, **self.metadata}
            return _json({name: value for name, value in members.items() if value is not None})
        if call.uri == METADATA["jwks_uri"]:
            return _json(RING.jwks())
        if call.uri == METADATA["userinfo_endpoint"]:
            return self.userinfo
        if self.refusal is not None:
            return _json(self.refusal[1], self.refusal[0])
        members = {
            "access_token": ACCESS_TOKEN,
            "token_type": "Bearer",
            "id_token": await self.id_token(),
            "refresh_token": "refresh-1",
            "expires_in": 600,
            **self.token_response,
        }
        return _json({name: value for name, value in members.items() if value is not None})

    async def id_token(self) -> str:
        """Return an ID token."""
        claims = {
            "iss": ISSUER,
            "sub": "person-1",
            "aud": "demo",
            "exp": NOON + 600,
            "iat": NOON,
            "nonce": self.nonce,
            "at_hash": left_half_hash(ACCESS_TOKEN, "ES256"),
            **self.claims,
        }
        present = {name: value for name, value in claims.items() if value is not None}
        return await KeyRingSigner(self.ring).sign(present)


def _json(members: object, status: int = 200) -> Reply:
    """Return an answer in JSON."""
    return Reply(status=status, headers=(("content-type", "application/json"),), text=json.dumps(members))


class Visit:
    """The demo application with a fake provider, and one browser that visits it.

    Attributes:
        provider: what it talks to.
        party: the application.
        clock: its time.
    """

    browser = "browser-1"

    def __init__(self) -> None:
        """Put both together."""
        self.provider = FakeProvider()
        self.clock = FixedClock()
        self.party = RelyingParty(
            APPLICATION,
            issuer=ISSUER,
            metadata_uri=METADATA_URI,
            fetch=self.provider,
            clock=self.clock,
            entropy=CountingEntropy(),
        )

    def begin(self) -> str:
        """Begin a sign-in and return its state."""
        attempt = run(self.party.begin(self.browser))
        self.provider.nonce = attempt.ticket.nonce
        return attempt.ticket.state

    def answer(self, **changes: str) -> Parameters:
        """Begin a sign-in and return what the browser comes back with; an empty text takes a parameter away."""
        pairs = {"code": "code-1", "state": self.begin(), "iss": ISSUER, **changes}
        return Parameters.from_pairs(pairs.items())
