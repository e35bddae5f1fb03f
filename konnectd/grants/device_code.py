"""A device code for tokens, once a person has allowed it. Spec: RFC 8628 3.4 and 3.5."""

from attrs import evolve, frozen

from konnectd.interfaces import GrantTools
from konnectd.protocol import device
from konnectd.protocol.claims import Approval
from konnectd.protocol.client import Client
from konnectd.protocol.device import DENIED, DEVICE_TTL, DeviceRequest, answer_key, handle_of, haste_key, poll_key
from konnectd.protocol.end_user import EndUser
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import AuthorizationGrant
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.resource import narrow_resources
from konnectd.protocol.tagged_code import DEVICE_CODE, check_code
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.protocol.withdrawal import check_not_taken_back, keys_before_redeeming


def build(tools: GrantTools) -> "DeviceCodeGrant":
    """Make the grant type."""
    return DeviceCodeGrant(tools)


@frozen
class DeviceCodeGrant:
    """Redeems each device code once."""

    tools: GrantTools
    grant_type: str = device.GRANT_TYPE

    async def approve(self, client: Client, parameters: Parameters) -> Approval:
        """Say what a person has decided about a device, and redeem its code when they allowed it.

        Whoever takes the request out of the store is the one who gets tokens. It is not spent when the backend does
        not answer, so that the device may try again.

        Raises:
            OAuthError: ``authorization_pending`` and ``slow_down`` as long as nobody has decided; ``access_denied``,
                ``expired_token``, ``invalid_grant``, ``unauthorized_client``, ``invalid_request``.
            BackendUnavailableError: store or backend did not answer.
        """
        device.check_registered(client)
        device.check_without_pkce(parameters)
        code = parameters.get("device_code")
        if code is None:
            raise OAuthError(ErrorCode.INVALID_REQUEST, "device_code is missing")
        check_code(code, client.client_id, DEVICE_CODE, self.tools.sealer.tag)
        handle, store = handle_of(code), self.tools.store
        asked = _read(await store.get(device.request_key(handle)))
        if self.tools.clock.now() >= asked.expires_at:
            raise OAuthError(ErrorCode.EXPIRED_TOKEN, "nobody has allowed this in time")
        answer = await store.get(answer_key(handle))
        if answer is None:
            raise await self._pending(handle)
        try:
            grant = _decided(answer)
            user = await self._find_user(grant)
            resources = narrow_resources(grant.resources, parameters, client)
        except OAuthError:
            await store.take(device.request_key(handle))
            raise
        if await store.take(device.request_key(handle)) is None:
            raise _spent()
        return evolve(Approval.of(self.tools.issuer, grant, user, client), resources=resources)

    async def _pending(self, handle: str) -> OAuthError:
        """Return what a device hears that has to wait; each time it does not, it has to wait longer."""
        store = self.tools.store
        interval = device.interval_after(await store.get(haste_key(handle)))
        if await store.add(poll_key(handle), "1", interval):
            return OAuthError(ErrorCode.AUTHORIZATION_PENDING, "nobody has allowed this yet")
        await store.increment(haste_key(handle), 2 * DEVICE_TTL)
        return OAuthError(ErrorCode.SLOW_DOWN, "ask less often")

    async def _find_user(self, grant: AuthorizationGrant) -> EndUser:
        """Return the person who allowed it, as they are now.

        Raises:
            OAuthError: ``invalid_grant``: they have signed out or taken it back since, or are gone.
        """
        user = await self.tools.backend.find(grant.logon.user_id)
        if user is None or user.subject != grant.logon.subject:
            raise OAuthError(ErrorCode.INVALID_GRANT, "the person is not known any more")
        # Last: the backend may have taken seconds, in which it was taken back.
        check_not_taken_back(grant, *await self.tools.store.get_each(*keys_before_redeeming(grant)))
        return user


def _read(text: str | None) -> DeviceRequest:
    """Return what a device asked for.

    Raises:
        OAuthError: ``invalid_grant``: it is not there any more.
    """
    asked = DeviceRequest.from_text(text) if text is not None else None
    if asked is None:
        raise _spent()
    return asked


def _decided(answer: str) -> AuthorizationGrant:
    """Return what a person allowed.

    Raises:
        OAuthError: ``access_denied``: nothing; ``invalid_grant``: another version has written it.
    """
    if answer == DENIED:
        raise OAuthError(ErrorCode.ACCESS_DENIED, "the person has denied it")
    grant = AuthorizationGrant.from_text(answer)
    if grant is None:
        raise _spent()
    return grant


def _spent() -> OAuthError:
    """Return what is said about a device code that is good for nothing any more."""
    return OAuthError(ErrorCode.INVALID_GRANT, "the device code has been used or has expired")
