"""What the flows of a daemon are built on, and the parts that several of them share.

How they are put together is `konnectd.assembly`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from konnectd import loader
from konnectd.config.contents import Contents
from konnectd.config.settings import Settings
from konnectd.flows.acquaintances import StoredAcquaintances
from konnectd.flows.backchannel import BackChannel
from konnectd.flows.client_authentication import ClientAuthentication
from konnectd.flows.client_logo import ClientLogos
from konnectd.flows.concealed import Concealing, Revealing
from konnectd.flows.guests import Guests
from konnectd.flows.mint import Mint
from konnectd.flows.parting import Parting
from konnectd.flows.passwordless import Passwordless
from konnectd.flows.permits import Permits
from konnectd.flows.request_objects import RequestObjects
from konnectd.flows.revocations import Revocations
from konnectd.flows.sessions import Sessions
from konnectd.flows.sign_in import SignIn
from konnectd.flows.vouch import Vouching
from konnectd.flows.whereabouts import Whereabouts
from konnectd.interfaces import (
    AuthenticationMethod,
    AuthenticationTools,
    Backend,
    Background,
    ClientKeys,
    ClientRegistry,
    Clock,
    Encrypter,
    Entropy,
    Fetch,
    Grant,
    GrantTools,
    PasswordBackend,
    Sealer,
    SessionBackend,
    Signer,
    Store,
    Verifier,
)
from konnectd.jose import encryption
from konnectd.jose.client_keys import REQUEST_OBJECT_METHODS, RegisteredKeys
from konnectd.jose.sealing import SecretSealer
from konnectd.jose.signing import Defer, KeyRingSigner, KeyRingVerifier
from konnectd.late_fetch import NoFetch
from konnectd.protocol import discovery
from konnectd.protocol.client_assertion import audiences
from konnectd.protocol.delivery import Mode
from konnectd.protocol.response_type import CODE_ONLY
from konnectd.protocol.scope import OFFLINE_ACCESS, OPENID
from konnectd.protocol.scope_claims import claim_names
from konnectd.protocol.token import Lifetimes
from konnectd.sources import BrowserBackend
from konnectd.world import SystemClock, SystemEntropy

if TYPE_CHECKING:
    from konnectd.authority import Ask, Authority


@frozen(kw_only=True)
class World:
    """What the parts are built on.

    Attributes:
        fetch: asks addresses that clients chose.
        client_keys: checks what clients signed.
        logos: of clients; one for the whole daemon, as it remembers what was fetched, and how often.
        ask: asks external authorities; None where nobody is asked.
        before: authorities there were before; those whose entries say the same go on.
        authorities: those there are, by their id.
    """

    settings: Settings
    contents: Contents
    backend: Backend
    store: Store
    clock: Clock
    entropy: Entropy
    sealer: Sealer
    signer: Signer
    verifier: Verifier
    fetch: Fetch
    client_keys: ClientKeys = field()

    clients: ClientRegistry = field()
    ask: "Ask | None" = None
    before: "tuple[Authority, ...]" = ()
    authorities: "Mapping[str, Authority]" = field()

    @authorities.default
    def _authorities(self) -> "Mapping[str, Authority]":
        """Make them once: they remember what was fetched."""
        if not self.contents.authorities:
            return {}
        # Only here: a start of those who have none need not wait for it.
        from konnectd.authority_kinds import make_authorities  # noqa: PLC0415 - see above

        base = self.settings.origin + self.settings.paths.identifier
        world = (self.clock, self.entropy, self.store)
        return make_authorities(self.contents.authorities, self.before, base, *world, self.ask)

    @clients.default
    def _clients(self) -> ClientRegistry:
        """Make it once: it remembers clients that registered themselves."""
        if not self.settings.allow_dynamic_client_registration:
            return self.contents.registry
        from konnectd.flows.dynamic_clients import DynamicClients  # noqa: PLC0415 - only where clients may register

        return DynamicClients(
            listed=self.contents.registry,
            verifier=self.verifier,
            store=self.store,
            sealer=self.sealer,
            clock=self.clock,
            salt=self.contents.pairwise_salt,
        )

    logos: ClientLogos = field()

    @logos.default
    def _logos(self) -> ClientLogos:
        """Begin without any."""
        return ClientLogos(clients=self.clients, fetch=self.fetch, clock=self.clock)

    @client_keys.default
    def _client_keys(self) -> ClientKeys:
        """Make them once: they remember what was fetched."""
        return RegisteredKeys(self.fetch, self.clock)

    @classmethod
    def build(
        cls,
        settings: Settings,
        contents: Contents,
        backend: Backend,
        store: Store,
        defer: Defer | None = None,
        fetch: Fetch | None = None,
        ask: "Ask | None" = None,
    ) -> "World":
        """Make everything that needs nothing but keys and a clock.

        Args:
            settings: of the daemon.
            contents: what the files that the settings name hold.
            backend: knows the users.
            store: keeps what must happen once.
            defer: runs what would keep the reactor in a thread.
            fetch: asks addresses that clients chose; without it nobody is asked.
            ask: asks external authorities; without it nobody is asked.
        """
        clock = SystemClock()
        sealer = SecretSealer(contents.encryption_secret)
        return cls(
            settings=settings,
            contents=contents,
            backend=backend,
            store=store,
            clock=clock,
            entropy=SystemEntropy(),
            sealer=sealer,
            signer=Concealing(KeyRingSigner(contents.keys, defer), sealer),
            verifier=Revealing(KeyRingVerifier(contents.keys), sealer, clock),
            fetch=fetch or NoFetch(),
            ask=ask,
        )

    @property
    def scopes(self) -> tuple[str, ...]:
        """Every scope a client may be granted here."""
        if self.settings.allow_scope:
            return tuple(dict.fromkeys((OPENID, *self.settings.allow_scope)))
        of_backend, of_operator = self.backend.scopes, self.contents.scopes.supported
        return tuple(dict.fromkeys((OPENID, *of_backend, OFFLINE_ACCESS, *of_operator)))

    @property
    def lifetimes(self) -> Lifetimes:
        """How long tokens live: as the operator has it, and access tokens no longer than the backend can answer for."""
        wanted = Lifetimes(
            access_token=self.settings.access_token_expiration,
            id_token=self.settings.id_token_expiration,
            refresh_token=self.settings.refresh_token_expiration,
        )
        return wanted.within(self.backend.longest_access_token) if isinstance(self.backend, SessionBackend) else wanted

    @property
    def mint(self) -> Mint:
        """What makes tokens."""
        return Mint(
            signer=self.signer,
            encrypter=self.encrypter,
            clock=self.clock,
            entropy=self.entropy,
            lifetimes=self.lifetimes,
        )

    @property
    def encrypter(self) -> Encrypter:
        """What encrypts for clients."""
        return encryption.ClientEncrypter(self.client_keys)

    @property
    def revocations(self) -> Revocations:
        """What remembers revoked grants and tokens."""
        return Revocations(store=self.store, clock=self.clock, lifetimes=self.lifetimes)

    @property
    def permits(self) -> Permits:
        """What remembers, lists and takes back what people allow."""
        return Permits(
            store=self.store,
            clock=self.clock,
            entropy=self.entropy,
            consent_life=self.settings.consent_expiration,
            token_life=self.settings.refresh_token_expiration,
        )

    @property
    def whereabouts(self) -> Whereabouts:
        """What notes and lists where people are signed in."""
        return Whereabouts(store=self.store, stay=self.settings.stay)

    @property
    def sessions(self) -> Sessions:
        """What knows who takes part in sessions, and ends them."""
        stay = self.settings.stay
        longest = max(stay.longest, self.settings.refresh_token_expiration)
        return Sessions(store=self.store, sealer=self.sealer, entropy=self.entropy, memory=longest, stay=stay)

    def sign_in(self) -> SignIn:
        """Return what keeps logons in browsers; one for the whole daemon, because it remembers what it has opened."""
        return SignIn(
            backend=self.backend,
            sealer=self.sealer,
            clock=self.clock,
            entropy=self.entropy,
            store=self.store,
            stay=self.settings.stay,
            authorities=frozenset(self.authorities),
        )

    def backchannel(self, background: Background) -> BackChannel:
        """Return what tells clients that a session is over."""
        return BackChannel(
            issuer=self.settings.iss,
            signer=self.signer,
            clock=self.clock,
            entropy=self.entropy,
            store=self.store,
            fetch=self.fetch,
            background=background,
        )

    def parting(self, background: Background) -> Parting:
        """Return what tells the backend that a person is signed in nowhere any more."""
        return Parting(
            backend=self.backend, whereabouts=self.whereabouts, sessions=self.sessions, background=background
        )

    def introduce(self) -> None:
        """Give the backend what it asks for, if it asks for anything; before anything is asked of it.

        That is what makes tokens for sessions of its own, or what keeps people between their visits.
        """
        store, sealer, signer, clock, entropy = self.store, self.sealer, self.signer, self.clock, self.entropy
        if isinstance(self.backend, SessionBackend):
            self.backend.rely_on(Vouching(issuer=self.settings.iss, signer=signer, clock=clock, entropy=entropy))
        if self.by_browser is not None:
            life = self.settings.stay.longest
            self.by_browser.keep_with(StoredAcquaintances(store=store, sealer=sealer, clock=clock, life=life))

    @property
    def by_browser(self) -> BrowserBackend | None:
        """The backend, if it knows people by what their browsers carry."""
        return self.backend if isinstance(self.backend, BrowserBackend) else None

    @property
    def passwords(self) -> PasswordBackend:
        """The backend as one that checks passwords; one that checks none, or shall not, refuses all of them."""
        if isinstance(self.backend, PasswordBackend) and not self.settings.disable_local_logon:
            return self.backend
        return Passwordless(self.backend)

    def guests(self) -> Guests | None:
        """Return what lets guests in; None where clients may bring none."""
        if not self.settings.allow_client_guests:
            return None
        supported = frozenset(self.scopes)
        return Guests(store=self.store, clock=self.clock, entropy=self.entropy, supported=supported)

    def modes(self) -> Mapping[str, Mode]:
        """Return every response mode there is a file for."""
        names = loader.names("konnectd.modes")
        return {name: loader.load("konnectd.modes", name).deliver for name in names}

    def authentication(self, path: str) -> ClientAuthentication:
        """Return what finds out which client asks at one endpoint, by every method there is a file for.

        Args:
            path: of the endpoint.
        """
        settings = self.settings
        origin = settings.origin
        tools = AuthenticationTools(
            audiences=audiences(settings.iss, origin + settings.paths.token, origin + path),
            keys=self.client_keys,
            store=self.store,
            clock=self.clock,
        )
        package = "konnectd.authentication"
        made: list[AuthenticationMethod] = [loader.load(package, name).build(tools) for name in loader.names(package)]
        return ClientAuthentication(clients=self.clients, methods={method.method: method for method in made})

    def request_objects(self) -> RequestObjects:
        """Return what finds requests that stand elsewhere than in the address."""
        return RequestObjects(
            issuer=self.settings.iss,
            keys=self.client_keys,
            fetch=self.fetch,
            store=self.store,
            sealer=self.sealer,
            clock=self.clock,
            algorithms=REQUEST_OBJECT_METHODS,
            require_pushed=self.settings.require_pushed_authorization_requests,
        )

    def grants(self) -> Mapping[str, Grant]:
        """Return every grant type there is a file for."""
        tools = GrantTools(
            issuer=self.settings.iss,
            backend=self.backend,
            store=self.store,
            sealer=self.sealer,
            signer=self.signer,
            verifier=self.verifier,
            clock=self.clock,
            entropy=self.entropy,
            lifetimes=self.lifetimes,
            refresh_token_grace=self.settings.refresh_token_grace,
            scopes=frozenset(self.scopes),
        )
        made: list[Grant] = [
            loader.load("konnectd.grants", name).build(tools) for name in loader.names("konnectd.grants")
        ]
        return {grant.grant_type: grant for grant in made}

    def grant_types(self, grants: Mapping[str, Grant]) -> tuple[str, ...]:
        """Return the grant types that are on; ``implicit`` is one that has no endpoint of its own."""
        implicit = self.settings.response_types.response_types != {CODE_ONLY}
        return (*grants, *(("implicit",) if implicit else ()))

    def metadata(self, grants: Mapping[str, Grant], languages: tuple[str, ...]) -> dict[str, object]:
        """Return the discovery document."""
        settings = self.settings
        paths, origin = settings.paths, settings.origin
        return discovery.metadata(
            issuer=settings.iss,
            endpoints=discovery.Endpoints(
                authorization=origin + paths.authorize,
                token=origin + paths.token,
                userinfo=origin + paths.userinfo,
                jwks=origin + paths.jwks,
                end_session=origin + paths.endsession,
                check_session=origin + paths.check_session,
                revocation=origin + paths.revoke,
                introspection=origin + paths.introspect,
                pushed_authorization_request=origin + paths.par,
                device_authorization=origin + paths.device_authorization,
                registration=origin + paths.register if settings.allow_dynamic_client_registration else "",
            ),
            scopes=self.scopes,
            claims=claim_names(self.scopes, self.backend.claims),
            response_types=settings.response_types.names,
            response_modes=self.modes(),
            grant_types=self.grant_types(grants),
            subject_types=("public", "pairwise") if self.contents.pairwise_salt else ("public",),
            algorithms=self.signer.algorithms,
            request_object_algorithms=REQUEST_OBJECT_METHODS,
            require_pushed=settings.require_pushed_authorization_requests,
            key_algorithms=encryption.ALGORITHMS,
            content_algorithms=encryption.CONTENT_ALGORITHMS,
            ui_locales=languages,
        )
