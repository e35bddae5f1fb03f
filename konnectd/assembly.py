"""How the parts of a daemon fit together: from settings and what they name to routes.

Together with `konnectd.service`, which opens sockets for the routes, this is the composition root: nothing else makes
objects for others, and nothing is found by anything but a constructor argument.
"""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from konnectd import loader
from konnectd.config.contents import Contents
from konnectd.config.settings import Settings
from konnectd.flows.authorize import Authorize
from konnectd.flows.consent import Decisions
from konnectd.flows.endsession import EndSession
from konnectd.flows.logon import PasswordLogon
from konnectd.flows.pending import PendingRequests
from konnectd.flows.sign_in import SignIn
from konnectd.flows.token import Token
from konnectd.flows.userinfo import UserInfo
from konnectd.interfaces import (
    Clock,
    Entropy,
    Grant,
    GrantTools,
    PasswordBackend,
    Sealer,
    Signer,
    Store,
    Verifier,
)
from konnectd.jose.sealing import SecretSealer
from konnectd.jose.signing import Defer, KeyRingSigner, KeyRingVerifier
from konnectd.protocol.discovery import Endpoints, metadata
from konnectd.protocol.scope import OFFLINE_ACCESS, OPENID
from konnectd.protocol.token import Lifetimes
from konnectd.protocol.userinfo import claim_names
from konnectd.stores.memory import MemoryStore
from konnectd.web.cookies import Cookies
from konnectd.web.faces import PageFaces
from konnectd.web.forms import Forms
from konnectd.web.identifier import IdentifierRoutes
from konnectd.web.leaving import LeavingRoutes
from konnectd.web.oidc import Document, OidcRoutes
from konnectd.web.pages import Pages
from konnectd.web.retries import Retries
from konnectd.web.route import Route
from konnectd.web.site import Site, make_site
from konnectd.web.static import StaticFiles
from konnectd.web.templates_path import find_templates
from konnectd.web.urls import Urls
from konnectd.world import SystemClock, SystemEntropy

#: Random bytes of the reference that an error page and the log have in common.
REFERENCE_BYTES = 9
JWKS_TYPE = b"application/jwk-set+json"


@frozen(kw_only=True)
class World:
    """What the parts are built on.

    Attributes:
        defer: runs what would keep the reactor in a thread.
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

    @classmethod
    def build(
        cls, settings: Settings, contents: Contents, backend: PasswordBackend, defer: Defer | None = None
    ) -> "World":
        """Make everything that needs nothing but keys and a clock."""
        clock = SystemClock()
        return cls(
            settings=settings,
            contents=contents,
            backend=backend,
            store=MemoryStore(clock),
            clock=clock,
            entropy=SystemEntropy(),
            sealer=SecretSealer(contents.encryption_secret),
            signer=KeyRingSigner(contents.keys, defer),
            verifier=KeyRingVerifier(contents.keys),
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

    def grants(self) -> Mapping[str, Grant]:
        """Return every grant type there is a file for."""
        tools = GrantTools(
            issuer=self.settings.iss,
            backend=self.backend,
            store=self.store,
            sealer=self.sealer,
            verifier=self.verifier,
            clock=self.clock,
            lifetimes=self.lifetimes,
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


def assemble(world: World) -> Assembly:
    """Put the flows and their pages together.

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
    cookies = Cookies(secure=settings.secure_cookies, path=paths.inner, form_path=paths.identifier)
    forms = Forms(cookies=cookies, sealer=world.sealer, entropy=world.entropy, origin=settings.origin)
    sign_in = SignIn(backend=world.backend, sealer=world.sealer, clock=world.clock, entropy=world.entropy)
    pending = PendingRequests(
        clients=world.contents.registry,
        sealer=world.sealer,
        clock=world.clock,
        supported=frozenset(world.scopes),
    )
    endsession = EndSession(
        issuer=settings.iss, clients=world.contents.registry, sign_in=sign_in, verifier=world.verifier
    )
    identifier = IdentifierRoutes(
        urls=urls,
        faces=faces,
        forms=forms,
        cookies=cookies,
        pending=pending,
        sign_in=sign_in,
        logon=PasswordLogon(backend=world.backend, sign_in=sign_in, store=world.store),
        decisions=Decisions(pending=pending, entropy=world.entropy),
        catalog=world.contents.scopes,
        retries=Retries(sealer=world.sealer, clock=world.clock),
    )
    leaving = LeavingRoutes(
        urls=urls, faces=faces, forms=forms, cookies=cookies, sign_in=sign_in, endsession=endsession
    )
    oidc = _oidc(world, urls, cookies, faces, pending, endsession)
    routes = (*oidc.routes(), *identifier.routes(), *leaving.routes(), *static.routes)
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
        ),
        token=_token(world, grants),
        userinfo=_userinfo(world),
        endsession=endsession,
        cookies=cookies,
        faces=faces,
    )


def _token(world: World, grants: Mapping[str, Grant]) -> Token:
    """Put the token endpoint together."""
    return Token(
        clients=world.contents.registry,
        grants=grants,
        signer=world.signer,
        clock=world.clock,
        entropy=world.entropy,
        lifetimes=world.lifetimes,
    )


def _userinfo(world: World) -> UserInfo:
    """Put the userinfo endpoint together."""
    return UserInfo(
        issuer=world.settings.iss,
        backend=world.backend,
        clients=world.contents.registry,
        store=world.store,
        signer=world.signer,
        verifier=world.verifier,
        clock=world.clock,
    )


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
        ),
        scopes=world.scopes,
        claims=claim_names(world.scopes, world.backend.claims),
        grant_types=grants,
        algorithms=world.signer.algorithms,
        ui_locales=languages,
    )
