"""The userinfo endpoint: from a token to what it lets its bearer see."""

from collections.abc import Mapping
from typing import TypeAlias

from attrs import field, frozen

from konnectd.interfaces import Backend, ClientRegistry, Clock, Signer, Store, Verifier
from konnectd.protocol import userinfo
from konnectd.protocol.claims import Presented, check_access_token
from konnectd.protocol.end_user import public_subject
from konnectd.protocol.errors import BearerTokenError
from konnectd.protocol.grant import revoked_key
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.vocabulary import ErrorCode


@frozen
class Plain:
    """The claims as JSON."""

    claims: Mapping[str, object] = field(repr=False)


@frozen
class Signed:
    """The claims as a compact JWS, for clients registered so."""

    jws: str = field(repr=False)


Answer: TypeAlias = Plain | Signed


@frozen(kw_only=True)
class UserInfo:
    """The userinfo endpoint."""

    issuer: str
    backend: Backend
    clients: ClientRegistry
    store: Store
    signer: Signer
    verifier: Verifier
    clock: Clock

    async def __call__(self, authorization: str, form: Parameters | None) -> Answer:
        """Answer a userinfo request.

        Args:
            authorization: the ``Authorization`` header; empty for none.
            form: the posted form; None when none was posted.

        Raises:
            BearerTokenError: there is no good token.
            BackendUnavailableError: something behind us did not answer.

        Spec: OIDC Core 5.3; RFC 6750.
        """
        token = userinfo.bearer_token(authorization, form)
        presented = check_access_token(self.verifier.verify(token), self.issuer, self.clock.now())
        userinfo.check_scope(presented)
        await self._check_alive(presented)
        user = await self.backend.find(presented.user_id) if presented.provider == self.backend.name else None
        if user is None or public_subject(user.subject, presented.provider) != presented.sub:
            raise BearerTokenError(ErrorCode.INVALID_TOKEN, "the person is not known any more")
        claims = userinfo.claims(presented, user)
        client = await self.clients.get(presented.client_id)
        if client is None:
            raise BearerTokenError(ErrorCode.INVALID_TOKEN, "the client is not registered any more")
        algorithm = client.userinfo_signed_response_alg
        if not algorithm:
            return Plain(claims)
        # Spec: OIDC Core 5.3.2: a signed answer names issuer and audience.
        return Signed(await self.signer.sign({**claims, "iss": self.issuer, "aud": presented.client_id}, algorithm))

    async def _check_alive(self, presented: Presented) -> None:
        """Refuse a token whose grant was revoked.

        Raises:
            BearerTokenError: ``invalid_token``.
        """
        if presented.grant_id and await self.store.get(revoked_key(presented.grant_id)) is not None:
            raise BearerTokenError(ErrorCode.INVALID_TOKEN, "the access token is revoked")
