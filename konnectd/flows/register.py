"""Dynamic registration: a client registers itself, looks at what is registered, changes it, and takes it back."""

import hmac
import json
from collections.abc import Mapping

from attrs import evolve, field, frozen

from konnectd.flows.dynamic_clients import NEVER, SECRET, DynamicClients
from konnectd.interfaces import Entropy, Fetch, FetchError, Signer
from konnectd.protocol.client_metadata import Offer
from konnectd.protocol.client_secret import SECRET_BYTES, SecretDigest
from konnectd.protocol.errors import BearerTokenError, OAuthError
from konnectd.protocol.registration import (
    LONGEST_CLIENT_ID,
    LONGEST_HEADER_CLIENT_ID,
    OURS,
    PREFIX,
    Metadata,
    Registered,
    check_sector_document,
    is_registration_token,
    registration_token_claims,
    too_much,
)
from konnectd.protocol.userinfo import bearer_token
from konnectd.protocol.vocabulary import AuthMethod, ErrorCode

#: How many changes a day are kept where everybody may register: they are all that a stranger makes us keep.
MOST_CHANGES = 1000
CHANGES_TTL = 24 * 3600
_CHANGES = "registration changes"


@frozen(kw_only=True)
class Registration:
    """What a client is told.

    Attributes:
        secret: a new one; empty when there is none.
        token: for managing the registration.
        uri: where it is managed.
    """

    client_id: str
    registered: Registered
    secret: str = field(default="", repr=False)
    token: str = field(repr=False)
    uri: str = field(repr=False)

    def to_json(self) -> dict[str, object]:
        """Write it. Spec: OIDC Registration 3.2 and 4.3; RFC 7591 3.2.1; RFC 7592 3."""
        answer: dict[str, object] = {"client_id": self.client_id, "client_id_issued_at": self.registered.issued_at}
        if self.secret:
            answer["client_secret"] = self.secret
        if self.registered.metadata.needs_secret:
            answer["client_secret_expires_at"] = self.registered.secret_expires_at
        answer["registration_client_uri"] = self.uri
        answer["registration_access_token"] = self.token
        return {**answer, **self.registered.metadata.members}


@frozen(kw_only=True)
class Register:
    """The registration endpoint.

    Attributes:
        uri: its own address.
        initial_token: what a client must show to register; empty when everybody may.
        secret_life: of new secrets, in seconds; 0 for ever.
    """

    issuer: str
    uri: str
    offer: Offer
    clients: DynamicClients
    signer: Signer
    entropy: Entropy
    fetch: Fetch
    initial_token: str = field(default="", repr=False)
    secret_life: int = 0

    async def create(self, authorization: str, said: object) -> Registration:
        """Register a client.

        Args:
            authorization: the ``Authorization`` header; empty for none.
            said: what the client says about itself.

        Raises:
            BearerTokenError: the initial access token is missing or wrong.
            OAuthError: what it says is not good.

        Spec: OIDC Registration 3; RFC 7591 3.
        """
        self._check_initial(authorization)
        metadata = await self._metadata(said)
        registered, secret = self._with_secret(Registered(metadata=metadata, issued_at=self.clients.clock.now()))
        client_id = PREFIX + await self.signer.sign(registered.to_claims())
        basic = metadata.auth_method == AuthMethod.BASIC
        if len(client_id) > (LONGEST_HEADER_CLIENT_ID if basic else LONGEST_CLIENT_ID):
            raise too_much()
        return await self._answer(client_id, registered, secret)

    async def read(self, authorization: str, client_id: str) -> Registration:
        """Show a client what is registered.

        Raises:
            BearerTokenError: its token is missing or wrong, or it is not registered any more.
            BackendUnavailableError: the store did not answer.

        Spec: OIDC Registration 4; RFC 7592 2.1.
        """
        return await self._answer(client_id, await self._managed(authorization, client_id))

    async def update(self, authorization: str, client_id: str, said: object) -> Registration:
        """Replace what is registered of a client. A secret that has expired is replaced as well.

        Raises:
            BearerTokenError: its token is missing or wrong, or it is not registered any more.
            OAuthError: what it says is not good.
            BackendUnavailableError: the store did not answer.

        Spec: RFC 7592 2.2.
        """
        before = await self._managed(authorization, client_id)
        await self._check_same(client_id, said)
        metadata = await self._metadata(said)
        registered, secret = evolve(before, metadata=metadata), ""
        ended = 0 < before.secret_expires_at <= self.clients.clock.now()
        if ended or not _keeps(before, metadata):
            registered, secret = self._with_secret(registered)
        registered.check_length()
        await self._count_change()
        await self.clients.change(client_id, registered)
        return await self._answer(client_id, registered, secret)

    async def delete(self, authorization: str, client_id: str) -> None:
        """Forget a client.

        Raises:
            BearerTokenError: its token is missing or wrong, or it is not registered any more.
            BackendUnavailableError: the store did not answer.

        Spec: RFC 7592 2.3.
        """
        await self._managed(authorization, client_id)
        await self._count_change()
        await self.clients.change(client_id, None)

    def _check_initial(self, authorization: str) -> None:
        """Check the initial access token, where there is one. Spec: RFC 7591 3 and 5."""
        if not self.initial_token:
            return
        shown = bearer_token(authorization, None)
        if not hmac.compare_digest(shown.encode(), self.initial_token.encode()):
            raise BearerTokenError(ErrorCode.INVALID_TOKEN, "the initial access token is wrong")

    async def _managed(self, authorization: str, client_id: str) -> Registered:
        """Return what is registered of a client that shows its token.

        Everything that is wrong looks the same, so nobody learns which clients there are.
        """
        token = bearer_token(authorization, None)
        good = is_registration_token(self.clients.verifier.verify(token), client_id, self.issuer)
        registered = await self.clients.registered(client_id) if good else None
        if registered is None:
            raise BearerTokenError(ErrorCode.INVALID_TOKEN, "the registration access token is wrong")
        return registered

    async def _metadata(self, said: object) -> Metadata:
        """Read what a client says about itself, and what it says elsewhere."""
        metadata = Metadata.parse(said, self.offer)
        address = metadata.text("sector_identifier_uri")
        if address:
            try:
                document: object = json.loads(await self.fetch.get(address))
            except (FetchError, ValueError, RecursionError):
                raise OAuthError(
                    ErrorCode.INVALID_CLIENT_METADATA, "sector_identifier_uri: there is no JSON document"
                ) from None
            check_sector_document(document, metadata)
        return metadata

    def _with_secret(self, registered: Registered) -> tuple[Registered, str]:
        """Give a client a new secret, if it needs one."""
        metadata, clients = registered.metadata, self.clients
        bare = evolve(registered, secret=None, sealed_secret="", secret_expires_at=0)
        if not metadata.needs_secret:
            return bare, ""
        secret = self.entropy.token(SECRET_BYTES)
        expires_at = clients.clock.now() + self.secret_life if self.secret_life else 0
        if metadata.keeps_secret:
            sealed = clients.sealer.seal(SECRET, {"secret": secret}, NEVER)
            return evolve(bare, sealed_secret=sealed, secret_expires_at=expires_at), secret
        digest = SecretDigest.of(secret, metadata.text("client_name"))
        return evolve(bare, secret=digest, secret_expires_at=expires_at), secret

    async def _check_same(self, client_id: str, said: object) -> None:
        """Check that an update is about the client whose token was shown, and says only what a client may say.

        Raises:
            OAuthError: it is not, or does not.

        Spec: RFC 7592 2.2.
        """
        if not isinstance(said, Mapping) or said.get("client_id") != client_id:
            raise OAuthError(ErrorCode.INVALID_CLIENT_METADATA, "client_id: must be that of the registration")
        if OURS & said.keys():
            raise OAuthError(
                ErrorCode.INVALID_CLIENT_METADATA, f"{min(OURS & said.keys())}: is not for a client to say"
            )
        secret = said.get("client_secret")
        if secret is None:
            return
        client = await self.clients.get(client_id)
        if client is None or not isinstance(secret, str) or not client.accepts_secret(secret):
            raise OAuthError(ErrorCode.INVALID_CLIENT_METADATA, "client_secret: is not the one of the registration")

    async def _count_change(self) -> None:
        """Refuse to keep more than a day's share of changes where everybody may register.

        Raises:
            OAuthError: ``temporarily_unavailable``.
        """
        if self.initial_token:
            return
        if await self.clients.store.increment(_CHANGES, CHANGES_TTL) > MOST_CHANGES:
            raise OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, "there were too many changes today")

    async def _answer(self, client_id: str, registered: Registered, secret: str = "") -> Registration:
        """Make the answer, with the token that manages the registration."""
        claims = registration_token_claims(client_id, self.issuer, registered.issued_at)
        return Registration(
            client_id=client_id,
            registered=registered,
            secret=secret,
            token=await self.signer.sign(claims),
            uri=f"{self.uri}?client_id={client_id}",
        )


def _keeps(before: Registered, metadata: Metadata) -> bool:
    """Tell whether the secret a client has will do for what it is from now on, none being as good where none is due."""
    if not metadata.needs_secret:
        return before.secret is None and not before.sealed_secret
    return bool(before.sealed_secret) if metadata.keeps_secret else before.secret is not None
