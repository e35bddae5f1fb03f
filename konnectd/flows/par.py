"""Pushed authorization requests: a client leaves its request with us and gets a reference for the browser.

Spec: RFC 9126.
"""

from attrs import field, frozen

from konnectd.flows.client_authentication import ClientAuthentication
from konnectd.flows.pending import PendingRequests
from konnectd.flows.request_objects import seal_pushed
from konnectd.interfaces import Entropy, Store
from konnectd.protocol.admission import brings_guest
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.pushed_request import (
    KEPT_TTL,
    PREFIX,
    PUSHED_TTL,
    PushedRequest,
    check_count,
    check_size,
    pushable,
    pushed_key,
    unproven_key,
)


@frozen
class Reference:
    """What a client sends in place of its request."""

    request_uri: str = field(repr=False)
    expires_in: int

    def to_json(self) -> dict[str, object]:
        """Write it for the client. Spec: RFC 9126 2.2."""
        return {"request_uri": self.request_uri, "expires_in": self.expires_in}


@frozen(kw_only=True)
class PushRequest:
    """The endpoint that requests are pushed to."""

    authenticate: ClientAuthentication
    pending: PendingRequests
    store: Store
    entropy: Entropy

    async def __call__(self, authorization: str, parameters: Parameters) -> Reference:
        """Keep a request that the authorization endpoint would let through.

        Args:
            authorization: the ``Authorization`` header; empty for none.
            parameters: the posted form.

        Raises:
            OAuthError: it would not, or the client is not who it says.
            BackendUnavailableError: something behind us did not answer.

        Spec: RFC 9126 2.
        """
        client = await self.authenticate(authorization, parameters)
        meant, said = await self.pending.objects.push(client, pushable(parameters, client.client_id))
        self.pending.read(client, meant)
        reference = PREFIX + self.entropy.token()
        now = self.pending.clock.now()
        # The object is used up when its guest is let in, not here: somebody signed in may come, or nobody at all.
        signed = said if brings_guest(said) else None
        pushed = PushedRequest(client_id=client.client_id, parameters=meant, expires_at=now + PUSHED_TTL, signed=signed)
        text, counter = check_size(pushed.to_text()), unproven_key(client)
        sealed = seal_pushed(self.pending.sealer, text, now + KEPT_TTL)
        if counter:
            check_count(await self.store.increment(counter, KEPT_TTL))
        await self.store.put(pushed_key(reference), sealed, KEPT_TTL)
        return Reference(reference, PUSHED_TTL)
