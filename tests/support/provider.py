"""A whole provider on fakes, without HTTP: every flow, sharing one store, one clock and one set of keys."""

from collections.abc import Mapping

from konnectd import loader
from konnectd.flows.authorize import Answer, Authorize, ToClient
from konnectd.flows.backchannel import BackChannel
from konnectd.flows.browser import LOGON, Browser, CookieChange, Keep
from konnectd.flows.client_authentication import ClientAuthentication
from konnectd.flows.consent import Decisions
from konnectd.flows.endsession import EndSession
from konnectd.flows.identifier_api import IdentifierApi
from konnectd.flows.introspect import Introspect
from konnectd.flows.logon import PasswordLogon
from konnectd.flows.mint import Mint
from konnectd.flows.par import PushRequest
from konnectd.flows.parting import Parting
from konnectd.flows.pending import PendingRequests
from konnectd.flows.permits import Permits
from konnectd.flows.recognized import Doubt, RecognizedLogon
from konnectd.flows.request_objects import RequestObjects
from konnectd.flows.revocations import Revocations
from konnectd.flows.revoke import Revoke
from konnectd.flows.sessions import Sessions
from konnectd.flows.side_by_side import SideBySide
from konnectd.flows.sign_in import SignIn
from konnectd.flows.token import Token
from konnectd.flows.userinfo import UserInfo
from konnectd.flows.whereabouts import Whereabouts
from konnectd.grants import authorization_code, client_credentials, device_code, refresh_token
from konnectd.interfaces import (
    AuthenticationMethod,
    AuthenticationTools,
    Grant,
    GrantTools,
    PasswordBackend,
    Sealer,
    Store,
)
from konnectd.jose.client_keys import REQUEST_OBJECT_METHODS, RegisteredKeys
from konnectd.modes import form_post, fragment, query
from konnectd.protocol.client import Client
from konnectd.protocol.delivery import Mode
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.logons import Stay
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.response_type import Profile
from konnectd.protocol.token import Lifetimes, TokenResponse
from tests.support.background import Later
from tests.support.fakes import (
    CountingEntropy,
    FixedClock,
    People,
    ReadableEncrypter,
    ReadableSealer,
    ReadableSigner,
    Registry,
    memory_store,
    run,
)
from tests.support.people import ALICE, BOB, PASSWORDS, logon_of
from tests.support.redirects import answer_of
from tests.support.requests import CALLBACK, CLIENTS, ISSUER, MAIL, VERIFIER, form, sent
from tests.support.web_of_clients import WebOfClients

SUPPORTED = frozenset(
    {
        *("openid", "profile", "email", "address", "phone", "groups", "offline_access"),
        *("konnect/id", "konnect/uuid", "konnect/raw_sub"),
    }
)

#: Where assertions of clients may be meant for.
TOKEN_ENDPOINT = f"{ISSUER}/konnect/v1/token"

#: How long an answer is remembered, in seconds.
CONSENT_LIFE = 365 * 24 * 3600

MODES: Mapping[str, Mode] = {
    "query": query.deliver,
    "fragment": fragment.deliver,
    "form_post": form_post.deliver,
}


class Provider:
    """Everything that answers, on one store and one clock."""

    def __init__(
        self,
        *clients: Client,
        store: Store | None = None,
        backend: PasswordBackend | None = None,
        sealer: Sealer | None = None,
        profile: Profile | None = None,
        require_pushed: bool = False,
        grace: int = 10,
        stay: Stay | None = None,
    ) -> None:
        """Put the parts together; what is not given is a fake."""
        self.profile = profile or Profile()
        self.require_pushed = require_pushed
        self.clock = FixedClock()
        self.people = People(ALICE, BOB, passwords=PASSWORDS)
        self.registry = Registry(*(clients or CLIENTS))
        self.signer = ReadableSigner(("PS256", "ES256"))
        self.store = memory_store(self.clock) if store is None else store
        self.sealer = sealer or ReadableSealer()
        self.entropy = CountingEntropy()
        self.lifetimes = Lifetimes()
        self.grace = grace
        self.stay = stay or Stay()
        self.web = WebOfClients()
        self.client_keys = RegisteredKeys(self.web, self.clock)
        self.backend: PasswordBackend = backend or self.people
        self._make_flows()

    def _make_flows(self) -> None:
        """Make the flows over the parts."""
        clock, sealer, entropy = self.clock, self.sealer, self.entropy
        self.sign_in = SignIn(
            backend=self.backend, sealer=sealer, clock=clock, entropy=entropy, store=self.store, stay=self.stay
        )
        self.permits = Permits(
            store=self.store,
            clock=clock,
            entropy=entropy,
            consent_life=CONSENT_LIFE,
            token_life=self.lifetimes.refresh_token,
        )
        self.whereabouts = Whereabouts(store=self.store, stay=self.stay)
        self.objects = RequestObjects(
            issuer=ISSUER,
            keys=self.client_keys,
            fetch=self.web,
            store=self.store,
            sealer=sealer,
            clock=clock,
            algorithms=REQUEST_OBJECT_METHODS,
            require_pushed=self.require_pushed,
        )
        self.pending = PendingRequests(
            clients=self.registry,
            sealer=sealer,
            clock=clock,
            supported=SUPPORTED,
            profile=self.profile,
            modes=frozenset(MODES),
            objects=self.objects,
        )
        self.encrypter = ReadableEncrypter()
        self.mint = Mint(
            signer=self.signer, encrypter=self.encrypter, clock=clock, entropy=entropy, lifetimes=self.lifetimes
        )
        self.decisions = Decisions(pending=self.pending, entropy=entropy)
        self.sessions = Sessions(
            store=self.store, sealer=sealer, entropy=entropy, memory=self.lifetimes.refresh_token, stay=self.stay
        )
        self.browsers = SideBySide(sign_in=self.sign_in, sessions=self.sessions)
        self.background = Later()
        self.backchannel = BackChannel(
            issuer=ISSUER,
            signer=self.signer,
            clock=clock,
            entropy=entropy,
            store=self.store,
            fetch=self.web,
            background=self.background,
        )
        self.logon = PasswordLogon(
            backend=self.backend,
            sign_in=self.sign_in,
            store=self.store,
            whereabouts=self.whereabouts,
            sessions=self.sessions,
        )
        self.doubts: list[tuple[Doubt, str]] = []
        self.recognized = RecognizedLogon(
            sign_in=self.sign_in,
            whereabouts=self.whereabouts,
            sessions=self.sessions,
            tell=lambda doubt, username: self.doubts.append((doubt, username)),
        )
        self.authorize = Authorize(
            issuer=ISSUER,
            pending=self.pending,
            sign_in=self.sign_in,
            store=self.store,
            sealer=sealer,
            verifier=self.signer,
            entropy=entropy,
            mint=self.mint,
            modes=MODES,
            permits=self.permits,
            sessions=self.sessions,
            recognized=self.recognized,
        )
        self.authentication = self._authentication()
        self.revocations = Revocations(store=self.store, clock=clock, lifetimes=self.lifetimes)
        self._make_endpoints_of_tokens()
        self.push = PushRequest(
            authenticate=self.authentication, pending=self.pending, store=self.store, entropy=entropy
        )
        self.token = Token(
            authenticate=self.authentication, grants=self._grants(), mint=self.mint, permits=self.permits
        )
        self.userinfo = UserInfo(
            issuer=ISSUER,
            backend=self.backend,
            clients=self.registry,
            revocations=self.revocations,
            signer=self.signer,
            encrypter=self.encrypter,
            verifier=self.signer,
            clock=clock,
        )
        self.end_session = EndSession(
            issuer=ISSUER,
            clients=self.registry,
            sign_in=self.sign_in,
            verifier=self.signer,
            sessions=self.sessions,
            backchannel=self.backchannel,
            parting=Parting(
                backend=self.backend,
                whereabouts=self.whereabouts,
                sessions=self.sessions,
                background=self.background,
            ),
        )
        self.api = IdentifierApi(
            sign_in=self.sign_in,
            password_logon=self.logon,
            recognized=self.recognized,
            decisions=self.decisions,
            permits=self.permits,
            endsession=self.end_session,
            verifier=self.signer,
            continue_uri=f"{ISSUER}/authorize",
        )

    def _make_endpoints_of_tokens(self) -> None:
        """Make what answers about tokens that are out."""
        self.revoke = Revoke(
            issuer=ISSUER,
            authenticate=self.authentication,
            verifier=self.signer,
            clock=self.clock,
            revocations=self.revocations,
        )
        self.introspect = Introspect(
            issuer=ISSUER,
            authenticate=self.authentication,
            verifier=self.signer,
            clock=self.clock,
            store=self.store,
            backend=self.backend,
            revocations=self.revocations,
        )

    def _authentication(self) -> ClientAuthentication:
        """Make the methods of client authentication."""
        tools = AuthenticationTools(
            audiences=frozenset({ISSUER, TOKEN_ENDPOINT}), keys=self.client_keys, store=self.store, clock=self.clock
        )
        package = "konnectd.authentication"
        made: list[AuthenticationMethod] = [loader.load(package, name).build(tools) for name in loader.names(package)]
        return ClientAuthentication(clients=self.registry, methods={method.method: method for method in made})

    def _grants(self) -> Mapping[str, Grant]:
        """Make the grant types."""
        tools = GrantTools(
            issuer=ISSUER,
            backend=self.backend,
            store=self.store,
            sealer=self.sealer,
            signer=self.signer,
            verifier=self.signer,
            clock=self.clock,
            entropy=self.entropy,
            lifetimes=self.lifetimes,
            refresh_token_grace=self.grace,
            scopes=SUPPORTED,
        )
        modules = (authorization_code, refresh_token, client_credentials, device_code)
        grants: tuple[Grant, ...] = tuple(module.build(tools) for module in modules)
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
    return dict(answer.delivery.fields) or answer_of(answer.delivery.location)


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
