"""How the demo is put together: the ordinary daemon, one more client, and the pages of that client."""

from secrets import token_bytes
from typing import Any
from urllib.parse import urlsplit

from attrs import evolve
from twisted.logger import Logger

from konnectd.backends.file import build_from
from konnectd.config.contents import Contents, read_contents
from konnectd.config.registration import FileRegistry
from konnectd.config.settings import Settings
from konnectd.demo.fetch import Fetch, HttpFetch
from konnectd.demo.pages import DemoPages
from konnectd.demo.people import PEOPLE
from konnectd.demo.provider import Application, metadata_uri
from konnectd.demo.relying_party import RelyingParty
from konnectd.demo.routes import DemoRoutes, Look, cookies_of
from konnectd.demo.views import Guest
from konnectd.interfaces import Backend, Clock, Entropy
from konnectd.jose.sealing import SECRET_SIZE, SecretSealer
from konnectd.option import ConfigError, ConfigErrors
from konnectd.parts import World
from konnectd.protocol.client import Client
from konnectd.service import build_backend, build_fetch, build_store, build_watch, serve, threads
from konnectd.web.forms import Forms
from konnectd.web.route import Route
from konnectd.web.static import StaticFiles
from konnectd.web.templates_path import find_templates

log = Logger()

CLIENT_ID = "demo"
_FILE = "file"
_USERS = "file_users"


def make_service(settings: Settings, reactor: Any) -> Any:  # noqa: ANN401 - neither has one type
    """Make the provider and its demo application, and say where they are once they can be used.

    Raises:
        ConfigErrors: a file or a setting is wrong; all faults at once.
    """
    contents, backend = read_world(settings, reactor)
    store, fetch = build_store(settings, reactor), build_fetch(settings, reactor)
    watch = build_watch(settings, contents, reactor)
    if watch is not None:
        backend, store = watch.measured(backend, store)
    world = World.build(settings, contents, backend, store, threads(reactor), fetch)
    routes = demo_routes(settings, HttpFetch.over_network(reactor), world.clock, world.entropy)
    service = serve(settings, world, reactor, *routes, watch=watch)
    # Addresses are open before the reactor runs, so whoever reads this line can use it.
    reactor.callWhenRunning(print, f"konnectd demo: open {application_of(settings).home_uri} in a browser", flush=True)
    return service


def read_world(settings: Settings, reactor: Any) -> tuple[Contents, Backend]:  # noqa: ANN401 - Twisted's reactor
    """Read the files that were given, add the demo's own client, and make the backend.

    Raises:
        ConfigErrors: all faults of both.
    """
    faults: list[ConfigError] = []
    contents: Contents | None = None
    backend: Backend | None = None
    try:
        contents = with_client(read_contents(settings, warn=_tell), settings)
    except ConfigErrors as error:
        faults += error.faults
    try:
        if has_own_people(settings):
            backend = build_backend(settings, reactor)
        else:
            backend = build_from((person.file_user for person in PEOPLE), reactor)
    except ConfigErrors as error:
        faults += error.faults
    if contents is None or backend is None:
        raise ConfigErrors(faults)
    return contents, backend


def _tell(text: str) -> None:
    """Log what an operator of a real installation should look at; here it is as it should be."""
    log.info("{text}", text=text)


def has_own_people(settings: Settings) -> bool:
    """Tell whether people come from a backend that was given."""
    return settings.backend != _FILE or bool(settings.backend_options.get(_USERS))


def application_of(settings: Settings) -> Application:
    """Return what the demo application is registered as."""
    home = f"{settings.origin}{_base(settings)}"
    return Application(client_id=CLIENT_ID, redirect_uri=f"{home}callback", home_uri=home)


def with_client(contents: Contents, settings: Settings) -> Contents:
    """Add the demo application to the registered clients.

    It is not trusted, so that the consent page is seen, and has no secret, so that PKCE is.

    Raises:
        ConfigErrors: another client has its id.
    """
    registered = contents.registry.clients
    if any(client.client_id == CLIENT_ID for client in registered):
        fault = ConfigError("identifier_registration_conf", f"the client id {CLIENT_ID} belongs to the demo itself")
        raise ConfigErrors([settings.locate(fault)])
    application = application_of(settings)
    client = Client(
        client_id=application.client_id,
        name="Demo application",
        uri=application.home_uri,
        redirect_uris=(application.redirect_uri,),
        post_logout_redirect_uris=(application.home_uri,),
    )
    return evolve(contents, registry=FileRegistry((client, *registered)))


def demo_routes(settings: Settings, fetch: Fetch, clock: Clock, entropy: Entropy) -> tuple[Route, ...]:
    """Put the demo application together and return its routes.

    Args:
        settings: of the provider; from them the application learns its own address and the issuer's, no more.
        fetch: its way to the provider.
        clock: the time of day.
        entropy: chance.
    """
    look = _look(settings)
    templates = find_templates()
    static = StaticFiles.read(templates / "static", settings.paths.static)
    sealer = SecretSealer(token_bytes(SECRET_SIZE))
    party = RelyingParty(
        application_of(settings),
        issuer=settings.iss,
        metadata_uri=look.metadata_uri,
        fetch=fetch,
        clock=clock,
        entropy=entropy,
    )
    forms = Forms(cookies=cookies_of(look), sealer=sealer, entropy=entropy, origin=settings.origin)
    pages = DemoPages(templates, static=static, entropy=entropy)
    return DemoRoutes(look, party=party, pages=pages, forms=forms, clock=clock, entropy=entropy).routes()


def _look(settings: Settings) -> Look:
    """Return what the application's pages tell about this provider."""
    # Where no proxy stands in front, nobody maps the issuer's path to where the metadata really is.
    at_root = f"{settings.origin}{settings.paths.discovery}"
    guests = () if has_own_people(settings) else _guests()
    pages = (settings.sign_in_uri, settings.signed_out_uri)
    return Look(
        base=_base(settings),
        origin=settings.origin,
        metadata_uri=metadata_uri(settings.iss) if settings.secure_cookies else at_root,
        backend=settings.backend,
        guests=guests,
        # Pages of the operator's own may lead anywhere, and browsers hold a form to where it ends.
        form_targets=tuple(dict.fromkeys(f"{urlsplit(uri).scheme}:" for uri in pages if not uri.startswith("/"))),
    )


def _guests() -> tuple[Guest, ...]:
    """Return those whose passwords may be shown."""
    return tuple(
        Guest(name=person.end_user.name, username=person.end_user.username, password=person.password)
        for person in PEOPLE
    )


def _base(settings: Settings) -> str:
    """Return the path of the application's pages."""
    return f"{settings.uri_base_path}/demo/"
