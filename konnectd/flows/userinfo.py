"""The userinfo endpoint: from a token to what it lets its bearer see."""

import json
from collections.abc import Mapping
from typing import TypeAlias

from attrs import field, frozen

from konnectd.flows.people import find_person
from konnectd.flows.revocations import Revocations
from konnectd.interfaces import Backend, ClientRegistry, Clock, Encrypter, Signer, Verifier
from konnectd.protocol import userinfo
from konnectd.protocol.claims import Presented, check_access_token
from konnectd.protocol.client import Client
from konnectd.protocol.end_user import public_subject
from konnectd.protocol.errors import BearerTokenError
from konnectd.protocol.parameters import Parameters
from konnectd.protocol.trail import Trail
from konnectd.protocol.vocabulary import ErrorCode
from konnectd.protocol.wrapping import Wrapping


@frozen
class Plain:
    """The claims as JSON."""

    claims: Mapping[str, object] = field(repr=False)


@frozen
class Signed:
    """The claims as a compact JWS, for clients registered so."""

    jws: str = field(repr=False)


@frozen
class Encrypted:
    """The claims as a compact JWE, for clients registered so; with a JWS inside if they want both."""

    jwe: str = field(repr=False)


Answer: TypeAlias = Plain | Signed | Encrypted


@frozen(kw_only=True)
class UserInfo:
    """The userinfo endpoint."""

    issuer: str
    backend: Backend
    clients: ClientRegistry
    revocations: Revocations
    signer: Signer
    encrypter: Encrypter
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
        user = await find_person(self.backend, presented)
        if user is None or public_subject(user.subject, presented.provider) != presented.account:
            raise BearerTokenError(ErrorCode.INVALID_TOKEN, "the person is not known any more").about(
                Trail(client=presented.client_id)
            )
        claims = userinfo.claims(presented, user)
        client = await self.clients.get(presented.client_id)
        if client is None:
            raise BearerTokenError(ErrorCode.INVALID_TOKEN, "the client is not registered any more")
        return await self._protected(claims, client)

    async def _protected(self, claims: Mapping[str, object], client: Client) -> Answer:
        """Answer as the client is registered: signed, encrypted, or signed and then encrypted.

        Raises:
            BackendUnavailableError: the client's keys are not to be had.

        Spec: OIDC Core 5.3.2 (an answer that is no plain JSON names issuer and audience).
        """
        algorithm, alg = client.userinfo_signed_response_alg, client.userinfo_encrypted_response_alg
        if not algorithm and not alg:
            return Plain(claims)
        named = {**claims, "iss": self.issuer, "aud": client.client_id}
        content = await self.signer.sign(named, algorithm) if algorithm else json.dumps(named)
        if not alg:
            return Signed(content)
        wrapping = Wrapping(alg=alg, enc=client.userinfo_encrypted_response_enc, nested=bool(algorithm))
        return Encrypted(await self.encrypter.encrypt(client, content, wrapping))

    async def _check_alive(self, presented: Presented) -> None:
        """Refuse a token that was revoked, alone or with its grant.

        Raises:
            BearerTokenError: ``invalid_token``.
        """
        if await self.revocations.is_revoked(presented):
            raise BearerTokenError(ErrorCode.INVALID_TOKEN, "the access token is revoked").about(
                Trail(client=presented.client_id)
            )
