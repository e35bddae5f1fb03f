"""An authorization request on its way through our pages.

Nothing is stored for it: it travels in the address of each page and is checked anew at each, from the client's
registration on. What our pages add to it is sealed.
"""

from collections.abc import Mapping

from attrs import evolve, field, frozen

from konnectd.flows.request_objects import RequestObjects
from konnectd.interfaces import BackendUnavailableError, ClientRegistry, Clock, Sealer
from konnectd.protocol.asking import asked
from konnectd.protocol.authorize import INTERACTION, AuthorizationRequest, ReturnAddress, fingerprint
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import Doubt, OAuthError, UntrustedRequestError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.progress import PROGRESS_TTL, Progress
from konnectd.protocol.pushed_request import is_pushed
from konnectd.protocol.request_object import REQUEST_URI, SEALED_REQUEST
from konnectd.protocol.response_type import Profile
from konnectd.protocol.scope import Scope
from konnectd.protocol.vocabulary import ErrorCode, Prompt

#: Purpose under which progress is sealed.
PROGRESS = "interaction"


@frozen(kw_only=True)
class Arrival:
    """A request whose address is proven.

    Attributes:
        address: where the answer goes.
        parameters: the request as it is meant.
        carried: the request as our pages carry it along.
        reference: of a pushed request, which is good for one answer; empty for any other.
        fault: what is wrong with a request that has an address but can not be read.
        returned: a front end of somebody else's brought it back, and says that it is done with the person.
        signed: what the client says in an object that it has signed; None without one.
    """

    address: ReturnAddress
    parameters: Parameters = field(repr=False)
    carried: Parameters = field(repr=False)
    reference: str = field(default="", repr=False)
    fault: OAuthError | None = None
    returned: bool = False
    signed: Mapping[str, object] | None = field(default=None, repr=False)


@frozen(kw_only=True)
class PendingRequests:
    """Opens requests, and keeps track of how far they are."""

    clients: ClientRegistry
    sealer: Sealer
    clock: Clock
    supported: frozenset[str]
    profile: Profile
    modes: frozenset[str]
    objects: RequestObjects

    async def arrive(self, parameters: Parameters) -> Arrival:
        """Find out what a request means, and prove where the answer goes.

        The client comes first, because its keys say what to believe. The redirect URI is proven last: it may stand in
        what the client signed, and is then looked at like any other.

        Raises:
            UntrustedRequestError: client or redirect URI are unknown.
            BackendUnavailableError: something behind us did not answer.
        """
        client_id = parameters.get("client_id")
        client = await self.clients.get(client_id) if client_id is not None else None
        if client is not None and self.objects.concern(client, parameters):
            return await self._resolve(client, parameters)
        meant = self._brought_back(parameters, parameters)
        sent = parameters if meant is None else meant
        try:
            address = ReturnAddress.verify(client, sent, self.modes)
        except UntrustedRequestError as error:
            error.about(asked(client, sent))
            raise
        return Arrival(address=address, parameters=sent, carried=sent, returned=meant is not None)

    def _brought_back(self, sent: Parameters, meant: Parameters) -> Parameters | None:
        """Return the request that a front end brings back; None when it is not one that began here and was shown there.

        Front ends made for the identifier API put ``prompt=none`` in the place of what the client sent when they are
        done. What the client wants is what counts; and nobody can tell here who has seen which page.

        Args:
            sent: what has come.
            meant: the same, with what it refers to.
        """
        if sent.get("prompt") != Prompt.NONE or INTERACTION not in sent:
            return None
        progress = self._opened(sent)
        if progress is None or Prompt.NONE in progress.prompt.split():
            return None
        for found in (meant, progress.restore(meant)):
            if Prompt.NONE not in found.text("prompt").split() and fingerprint(found) == progress.fingerprint:
                return found
        return None

    async def _resolve(self, client: Client, parameters: Parameters) -> Arrival:
        """Look for a request where it really stands.

        When nothing is found there, the client is told if what was sent beside it proves an address; otherwise nobody
        knows where the browser should go.

        Spec: RFC 9101 7; OIDC Core 3.1.2.6.
        """
        try:
            resolved = await self.objects.resolve(client, parameters, self._opened(parameters))
        except OAuthError as error:
            return Arrival(
                address=self._address_beside(client, parameters, error),
                parameters=parameters,
                carried=parameters,
                fault=error,
            )
        except BackendUnavailableError as error:
            return self._unavailable(client, parameters, error)
        return Arrival(
            address=ReturnAddress.verify(client, resolved.parameters, self.modes),
            parameters=resolved.parameters,
            carried=resolved.carried,
            reference=resolved.reference,
            signed=resolved.signed,
            returned=self._brought_back(parameters, resolved.parameters) is not None,
        )

    def _unavailable(self, client: Client, parameters: Parameters, error: BackendUnavailableError) -> Arrival:
        """Tell the client that a request can not be read now, when nobody looks at a page and an address stands beside.

        Raises:
            BackendUnavailableError: a person can be told so, or nobody knows where the browser should go.

        Spec: OIDC Core 3.1.2.1 (``prompt=none`` shows no page).
        """
        if Prompt.NONE not in parameters.text("prompt").split():
            raise error
        try:
            address = ReturnAddress.verify(client, parameters, self.modes)
        except UntrustedRequestError:
            raise error from None
        fault = OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, "the request can not be read at the moment")
        return Arrival(address=address, parameters=parameters, carried=parameters, fault=fault)

    def _address_beside(self, client: Client, parameters: Parameters, error: OAuthError) -> ReturnAddress:
        """Prove the address that was sent beside a request that can not be read.

        Raises:
            UntrustedRequestError: there is none, or it is not the client's.
        """
        try:
            return ReturnAddress.verify(client, parameters, self.modes)
        except UntrustedRequestError:
            ours = SEALED_REQUEST in parameters or is_pushed(parameters.text(REQUEST_URI))
            doubt = Doubt.REFERENCE if ours else Doubt.REQUEST
            refusal = UntrustedRequestError(error.code, error.description, doubt)
            raise refusal.about(asked(client, parameters)) from None

    async def open(self, parameters: Parameters) -> AuthorizationRequest:
        """Check a request that one of our pages was given.

        Raises:
            OAuthError: it is not one that the authorization endpoint would have let through.
            BackendUnavailableError: the registry did not answer.
        """
        return self.parse(await self.arrive(parameters))

    def parse(self, arrival: Arrival) -> AuthorizationRequest:
        """Read a request whose address is proven.

        Raises:
            OAuthError: a rule is broken; the client may be told.
        """
        if arrival.fault is not None:
            raise arrival.fault
        return AuthorizationRequest.parse(arrival.address, arrival.parameters, self.profile)

    def read(self, client: Client, parameters: Parameters) -> AuthorizationRequest:
        """Read a request that no browser has brought yet.

        Raises:
            OAuthError: a rule is broken.
        """
        address = ReturnAddress.verify(client, parameters, self.modes)
        return AuthorizationRequest.parse(address, parameters, self.profile)

    async def spend(self, arrival: Arrival) -> None:
        """Note that a request is about to be answered; a pushed one is good for one answer.

        Raises:
            OAuthError: it was answered before.
            BackendUnavailableError: the store did not answer.
        """
        if arrival.reference:
            await self.objects.spend(arrival.reference)

    def progress(self, request: AuthorizationRequest, parameters: Parameters) -> Progress | None:
        """Return how far a request is; None when it has just begun, or what it carries belongs to another request."""
        progress = self._opened(parameters)
        return progress if progress is not None and progress.fingerprint == request.fingerprint else None

    def _opened(self, parameters: Parameters) -> Progress | None:
        """Return what a request carries, whatever request it belongs to."""
        sealed = parameters.get(INTERACTION)
        claims = self.sealer.open(PROGRESS, sealed, self.clock.now()) if sealed is not None else None
        return Progress.from_json(claims) if claims is not None else None

    def begin(self, request: AuthorizationRequest, *logons: Logon | None) -> Progress:
        """Note that the first page of a request is about to be shown.

        Args:
            request: which one.
            logons: all there are in the browser now; None stands for nobody.
        """
        return Progress(
            fingerprint=request.fingerprint,
            started_at=self.clock.now(),
            session_id=" ".join(logon.session_id for logon in logons if logon is not None),
            prompt=request.sent_prompt,
        )

    def seal(self, progress: Progress) -> str:
        """Return the value that travels with the request."""
        return self.sealer.seal(PROGRESS, progress.to_json(), progress.started_at + PROGRESS_TTL)

    def moved_on(self, parameters: Parameters, *, account: str = "", refusal: str = "") -> str:
        """Return what a request carries from now on that was at an external authority; empty if it has just begun.

        Args:
            parameters: the request.
            account: ``sub`` of who was signed in there; empty for nobody.
            refusal: the error that the client gets; empty for none.
        """
        progress = self._opened(parameters)
        if progress is None:
            return ""
        return self.seal(evolve(progress, away=True, account=account or progress.account, refusal=refusal))

    def away(self, parameters: Parameters) -> Progress | None:
        """Return how far a request is that was at an external authority; None for any other."""
        progress = self._opened(parameters)
        return progress if progress is not None and progress.away else None

    def wanted(self, request: AuthorizationRequest) -> Scope:
        """Return what can be granted of what is asked for."""
        return request.wanted(self.supported)
