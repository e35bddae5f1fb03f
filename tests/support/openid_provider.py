"""An OpenID provider in memory that tells the truth, or whatever else a test wants it to tell."""

import json
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlsplit

from konnectd.authorities._oidc_settings import OidcSettings, discovery_uri
from konnectd.authority import AuthorityTools, Heard, Question, Returned
from konnectd.authority_entry import AuthorityEntry, IdentityRules
from konnectd.interfaces import FetchError
from konnectd.jose.keys import KeyRing, PrivateKey
from konnectd.jose.signing import KeyRingSigner
from konnectd.protocol.id_token import left_half_hash
from konnectd.protocol.parameters import Parameters
from tests.support.fakes import CountingEntropy, FixedClock, memory_store, run
from tests.support.keys import p256_key

OP = "https://sso.corp.example"
BASE = "https://id.example.org/signin/v1/identifier"
CLIENT = "konnect"
SECRET = "s3cret/+:"


class OpenIdProvider:
    """Answers questions, and makes tokens.

    Attributes:
        silent: it does not answer at all.
        metadata: its discovery document.
        claims: put into ID tokens over the usual ones; None takes one out.
        userinfo: what its userinfo endpoint answers.
        token_response: put into token responses over the usual ones; None takes one out.
        answers: whole answers by address, instead of its own.
        asked: all questions.
        codes: the nonce of each code that can be redeemed.
    """

    def __init__(self, clock: FixedClock, key: PrivateKey | None = None) -> None:
        """Begin honest."""
        self.clock = clock
        self.silent = False
        self.use(key or p256_key())
        self.metadata: dict[str, object] = {
            "issuer": OP,
            "authorization_endpoint": f"{OP}/authorize",
            "token_endpoint": f"{OP}/token",
            "userinfo_endpoint": f"{OP}/userinfo",
            "end_session_endpoint": f"{OP}/logout",
            "jwks_uri": f"{OP}/jwks.json",
            "response_types_supported": ["code", "id_token"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }
        self.claims: dict[str, object] = {}
        self.userinfo: dict[str, object] = {"sub": "7", "preferred_username": "alice"}
        self.token_response: dict[str, object] = {}
        self.answers: dict[str, Heard] = {}
        self.asked: list[Question] = []
        self.codes: dict[str, str] = {}

    def use(self, key: PrivateKey) -> None:
        """Sign with another key from now on."""
        self.ring = KeyRing((key,), method="PS256" if "PS256" in key.algorithms else key.algorithms[0])

    async def __call__(self, question: Question) -> Heard:
        """Answer a question."""
        self.asked.append(question)
        if self.silent:
            raise FetchError("nobody answers")
        if question.url in self.answers:
            return self.answers[question.url]
        known: Mapping[str, Callable[[Question], object]] = {
            discovery_uri(OP): lambda _: self.metadata,
            f"{OP}/jwks.json": lambda _: self.ring.jwks(),
            f"{OP}/token": self._redeem,
            f"{OP}/userinfo": lambda _: self.userinfo,
        }
        if question.url not in known:
            return Heard(status=404)
        answer = known[question.url](question)
        if answer is None:
            return Heard(status=400, content=b'{"error": "invalid_grant"}')
        return Heard(status=200, content=json.dumps(answer).encode(), media_type="application/json")

    def _redeem(self, question: Question) -> object:
        """Give tokens for a code; None for a code nobody has."""
        form = dict(question.form or ())
        nonce = self.codes.pop(form.get("code", ""), None)
        if nonce is None:
            return None
        usual: dict[str, object] = {
            "access_token": "access",
            "token_type": "Bearer",
            "id_token": self.id_token(nonce, access="access"),
        }
        return without_none({**usual, **self.token_response})

    def id_token(self, nonce: str, access: str = "", algorithm: str | None = None) -> str:
        """Sign an ID token."""
        now = self.clock.now()
        usual: dict[str, object] = {
            "iss": OP,
            "sub": "7",
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": nonce,
            "preferred_username": "alice",
            **({"at_hash": left_half_hash(access, self.ring.method)} if access else {}),
        }
        claims = without_none({**usual, **self.claims})
        signed: str = run(KeyRingSigner(self.ring).sign(claims, algorithm))
        return signed

    def returns(self, location: str, **more: str) -> Returned:
        """Return what a browser brings back that was sent to an address: what was asked for there."""
        asked = dict(parse_qsl(urlsplit(location).query))
        if asked["response_type"] == "code":
            self.codes["c0de"] = asked["nonce"]
            found = {"code": "c0de", "state": asked["state"]}
        else:
            found = {"id_token": self.id_token(asked["nonce"]), "state": asked["state"]}
        parameters = {name: value for name, value in {**found, **more}.items() if value}
        return Returned(doorway="oauth2/cb", parameters=Parameters(parameters))


def without_none(members: Mapping[str, object]) -> dict[str, object]:
    """Return what is there."""
    return {name: value for name, value in members.items() if value is not None}


def oidc_entry(
    settings: OidcSettings | None = None, *, claim: str = "", end_session: bool = True, **more: str
) -> AuthorityEntry:
    """Return an entry for the provider."""
    return AuthorityEntry(
        authority_id=more.get("authority_id", "corp"),
        name=more.get("name", "Corporate sign-in"),
        kind="oidc",
        identity=IdentityRules(claim=claim),
        end_session_enabled=end_session,
        settings=settings or oidc_settings(),
    )


def oidc_settings(**more: str) -> OidcSettings:
    """Return the settings of the provider."""
    return OidcSettings(
        issuer=OP,
        client_id=CLIENT,
        client_secret=more.get("client_secret", SECRET),
        response_type=more.get("response_type", ""),
        response_mode=more.get("response_mode", ""),
        discovery_uri=discovery_uri(OP),
    )


def tools_for(provider: OpenIdProvider) -> AuthorityTools:
    """Return what an authority is built of that asks the provider."""
    return AuthorityTools(
        base=BASE,
        clock=provider.clock,
        entropy=CountingEntropy(),
        store=memory_store(provider.clock),
        ask=provider,
        warn=lambda _: None,
    )
