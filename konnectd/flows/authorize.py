"""One authorization request, from its parameters to an answer."""

from typing import TypeAlias, assert_never

from attrs import field, frozen

from konnectd.flows.browser import Browser, CookieChange, Forget
from konnectd.flows.pending import PendingRequests
from konnectd.flows.sign_in import SignIn
from konnectd.interfaces import BackendUnavailableError, Entropy, Sealer, Store, Verifier
from konnectd.protocol.authorize import CONSENT_STATE, AuthorizationRequest, ReturnAddress, answer_pairs
from konnectd.protocol.claims import check_hint
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import (
    CODE_BYTES,
    CODE_TTL,
    AuthorizationGrant,
    code_key,
    code_tag_text,
    used_consent_key,
)
from konnectd.protocol.interaction import (
    CONSENT_TTL,
    AskForAccount,
    AskForConsent,
    AskForLogon,
    Consent,
    Knowledge,
    Proceed,
    Progress,
    Refuse,
    consent_cookie,
    decide,
)
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import Scope
from konnectd.protocol.vocabulary import ErrorCode, Prompt

#: Purpose under which decisions of the consent page are sealed.
CONSENT = "consent"


@frozen
class ToClient:
    """The browser goes back to the client, with a code or an error."""

    location: str = field(repr=False)
    cookies: tuple[CookieChange, ...] = ()


@frozen
class ToSignIn:
    """The browser goes to the sign-in page; `interaction` travels along."""

    interaction: str = field(repr=False)
    cookies: tuple[CookieChange, ...] = ()


@frozen
class ToChooser:
    """The browser goes to the account chooser."""

    interaction: str = field(repr=False)


@frozen
class ToConsent:
    """The browser goes to the consent page."""

    interaction: str = field(repr=False)


Answer: TypeAlias = ToClient | ToSignIn | ToChooser | ToConsent


@frozen(kw_only=True)
class Authorize:
    """The authorization endpoint."""

    issuer: str
    pending: PendingRequests
    sign_in: SignIn
    store: Store
    sealer: Sealer
    verifier: Verifier
    entropy: Entropy

    async def __call__(self, parameters: Parameters, browser: Browser) -> Answer:
        """Answer a request.

        Raises:
            UntrustedRequestError: nobody may be redirected anywhere.
            BackendUnavailableError: something behind us did not answer, and a person can be told so.

        Spec: OIDC Core 3.1.2; RFC 6749 4.1.1 and 4.1.2.
        """
        address = await self.pending.address(parameters)
        try:
            return await self._answer(address, parameters, browser)
        except OAuthError as error:
            return ToClient(address.refuse(error, self.issuer))
        except BackendUnavailableError:
            # With prompt=none nobody looks at a page: a frame would wait for ever. Spec: OIDC Core 3.1.2.1.
            if Prompt.NONE not in parameters.text("prompt").split():
                raise
            unavailable = OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, "users can not be looked up at the moment")
            return ToClient(address.refuse(unavailable, self.issuer))

    async def _answer(self, address: ReturnAddress, parameters: Parameters, browser: Browser) -> Answer:
        """Answer a request whose address is proven."""
        request = AuthorizationRequest.parse(address, parameters)
        progress = self.pending.progress(request, parameters)
        found = self.sign_in.find(browser)
        logon = await self._alive(found, progress)
        consent = self._consent(request, parameters, browser)
        known = Knowledge(
            logon=logon,
            progress=progress,
            consent=await self._unused(consent),
            hint=self._hint(request),
            supported=self.pending.supported,
        )
        decision = decide(request, known, self.sign_in.clock.now())
        match decision:
            case Proceed(logon=person, scope=scope):
                code = await self._code(request, person, scope)
                return ToClient(address.locate(answer_pairs(code, self.issuer)), _spent(parameters, request))
            case Refuse(error=error):
                return ToClient(address.refuse(error, self.issuer), _spent(parameters, request))
        sealed = self.pending.seal(progress or self.pending.begin(request, logon))
        match decision:
            case AskForLogon():
                gone = found is not None and logon is None
                return ToSignIn(sealed, (self.sign_in.end(),) if gone else ())
            case AskForAccount():
                return ToChooser(sealed)
            case AskForConsent():
                return ToConsent(sealed)
            case _:
                assert_never(decision)

    async def _alive(self, logon: Logon | None, progress: Progress | None) -> Logon | None:
        """Return a logon if its person is still there; one made for this very request was checked by its making."""
        if logon is None or (progress is not None and progress.covers(logon)):
            return logon
        return logon if await self.sign_in.still_there(logon) else None

    def _hint(self, request: AuthorizationRequest) -> str:
        """Return the subject of ``id_token_hint``; empty without one."""
        if not request.id_token_hint:
            return ""
        return check_hint(self.verifier.verify(request.id_token_hint), self.issuer).sub

    def _consent(self, request: AuthorizationRequest, parameters: Parameters, browser: Browser) -> Consent | None:
        """Return the decision of the consent page that came along, if any."""
        sealed = browser.sealed.get(_consent_name(parameters, request)) if CONSENT_STATE in parameters else None
        claims = self.sealer.open(CONSENT, sealed, self.sign_in.clock.now()) if sealed is not None else None
        consent = Consent.from_json(claims) if claims is not None else None
        return consent if consent is not None and consent.fingerprint == request.fingerprint else None

    async def _unused(self, consent: Consent | None) -> Consent | None:
        """Return a decision the first time it is shown, and never again."""
        if consent is None or not await self.store.add(used_consent_key(consent.consent_id), "1", CONSENT_TTL):
            return None
        return consent

    async def _code(self, request: AuthorizationRequest, logon: Logon, scope: Scope) -> str:
        """Make a code and keep what it stands for."""
        secret = self.entropy.token(CODE_BYTES)
        code = secret + self.sealer.tag("code", code_tag_text(secret, request.client.client_id))
        grant = AuthorizationGrant.of(request, logon, scope, self.sealer.tag("grant", code))
        await self.store.put(code_key(code), grant.to_text(), CODE_TTL)
        return code


def _consent_name(parameters: Parameters, request: AuthorizationRequest) -> str:
    """Name the value that carries a decision about a request."""
    address = request.return_address
    return consent_cookie(
        parameters.text(CONSENT_STATE), request.client.client_id, address.redirect_uri, address.state, request.nonce
    )


def _spent(parameters: Parameters, request: AuthorizationRequest) -> tuple[CookieChange, ...]:
    """Let the browser forget a decision that has been used."""
    return (Forget(_consent_name(parameters, request)),) if CONSENT_STATE in parameters else ()
