"""An authorization request on its way through our pages.

Nothing is stored for it: it travels in the address of each page and is checked anew at each, from the client's
registration on. What our pages add to it is sealed.
"""

from attrs import frozen

from konnectd.interfaces import ClientRegistry, Clock, Sealer
from konnectd.protocol.authorize import INTERACTION, AuthorizationRequest, ReturnAddress
from konnectd.protocol.end_user import Logon
from konnectd.protocol.interaction import PROGRESS_TTL, Progress
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.scope import Scope

#: Purpose under which progress is sealed.
PROGRESS = "interaction"


@frozen(kw_only=True)
class PendingRequests:
    """Opens requests, and keeps track of how far they are."""

    clients: ClientRegistry
    sealer: Sealer
    clock: Clock
    supported: frozenset[str]

    async def address(self, parameters: Parameters) -> ReturnAddress:
        """Prove where the answer goes.

        Raises:
            UntrustedRequestError: client or redirect URI are unknown.
            BackendUnavailableError: the registry did not answer.
        """
        client_id = parameters.get("client_id")
        client = await self.clients.get(client_id) if client_id is not None else None
        return ReturnAddress.verify(client, parameters)

    async def open(self, parameters: Parameters) -> AuthorizationRequest:
        """Check a request that one of our pages was given.

        Raises:
            OAuthError: it is not one that the authorization endpoint would have let through.
            BackendUnavailableError: the registry did not answer.
        """
        return AuthorizationRequest.parse(await self.address(parameters), parameters)

    def progress(self, request: AuthorizationRequest, parameters: Parameters) -> Progress | None:
        """Return how far a request is; None when it has just begun, or what it carries belongs to another request."""
        sealed = parameters.get(INTERACTION)
        claims = self.sealer.open(PROGRESS, sealed, self.clock.now()) if sealed is not None else None
        progress = Progress.from_json(claims) if claims is not None else None
        return progress if progress is not None and progress.fingerprint == request.fingerprint else None

    def begin(self, request: AuthorizationRequest, logon: Logon | None) -> Progress:
        """Note that the first page of a request is about to be shown."""
        return Progress(
            fingerprint=request.fingerprint,
            started_at=self.clock.now(),
            session_id=logon.session_id if logon is not None else "",
        )

    def seal(self, progress: Progress) -> str:
        """Return the value that travels with the request."""
        return self.sealer.seal(PROGRESS, progress.to_json(), progress.started_at + PROGRESS_TTL)

    def wanted(self, request: AuthorizationRequest) -> Scope:
        """Return what can be granted of what is asked for; the rest is passed over. Spec: OIDC Core 3.1.2.1."""
        return request.scope.keep(self.supported)
