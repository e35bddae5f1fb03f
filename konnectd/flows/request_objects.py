"""Where an authorization request really stands: in itself, in an object the client signed, or in what it pushed.

Spec: OIDC Core 6; RFC 9101 6; RFC 9126 4.
"""

from collections.abc import Mapping
from hashlib import blake2b

from attrs import field, frozen

from konnectd.interfaces import ClientKeys, Clock, Fetch, FetchError, Sealer, Store
from konnectd.protocol.authorize import INTERNAL_PARAMETERS, fingerprint
from konnectd.protocol.client import Client
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.progress import PROGRESS_TTL, Progress
from konnectd.protocol.pushed_request import PushedRequest, is_pushed, pushed_key
from konnectd.protocol.request_object import (
    REQUEST,
    REQUEST_URI,
    SEALED_REQUEST,
    UNSIGNED,
    check_times,
    locate,
    overlay,
    read_unsigned,
    refusal,
)
from konnectd.protocol.vocabulary import ErrorCode

#: Purpose under which requests are sealed.
SEALED = "request"
#: Purpose under which they wait in the store that were pushed.
PUSHED = "pushed"
_KEPT = "kept"


@frozen(kw_only=True)
class Resolved:
    """A request as it is meant.

    Attributes:
        parameters: what counts.
        carried: what our pages carry along to find the same again.
        reference: the ``request_uri`` of a pushed request; empty for any other.
        signed: what the object says that the client has signed; None without one. Of a pushed one only what brings a
            guest is kept.
    """

    parameters: Parameters = field(repr=False)
    carried: Parameters = field(repr=False)
    reference: str = field(default="", repr=False)
    signed: Mapping[str, object] | None = field(default=None, repr=False)


@frozen(kw_only=True)
class RequestObjects:
    """Resolves requests.

    Attributes:
        algorithms: by which objects may be signed.
        require_pushed: of every client.
    """

    issuer: str
    keys: ClientKeys
    fetch: Fetch
    store: Store
    sealer: Sealer
    clock: Clock
    algorithms: tuple[str, ...]
    require_pushed: bool = False

    def concern(self, client: Client, parameters: Parameters) -> bool:
        """Tell whether there is more to a request than what was sent."""
        return (
            REQUEST in parameters
            or REQUEST_URI in parameters
            or SEALED_REQUEST in parameters
            or self.require_pushed
            or client.require_pushed_authorization_requests
            or client.require_signed_request_object
        )

    async def resolve(self, client: Client, parameters: Parameters, progress: Progress | None) -> Resolved:
        """Return what a request means.

        Args:
            client: who asks.
            parameters: what was sent.
            progress: of some request, as our pages sealed it; of this one only if its fingerprint says so.

        Raises:
            OAuthError: what was sent in place of a request is not good, or the client may not ask in this way.
            BackendUnavailableError: something behind us did not answer.
        """
        request_uri = parameters.text(REQUEST_URI)
        if len({REQUEST, REQUEST_URI, SEALED_REQUEST} & dict(parameters.items()).keys()) > 1:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "request and request_uri do not go together")
        if is_pushed(request_uri):
            return await self._pushed(client, parameters, request_uri, progress)
        if self.require_pushed or client.require_pushed_authorization_requests:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "the request must be pushed first")
        if SEALED_REQUEST in parameters:
            return Resolved(parameters=self._opened(client, parameters), carried=parameters)
        if request_uri:
            parameters = await self._fetched(client, parameters, request_uri)
        resolved, signed = await self._read(client, parameters, alone=client.require_signed_request_object)
        return Resolved(parameters=resolved, carried=self._sealed(client, resolved), signed=signed)

    async def push(self, client: Client, parameters: Parameters) -> tuple[Parameters, Mapping[str, object] | None]:
        """Return what a request that is being pushed means, and what its client signed for it; None for nothing.

        Raises:
            OAuthError: its request object is not good, or there has to be one.
            BackendUnavailableError: something behind us did not answer.

        Spec: RFC 9126 2.1 and 3 (with an object only what is inside counts).
        """
        return await self._read(client, parameters, alone=True)

    async def spend(self, reference: str) -> None:
        """Forget a pushed request: it is about to be answered.

        Raises:
            OAuthError: it was answered before.
            BackendUnavailableError: the store did not answer.

        Spec: RFC 9126 4 and 7.3.
        """
        if await self.store.take(pushed_key(reference)) is None:
            raise _unknown_reference()

    async def _pushed(
        self, client: Client, parameters: Parameters, reference: str, progress: Progress | None
    ) -> Resolved:
        """Return what a client pushed; what stands beside the reference does not count.

        Spec: RFC 9126 4 and 7.2 (a reference is bound to its client); RFC 9101 6.3.
        """
        sealed = await self.store.get(pushed_key(reference))
        kept = self.sealer.open(PUSHED, sealed, self.clock.now()) if sealed is not None else None
        pushed = PushedRequest.from_text(str(kept[_KEPT])) if kept is not None else None
        if pushed is None or pushed.client_id != client.client_id:
            raise _unknown_reference()
        # A browser that arrived in time may be on our pages for a while.
        under_way = progress is not None and progress.fingerprint == fingerprint(pushed.parameters)
        if not under_way and self.clock.now() >= pushed.expires_at:
            raise _unknown_reference()
        resolved = _with_ours(dict(pushed.parameters.items()), parameters)
        return Resolved(parameters=resolved, carried=parameters, reference=reference, signed=pushed.signed)

    def _sealed(self, client: Client, resolved: Parameters) -> Parameters:
        """Return what our pages carry of a request whose object has been checked.

        An object may be long, and good for a minute; this is short, and good for as long as a person may take.
        """
        sent = dict(resolved.without("client_id", *INTERNAL_PARAMETERS).items())
        claims = {"v": 1, "client": _digest(client), "sent": sent}
        sealed = self.sealer.seal(SEALED, claims, self.clock.now() + PROGRESS_TTL)
        return _with_ours({"client_id": client.client_id, SEALED_REQUEST: sealed}, resolved)

    def _opened(self, client: Client, parameters: Parameters) -> Parameters:
        """Return a request that our pages carried along.

        Raises:
            OAuthError: it was not us who sealed it, it is another client's, or too old.
        """
        match self.sealer.open(SEALED, parameters.text(SEALED_REQUEST), self.clock.now()):
            case {"v": 1, "client": str(whose), "sent": dict(sent)} if whose == _digest(client):
                return _with_ours({"client_id": client.client_id, **sent}, parameters)
        raise OAuthError(ErrorCode.INVALID_REQUEST, "the request was on its way for too long")

    async def _fetched(self, client: Client, parameters: Parameters, request_uri: str) -> Parameters:
        """Return a request with the object itself in place of its address.

        Spec: OIDC Core 6.2; RFC 9101 5.2.3.
        """
        address = locate(client, request_uri)
        try:
            text = (await self.fetch.get(address)).decode("ascii").strip()
        except (FetchError, UnicodeDecodeError):
            raise OAuthError(ErrorCode.INVALID_REQUEST_URI, "request_uri can not be fetched") from None
        return Parameters({**dict(parameters.without(REQUEST_URI).items()), REQUEST: text})

    async def _read(
        self, client: Client, parameters: Parameters, *, alone: bool
    ) -> tuple[Parameters, Mapping[str, object] | None]:
        """Return a request with what its object says, and that if it is signed; as it is without one."""
        token = parameters.get(REQUEST)
        if token is None:
            if client.require_signed_request_object:
                raise OAuthError(ErrorCode.INVALID_REQUEST, "the request must be in a signed request object")
            return parameters, None
        claims = await self._claims(client, token)
        resolved = overlay(client, self.issuer, parameters, claims, alone=alone)
        check_times(claims, self.clock.now())
        return resolved, claims if client.request_object_signing_alg != UNSIGNED else None

    async def _claims(self, client: Client, token: str) -> Mapping[str, object]:
        """Return what an object says, when it is signed as the client's registration says.

        Spec: OIDC Core 6.3.2; OIDC Registration 2 (``request_object_signing_alg``); RFC 9101 10.5.
        """
        registered = client.request_object_signing_alg
        if registered == UNSIGNED:
            unsigned = None if client.require_signed_request_object else read_unsigned(token)
            if unsigned is None:
                raise refusal("the request object is not of the kind that the client registered")
            return unsigned
        claims = await self.keys.verify(client, token, (registered,) if registered else self.algorithms)
        if claims is None:
            raise refusal("the signature of the request object does not fit the registration of the client")
        return claims


def seal_pushed(sealer: Sealer, text: str, expires_at: int) -> str:
    """Return a pushed request as it waits in the store: it may say who is expected, and carry a token of theirs."""
    return sealer.seal(PUSHED, {_KEPT: text}, expires_at)


def _digest(client: Client) -> str:
    """Return what stands for a client where its id, which may be thousands of characters, would be too long."""
    return blake2b(client.client_id.encode(), digest_size=16).hexdigest()


def _with_ours(meant: Mapping[str, str], sent: Parameters) -> Parameters:
    """Return a request with what our own pages added to what was sent."""
    added = {name: value for name, value in sent.items() if name in INTERNAL_PARAMETERS}
    return Parameters({**meant, **added})


def _unknown_reference() -> OAuthError:
    """Return the one error for every reference that is not good: unknown, used, too old, or of another client."""
    return OAuthError(ErrorCode.INVALID_REQUEST_URI, "request_uri is unknown, has been used or has expired")
