"""How external authorities fit into the daemon; loaded only where there are some.

The rest of the composition is `konnectd.assembly`.
"""

from collections.abc import Iterable, Mapping

from attrs import evolve

from konnectd.authority import Authority
from konnectd.authority_entry import Doorway
from konnectd.authority_kinds import find_kind
from konnectd.flows.endsession import EndSession
from konnectd.flows.federate import Federate, SignOutAbroad
from konnectd.flows.pending import PendingRequests
from konnectd.flows.sign_in import SignIn
from konnectd.http import HttpRequest, HttpResponse
from konnectd.parts import World
from konnectd.web.authority_demands import Demands
from konnectd.web.cookies import Cookies
from konnectd.web.faces import PageFaces
from konnectd.web.federation import FederationRoutes
from konnectd.web.forms import query_of
from konnectd.web.notes import Notes
from konnectd.web.retries import Retries
from konnectd.web.route import Route
from konnectd.web.urls import Urls


def federate(world: World, sign_in: SignIn, pending: PendingRequests) -> Federate:
    """Put together what sends people to authorities and signs them in when they come back."""
    return Federate(
        authorities=world.authorities,
        sign_in=sign_in,
        whereabouts=world.whereabouts,
        sessions=world.sessions,
        pending=pending,
    )


def sign_out_abroad(world: World, sign_in: SignIn, pending: PendingRequests) -> SignOutAbroad:
    """Put together what sends people who sign out here to their authority."""
    return SignOutAbroad(federate(world, sign_in, pending))


def federation(
    world: World,
    urls: Urls,
    faces: PageFaces,
    cookies: Cookies,
    endsession: EndSession,
    pending: PendingRequests,
    notes: Notes,
) -> FederationRoutes:
    """Put the addresses together where people leave and come back."""
    return FederationRoutes(
        urls=urls,
        faces=faces,
        cookies=cookies,
        federate=federate(world, endsession.sign_in, pending),
        demands=Demands(urls=urls, faces=faces, cookies=cookies, endsession=endsession),
        retries=Retries(sealer=world.sealer, clock=world.clock),
        notes=notes,
        doorways=_doorways(world.authorities),
        metadata=_metadata(world.authorities),
        passwords=not world.settings.disable_local_logon,
    )


def _doorways(authorities: Mapping[str, Authority]) -> tuple[tuple[Doorway, frozenset[str]], ...]:
    """Return where browsers come back, and from which authorities."""
    found: dict[Doorway, set[str]] = {}
    for authority_id, authority in authorities.items():
        for doorway in find_kind(authority.entry.kind).DOORWAYS:
            found.setdefault(doorway, set()).add(authority_id)
    return tuple((doorway, frozenset(ids)) for doorway, ids in found.items())


def _metadata(authorities: Mapping[str, Authority]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return where something is published about us, and for which authorities, the default one first."""
    found: dict[str, list[str]] = {}
    for authority_id, authority in authorities.items():
        path = getattr(find_kind(authority.entry.kind), "METADATA", "")
        if path:
            offered = found.setdefault(path, [])
            offered.insert(0 if authority.entry.default else len(offered), authority_id)
    return tuple((path, tuple(ids)) for path, ids in found.items())


def unasked_first(federation: FederationRoutes, routes: Iterable[Route], path: str) -> tuple[Route, ...]:
    """Let a page of somebody else's be seen only by those who are not sent on without being asked.

    Args:
        federation: sends them on.
        routes: of the front end.
        path: of the page.
    """

    def instead(route: Route) -> Route:
        async def respond(request: HttpRequest) -> HttpResponse:
            onward = await federation.unasked(request, query_of(request))
            return onward if onward is not None else await route.respond(request)

        return evolve(route, respond=respond)

    return tuple(instead(route) if route.path == path else route for route in routes)
