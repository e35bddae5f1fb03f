"""A whole provider on fakes, without HTTP: every flow, sharing one store, one clock and one set of keys."""

from collections.abc import Mapping

from konnectd.flows.authorize import Answer, Authorize, ToClient
from konnectd.flows.browser import LOGON, Browser, CookieChange, Keep
from konnectd.flows.consent import Decisions
from konnectd.flows.endsession import EndSession
from konnectd.flows.logon import PasswordLogon
from konnectd.flows.pending import PendingRequests
from konnectd.flows.sign_in import SignIn
from konnectd.flows.token import Token
from konnectd.flows.userinfo import UserInfo
from konnectd.grants import authorization_code, refresh_token
from konnectd.interfaces import Grant, GrantTools, PasswordBackend, Sealer, Store
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.token import Lifetimes, TokenResponse
from tests.support.fakes import (
    CountingEntropy,
    FixedClock,
    People,
    ReadableSealer,
    ReadableSigner,
    Registry,
    memory_store,
    run,
)
from tests.support.people import ALICE, BOB, PASSWORDS, logon_of
from tests.support.redirects import answer_of
from tests.support.requests import CALLBACK, CLIENTS, ISSUER, MAIL, VERIFIER, form, sent

SUPPORTED = frozenset(
    {"openid", "profile", "email", "groups", "offline_access", "konnect/id", "konnect/uuid", "konnect/raw_sub"}
)


class Provider:
    """Everything that answers, on one store and one clock."""

    def __init__(
        self,
        *clients: Client,
        store: Store | None = None,
        backend: PasswordBackend | None = None,
        sealer: Sealer | None = None,
    ) -> None:
        """Put the parts together; what is not given is a fake."""
        self.clock = FixedClock()
        self.people = People(ALICE, BOB, passwords=PASSWORDS)
        self.registry = Registry(*(clients or CLIENTS))
        self.signer = ReadableSigner(("PS256", "ES256"))
        self.store = store or memory_store(self.clock)
        self.sealer = sealer or ReadableSealer()
        self.entropy = CountingEntropy()
        self.lifetimes = Lifetimes()
        self.backend: PasswordBackend = backend or self.people
        self._make_flows()

    def _make_flows(self) -> None:
        """Make the flows over the parts."""
        clock, sealer, entropy = self.clock, self.sealer, self.entropy
        self.sign_in = SignIn(backend=self.backend, sealer=sealer, clock=clock, entropy=entropy)
        self.pending = PendingRequests(clients=self.registry, sealer=sealer, clock=clock, supported=SUPPORTED)
        self.decisions = Decisions(pending=self.pending, entropy=entropy)
        self.logon = PasswordLogon(backend=self.backend, sign_in=self.sign_in, store=self.store)
        self.authorize = Authorize(
            issuer=ISSUER,
            pending=self.pending,
            sign_in=self.sign_in,
            store=self.store,
            sealer=sealer,
            verifier=self.signer,
            entropy=entropy,
        )
        self.token = Token(
            clients=self.registry,
            grants=self._grants(),
            signer=self.signer,
            clock=clock,
            entropy=entropy,
            lifetimes=self.lifetimes,
        )
        self.userinfo = UserInfo(
            issuer=ISSUER,
            backend=self.backend,
            clients=self.registry,
            store=self.store,
            signer=self.signer,
            verifier=self.signer,
            clock=clock,
        )
        self.end_session = EndSession(issuer=ISSUER, clients=self.registry, sign_in=self.sign_in, verifier=self.signer)

    def _grants(self) -> Mapping[str, Grant]:
        """Make the grant types."""
        tools = GrantTools(
            issuer=ISSUER,
            backend=self.backend,
            store=self.store,
            sealer=self.sealer,
            verifier=self.signer,
            clock=self.clock,
            lifetimes=self.lifetimes,
        )
        grants: tuple[Grant, ...] = (authorization_code.build(tools), refresh_token.build(tools))
        return {grant.grant_type: grant for grant in grants}

    def browser_of(self, user: EndUser, ago: int = 0, session_id: str = "session-1") -> Browser:
        """Return a browser whose person signed in some seconds ago."""
        logon = logon_of(user, self.clock.now() - ago, session_id=session_id)
        return Browser({LOGON: self.sealer.seal(LOGON, logon.to_json(), self.clock.now() + 3600)})

    def ask(self, browser: Browser, /, **changes: str | None) -> Answer:
        """Send a good authorization request with some changes."""
        return run(self.authorize(sent(**changes), browser))

    def code(self, client: Client = MAIL, /, **changes: str | None) -> str:
        """Return a code that Alice allowed a trusted client, which is sent to its callback."""
        answer = self.ask(self.browser_of(ALICE), client_id=client.client_id, **changes)
        return told(answer)["code"]

    def redeem(self, code: str, client: Client = MAIL, /, **changes: str | None) -> TokenResponse:
        """Redeem a code at the token endpoint."""
        return run(self.token("", redemption(code, client, **changes)))

    def tokens(self, scope: str = "openid offline_access", client: Client = MAIL) -> TokenResponse:
        """Return the tokens of a whole run for Alice."""
        return self.redeem(self.code(client, scope=scope), client)

    def refresh(self, token: str, client: Client = MAIL, /, **more: str | None) -> TokenResponse:
        """Use a refresh token."""
        values = {"client_id": client.client_id, "client_secret": client.secret, "grant_type": "refresh_token"}
        return run(self.token("", form(**{**values, "refresh_token": token, **more})))


def told(answer: Answer) -> dict[str, str]:
    """Return what an answer of the authorization endpoint tells the client; an error when it is a page."""
    if not isinstance(answer, ToClient):
        raise TypeError(f"nobody is told anything by {answer}")
    return answer_of(answer.location)


def redemption(code: str, client: Client = MAIL, /, **changes: str | None) -> Parameters:
    """Return a good token request for a code, with some changes."""
    values: dict[str, str | None] = {
        "client_id": client.client_id,
        "client_secret": client.secret,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    return form(**{**values, **changes})


def after(browser: Browser, changes: tuple[CookieChange, ...]) -> Browser:
    """Return a browser that did as it was told."""
    sealed = dict(browser.sealed)
    for change in changes:
        if isinstance(change, Keep):
            sealed[change.name] = change.value
        else:
            sealed.pop(change.name, None)
    return Browser(sealed)
