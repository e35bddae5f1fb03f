"""Sign-in of devices: the endpoint where they begin, and what a person decides for them elsewhere.

Spec: RFC 8628.
"""

from collections.abc import Collection
from enum import StrEnum
from hashlib import sha256
from typing import TypeAlias

from attrs import evolve, field, frozen

from konnectd.flows.client_authentication import ClientAuthentication
from konnectd.flows.sessions import Sessions
from konnectd.interfaces import ClientRegistry, Clock, Entropy, Sealer, Store
from konnectd.protocol.client import Client
from konnectd.protocol.device import (
    DENIED,
    DEVICE_TTL,
    GRANT_TYPE,
    MOST_TRIES,
    MOST_WRONG,
    TRIES_TTL,
    DeviceCodes,
    DeviceRequest,
    answer_key,
    check_count,
    check_registered,
    find_user_code,
    grantable,
    handle_of,
    read_request,
    request_key,
    shown,
    unproven_key,
    user_code_of,
)
from konnectd.protocol.end_user import Logon
from konnectd.protocol.errors import OAuthError
from konnectd.protocol.grant import AuthorizationGrant
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.tagged_code import CODE_BYTES, DEVICE_CODE, make_code
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.protocol.withdrawal import withdrawal_key

#: How often another user code is tried when one is in use.
MOST_DRAWS = 4
_WRONG_KEY = "device-wrong"
_TICKET = "device-ticket"


@frozen(kw_only=True)
class DeviceAuthorization:
    """The endpoint where devices begin.

    Attributes:
        supported: every scope that can be granted.
        verification_uri: where people type the code.
    """

    authenticate: ClientAuthentication
    store: Store
    sealer: Sealer
    clock: Clock
    entropy: Entropy
    supported: Collection[str]
    verification_uri: str

    async def __call__(self, authorization: str, parameters: Parameters) -> DeviceCodes:
        """Keep what a device asks for, and give it its two codes.

        Args:
            authorization: the ``Authorization`` header; empty for none.
            parameters: the posted form.

        Raises:
            OAuthError: the client is not who it says, or may not have that.
            BackendUnavailableError: something behind us did not answer.

        Spec: RFC 8628 3.1 and 3.2.
        """
        client = await self.authenticate(authorization, parameters)
        check_registered(client)
        scope, resources = read_request(client, parameters, self.supported)
        counter = unproven_key(client)
        if counter:
            check_count(await self.store.increment(counter, DEVICE_TTL))
        device_code = make_code(self.entropy.token(CODE_BYTES), client.client_id, DEVICE_CODE, self.sealer.tag)
        asked = DeviceRequest(
            handle=handle_of(device_code),
            client_id=client.client_id,
            scope=scope,
            resources=resources,
            expires_at=self.clock.now() + DEVICE_TTL,
        )
        # Longer than it counts, so that a late device hears that it is late.
        await self.store.put(request_key(asked.handle), asked.to_text(), 2 * DEVICE_TTL)
        user_code = await self._draw(asked)
        return DeviceCodes(device_code=device_code, user_code=shown(user_code), verification_uri=self.verification_uri)

    async def _draw(self, asked: DeviceRequest) -> str:
        """Find a user code that nobody else has.

        Raises:
            OAuthError: ``temporarily_unavailable``: there was none.
        """
        for _ in range(MOST_DRAWS):
            user_code = user_code_of(self.entropy.token())
            if await self.store.add(user_code_key(self.sealer, user_code), asked.to_text(), DEVICE_TTL):
                return user_code
        raise OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, "no user code is free")


class Refusal(StrEnum):
    """Why a code leads nowhere."""

    UNKNOWN = "unknown"
    TOO_MANY_TRIES = "too_many_tries"


@frozen
class Found:
    """A code was right.

    Attributes:
        ticket: leads the same person to the decision, without another try.
    """

    ticket: str = field(repr=False)


@frozen(kw_only=True)
class Waiting:
    """A device that waits for a decision."""

    request: DeviceRequest
    client: Client
    user_code: str = field(repr=False)


Attempt: TypeAlias = Found | Refusal


@frozen(kw_only=True)
class DeviceApproval:
    """What a person does for a device.

    Attributes:
        supported: every scope that can be granted.
    """

    clients: ClientRegistry
    store: Store
    sealer: Sealer
    clock: Clock
    sessions: Sessions
    supported: Collection[str]

    async def enter(self, logon: Logon, typed: str) -> Attempt:
        """Look a code up that somebody typed who is signed in.

        Every try counts before anything is looked up, so that of many at once no more than allowed learn an answer.

        Raises:
            BackendUnavailableError: store or registry did not answer.

        Spec: RFC 8628 5.1.
        """
        user_code = find_user_code(typed)
        if user_code is None:
            # It can not be any, so there is nothing that anybody could learn from it.
            return Refusal.UNKNOWN
        if await self.store.increment(_tries_key(logon), TRIES_TTL) > MOST_TRIES:
            return Refusal.TOO_MANY_TRIES
        if int(await self.store.get(_WRONG_KEY) or "0") >= MOST_WRONG:
            return Refusal.TOO_MANY_TRIES
        if await self._find(user_code) is None:
            await self.store.increment(_WRONG_KEY, TRIES_TTL)
            return Refusal.UNKNOWN
        expires_at = self.clock.now() + DEVICE_TTL
        return Found(self.sealer.seal(_TICKET, {"code": user_code, "sid": logon.session_id}, expires_at))

    async def waiting(self, logon: Logon, ticket: str) -> Waiting | None:
        """Return the device behind a ticket of a session; None when nobody can decide about it any more.

        Raises:
            BackendUnavailableError: store or registry did not answer.
        """
        claims = self.sealer.open(_TICKET, ticket, self.clock.now())
        match claims:
            case {"code": str(user_code), "sid": str(session_id)} if session_id == logon.session_id:
                return await self._find(user_code)
        return None

    async def decide(self, logon: Logon, ticket: str, *, allow: bool) -> bool:
        """Record what a person decided; return whether there was anything to decide.

        Of several decisions about one device the first counts.

        Raises:
            BackendUnavailableError: store or registry did not answer.

        Spec: RFC 8628 3.3.
        """
        waiting = await self.waiting(logon, ticket)
        if waiting is None:
            return False
        if await self.store.take(user_code_key(self.sealer, waiting.user_code)) is None:
            return False
        asked, answer = waiting.request, DENIED
        if allow:
            mark = await self.store.get(withdrawal_key(logon.sub, asked.client_id))
            # Before the device can get anything: whoever signs out has it told, too.
            await self.sessions.join(waiting.client, logon, asked.scope)
            answer = self._grant(asked, logon, mark or "").to_text()
        await self.store.put(answer_key(asked.handle), answer, 2 * DEVICE_TTL)
        return True

    async def _find(self, user_code: str) -> Waiting | None:
        """Return the device that has a user code, with what its client may still have."""
        text = await self.store.get(user_code_key(self.sealer, user_code))
        asked = DeviceRequest.from_text(text) if text is not None else None
        client = await self.clients.get(asked.client_id) if asked is not None else None
        if asked is None or client is None or self.clock.now() >= asked.expires_at:
            return None
        if GRANT_TYPE not in client.grant_types:
            return None
        scope = grantable(asked.scope, client, self.supported)
        return Waiting(request=evolve(asked, scope=scope), client=client, user_code=user_code)

    def _grant(self, asked: DeviceRequest, logon: Logon, withdrawal: str) -> AuthorizationGrant:
        """Return what a person allowed, under a mark."""
        return AuthorizationGrant(
            grant_id=self.sealer.tag("grant", asked.handle),
            client_id=asked.client_id,
            redirect_uri="",
            scope=asked.scope,
            resources=asked.resources,
            logon=logon,
            withdrawal=withdrawal,
        )


def user_code_key(sealer: Sealer, user_code: str) -> str:
    """Name the entry of a user code; there are so few codes that a digest without a key could be tried out."""
    return f"user-code:{sealer.tag('user-code', user_code)}"


def _tries_key(logon: Logon) -> str:
    """Name the counter of what a person tries, in whatever browser."""
    return f"device-tries:{sha256(logon.sub.encode()).hexdigest()}"
