"""How the pages on the way in and out fit together, and the API for front ends that take their place.

The rest of the composition is `konnectd.assembly`.
"""

from typing import TYPE_CHECKING

from attrs import evolve

from konnectd.flows.consent import Decisions
from konnectd.flows.endsession import EndSession
from konnectd.flows.identifier_api import IdentifierApi
from konnectd.flows.known import KnownLogon
from konnectd.flows.logon import PasswordLogon
from konnectd.flows.pending import PendingRequests
from konnectd.flows.recognized import RecognizedLogon
from konnectd.flows.sign_in import SignIn
from konnectd.parts import World
from konnectd.web.chooser import ChooserRoutes
from konnectd.web.elsewhere import ElsewhereRoutes
from konnectd.web.faces import PageFaces
from konnectd.web.forms import Forms
from konnectd.web.identifier import IdentifierRoutes
from konnectd.web.identifier_api import IdentifierApiRoutes
from konnectd.web.leaving import LeavingRoutes
from konnectd.web.notes import Notes
from konnectd.web.retries import Retries
from konnectd.web.route import Route
from konnectd.web.urls import Urls
from konnectd.web.web_app import WebApp

if TYPE_CHECKING:
    from konnectd.flows.federate import SignOutAbroad
    from konnectd.web.federation import FederationRoutes


def pages(
    world: World,
    urls: Urls,
    faces: PageFaces,
    forms: Forms,
    endsession: EndSession,
    pending: PendingRequests,
    notes: Notes,
) -> tuple[Route, ...]:
    """Return the pages on the way in and out with all that belongs to them, and addresses that endpoints have had."""
    return (*_pages(world, urls, faces, forms, endsession, pending, notes), *_moved(world, faces))


def _pages(
    world: World,
    urls: Urls,
    faces: PageFaces,
    forms: Forms,
    endsession: EndSession,
    pending: PendingRequests,
    notes: Notes,
) -> tuple[Route, ...]:
    """Return the pages, ours or those of a front end, and the API that front ends need."""
    identifier = _identifier(world, urls, faces, forms, endsession.sign_in, pending, notes)
    by_browser = known(world, endsession.sign_in)
    if by_browser is not None:
        elsewhere = ElsewhereRoutes(
            urls=urls, faces=faces, cookies=forms.cookies, pending=pending, known=by_browser
        ).routes()
        inner = (*identifier.consent_routes(), *_chooser(identifier, endsession).routes())
        return (*elsewhere, *inner, *_leaving(urls, faces, forms, endsession).routes())
    api = _api(world, identifier, endsession)
    authorities = _federation(world, urls, faces, forms, endsession, pending, notes)
    if not urls.own:
        shown = WebApp(urls.paths, world.contents.web_app, world.entropy, faces.as_page).routes()
        return api.routes(shown if authorities is None else _unasked_first(authorities, shown, urls.paths.identifier))
    leaving = _leaving(urls, faces, forms, endsession)
    own = (*leaving.routes(), *_chooser(identifier, endsession).routes())
    if authorities is None:
        return api.routes((*identifier.routes(), *own))
    return api.routes((*evolve(identifier, federation=authorities).routes(), *authorities.routes(), *own))


def _federation(
    world: World,
    urls: Urls,
    faces: PageFaces,
    forms: Forms,
    endsession: EndSession,
    pending: PendingRequests,
    notes: Notes,
) -> "FederationRoutes | None":
    """Put the addresses of external authorities together; None where there is none."""
    if not world.authorities:
        return None
    from konnectd.federation_assembly import federation  # noqa: PLC0415 - a start of those who have none need not wait

    return federation(world, urls, faces, forms.cookies, endsession, pending, notes)


def _unasked_first(elsewhere: "FederationRoutes", shown: tuple[Route, ...], path: str) -> tuple[Route, ...]:
    """Return the routes of a front end and of authorities, which come first where one of them is the default."""
    from konnectd.federation_assembly import unasked_first  # noqa: PLC0415 - as above

    return (*unasked_first(elsewhere, shown, path), *elsewhere.routes())


def abroad(world: World, sign_in: SignIn, pending: PendingRequests) -> "SignOutAbroad | None":
    """Put together what sends people on to sign out at their authority; None where there is none."""
    if not world.authorities:
        return None
    from konnectd.federation_assembly import sign_out_abroad  # noqa: PLC0415 - as above

    return sign_out_abroad(world, sign_in, pending)


def _moved(world: World, faces: PageFaces) -> tuple[Route, ...]:
    """Return what sends on from addresses that endpoints have had with Konnect."""
    addresses = world.settings.endpoints.moved(world.settings.paths)
    if not addresses:
        return ()
    from konnectd.web.moved import MovedRoutes  # noqa: PLC0415 - nobody else needs it

    return MovedRoutes(moved=addresses, face=faces.as_page).routes()


def _leaving(urls: Urls, faces: PageFaces, forms: Forms, endsession: EndSession) -> LeavingRoutes:
    """Put the pages together of whoever is not awaited anywhere."""
    return LeavingRoutes(
        urls=urls,
        faces=faces,
        forms=forms,
        cookies=forms.cookies,
        sign_in=endsession.sign_in,
        endsession=endsession,
    )


def _identifier(
    world: World, urls: Urls, faces: PageFaces, forms: Forms, sign_in: SignIn, pending: PendingRequests, notes: Notes
) -> IdentifierRoutes:
    """Put the pages on the way to a client together."""
    return IdentifierRoutes(
        urls=urls,
        faces=faces,
        forms=forms,
        cookies=forms.cookies,
        pending=pending,
        sign_in=sign_in,
        logon=_logon(world, sign_in),
        recognized=recognized(world, sign_in, notes),
        decisions=Decisions(pending=pending, entropy=world.entropy),
        catalog=world.contents.scopes,
        retries=Retries(sealer=world.sealer, clock=world.clock),
        notes=notes,
    )


def known(world: World, sign_in: SignIn) -> KnownLogon | None:
    """Put together what keeps logons to what the backend sees; None for a backend that sees nobody."""
    if world.by_browser is None:
        return None
    return KnownLogon(backend=world.by_browser, sign_in=sign_in, whereabouts=world.whereabouts, sessions=world.sessions)


def recognized(world: World, sign_in: SignIn, notes: Notes) -> RecognizedLogon:
    """Put the way in of people together whom a trusted proxy has recognized."""
    return RecognizedLogon(
        sign_in=sign_in, whereabouts=world.whereabouts, sessions=world.sessions, tell=notes.not_recognized
    )


def _api(world: World, pages: IdentifierRoutes, endsession: EndSession) -> IdentifierApiRoutes:
    """Put the identifier API together, from the very flows that our pages have."""
    api = IdentifierApi(
        sign_in=pages.sign_in,
        password_logon=pages.logon,
        recognized=pages.recognized,
        decisions=pages.decisions,
        permits=world.permits,
        endsession=endsession,
        verifier=world.verifier,
        continue_uri=pages.urls.origin + pages.urls.paths.authorize,
    )
    return IdentifierApiRoutes(urls=pages.urls, api=api, cookies=pages.cookies, catalog=pages.catalog)


def _chooser(identifier: IdentifierRoutes, endsession: EndSession) -> ChooserRoutes:
    """Put the account chooser together, of what the pages beside it are made of."""
    return ChooserRoutes(
        urls=identifier.urls,
        faces=identifier.faces,
        forms=identifier.forms,
        cookies=identifier.cookies,
        pending=identifier.pending,
        decisions=identifier.decisions,
        endsession=endsession,
    )


def _logon(world: World, sign_in: SignIn) -> PasswordLogon:
    """Put the way in together."""
    return PasswordLogon(
        backend=world.passwords,
        sign_in=sign_in,
        store=world.store,
        whereabouts=world.whereabouts,
        sessions=world.sessions,
    )
