"""How the parts of a daemon fit together: from settings and what they name to routes.

Together with `konnectd.service`, which opens sockets for the routes, this is the composition root: nothing else makes
objects for others, and nothing is found by anything but a constructor argument.
"""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from konnectd.config.settings import Settings
from konnectd.flows.authorize import Authorize
from konnectd.flows.device import DeviceApproval, DeviceAuthorization
from konnectd.flows.endsession import EndSession
from konnectd.flows.introspect import Introspect
from konnectd.flows.par import PushRequest
from konnectd.flows.pending import PendingRequests
from konnectd.flows.remote_sign_out import RemoteSignOut
from konnectd.flows.revoke import Revoke
from konnectd.flows.sign_in import SignIn
from konnectd.flows.token import Token
from konnectd.flows.userinfo import UserInfo
from konnectd.interfaces import Background, Grant
from konnectd.looks import Looks
from konnectd.page_assembly import abroad, known, pages, recognized
from konnectd.parts import World
from konnectd.protocol.client_metadata import Offer
from konnectd.web.account import AccountRoutes
from konnectd.web.check_session import CheckSession
from konnectd.web.client_logo import ClientLogoRoutes
from konnectd.web.cookies import Cookies
from konnectd.web.device import DeviceRoutes
from konnectd.web.edge import Edge, Observe, Replies
from konnectd.web.faces import PageFaces
from konnectd.web.farewell import FarewellRoutes
from konnectd.web.forms import Forms
from konnectd.web.language import LanguageRoutes
from konnectd.web.notes import Notes
from konnectd.web.oidc import Document, OidcRoutes
from konnectd.web.proxies import Proxies
from konnectd.web.route import Route
from konnectd.web.site import Site, make_site
from konnectd.web.tokens import TokenRoutes
from konnectd.web.urls import Urls

#: Random bytes of the reference that an error page and the log have in common.
REFERENCE_BYTES = 9
#: The levels at which requests are told of that were granted.
_TALKATIVE = frozenset({"debug", "trace"})
JWKS_TYPE = b"application/jwk-set+json"


@frozen(kw_only=True)
class Assembly:
    """The routes of a daemon, and the faces it has where there is no route."""

    routes: tuple[Route, ...]
    looks: Looks
    notes: Notes
    request_log: bool
    proxies: Proxies | None = None

    @property
    def faces(self) -> PageFaces:
        """How failures look that are shown to people."""
        return self.looks.faces

    def edge(self, site: Site, *more: Route) -> Edge:
        """Make what answers by these and further routes on the connections of a site; it does not yet."""
        replies = Replies(not_found=self.faces.not_found, failure=self.faces.failure, reference=self.notes.reference)
        return site.make_edge((*self.routes, *more), replies)

    def site(self, reactor: Any, *more: Route, observe: Observe | None = None) -> Site:  # noqa: ANN401 - Twisted's
        """Make the HTTP server of these and further routes; who observes is told of every answer."""
        return make_site(
            (*self.routes, *more),
            reactor=reactor,
            not_found=self.faces.not_found,
            failure=self.faces.failure,
            reference=self.notes.reference,
            access_log=self.request_log,
            proxies=self.proxies,
            observe=observe,
        )


def assemble(world: World, background: Background) -> Assembly:
    """Put the flows and their pages together, and let the backend know.

    Args:
        world: what they are built on.
        background: does what nobody waits for.

    Raises:
        BrokenTemplateError: a template has a mistake.
        ConfigErrors: there are no pages in a language that was asked for.
        LookupError: the installation is not complete.
    """
    world.introduce()
    return put_together(world, background, Looks.read(world.settings, world.contents.branding, world.entropy))


def put_together(world: World, background: Background, looks: Looks) -> Assembly:
    """Put the flows and their pages together; the backend knows nothing of them yet."""
    settings = world.settings
    paths = settings.paths
    faces, static = looks.faces, looks.static
    urls = _urls(world)
    cookies = _cookies(world)
    forms = Forms(cookies=cookies, sealer=world.sealer, entropy=world.entropy, origin=settings.origin)
    sign_in = world.sign_in()
    pending = PendingRequests(
        clients=world.clients,
        sealer=world.sealer,
        clock=world.clock,
        supported=frozenset(world.scopes),
        profile=settings.response_types,
        modes=frozenset(world.modes()),
        objects=world.request_objects(),
    )
    endsession = _endsession(world, sign_in, background, pending)
    notes = _notes(world)
    oidc = _oidc(world, urls, cookies, faces, pending, endsession, notes)
    routes = (*oidc.routes(), *pages(world, urls, faces, forms, endsession, pending, notes), *static.routes)
    routes += _tokens(world, oidc.metadata).routes()
    routes += _account(world, urls, cookies, faces, forms, endsession).routes()
    routes += _device(world, urls, cookies, faces, forms, endsession).routes()
    routes += LanguageRoutes(paths=paths, faces=faces, cookies=cookies, origin=settings.origin).routes()
    routes += FarewellRoutes(urls=urls, faces=faces, endsession=endsession).routes()
    routes += CheckSession(path=paths.check_session, cookies=cookies, static=static, entropy=world.entropy).routes()
    routes += ClientLogoRoutes(path=paths.client_logo, logos=world.logos).routes()
    routes += _registration(world, faces.pages.languages)
    return Assembly(
        routes=routes, looks=looks, notes=notes, request_log=settings.request_log, proxies=_proxies(settings)
    )


def _proxies(settings: Settings) -> Proxies | None:
    """Return whom requests are believed from; None for nobody."""
    found = settings.trusted_proxy
    if not found:
        return None
    return Proxies(
        networks=tuple(network for network in found if network is not None),
        unix=None in found,
        proxy_protocol=settings.proxy_protocol,
    )


def _notes(world: World) -> Notes:
    """Put together what tells of decisions; the letter keeps a reference from looking like a flag."""
    return Notes(
        lambda: "E" + world.entropy.token(REFERENCE_BYTES),
        every=world.settings.log_level in _TALKATIVE,
        counted=world.settings.watching.counts,
    )


def _cookies(world: World) -> Cookies:
    """Put together what reads and writes cookies."""
    settings, by_browser = world.settings, world.by_browser
    return Cookies(
        secure=settings.secure_cookies,
        path=settings.paths.inner,
        form_path=settings.paths.identifier,
        session_path=settings.paths.session,
        by_browser=by_browser is not None,
        shown=by_browser.cookie_names if by_browser is not None else None,
    )


def _urls(world: World) -> Urls:
    """Say where pages are, and whose."""
    settings, by_browser = world.settings, world.by_browser
    return Urls(
        paths=settings.paths,
        sign_in=settings.sign_in_uri,
        signed_out=settings.signed_out_uri,
        own=settings.own_pages,
        origin=settings.origin,
        elsewhere=by_browser is not None and by_browser.signs_in_elsewhere,
    )


def _endsession(world: World, sign_in: SignIn, background: Background, pending: PendingRequests) -> EndSession:
    """Put the way out together."""
    return EndSession(
        issuer=world.settings.iss,
        clients=world.clients,
        sign_in=sign_in,
        verifier=world.verifier,
        sessions=world.sessions,
        backchannel=world.backchannel(background),
        parting=world.parting(background),
        abroad=abroad(world, sign_in, pending),
    )


def _oidc(
    world: World,
    urls: Urls,
    cookies: Cookies,
    faces: PageFaces,
    pending: PendingRequests,
    endsession: EndSession,
    notes: Notes,
) -> OidcRoutes:
    """Put the protocol's endpoints together."""
    grants = world.grants()
    return OidcRoutes(
        urls=urls,
        metadata=Document.of(world.metadata(grants, faces.pages.languages)),
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
            recognized=recognized(world, endsession.sign_in, notes),
            foreign=not urls.own,
            guests=world.guests(),
            known=known(world, endsession.sign_in),
        ),
        token=_token(world, grants),
        par=_par(world, pending),
        userinfo=_userinfo(world),
        endsession=endsession,
        cookies=cookies,
        faces=faces,
        notes=notes,
    )


def _token(world: World, grants: Mapping[str, Grant]) -> Token:
    """Put the token endpoint together."""
    return Token(
        authenticate=world.authentication(world.settings.paths.token),
        grants=grants,
        mint=world.mint,
        permits=world.permits,
    )


def _par(world: World, pending: PendingRequests) -> PushRequest:
    """Put the endpoint together that requests are pushed to."""
    authenticate = world.authentication(world.settings.paths.par)
    return PushRequest(authenticate=authenticate, pending=pending, store=world.store, entropy=world.entropy)


def _tokens(world: World, metadata_document: Document) -> TokenRoutes:
    """Put the endpoints about tokens that are out together."""
    issuer, paths, revocations = world.settings.iss, world.settings.paths, world.revocations
    return TokenRoutes(
        issuer=issuer,
        paths=paths,
        revoke=Revoke(
            issuer=issuer,
            authenticate=world.authentication(paths.revoke),
            verifier=world.verifier,
            clock=world.clock,
            revocations=revocations,
        ),
        introspect=Introspect(
            issuer=issuer,
            authenticate=world.authentication(paths.introspect),
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
            parting=endsession.parting,
            entropy=world.entropy,
        ),
        catalog=world.contents.scopes,
    )


def _device(
    world: World, urls: Urls, cookies: Cookies, faces: PageFaces, forms: Forms, endsession: EndSession
) -> DeviceRoutes:
    """Put the sign-in of devices together."""
    supported = frozenset(world.scopes)
    return DeviceRoutes(
        urls=urls,
        faces=faces,
        forms=forms,
        cookies=cookies,
        sign_in=endsession.sign_in,
        authorization=DeviceAuthorization(
            authenticate=world.authentication(world.settings.paths.device_authorization),
            store=world.store,
            sealer=world.sealer,
            clock=world.clock,
            entropy=world.entropy,
            supported=supported,
            verification_uri=world.settings.origin + world.settings.paths.device,
        ),
        approval=DeviceApproval(
            clients=endsession.clients,
            store=world.store,
            sealer=world.sealer,
            clock=world.clock,
            sessions=endsession.sessions,
            supported=supported,
        ),
        catalog=world.contents.scopes,
    )


def _registration(world: World, languages: tuple[str, ...]) -> tuple[Route, ...]:
    """Put the endpoint together where clients register themselves, if there is one; they choose from our metadata."""
    settings = world.settings
    if not settings.allow_dynamic_client_registration:
        return ()
    # Only here: a start of those who do not need it need not wait for it.
    from konnectd.flows.dynamic_clients import DynamicClients  # noqa: PLC0415 - see above
    from konnectd.flows.register import Register  # noqa: PLC0415 - see above
    from konnectd.web.register import RegisterRoutes  # noqa: PLC0415 - see above

    if not isinstance(world.clients, DynamicClients):
        return ()
    register = Register(
        issuer=settings.iss,
        uri=settings.origin + settings.paths.register,
        offer=Offer.of(world.metadata(world.grants(), languages), http=not settings.secure_cookies),
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
