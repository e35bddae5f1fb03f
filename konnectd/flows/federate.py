"""Signing in at an external authority: there, back, and who that is here.

Whoever comes back is believed only in the browser that left, for the request it left for, at the authority it left
for, and once. Konnect's names for what is kept are kept (``KKTS``).

Spec: RFC 6749 10.12; OIDC Core 15.5.2; RFC 9700 4.4 and 4.7.
"""

from collections.abc import Mapping

from attrs import field, frozen

from konnectd.authority import (
    SKEW,
    TRIP_TTL,
    Authority,
    AuthorityError,
    Departure,
    ExternalIdentity,
    Rebuff,
    Returned,
    Wish,
)
from konnectd.flows.browser import Browser, CookieChange, Forget, Keep
from konnectd.flows.pending import Arrival, PendingRequests
from konnectd.flows.sessions import Sessions
from konnectd.flows.side_by_side import SideBySide
from konnectd.flows.sign_in import SignIn
from konnectd.flows.whereabouts import Whereabouts
from konnectd.interfaces import NamingBackend
from konnectd.jsontext import write
from konnectd.protocol.authorize import ANOTHER
from konnectd.protocol.end_user import EndUser, ExternalSession, Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.trip import (
    MOST_KEPT,
    Trip,
    cookie_name,
    external_session_key,
    first_names,
    names,
    pieces,
    used_trip_key,
    whole,
)
from konnectd.protocol.vocabulary import ErrorCode, Prompt

#: Purposes under which trips are sealed, and what authorities have said.
TRIP = "trip"
HELD = "external-session"
#: Longest name that reaches a backend, in characters.
LONGEST_NAME = 256
#: What is handed on of ``acr_values``, in characters.
_LONGEST_CONTEXTS = 256
#: What is kept of an external session at most, in bytes.
_MOST_HELD = 32 * 1024


@frozen
class Begun:
    """A browser is on its way."""

    departure: Departure
    cookies: tuple[CookieChange, ...] = field(repr=False)


@frozen
class Returning:
    """Somebody has come back and is signed in."""

    logon: Logon
    cookies: tuple[CookieChange, ...] = field(repr=False)


@frozen(kw_only=True)
class Federate:
    """Sends people to authorities, and signs them in when they come back.

    Attributes:
        authorities: all there are, by their id, in the order of the operator.
    """

    authorities: Mapping[str, Authority]
    sign_in: SignIn
    whereabouts: Whereabouts
    sessions: Sessions
    pending: PendingRequests

    def find(self, authority_id: str) -> Authority:
        """Return an authority.

        Raises:
            AuthorityError: there is none of that id.
        """
        found = self.authorities.get(authority_id)
        if found is None:
            raise AuthorityError(Rebuff.UNKNOWN_AUTHORITY, "there is no such authority")
        return found

    @property
    def default(self) -> Authority | None:
        """Where people are sent without being asked; None for nowhere."""
        return next((found for found in self.authorities.values() if found.entry.default), None)

    def wish(self, query: Parameters, arrival: Arrival | None) -> Wish:
        """Return what is asked of a sign-in.

        Args:
            query: of the page the person comes from.
            arrival: the request that waits; None for none.

        Raises:
            OAuthError: the request can not be read.
        """
        another = frozenset({Prompt.SELECT_ACCOUNT}) if ANOTHER in query else frozenset()
        if arrival is None:
            return Wish(prompt=another)
        request = self.pending.parse(arrival)
        return Wish(
            prompt=(request.prompt & {Prompt.LOGIN, Prompt.SELECT_ACCOUNT}) | another,
            max_age=request.max_age,
            login_hint=request.login_hint,
            acr_values=arrival.parameters.text("acr_values")[:_LONGEST_CONTEXTS],
            ui_locales=request.ui_locales,
        )

    async def begin(
        self, authority: Authority, wish: Wish, query: Parameters, browser: Browser, *, unasked: bool = False
    ) -> Begun:
        """Send somebody to an authority.

        Args:
            authority: where to.
            wish: what is asked of the sign-in.
            query: of the page they come from, for when they are back.
            browser: what it keeps.
            unasked: nobody has asked them.

        Raises:
            AuthorityError: it is not ready.
            OAuthError: the request is too long to be kept meanwhile.
        """
        state = self.sign_in.entropy.token()
        departure = await authority.depart(wish, state)
        trip = Trip(
            state=state,
            authority_id=authority.entry.authority_id,
            started_at=self.sign_in.clock.now(),
            query=query,
            unasked=unasked,
            remembered=departure.remembered,
        )
        return Begun(departure, self.keep(trip, browser))

    def keep(self, trip: Trip, browser: Browser) -> tuple[CookieChange, ...]:
        """Let a browser keep a trip, and forget others that there is no room for.

        Raises:
            OAuthError: it is too long.
        """
        sealed = self.sign_in.sealer.seal(TRIP, trip.to_json(), trip.started_at + TRIP_TTL)
        cookies = pieces(cookie_name(trip.state), sealed)
        if cookies is None:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "the request is too long to be carried through the pages")
        room = MOST_KEPT - len(sealed)
        gone: list[CookieChange] = []
        for other in sorted(self._others(browser), key=lambda found: -found[1]):
            name, _, length = other
            room -= length
            if room < 0 or not length:
                gone += [Forget(one) for one in names(name, browser.sealed)]
        return (*gone, *(Keep(name, value, TRIP_TTL) for name, value in cookies))

    def _others(self, browser: Browser) -> list[tuple[str, int, int]]:
        """Return the trips that a browser keeps: name, since when, and how long they are; 0 for those that are none."""
        found = []
        for name in first_names(browser.sealed):
            trip = self._open(name, browser)
            length = len(whole(name, browser.sealed)) if trip is not None else 0
            found.append((name, trip.started_at if trip is not None else 0, length))
        return found

    def _open(self, name: str, browser: Browser) -> Trip | None:
        """Return the trip that a browser keeps under a name; None for none."""
        sealed = whole(name, browser.sealed)
        claims = self.sign_in.sealer.open(TRIP, sealed, self.sign_in.clock.now()) if sealed else None
        return Trip.from_json(claims) if claims is not None else None

    def trip(self, state: str, browser: Browser) -> Trip | None:
        """Return the trip that a browser comes back from; None when it has not left with this state, or long ago."""
        trip = self._open(cookie_name(state), browser) if state else None
        return trip if trip is not None and trip.state == state else None

    def forget(self, trip: Trip, browser: Browser) -> tuple[CookieChange, ...]:
        """Let a browser forget a trip that is over."""
        return tuple(Forget(name) for name in names(cookie_name(trip.state), browser.sealed))

    async def finish(self, trip: Trip) -> None:
        """Note that a trip is over: whatever comes of it, nobody comes back from it again.

        Raises:
            AuthorityError: somebody has.
            BackendUnavailableError: the store did not answer.
        """
        if not await self.sign_in.store.add(used_trip_key(trip.state), "1", TRIP_TTL):
            raise AuthorityError(Rebuff.NO_TRIP, "its state was used before")

    async def arrive(self, trip: Trip, returned: Returned, browser: Browser, agent: tuple[str, str]) -> Returning:
        """Sign in whoever comes back from a trip.

        Args:
            trip: of this very browser.
            returned: what it brings.
            browser: what it keeps.
            agent: families of browser and system, for the list of sessions.

        Raises:
            AuthorityError: nobody can be.
            BackendUnavailableError: backend or store did not answer.
        """
        await self.finish(trip)
        authority = self.find(trip.authority_id)
        identity = await authority.arrive(returned, trip.remembered)
        user = await self._person(authority, identity)
        now = self.sign_in.clock.now()
        told = identity.auth_time if identity.auth_time is not None and identity.auth_time > 0 else None
        if told is not None and told >= trip.started_at - SKEW:
            told = None  # they proved it on this trip, whatever the other clock says
        ticket = self.sign_in.prove(
            user,
            recognized=browser.recognized_name,
            amr=identity.amr,
            told=min(told, now) if told is not None else None,
            external=ExternalSession(trip.authority_id, identity.reference, identity.ends_at),
        )
        browsers = SideBySide(sign_in=self.sign_in, sessions=self.sessions)
        cookies, gone = browsers.add(browser, ticket, beside=ANOTHER in trip.query)
        await self._hold(authority, identity, ticket.logon)
        await self.whereabouts.note(ticket.logon, *agent)
        await self.sessions.begin(ticket.logon, gone)
        return Returning(ticket.logon, (*cookies, *self.forget(trip, browser)))

    async def _person(self, authority: Authority, identity: ExternalIdentity) -> EndUser:
        """Return who somebody is here.

        Raises:
            AuthorityError: nobody.
            BackendUnavailableError: the backend did not answer.
        """
        name = authority.entry.identity.local_name(identity.name)
        if name is None:
            raise AuthorityError(Rebuff.NOT_LISTED, "there is no alias for the person, and the entry requires one")
        backend = self.sign_in.backend
        good = isinstance(backend, NamingBackend) and 0 < len(name) <= LONGEST_NAME and name.isprintable()
        user = await backend.find_by_username(name) if good and isinstance(backend, NamingBackend) else None
        if user is None:
            raise AuthorityError(
                Rebuff.UNKNOWN_USER, f"the backend does not know {name[:64]!r}, or does not let them in"
            )
        return user

    async def _hold(self, authority: Authority, identity: ExternalIdentity, logon: Logon) -> None:
        """Keep what signing out at the authority needs, where that is wanted; too much of it is not kept.

        It is sealed: whoever can read the store could sign people out there, and read who they are.
        """
        held = dict(identity.held)
        if not held or not authority.entry.end_session_enabled or len(write(held)) > _MOST_HELD:
            return
        life = self.sessions.stay.life(logon)
        sealed = self.sign_in.sealer.seal(HELD, held, self.sign_in.clock.now() + life)
        await self.sign_in.store.put(external_session_key(logon.session_id), sealed, life)

    async def let_go(self, logon: Logon) -> Mapping[str, object]:
        """Return what was kept for signing out at the authority, and forget it; nothing when there is none.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        sealed = await self.sign_in.store.take(external_session_key(logon.session_id))
        return (self.sign_in.sealer.open(HELD, sealed, self.sign_in.clock.now()) if sealed is not None else None) or {}


@frozen
class Going:
    """Somebody who has signed out here is sent to sign out at an authority, too."""

    location: str = field(repr=False)
    cookies: tuple[CookieChange, ...] = field(repr=False)


@frozen
class SignOutAbroad:
    """Sends people who sign out here to the authority that has signed them in."""

    federate: Federate

    async def __call__(self, after: str, browser: Browser, *logons: Logon) -> Going | None:
        """Return where somebody goes on to; None when there is nowhere to go. No authority is asked for that.

        Args:
            after: where they go when they are back; empty for our own page.
            browser: what it keeps.
            logons: whose sessions end; the first one that came from an authority is signed out there.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        for logon in logons:
            authority = self._of(logon)
            if authority is None:
                continue
            held = await self.federate.let_go(logon)
            state = self.federate.sign_in.entropy.token()
            departure = await authority.leave(held, state)
            if departure is None:
                continue
            trip = Trip(
                state=state,
                authority_id=authority.entry.authority_id,
                started_at=self.federate.sign_in.clock.now(),
                leaving=True,
                after=after,
                remembered=departure.remembered,
            )
            try:
                return Going(departure.location, self.federate.keep(trip, browser))
            except OAuthError:
                # The way back is too long to be kept; signing out here matters more than signing out there.
                return None
        return None

    def _of(self, logon: Logon) -> Authority | None:
        """Return the authority that a person is signed out at, too; None for none."""
        if logon.external is None:
            return None
        authority = self.federate.authorities.get(logon.external.authority_id)
        return authority if authority is not None and authority.entry.end_session_enabled else None
