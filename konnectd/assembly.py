"""How the parts of a daemon fit together: from settings and what they name to routes.

Together with `konnectd.service`, which opens sockets for the routes, this is the composition root: nothing else makes
objects for others, and nothing is found by anything but a constructor argument.
"""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from konnectd import loader
from konnectd.config.contents import Contents
from konnectd.config.settings import Settings
from konnectd.fetch import NoFetch
from konnectd.flows.authorize import Authorize
from konnectd.flows.backchannel import BackChannel
from konnectd.flows.client_authentication import ClientAuthentication
from konnectd.flows.concealed import Concealing, Revealing
from konnectd.flows.consent import Decisions
from konnectd.flows.dynamic_clients import DynamicClients
from konnectd.flows.endsession import EndSession
from konnectd.flows.introspect import Introspect
from konnectd.flows.logon import PasswordLogon
from konnectd.flows.mint import Mint
from konnectd.flows.par import PushRequest
from konnectd.flows.pending import PendingRequests
from konnectd.flows.request_objects import RequestObjects
from konnectd.flows.permits import Permits
from konnectd.flows.revocations import Revocations
from konnectd.flows.revoke import Revoke
from konnectd.flows.sessions import Sessions
from konnectd.flows.register import Register
from konnectd.flows.sign_in import LOGON_TTL, SignIn
from konnectd.flows.token import Token
from konnectd.flows.userinfo import UserInfo
from konnectd.flows.whereabouts import RemoteSignOut, Whereabouts
from konnectd.interfaces import (
    AuthenticationMethod,
    AuthenticationTools,
    Background,
    ClientKeys,
    ClientRegistry,
    Clock,
    Encrypter,
    Entropy,
    Fetch,
    Grant,
    GrantTools,
    Mode,
    PasswordBackend,
    Sealer,
    Signer,
    Store,
    Verifier,
)
from konnectd.jose import encryption
from konnectd.jose.client_keys import REQUEST_OBJECT_METHODS, RegisteredKeys
from konnectd.jose.sealing import SecretSealer
from konnectd.jose.signing import Defer, KeyRingSigner, KeyRingVerifier
from konnectd.protocol.client_metadata import Offer
from konnectd.protocol.discovery import Endpoints, metadata
from konnectd.protocol.response_type import CODE_ONLY
from konnectd.protocol.scope import OFFLINE_ACCESS, OPENID
from konnectd.protocol.scope_claims import claim_names
from konnectd.protocol.token import Lifetimes
from konnectd.web.account import AccountRoutes
from konnectd.web.check_session import CheckSession
from konnectd.web.cookies import Cookies
from konnectd.web.faces import PageFaces
from konnectd.web.farewell import FarewellRoutes
from konnectd.web.forms import Forms
from konnectd.web.identifier import IdentifierRoutes
from konnectd.web.leaving import LeavingRoutes
from konnectd.web.oidc import Document, OidcRoutes
from konnectd.web.pages import Pages
from konnectd.web.register import RegisterRoutes
from konnectd.web.retries import Retries
from konnectd.web.route import Route
from konnectd.web.site import Site, make_site
from konnectd.web.static import StaticFiles
from konnectd.web.templates_path import find_templates
from konnectd.web.tokens import TokenRoutes
from konnectd.web.urls import Urls
from konnectd.world import SystemClock, SystemEntropy

#: Random bytes of the reference that an error page and the log have in common.
REFERENCE_BYTES = 9
JWKS_TYPE = b"application/jwk-set+json"


@frozen(kw_only=True)
class World:
    """What the parts are built on.

    Attributes:
        fetch: asks addresses that clients chose.
        client_keys: checks what clients signed.
    """

    settings: Settings
    contents: Contents
    backend: PasswordBackend
    store: Store
    clock: Clock
    entropy: Entropy
    sealer: Sealer
    signer: Signer
    verifier: Verifier
    fetch: Fetch
    client_keys: ClientKeys = field()

    clients: ClientRegistry = field()

    @clients.default
    def _clients(self) -> ClientRegistry:
        """Make it once: it remembers clients that registered themselves."""
        if not self.settings.allow_dynamic_client_registration:
            return self.contents.registry
        return DynamicClients(
            listed=self.contents.registry,
            verifier=self.verifier,
            store=self.store,
            sealer=self.sealer,
            clock=self.clock,
            salt=self.contents.pairwise_salt,
        )

    @client_keys.default
    def _client_keys(self) -> ClientKeys:
        """Make them once: they remember what was fetched."""
        return RegisteredKeys(self.fetch, self.clock)

    @classmethod
    def build(
        cls,
        settings: Settings,
        contents: Contents,
        backend: PasswordBackend,
        store: Store,
        defer: Defer | None = None,
        fetch: Fetch | None = None,
    ) -> "World":
        """Make everything that needs nothing but keys and a clock.

        Args:
            settings: of the daemon.
            contents: what the files that the settings name hold.
            backend: knows the users.
            store: keeps what must happen once.
            defer: runs what would keep the reactor in a thread.
            fetch: asks addresses that clients chose; without it nobody is asked.
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
        """How long tokens live."""
        return Lifetimes(
            access_token=self.settings.access_token_expiration,
            id_token=self.settings.id_token_expiration,
            refresh_token=self.settings.refresh_token_expiration,
        )

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
            consent_life=self.settings.consent_expiration,
            token_life=self.settings.refresh_token_expiration,
        )

    @property
    def whereabouts(self) -> Whereabouts:
        """What notes and lists where people are signed in."""
        return Whereabouts(store=self.store)

    @property
    def sessions(self) -> Sessions:
        """What knows who takes part in sessions, and ends them."""
        longest = max(LOGON_TTL, self.settings.refresh_token_expiration)
        return Sessions(store=self.store, sealer=self.sealer, entropy=self.entropy, memory=longest)

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

    def modes(self) -> Mapping[str, Mode]:
        """Return every response mode there is a file for."""
        names = loader.names("konnectd.modes")
        return {name: loader.load("konnectd.modes", name).deliver for name in names}

    def authentication(self) -> ClientAuthentication:
        """Return what finds out which client asks, by every method there is a file for."""
        settings = self.settings
        tools = AuthenticationTools(
            audiences=frozenset({settings.iss, settings.origin + settings.paths.token}),
            keys=self.client_keys,
            store=self.store,
            clock=self.clock,
        )
        package = "konnectd.authentication"
        made: list[AuthenticationMethod] = [loader.load(package, name).build(tools) for name in loader.names(package)]
        return ClientAuthentication(
            clients=self.clients, methods={method.method: method for method in made}
        )

    def request_objects(self) -> RequestObjects:
        """Return what finds requests that stand elsewhere than in the address."""
        return RequestObjects(
            issuer=self.settings.iss,
            keys=self.client_keys,
            fetch=self.fetch,
            store=self.store,
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


@frozen(kw_only=True)
class Assembly:
    """The routes of a daemon, and the faces it has where there is no route."""

    routes: tuple[Route, ...]
    faces: PageFaces
    entropy: Entropy
    request_log: bool

    def site(self, reactor: Any, *more: Route) -> Site:  # noqa: ANN401 - Twisted's reactor has no one type
        """Make the HTTP server of these and further routes."""
        return make_site(
            (*self.routes, *more),
            reactor=reactor,
            not_found=self.faces.not_found,
            failure=self.faces.failure,
            reference=lambda: self.entropy.token(REFERENCE_BYTES),
            access_log=self.request_log,
        )


def assemble(world: World, background: Background) -> Assembly:
    """Put the flows and their pages together.

    Args:
        world: what they are built on.
        background: does what nobody waits for.

    Raises:
        BrokenTemplateError: a template has a mistake.
        LookupError: the installation is not complete.
    """
    settings = world.settings
    paths = settings.paths
    templates = find_templates()
    static = StaticFiles.read(templates / "static", paths.static)
    faces = PageFaces(Pages(templates, static=static, entropy=world.entropy))
    urls = Urls(paths=paths, sign_in=settings.sign_in_uri, signed_out=settings.signed_out_uri)
    cookies = Cookies(
        secure=settings.secure_cookies, path=paths.inner, form_path=paths.identifier, session_path=paths.session
    )
    forms = Forms(cookies=cookies, sealer=world.sealer, entropy=world.entropy, origin=settings.origin)
    sign_in = SignIn(
        backend=world.backend, sealer=world.sealer, clock=world.clock, entropy=world.entropy, store=world.store
    )
    pending = PendingRequests(
        clients=world.clients,
        sealer=world.sealer,
        clock=world.clock,
        supported=frozenset(world.scopes),
        profile=settings.response_types,
        modes=frozenset(world.modes()),
        objects=world.request_objects(),
    )
    endsession = EndSession(
        issuer=settings.iss,
        clients=world.clients,
        sign_in=sign_in,
        verifier=world.verifier,
        sessions=world.sessions,
        backchannel=world.backchannel(background),
    )
    identifier = IdentifierRoutes(
        urls=urls,
        faces=faces,
        forms=forms,
        cookies=cookies,
        pending=pending,
        sign_in=sign_in,
        logon=PasswordLogon(backend=world.backend, sign_in=sign_in, store=world.store, whereabouts=world.whereabouts, sessions=world.sessions),
        decisions=Decisions(pending=pending, entropy=world.entropy),
        catalog=world.contents.scopes,
        retries=Retries(sealer=world.sealer, clock=world.clock),
    )
    leaving = LeavingRoutes(
        urls=urls, faces=faces, forms=forms, cookies=cookies, sign_in=sign_in, endsession=endsession
    )
    oidc = _oidc(world, urls, cookies, faces, pending, endsession)
    routes = (*oidc.routes(), *_tokens(world, oidc.metadata).routes(), *identifier.routes(), *leaving.routes(), *static.routes)
    routes += _account(world, urls, cookies, faces, forms, endsession).routes()
    routes += FarewellRoutes(urls=urls, faces=faces, endsession=endsession).routes()
    routes += CheckSession(path=paths.check_session, cookies=cookies, static=static, entropy=world.entropy).routes()
    routes += _registration(world, faces.pages.languages)
    return Assembly(routes=routes, faces=faces, entropy=world.entropy, request_log=settings.request_log)


def _oidc(
    world: World, urls: Urls, cookies: Cookies, faces: PageFaces, pending: PendingRequests, endsession: EndSession
) -> OidcRoutes:
    """Put the protocol's endpoints together."""
    grants = world.grants()
    return OidcRoutes(
        urls=urls,
        metadata=Document.of(_metadata(world, grants, faces.pages.languages)),
        jwks=Document.of(world.contents.keys.jwks(), JWKS_TYPE),
        authorize=Authorize(
            issuer=world.settings.iss,
            pending=pending,
            sign_in=endsession.sign_in,
            store=world.store,
            sealer=world.sealer,
            verifier=world.verifier,
            entropy=world.entropy,
            mint=world.mint,
            modes=world.modes(),
            permits=world.permits,
            sessions=endsession.sessions,
        ),
        token=_token(world, grants),
        par=_par(world, pending),
        userinfo=_userinfo(world),
        endsession=endsession,
        cookies=cookies,
        faces=faces,
    )


def _token(world: World, grants: Mapping[str, Grant]) -> Token:
    """Put the token endpoint together."""
    return Token(
        authenticate=world.authentication(),
        grants=grants,
        mint=world.mint,
        permits=world.permits,
    )


def _par(world: World, pending: PendingRequests) -> PushRequest:
    """Put the endpoint together that requests are pushed to."""
    return PushRequest(
        authenticate=world.authentication(), pending=pending, store=world.store, entropy=world.entropy
    )


def _tokens(world: World, metadata_document: Document) -> TokenRoutes:
    """Put the endpoints about tokens that are out together."""
    issuer, authenticate, revocations = world.settings.iss, world.authentication(), world.revocations
    return TokenRoutes(
        issuer=issuer,
        paths=world.settings.paths,
        revoke=Revoke(
            issuer=issuer,
            authenticate=authenticate,
            verifier=world.verifier,
            clock=world.clock,
            revocations=revocations,
        ),
        introspect=Introspect(
            issuer=issuer,
            authenticate=authenticate,
            verifier=world.verifier,
            clock=world.clock,
            store=world.store,
            backend=world.backend,
            revocations=revocations,
        ),
        metadata=metadata_document.respond,
    )


def _account(
    world: World, urls: Urls, cookies: Cookies, faces: PageFaces, forms: Forms, endsession: EndSession
) -> AccountRoutes:
    """Put the page of applications and sessions together."""
    return AccountRoutes(
        urls=urls,
        faces=faces,
        forms=forms,
        cookies=cookies,
        clients=endsession.clients,
        sign_in=endsession.sign_in,
        permits=world.permits,
        sign_out=RemoteSignOut(
            whereabouts=world.whereabouts,
            sessions=endsession.sessions,
            clients=endsession.clients,
            backchannel=endsession.backchannel,
            entropy=world.entropy,
        ),
        catalog=world.contents.scopes,
    )


def _registration(world: World, languages: tuple[str, ...]) -> tuple[Route, ...]:
    """Put the endpoint together where clients register themselves, if there is one; they choose from our metadata."""
    settings = world.settings
    if not isinstance(world.clients, DynamicClients):
        return ()
    register = Register(
        issuer=settings.iss,
        uri=settings.origin + settings.paths.register,
        offer=Offer.of(_metadata(world, world.grants(), languages), http=not settings.secure_cookies),
        clients=world.clients,
        signer=world.signer,
        entropy=world.entropy,
        fetch=world.fetch,
        initial_token=settings.dynamic_registration_token,
        secret_life=settings.dynamic_client_secret_expiration,
    )
    return RegisterRoutes(settings.paths.register, register).routes()


def _userinfo(world: World) -> UserInfo:
    """Put the userinfo endpoint together."""
    return UserInfo(
        issuer=world.settings.iss,
        backend=world.backend,
        clients=world.clients,
        revocations=world.revocations,
        signer=world.signer,
        encrypter=world.encrypter,
        verifier=world.verifier,
        clock=world.clock,
    )


def _grant_types(world: World, grants: Mapping[str, Grant]) -> tuple[str, ...]:
    """Return the grant types that are on; ``implicit`` is one that has no endpoint of its own."""
    implicit = world.settings.response_types.response_types != {CODE_ONLY}
    return (*grants, *(("implicit",) if implicit else ()))


def _metadata(world: World, grants: Mapping[str, Grant], languages: tuple[str, ...]) -> dict[str, object]:
    """Return the discovery document."""
    settings = world.settings
    paths, origin = settings.paths, settings.origin
    return metadata(
        issuer=settings.iss,
        endpoints=Endpoints(
            authorization=origin + paths.authorize,
            token=origin + paths.token,
            userinfo=origin + paths.userinfo,
            jwks=origin + paths.jwks,
            end_session=origin + paths.endsession,
            check_session=origin + paths.check_session,
            revocation=origin + paths.revoke,
            introspection=origin + paths.introspect,
            pushed_authorization_request=origin + paths.par,
            registration=origin + paths.register if settings.allow_dynamic_client_registration else "",
        ),
        scopes=world.scopes,
        claims=claim_names(world.scopes, world.backend.claims),
        response_types=settings.response_types.names,
        response_modes=world.modes(),
        grant_types=_grant_types(world, grants),
        subject_types=("public", "pairwise") if world.contents.pairwise_salt else ("public",),
        algorithms=world.signer.algorithms,
        request_object_algorithms=REQUEST_OBJECT_METHODS,
        require_pushed=settings.require_pushed_authorization_requests,
        key_algorithms=encryption.ALGORITHMS,
        content_algorithms=encryption.CONTENT_ALGORITHMS,
        ui_locales=languages,
    )
