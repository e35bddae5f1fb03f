"""One authorization request, from its parameters to an answer."""

from collections.abc import Mapping
from typing import assert_never

from attrs import evolve, frozen

from konnectd.flows.answers import Answer, Refusal, ToChooser, ToClient, ToConsent, ToSignIn
from konnectd.flows.browser import Browser, CookieChange, Forget, merged
from konnectd.flows.guests import Guests
from konnectd.flows.known import KnownLogon
from konnectd.flows.mint import Mint
from konnectd.flows.pending import Arrival, PendingRequests
from konnectd.flows.permits import Permits
from konnectd.flows.present import Present
from konnectd.flows.recognized import RecognizedLogon
from konnectd.flows.sessions import Sessions
from konnectd.flows.side_by_side import SideBySide
from konnectd.flows.sign_in import SignIn
from konnectd.interfaces import BackendUnavailableError, Entropy, Sealer, SessionLostError, Store, Verifier
from konnectd.protocol.account import Remembered
from konnectd.protocol.authorize import CONSENT_STATE, AuthorizationRequest, Pairs, ReturnAddress
from konnectd.protocol.claims import Approval
from konnectd.protocol.delivery import Delivery, Mode
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import (
    CODE_TTL,
    AuthorizationGrant,
    code_key,
    used_consent_key,
)
from konnectd.protocol.greeting import shown_beside
from konnectd.protocol.hint import check_hint
from konnectd.protocol.interaction import (
    CONSENT_TTL,
    AskForAccount,
    AskForConsent,
    AskForLogon,
    Consent,
    Knowledge,
    Proceed,
    Refuse,
    consent_cookie,
    decide,
    may_rely_on_memory,
    meant,
)
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.progress import Progress
from konnectd.protocol.response_type import CODE_ONLY, ResponsePart
from konnectd.protocol.scope import Scope
from konnectd.protocol.session import ended_session_key
from konnectd.protocol.tagged_code import CODE, CODE_BYTES, make_code
from konnectd.protocol.vocabulary import ErrorCode, Prompt
from konnectd.protocol.withdrawal import withdrawal_key

__all__ = ["Answer", "Authorize", "Refusal", "ToChooser", "ToClient", "ToConsent", "ToSignIn"]

#: Purpose under which decisions of the consent page are sealed.
CONSENT = "consent"


@frozen(kw_only=True)
class Authorize:
    """The authorization endpoint.

    Attributes:
        foreign: pages are shown by a front end of somebody else's, which knows of a request what its address says.
        guests: lets guests in; None where nobody may bring any.
        known: where the backend tells by what a browser carries who is there: keeps our logon to what it says.
    """

    issuer: str
    pending: PendingRequests
    sign_in: SignIn
    store: Store
    sealer: Sealer
    verifier: Verifier
    entropy: Entropy
    mint: Mint
    modes: Mapping[str, Mode]
    permits: Permits
    sessions: Sessions
    recognized: RecognizedLogon
    foreign: bool = False
    guests: Guests | None = None
    known: KnownLogon | None = None

    async def __call__(self, parameters: Parameters, browser: Browser) -> Answer:
        """Answer a request.

        Raises:
            UntrustedRequestError: nobody may be redirected anywhere.
            BackendUnavailableError: something behind us did not answer, and a person can be told so.

        Spec: OIDC Core 3.1.2; RFC 6749 4.1.1 and 4.1.2.
        """
        arrival = await self.pending.arrive(parameters)
        try:
            request = self.pending.parse(arrival)
            if self.known is None:
                return await self._answer(arrival, request, browser)
            now = await self.known(browser)
            answer = await self._answer(arrival, request, now.browser)
            return evolve(answer, cookies=merged(now.cookies, answer.cookies))
        except OAuthError as error:
            return self._refuse(arrival, error)
        except BackendUnavailableError:
            # With prompt=none nobody looks at a page: a frame would wait for ever. Spec: OIDC Core 3.1.2.1.
            if Prompt.NONE not in arrival.parameters.text("prompt").split():
                raise
            unavailable = OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, "users can not be looked up at the moment")
            return self._refuse(arrival, unavailable)

    async def _remembered(
        self, request: AuthorizationRequest, logon: Logon | None, consent: Consent | None
    ) -> Remembered | None:
        """Return what the person has answered the client before, if that could matter: most requests ask no store."""
        if logon is None or consent is not None or not may_rely_on_memory(request):
            return None
        return await self.permits.recall(logon.sub, request.client.client_id)

    async def _remember(
        self, request: AuthorizationRequest, logon: Logon, consent: Consent | None, granted: Scope
    ) -> None:
        """Keep what the person has just agreed to; a refusal is not kept, nor what nobody would have asked."""
        if consent is not None and not request.client.trusted:
            asked = self.pending.wanted(request)
            await self.permits.remember(logon.sub, request.client.client_id, asked, granted)

    async def _answer(self, arrival: Arrival, request: AuthorizationRequest, browser: Browser) -> Answer:
        """Answer a request that is read."""
        progress = self.pending.progress(request, arrival.parameters)
        if progress is not None and progress.refusal:
            await self.pending.spend(arrival)
            progress.check()
        hint = self._hint(request)
        present = await self._present(request, progress, hint, browser)
        if self.guests is not None and present.is_nobody and progress is None:
            decision = await self.guests(arrival, request, hint)
            if decision is not None:
                return await self._for_guest(arrival, request, decision)
        if browser.recognized is not None and present.is_nobody and progress is None:
            return await self._enter(arrival, request, hint, browser, present)
        return await self._decide(arrival, request, progress, hint, browser, present)

    async def _for_guest(self, arrival: Arrival, request: AuthorizationRequest, decision: Proceed | Refuse) -> ToClient:
        """Answer a request that brings a guest, of whom the browser keeps nothing."""
        await self.pending.spend(arrival)
        visible = self.sessions.visible(arrival.address, None)
        if isinstance(decision, Refuse):
            return self._refuse(arrival, decision.error, (), visible)
        parts = await self._parts(request, decision.logon, decision.scope, "")
        answer = arrival.address.answer((*parts, *visible))
        return ToClient(self._deliver(arrival.address, answer), (), None, decision.scope)

    async def _enter(
        self, arrival: Arrival, request: AuthorizationRequest, hint: str, browser: Browser, present: Present
    ) -> Answer:
        """Answer a request that has just begun, once somebody is signed in whom somebody in front of us vouches for.

        That is tried once for a request, and not for one that wants to see a password. Who comes back from our pages
        and is nobody has been signed out there, or has no cookies: signed in again, they would go round for ever.
        """
        entered = await self.recognized(browser) if Prompt.LOGIN not in request.prompt else None
        if entered is None:
            return await self._decide(arrival, request, None, hint, browser, present)
        mark = withdrawal_key(entered.logon.sub, request.client.client_id)
        present = Present(entered.logon, await self.store.get(mark) or "", entered.logon)
        answer = await self._decide(arrival, request, None, hint, entered.browser, present)
        return evolve(answer, cookies=merged(entered.cookies, answer.cookies), entered=entered.logon)

    async def _decide(
        self,
        arrival: Arrival,
        request: AuthorizationRequest,
        progress: Progress | None,
        hint: str,
        browser: Browser,
        present: Present,
    ) -> Answer:
        """Answer a request when it is known who is there."""
        address, parameters, logon = arrival.address, arrival.parameters, present.logon
        consent = await self._unused(self._consent(request, parameters, browser))
        known = Knowledge(
            logon=logon,
            progress=progress,
            consent=consent,
            hint=hint,
            remembered=await self._remembered(request, logon, consent),
            returned=arrival.returned,
            supported=self.pending.supported,
            # The page for whoever has to sign in again is no chooser: picking them there would lead nowhere.
            others=bool(present.others) and present.lost is None,
            elsewhere=self.known is not None,
        )
        decision = decide(request, known, self.sign_in.clock.now())
        gone = self._browsers.without(browser, present.asked) if present.has_lapsed(browser) else ()
        match decision:
            case Proceed(logon=person, scope=scope):
                await self.pending.spend(arrival)
                await self._remember(request, person, consent, scope)
                await self.sessions.join(request.client, person, scope)
                parts = await self._parts(request, person, scope, present.withdrawal)
                pairs = (*parts, *self.sessions.visible(address, person))
                kept = (*_spent(parameters, request), *(self._browsers.used(browser, person) if person.kept else ()))
                return self._answered(address, person, scope, pairs, kept)
            case Refuse(error=error):
                await self.pending.spend(arrival)
                kept = (*_spent(parameters, request), *gone)
                return self._refuse(arrival, error, kept, self.sessions.visible(address, logon))
        due = progress or self.pending.begin(request, logon, present.lost, *present.others)
        return self._page(decision, self._for_pages(arrival, request, due), browser, gone)

    def _answered(
        self, address: ReturnAddress, person: Logon, scope: Scope, pairs: Pairs, kept: tuple[CookieChange, ...]
    ) -> ToClient:
        """Give the client what it asked for."""
        return ToClient(
            self._deliver(address, address.answer(pairs)), kept, None, scope, person, address.client.client_id
        )

    def _page(
        self,
        decision: AskForLogon | AskForAccount | AskForConsent,
        shown: tuple[Parameters, str, str],
        browser: Browser,
        gone: tuple[CookieChange, ...],
    ) -> Answer:
        """Send the browser to the page that is due."""
        carried, sealed, more = shown
        match decision:
            case AskForLogon():
                return ToSignIn(carried, sealed, gone, more)
            case AskForAccount():
                return ToChooser(carried, sealed, gone, more)
            case AskForConsent(logon=person):
                # The page asks the current one, so the person has to be that.
                return ToConsent(carried, sealed, self._browsers.choose(browser, person), more)
            case _:
                assert_never(decision)

    def _for_pages(
        self, arrival: Arrival, request: AuthorizationRequest, progress: Progress
    ) -> tuple[Parameters, str, str]:
        """Return a request as pages get it, how far it is, and the scopes that single claims in it stand for.

        The last of these our own pages find out for themselves.
        """
        carried, sealed = arrival.carried, self.pending.seal(progress)
        if not self.foreign:
            return carried, sealed, ""
        return shown_beside(carried, arrival.parameters), sealed, str(request.claims.scope.without(*request.scope))

    @property
    def _browsers(self) -> SideBySide:
        """What arranges the logons of a browser."""
        return SideBySide(sign_in=self.sign_in, sessions=self.sessions)

    def _refuse(
        self, arrival: Arrival, error: OAuthError, cookies: tuple[CookieChange, ...] = (), more: Pairs = ()
    ) -> ToClient:
        """Tell the client what is wrong."""
        address = arrival.address
        delivery = self._deliver(address, (*address.refusal(error, self.issuer), *more))
        return ToClient(delivery, cookies, Refusal(error, arrival))

    def _deliver(self, address: ReturnAddress, pairs: Pairs) -> Delivery:
        """Answer in the response mode of the request."""
        return self.modes[address.response_mode](address, pairs)

    async def _present(
        self, request: AuthorizationRequest, progress: Progress | None, hint: str, browser: Browser
    ) -> Present:
        """Return who is meant, if their session goes on and they are still there.

        The person of a logon made for this very request was checked by its making. The mark is read here, before
        anything that the person has allowed is looked at.
        """
        logon, others = self.sign_in.find(browser), self.sign_in.beside(browser)
        if others:
            everyone = (logon, *others)
            logon = meant(request, progress, hint, logon, others)
            others = tuple(other for other in everyone if other is not None and other is not logon)
        if logon is None:
            return Present(others=others)
        mark = withdrawal_key(logon.sub, request.client.client_id)
        ended, withdrawal = await self.store.get_each(ended_session_key(logon.session_id), mark)
        if ended is not None:
            return Present(asked=logon, others=others)
        fresh = progress is not None and progress.covers(logon)
        try:
            if not fresh and await self.sign_in.person(logon) is None:
                return Present(asked=logon, others=others)
        except SessionLostError:
            return Present(lost=logon, others=others)
        return Present(logon, withdrawal or "", logon, others)

    def _hint(self, request: AuthorizationRequest) -> str:
        """Return the subject of ``id_token_hint``; empty without one."""
        if not request.id_token_hint:
            return ""
        return check_hint(self.verifier.verify(request.id_token_hint), self.issuer).sub

    def _consent(self, request: AuthorizationRequest, parameters: Parameters, browser: Browser) -> Consent | None:
        """Return the decision of the consent page that came along, if any."""
        sealed = browser.sealed.get(_consent_name(parameters, request)) if CONSENT_STATE in parameters else None
        claims = self.sealer.open(CONSENT, sealed, self.sign_in.clock.now()) if sealed is not None else None
        answer = Consent.from_json(claims) if claims is not None else None
        consent = answer.bound_to(request) if answer is not None else None
        return consent if consent is not None and consent.fingerprint == request.fingerprint else None

    async def _unused(self, consent: Consent | None) -> Consent | None:
        """Return a decision the first time it is shown, and never again."""
        if consent is None or not await self.store.add(used_consent_key(consent.consent_id), "1", CONSENT_TTL):
            return None
        return consent

    async def _parts(self, request: AuthorizationRequest, logon: Logon, scope: Scope, withdrawal: str) -> Pairs:
        """Make everything the response type asks for.

        Spec: OIDC Core 3.1.2.5, 3.2.2.5 and 3.3.2.5; RFC 9207 2.
        """
        parts: list[tuple[str, str]] = []
        code = make_code(self.entropy.token(CODE_BYTES), request.client.client_id, CODE, self.sealer.tag)
        grant = AuthorizationGrant.of(request, logon, scope, self.sealer.tag("grant", code), withdrawal)
        if ResponsePart.CODE in request.response_type:
            await self.store.put(code_key(code), grant.to_text(), CODE_TTL)
            parts.append(("code", code))
        else:
            code = ""
        if request.response_type != CODE_ONLY:
            parts += await self._tokens(request, grant, code)
        return (*parts, ("iss", self.issuer))

    async def _tokens(
        self, request: AuthorizationRequest, grant: AuthorizationGrant, code: str
    ) -> list[tuple[str, str]]:
        """Make the tokens that stand in the answer itself.

        Raises:
            OAuthError: ``login_required``: the person is gone, or has to sign in again.
        """
        try:
            user = await self.sign_in.person(grant.logon)
        except SessionLostError as error:
            raise OAuthError(ErrorCode.LOGIN_REQUIRED, "the person has to sign in again") from error
        if user is None:
            raise OAuthError(ErrorCode.LOGIN_REQUIRED, "the person is not known any more")
        client = request.client
        approval = Approval.of(self.issuer, grant, user, client)
        parts: list[tuple[str, str]] = []
        access = ""
        if ResponsePart.TOKEN in request.response_type:
            access = await self.mint.access_token(approval, client)
            life = str(self.mint.lifetimes.access_token)
            parts += [("access_token", access), ("token_type", "Bearer"), ("expires_in", life)]
            parts.append(("scope", str(grant.scope)))
        if ResponsePart.ID_TOKEN in request.response_type:
            parts.append(("id_token", await self.mint.id_token(approval, client, access=access, code=code)))
        return parts


def _consent_name(parameters: Parameters, request: AuthorizationRequest) -> str:
    """Name the value that carries a decision about a request."""
    address = request.return_address
    return consent_cookie(
        parameters.text(CONSENT_STATE), request.client.client_id, address.redirect_uri, address.state, request.nonce
    )


def _spent(parameters: Parameters, request: AuthorizationRequest) -> tuple[CookieChange, ...]:
    """Let the browser forget a decision that has been used."""
    return (Forget(_consent_name(parameters, request)),) if CONSENT_STATE in parameters else ()
