"""Leaving: end the session here, after asking where asking is due, tell its clients, and find the way back."""

from typing import TYPE_CHECKING, TypeAlias

from attrs import evolve, field, frozen

from konnectd.flows.backchannel import BackChannel
from konnectd.flows.browser import Browser, CookieChange
from konnectd.flows.parting import Parting
from konnectd.flows.sessions import Sessions
from konnectd.flows.side_by_side import SideBySide
from konnectd.flows.sign_in import SignIn
from konnectd.interfaces import ClientRegistry, Verifier
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import Logon
from konnectd.protocol.endsession import EndSessionRequest
from konnectd.protocol.errors import OAuthError, UntrustedRequestError
from konnectd.protocol.hint import Hint, check_hint
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.session import FAREWELL_TTL, Farewell, Notice, farewell_key, told_key

if TYPE_CHECKING:
    from konnectd.flows.federate import SignOutAbroad

#: Random bytes of what names a sign-out: whoever knows it can see which applications somebody used.
FAREWELL_BYTES = 24


@frozen
class Confirm:
    """The person has to say that they want to leave."""

    logon: Logon
    client: Client | None


@frozen
class Left:
    """Whoever left is not signed in any more.

    Attributes:
        location: where the browser goes; empty for our own page.
        farewell_id: names what the page about the sign-out shows; empty when there is nobody who had to be told.
        frames: whether that page must be seen, because it is how clients are told.
        gone: who left.
    """

    location: str = field(repr=False)
    cookies: tuple[CookieChange, ...] = ()
    farewell_id: str = field(default="", repr=False)
    frames: bool = False
    gone: tuple[Logon, ...] = field(default=(), repr=False, eq=False)


Answer: TypeAlias = Confirm | Left


@frozen(kw_only=True)
class EndSession:
    """The end-session endpoint.

    Attributes:
        abroad: sends people on to sign out at the authority that has signed them in; None where there is none.
    """

    issuer: str
    clients: ClientRegistry
    sign_in: SignIn
    verifier: Verifier
    sessions: Sessions
    backchannel: BackChannel
    parting: Parting
    abroad: "SignOutAbroad | None" = None

    async def __call__(
        self,
        parameters: Parameters,
        browser: Browser,
        *,
        confirmed: bool = False,
        everyone: bool = False,
        onward: bool = True,
    ) -> Answer:
        """Answer a request to leave.

        Args:
            confirmed: the person has said so on our own page.
            everyone: the person wants those to leave as well who are signed in beside.
            onward: see `leave`.

        Raises:
            UntrustedRequestError: hint, client or way back are not good.
            BackendUnavailableError: registry or store did not answer; the person is still signed in.

        Spec: OIDC RP-Initiated Logout 2 and 3.
        """
        request = await self.read(parameters)
        logon = self.whom(request, browser)
        if logon is None:
            return Left(request.location)
        if not confirmed and request.must_confirm(logon):
            return Confirm(logon, request.client)
        others = self.others(logon, browser) if everyone else ()
        return await self.leave(request, browser, logon, *others, onward=onward)

    def whom(self, request: EndSessionRequest, browser: Browser) -> Logon | None:
        """Return who is asked to leave: whom the request names, else the current one; None for nobody."""
        return request.pick(self.sign_in.find(browser), self.sign_in.beside(browser))

    def others(self, logon: Logon | None, browser: Browser) -> tuple[Logon, ...]:
        """Return who is signed in beside somebody."""
        everyone = (self.sign_in.find(browser), *self.sign_in.beside(browser))
        return tuple(other for other in everyone if other is not None and other != logon)

    async def leave(self, request: EndSessionRequest, browser: Browser, *logons: Logon, onward: bool = True) -> Left:
        """End sessions of a browser and begin to tell their clients; those beside go on.

        Args:
            request: who asks, and where the browser goes.
            browser: what it keeps.
            logons: whose sessions end.
            onward: the browser can be sent on, to where somebody has to sign out as well.

        Raises:
            BackendUnavailableError: registry or store did not answer.
        """
        going = await self.abroad(request.location, browser, *logons) if onward and self.abroad is not None else None
        if going is not None:
            # Who was told is shown before, if that has to be seen; it names nobody to go back to then.
            client = request.client if request.location else None
            request = evolve(request, location=going.location, client=client)
        left = await self._leave(request, browser, *logons)
        if going is not None:
            left = evolve(left, cookies=(*left.cookies, *going.cookies))
        # Last: the backend is told when there is nothing left that could fail, or need it.
        self.parting.follow(*logons)
        return evolve(left, gone=logons)

    async def _leave(self, request: EndSessionRequest, browser: Browser, *logons: Logon) -> Left:
        """End sessions of a browser and begin to tell their clients."""
        gone = SideBySide(sign_in=self.sign_in, sessions=self.sessions).without(browser, *logons)
        ended = [party for logon in logons for party in await self.sessions.end(logon)]
        parties = [(party, await self.clients.get(party.client_id)) for party in dict.fromkeys(ended)]
        known = [(party, client) for party, client in parties if client is not None]
        if not known:
            return Left(request.location, gone)
        farewell = Farewell(
            location=request.location,
            client_name=request.client.display_name if request.client is not None else "",
            notices=tuple(Notice.of(client, party, self.issuer) for party, client in known),
        )
        farewell_id = self.sessions.entropy.token(FAREWELL_BYTES)
        await self.sessions.store.put(farewell_key(farewell_id), farewell.to_text(), FAREWELL_TTL)
        for number, (party, client) in enumerate(known):
            if client.backchannel_logout_uri:
                self.backchannel.tell(client, party, farewell_id, number)
        return Left(request.location, gone, farewell_id, bool(farewell.frames))

    async def farewell(self, farewell_id: str) -> tuple[Farewell, tuple[str, ...]] | None:
        """Return a sign-out, and of each of its clients what is known about its answer; None when it is long ago.

        Raises:
            BackendUnavailableError: the store did not answer.
        """
        store = self.sessions.store
        text = await store.get(farewell_key(farewell_id))
        found = Farewell.from_text(text) if text is not None else None
        if found is None:
            return None
        answers = [
            (await store.get(told_key(farewell_id, number)) or "") if notice.posted else ""
            for number, notice in enumerate(found.notices)
        ]
        return found, tuple(answers)

    async def read(self, parameters: Parameters) -> EndSessionRequest:
        """Check who asks, and where they want the browser to go.

        Raises:
            UntrustedRequestError: hint, client or way back are not good.
            BackendUnavailableError: the registry did not answer.
        """
        hint = self._hint(parameters)
        client_id = hint.client_id if hint is not None else parameters.get("client_id")
        client = await self.clients.get(client_id) if client_id is not None else None
        return EndSessionRequest.verify(client, hint, parameters)

    def _hint(self, parameters: Parameters) -> Hint | None:
        """Verify ``id_token_hint``, if there is one.

        Raises:
            UntrustedRequestError: it is not ours.
        """
        text = parameters.get("id_token_hint")
        if text is None:
            return None
        try:
            return check_hint(self.verifier.verify(text), self.issuer)
        except OAuthError as error:
            raise UntrustedRequestError(error.code, error.description) from None
